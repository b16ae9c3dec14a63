"""A trade intent in the engine's terms: integers, a side, an exit plan. The intents door and the backtest share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.errors import InputError
from surefill.rules.codes import OrdType
from surefill.strategy.intents import TradeAction, TradeIntent
from surefill.units import QTY_MAX, figure_ppb, to_quanta

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

__all__ = ["DOOR", "MEANING", "plan_of", "to_intent"]


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
    )
    return None if plan.is_empty() else plan


def _px(value: object, instrument: Instrument, field: str) -> int:
    if value is None:
        return 0
    if not isinstance(value, str | int | float):
        raise InputError(f"{field} must be a number, not {value!r}", code="NOT_A_NUMBER", field=field)
    return to_quanta(value, instrument.price_decimals, field=field)


def _count(value: object, field: str) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{field} must be a whole number of bars, not {value!r}", code="NOT_A_NUMBER", field=field)
    return value
