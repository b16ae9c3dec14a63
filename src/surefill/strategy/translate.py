"""A trade intent in the engine's terms: integers, a side, an exit plan. The intents door and the backtest share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from surefill.domain.inputs import SubmitIntent
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, ExitPlan, Intent, LadderStep
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError
from surefill.rules.codes import OrdType, TimeInForce
from surefill.strategy.intents import CLOSING, TradeAction, TradeIntent
from surefill.strategy.spec import PCT_DECIMALS
from surefill.units import QTY_MAX, figure_ppb, iso_from_ns, to_quanta

DOOR: Final = "intents"
#: Metadata: how many standard deviations the regime is away from the one that the strategy was made for.
REGIME: Final = "regime_distance_z"

#: What each action may do to the position, and on which side (0: the side that fits what is held).
MEANING: Final[Mapping[TradeAction, tuple[Action, int]]] = {
    TradeAction.OPEN_LONG: (Action.OPEN, 1),
    TradeAction.OPEN_SHORT: (Action.OPEN, -1),
    TradeAction.CLOSE_LONG: (Action.CLOSE, -1),
    TradeAction.CLOSE_SHORT: (Action.CLOSE, 1),
    TradeAction.SCALE_IN: (Action.ADD, 0),
    TradeAction.SCALE_OUT: (Action.CLOSE, 0),
}

_WITHOUT_FIGURES: Final[Mapping[str, object]] = {
    "trail_distance": None,
    "time_stop_bars": None,
    "ladder": None,
    "stop_partial_pct": None,
    "order_type": None,
    REGIME: None,
}
_CODE_OF_FIELD: Final = {
    "quantity": RefusalCode.INVALID_QUANTITY,
    "stop_loss": RefusalCode.INVALID_PLAN,
    "take_profit": RefusalCode.INVALID_PLAN,
    "trail_distance": RefusalCode.INVALID_PLAN,
    "time_stop_bars": RefusalCode.INVALID_PLAN,
    "ladder": RefusalCode.INVALID_PLAN,
    "stop_partial_pct": RefusalCode.INVALID_PLAN,
    "order_type": RefusalCode.UNSUPPORTED_ORDER_TYPE,
    "price": RefusalCode.OFF_TICK,
    "stop_px": RefusalCode.OFF_TICK,
}

__all__ = ["DOOR", "MEANING", "plan_of", "submission_of", "to_intent"]


def submission_of(trade: TradeIntent, instrument: Instrument, ts_ns: int) -> SubmitIntent:
    """What a strategy's intent hands in at `ts_ns`: the intent, or, where one of its figures cannot be counted in the
    instrument's quanta, an intent without figures that is refused. One trade that cannot be is no reason to leave the
    others unguarded.
    """
    try:
        return SubmitIntent(ts_ns, _ordered(to_intent(trade, instrument), trade, instrument))
    except InputError as error:
        field = str(error.values.get("field", ""))
        if field not in _CODE_OF_FIELD and field != REGIME:
            raise
        plain = msgspec.structs.replace(
            trade, quantity=0.0, stop_loss=None, take_profit=None, metadata={**trade.metadata, **_WITHOUT_FIGURES}
        )
        name = str(trade.metadata.get("strategy_id", "")) or trade.strategy_entity_id
        reason = (
            f"{trade.action} of {trade.symbol} by {name}, at {iso_from_ns(ts_ns)}: {error.message};"
            f" {_remedy(error, field, instrument)}"
        )
        code = _CODE_OF_FIELD.get(field, RefusalCode.INVALID_INPUT)
        return SubmitIntent(ts_ns, to_intent(plain, instrument), refusal=Refusal(code, reason))


def _remedy(error: InputError, field: str, instrument: Instrument) -> str:
    name, decimals = f"instruments.{instrument.instrument_id}", instrument.qty_decimals
    if field == "quantity" and error.code == "OUT_OF_RANGE":
        return f"count it more coarsely ({name}.qty_decimals below {decimals}), or trade less"
    if field == "quantity":
        return f"trade whole multiples of the lot ({name}.lot, {name}.qty_decimals {decimals})"
    if error.code == "TOO_FINE":
        return f"round it to the tick ({name}.tick, {name}.price_decimals {instrument.price_decimals})"
    return "mend the strategy"


def to_intent(trade: TradeIntent, instrument: Instrument, *, ord_type: int = OrdType.MARKET, px: int = 0) -> Intent:
    """The intent for the engine. Raises InputError where a figure does not fit the instrument's quanta, or where the
    action is not one that makes an order.
    """
    if trade.action not in MEANING:
        raise InputError(f"{trade.action} makes no order", code="UNSUPPORTED_ACTION", action=str(trade.action))
    action, side = MEANING[trade.action]
    return Intent(
        trade.id,
        trade.correlation_id,
        DOOR,
        str(trade.metadata.get("strategy_id", "")) or trade.strategy_entity_id,
        trade.symbol,
        action,
        side,
        to_quanta(trade.quantity, instrument.qty_decimals, field="quantity", max_quanta=QTY_MAX),
        ord_type,
        px=px,
        plan=plan_of(trade, instrument) if action != Action.CLOSE else None,
        reason=trade.reason,
        context={"tf": trade.timeframe, "signal": str(trade.metadata.get("signal", ""))},
        figures=_figures(trade),
    )


def _ordered(intent: Intent, trade: TradeIntent, instrument: Instrument) -> Intent:
    """What a strategy's intent asks for beyond the door's.

    A close takes all that is held when it is made, which may be less by then than when it was decided. The order of an
    entry is the one in the metadata: one that waits for its price, until it is taken back.
    """
    if trade.action in CLOSING and intent.order_qty > 0:
        intent = msgspec.structs.replace(intent, order_qty=0)
    said = trade.metadata.get("order_type")
    if said is None:
        return intent
    if said not in OrdType.__members__:
        raise InputError(f"there is no order_type {said!r}", code="UNSUPPORTED_ORDER_TYPE", field="order_type")
    ord_type = OrdType[str(said)]
    return msgspec.structs.replace(
        intent,
        ord_type=ord_type,
        time_in_force=TimeInForce.GTC,
        px=_px(trade.price, instrument, "price") if ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT) else 0,
        stop_px=_px(trade.metadata.get("stop_px"), instrument, "stop_px"),
    )


def _figures(trade: TradeIntent) -> dict[str, int]:
    """What the gates judge by: how far the market's regime has drifted, where the caller says so."""
    distance = trade.metadata.get(REGIME)
    if distance is None:
        return {}
    if not isinstance(distance, str | int | float):
        raise InputError(f"{REGIME} must be a number, not {distance!r}", code="NOT_A_NUMBER", field=REGIME)
    return {"regime_z": figure_ppb(distance, REGIME)}


