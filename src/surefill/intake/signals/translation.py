"""From a signal and its context to an intent in integers, or to the first thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from surefill.config import Settings
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, ExitPlan, Intent, LadderStep
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError
from surefill.intake.signals.messages import ExecutionContext
from surefill.intake.signals.reading import Word
from surefill.units import PRICE_MAX, QTY_MAX, rate_ppb_from_fraction, to_quanta

T = TypeVar("T")

DOOR: Final = "signals"
PRODUCTS: Final = ("MIS", "NRML", "CNC")
_BARS_MAX: Final = 1_000_000


class Translated(NamedTuple):
    """The intent as far as it could be read, and what is wrong with it, if anything is."""

    intent: Intent
    refusal: Refusal | None


def translate(
    symbol: str,
    word: Word,
    signal: object,
    context: ExecutionContext,
    *,
    settings: Settings,
    instrument: Instrument | None,
    story: str,
) -> Translated:
    """Read everything. Nothing is replaced by a default that the context has said."""
    reader = _Reader(settings, instrument)
    reader.check_context(symbol, context)
    closing = word is Word.EXIT
    intent = Intent(
        intent_id=str(context.intent_id or ""),
        correlation_id=story,
        door=DOOR,
        strategy_id=str(context.strategy_id),
        instrument_id=symbol,
        action=Action.CLOSE if closing else Action.TRADE,
        side=0 if closing else 1 if word is Word.BUY else -1,
        order_qty=0 if closing else reader.quantity(context),
        plan=None if closing else reader.plan(context),
        reason=_reason_of(signal),
        context=_labels(context),
    )
    return Translated(intent, reader.refusal)


class _Reader:
    """Turns values into integers; remembers the first that could not be."""

    def __init__(self, settings: Settings, instrument: Instrument | None) -> None:
        self.refusal: Refusal | None = None
        self._settings = settings
        self._price_decimals = instrument.price_decimals if instrument else 0
        self._qty_decimals = instrument.qty_decimals if instrument else 0

    def _refuse(self, code: RefusalCode, reason: str) -> None:
        if self.refusal is None:
            self.refusal = Refusal(code, reason)

    def _read(self, code: RefusalCode, convert: Callable[[], T], instead: T) -> T:
        try:
            return convert()
        except InputError as error:
            self._refuse(code, error.message)
            return instead

    def check_context(self, symbol: str, context: ExecutionContext) -> None:
        """The context belongs to this symbol, to a product that exists, and to this workspace's mode."""
        if context.symbol and context.symbol != symbol:
            self._refuse(RefusalCode.INVALID_INPUT, f"the signal is for {symbol!r}, its context for {context.symbol!r}")
        if str(context.product).upper() not in PRODUCTS:
            self._refuse(RefusalCode.INVALID_INPUT, f"product {context.product!r} is not one of {', '.join(PRODUCTS)}")
        ours = self._settings.workspace.mode
        if str(context.mode).strip().lower() not in ("paper", ours):
            self._refuse(
                RefusalCode.INVALID_INPUT,
                f"the context's mode is {context.mode!r}, this workspace is {ours}: live trading is not there yet",
            )

    def quantity(self, context: ExecutionContext) -> int:
        """In quanta; a negative one is left to the gate, which refuses it with its figures."""
        asked: Any = context.fixed_qty
        if asked is None:
            asked = self._settings.trading.default_quantity
        return self._read(
            RefusalCode.INVALID_QUANTITY,
            lambda: to_quanta(asked, self._qty_decimals, field="quantity", max_quanta=QTY_MAX, allow_negative=True),
            0,
        )

    def plan(self, context: ExecutionContext) -> ExitPlan | None:
        """The exits of the position that the signal leads to; None for none."""
        execution = self._settings.execution
        stop_px = self._level(context.sl_price, "sl_price")
        step_ppb, distance = self._trailing(context.trailing, has_stop=stop_px > 0)
        partial_ppb = 0
        if execution.enable_partial_exit and stop_px:
            partial_ppb = rate_ppb_from_fraction(execution.partial_exit_pct, "partial_exit_pct")
        plan = ExitPlan(
            stop_px=stop_px,
            target_px=self._level(context.tp_price, "tp_price"),
            trail_distance=distance,
            trail_step_ppb=step_ppb,
            stop_partial_ppb=partial_ppb,
            ladder=tuple(self._ladder(context)),
            time_stop_bars=self._bars(context.time_stop_bars),
        )
        return None if plan.is_empty() else plan

    def _level(self, value: object, field: str) -> int:
        if value is None:
            return 0
        return self._read(RefusalCode.INVALID_PLAN, lambda: self._px(value, field), 0)

    def _px(self, value: Any, field: str) -> int:
        return to_quanta(value, self._price_decimals, field=field, max_quanta=PRICE_MAX)

    def _trailing(self, asked: bool | float | None, *, has_stop: bool) -> tuple[int, int]:
        """(step in parts per billion of R, distance in price quanta)."""
        execution = self._settings.execution
        if asked is None:
            # R is the distance to the stop: a configured trailing has nothing to follow where there is none.
            asked = execution.enable_trailing and has_stop
        if asked is True:
            return rate_ppb_from_fraction(execution.trail_step_r, "trail_step_r"), 0
        if asked is False:
            return 0, 0
        return 0, self._level(asked, "trailing")

    def _bars(self, asked: object) -> int:
        execution = self._settings.execution
        if asked is None:
            return execution.time_stop_bars if execution.enable_time_stop else 0
        value: Any = asked
        return self._read(
            RefusalCode.INVALID_PLAN,
            lambda: to_quanta(value, 0, field="time_stop_bars", max_quanta=_BARS_MAX),
            0,
        )

    def _ladder(self, context: ExecutionContext) -> list[LadderStep]:
        def steps() -> list[LadderStep]:
            return [
                LadderStep(self._px(price, "ladder price"), rate_ppb_from_fraction(fraction, "ladder fraction"))
                for price, fraction in context.ladder
            ]

        return self._read(RefusalCode.INVALID_PLAN, steps, [])


def _reason_of(signal: object) -> str:
    """A signal object's own reason; a bare word has none."""
    reason = None if isinstance(signal, str) else getattr(signal, "reason", None)
    return reason if isinstance(reason, str) else ""


def _labels(context: ExecutionContext) -> dict[str, str]:
    """What the projections show. The time is left out: the same signal sent again has another."""
    labels = {
        "exchange": context.exchange,
        "product": str(context.product).upper(),
        "tf": context.timeframe,
        "logical_symbol": context.logical_symbol,
    }
    return {name: str(value) for name, value in labels.items() if value}
