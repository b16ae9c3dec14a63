"""From a signal and its context to an intent in integers, or to the first thing that is wrong with it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from surefill.config import Settings
from surefill.domain.intent import Action, ExitPlan, Intent, LadderStep
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.intake.caller_values import CallerReader, Known, adopted, scalar
from surefill.intake.signals.messages import ExecutionContext
from surefill.intake.signals.reading import Signal, Word
from surefill.intake.venue_names import PRODUCTS, bucket_of
from surefill.plain import plain_text, shown
from surefill.units import PRICE_MAX, QTY_MAX, datetime_from_ns, rate_ppb_from_fraction, to_quanta

DOOR: Final = "signals"
_BARS_MAX: Final = 1_000_000
_BLANK: Final = ExecutionContext("", "", PRODUCTS[0], "", "paper", datetime_from_ns(0), "")
_SIDES: Final[dict[Word | None, int]] = {Word.BUY: 1, Word.SELL: -1}


class Translated(NamedTuple):
    """The intent as far as it could be read, and what is wrong with it, if anything is."""

    intent: Intent
    refusal: Refusal | None


def translate(known: Known, signal: Signal, context: object, *, settings: Settings, story: str) -> Translated:
    """Read everything. Nothing is replaced by a default that the context has said."""
    ours, unread = adopted(_BLANK, context)
    reader = _Reader(settings, known, known.refusal or unread)
    if signal.problem:
        reader.refuse(RefusalCode.INVALID_INPUT, signal.problem)
    labels = reader.labels(ours)
    reader.check_symbol(ours.symbol, known)
    reader.check_mode(ours.mode)
    closing = signal.word is Word.EXIT
    intent = Intent(
        intent_id=reader.label(ours.intent_id, "intent_id"),
        correlation_id=story,
        door=DOOR,
        strategy_id=reader.text(ours.strategy_id, "strategy_id"),
        instrument_id=known.symbol,
        bucket=bucket_of(labels.get("product", ""), settings),
        action=Action.CLOSE if closing else Action.TRADE,
        side=_SIDES.get(signal.word, 0),
        order_qty=0 if closing else reader.quantity(ours),
        plan=None if closing else reader.plan(ours),
        reason=signal.reason,
        context=labels,
    )
    return Translated(intent, reader.refusal)


def exchange_of(context: object) -> str:
    """The exchange that a context names; "" where that cannot be read, which `translate` says."""
    ours, _ = adopted(_BLANK, context)
    try:
        return plain_text(ours.exchange, "exchange")
    except Exception:  # the caller's own object
        return ""


class _Reader(CallerReader):
    """Turns a context's values into integers and labels."""

    def __init__(self, settings: Settings, known: Known, refusal: Refusal | None) -> None:
        super().__init__(known.instrument, refusal)
        self._settings = settings

    def check_symbol(self, named: object, known: Known) -> None:
        """The context belongs to this symbol, if it names one."""
        name = self.label(named, "symbol")
        if name and name not in (known.symbol, known.said):
            self.refuse(RefusalCode.INVALID_INPUT, f"the signal is for {known.said!r}, its context for {name!r}")

    def check_mode(self, named: object) -> None:
        """The context belongs to this workspace's mode. What is marked paper trades wherever orders are not real, and
        what is marked live in its rehearsal too.
        """
        mode, ours = self.text(named, "mode"), self._settings.workspace.mode
        taken = {"live": ("live",), "dry_run": ("paper", "dry_run", "live")}.get(ours, ("paper", ours))
        if mode.strip().lower() not in taken:
            self.refuse(RefusalCode.INVALID_INPUT, f"the context's mode is {mode!r}, this workspace is {ours}")

    def labels(self, context: ExecutionContext) -> dict[str, str]:
        """What the projections show. The time is left out: the same signal sent again has another."""
        product = self.text(context.product, "product").upper()
        if product not in PRODUCTS:
            self.refuse(
                RefusalCode.INVALID_INPUT, f"product {shown(context.product)} is not one of {', '.join(PRODUCTS)}"
            )
        labels = {
            "exchange": self.label(context.exchange, "exchange"),
            "product": product,
            "tf": self.label(context.timeframe, "timeframe"),
            "logical_symbol": self.label(context.logical_symbol, "logical_symbol"),
        }
        return {name: label for name, label in labels.items() if label}

    def quantity(self, context: ExecutionContext) -> int:
        """In quanta; a negative one is left to the gate, which refuses it with its figures."""
        asked: Any = context.fixed_qty
        if asked is None:
            asked = self._settings.trading.default_quantity
        return self.read(
            RefusalCode.INVALID_QUANTITY,
            "quantity",
            lambda: to_quanta(asked, self.qty_decimals, field="quantity", max_quanta=QTY_MAX, allow_negative=True),
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
        return self.read(RefusalCode.INVALID_PLAN, field, lambda: self._px(value, field), 0)

    def _px(self, value: Any, field: str) -> int:
        return to_quanta(value, self.price_decimals, field=field, max_quanta=PRICE_MAX)

    def _trailing(self, told: object, *, has_stop: bool) -> tuple[int, int]:
        """(step in parts per billion of R, distance in price quanta)."""
        execution = self._settings.execution
        asked: Any = self.read(RefusalCode.INVALID_PLAN, "trailing", lambda: scalar(told), 0)
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
        return self.read(
            RefusalCode.INVALID_PLAN,
            "time_stop_bars",
            lambda: to_quanta(value, 0, field="time_stop_bars", max_quanta=_BARS_MAX),
            0,
        )

    def _ladder(self, context: ExecutionContext) -> list[LadderStep]:
        def steps() -> list[LadderStep]:
            return [
                LadderStep(self._px(price, "ladder price"), rate_ppb_from_fraction(fraction, "ladder fraction"))
                for price, fraction in context.ladder
            ]

        return self.read(RefusalCode.INVALID_PLAN, "ladder", steps, [])