def plan_of(trade: TradeIntent, instrument: Instrument) -> ExitPlan | None:
    """The exit plan that the intent carries: stop and target, and what the runner wrote into the metadata."""
    wanted = trade.metadata
    plan = ExitPlan(
        stop_px=_px(trade.stop_loss, instrument, "stop_loss"),
        target_px=_px(trade.take_profit, instrument, "take_profit"),
        trail_distance=_px(wanted.get("trail_distance"), instrument, "trail_distance"),
        time_stop_bars=_count(wanted.get("time_stop_bars"), "time_stop_bars"),
        end_of_day=wanted.get("end_of_day") is True,
        ladder=_ladder(wanted.get("ladder"), instrument),
        stop_partial_ppb=_share_ppb(wanted.get("stop_partial_pct"), "stop_partial_pct"),
    )
    return None if plan.is_empty() else plan


def _px(value: object, instrument: Instrument, field: str) -> int:
    if value is None:
        return 0
    if not isinstance(value, str | int | float):
        raise InputError(f"{field} must be a number, not {value!r}", code="NOT_A_NUMBER", field=field)
    return to_quanta(value, instrument.price_decimals, field=field)


def _ladder(value: object, instrument: Instrument) -> tuple[LadderStep, ...]:
    """Pairs of a price and a percentage."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(
        isinstance(rung, list | tuple) and len(rung) == 2 for rung in value
    ):
        raise InputError(
            f"ladder must be pairs of a price and a percentage, not {value!r}", code="NOT_A_NUMBER", field="ladder"
        )
    return tuple(LadderStep(_px(px, instrument, "ladder"), _share_ppb(pct, "ladder")) for px, pct in value)


def _share_ppb(pct: object, field: str) -> int:
    if pct is None:
        return 0
    if not isinstance(pct, str | int | float):
        raise InputError(f"{field} must be a number, not {pct!r}", code="NOT_A_NUMBER", field=field)
    return to_quanta(pct, PCT_DECIMALS, field=field)


def _count(value: object, field: str) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{field} must be a whole number of bars, not {value!r}", code="NOT_A_NUMBER", field=field)
    return value
