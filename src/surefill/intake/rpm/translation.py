"""From a decision to the engine's intent in integers, or to the first thing that is wrong with it.

The size is never changed: units that do not come out whole in the instrument's smallest quantity are refused. What the
gates can judge (lots, ticks, stops on the wrong side) is left to them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec

from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError
from surefill.intake.rpm.messages import ApprovedTrade, RPMOutput
from surefill.units import MONEY_MAX, PRICE_MAX, QTY_MAX, quanta_text, to_quanta
from surefill.views.execution_log import DOOR, GROUP_ID
from surefill.views.execution_units import contract_size, quanta_of_units

#: The version of this translation, recorded with every execution; another one may read the same decision otherwise.
ENGINE_VERSION: Final = "1.0.0"
STRATEGY: Final = "rpm"
APPROVED: Final = ("APPROVED", "ADJUSTED")
REJECTED: Final = "REJECTED"
YEN: Final = "JPY"
_YEN_PIP: Final = Fraction(1, 100)
#: Labels that are not upstream's words: how this engine was set up when it read them.
OURS: Final = frozenset({"execution_engine_version", "max_slippage_pips", "timeout_seconds"})
_SIDES: Final = (1, -1)
_PLACES_MAX: Final = 30  # places before or behind the point that a recorded figure may have
_FIGURES: Final = frozenset(
    {
        "position_units",
        "confidence_score",
        "base_units",
        "confidence_adjustment",
        "regime_adjustment",
        "correlation_adjustment",
        "atr",
        "vol_percentile",
        "risk_per_trade",
        "kelly_fraction",
        "expectancy",
        "intended_price",
        "stop_loss",
        "take_profit",
        "current_drawdown",
        "equity",
        "max_slippage_pips",
        "timeout_seconds",
    }
)

T = TypeVar("T")


class Terms(NamedTuple):
    """How a decision is to be executed: from the configuration, unless the request says otherwise."""

    max_slippage_pips: Any
    timeout_seconds: Any


class Marks(NamedTuple):
    """What the door adds: the story's name, and labels beside those of the decision."""

    story: str
    labels: dict[str, str]


class Translated(NamedTuple):
    """The intent as far as it could be read, and what is wrong with it, if anything is."""

    intent: Intent
    refusal: Refusal | None


def translate(
    output: RPMOutput, instrument: Instrument | None, money_decimals: int, terms: Terms, marks: Marks
) -> Translated:
    """Read everything. What is wrong is told in the contract's order: the decision, the halt, the trade."""
    reader = _Reader()
    decision, trade = output.decision, output.decision.approved_trade
    reader.check_decision(output)
    labels = _labels(output, terms, reader)
    if reader.refusal is None and trade is None:
        reader.refuse(RefusalCode.INVALID_INPUT, f"the decision is {decision.status}, and there is no trade with it")
    intent = Intent(
        intent_id=str(decision.order_id or ""),
        correlation_id=marks.story,
        door=DOOR,
        strategy_id=STRATEGY,
        instrument_id="" if trade is None else str(trade.symbol),
        action=Action.TRADE,
        side=0,
        order_qty=0,
        context=labels | marks.labels,
        basket_id=marks.labels.get(GROUP_ID, ""),
    )
    if trade is None:
        return Translated(intent, reader.refusal)
    direction = reader.direction(trade.direction)
    intent = msgspec.structs.replace(intent, side=direction)
    if instrument is not None and reader.refusal is None:
        intent = msgspec.structs.replace(
            intent,
            order_qty=reader.quantity(trade, instrument, money_decimals),
            plan=reader.plan(trade, instrument),
            timeout_ns=reader.read(
                lambda: to_quanta(terms.timeout_seconds, 9, field="timeout_seconds", max_quanta=2**62)
            ),
            max_spread=reader.max_spread(terms.max_slippage_pips, instrument),
        )
        if not intent.timeout_ns:
            reader.refuse(RefusalCode.INVALID_INPUT, "timeout_seconds must be above 0")
    return Translated(intent, reader.refusal)


class _Reader:
    """Turns values into integers; remembers the first that could not be."""

    def __init__(self) -> None:
        self.refusal: Refusal | None = None

    def refuse(self, code: RefusalCode, reason: str) -> None:
        if self.refusal is None:
            self.refusal = Refusal(code, reason)

    def read(self, convert: Callable[[], int], code: RefusalCode = RefusalCode.INVALID_INPUT) -> int:
        try:
            return convert()
        except InputError as error:
            self.refuse(code, error.message)
            return 0

    def check_decision(self, output: RPMOutput) -> None:
        """A rejection is upstream's own; a halt comes before everything else; unknown words are not approvals."""
        decision, state = output.decision, cast(Any, output.portfolio_state)
        status = getattr(decision.status, "value", decision.status)
        if status == REJECTED:
            rejected = decision.rejected_trade
            why = "" if rejected is None else rejected.rejection_details or rejected.rejection_reason
            self.refuse(RefusalCode.UPSTREAM_REJECTED, str(why or "the risk manager rejected it, without a reason"))
        if state is None or not isinstance(state.trading_halted, bool):
            self.refuse(
                RefusalCode.INVALID_INPUT, "portfolio_state.trading_halted is not told: it must be true or false"
            )
        elif state.trading_halted:
            self.refuse(
                RefusalCode.UPSTREAM_HALTED, str(state.halt_reason or "halted by the risk manager, no reason given")
            )
        if status not in (*APPROVED, REJECTED):
            known = ", ".join((*APPROVED, REJECTED))
            self.refuse(RefusalCode.INVALID_INPUT, f"decision.status {status!r} is not one of {known}")
        if not str(decision.order_id or "").strip():
            self.refuse(RefusalCode.INVALID_INPUT, "decision.order_id is empty: without it nothing can be told apart")

    def direction(self, value: Any) -> int:
        if type(value) is int and value in _SIDES:
            return value
        self.refuse(RefusalCode.INVALID_INPUT, f"direction {value!r} is neither 1 (buy) nor -1 (sell)")
        return 0

    def quantity(self, trade: ApprovedTrade, instrument: Instrument, money_decimals: int) -> int:
        """Units in quanta of the instrument, exactly or not at all."""
        units = self.read(
            lambda: to_quanta(
                trade.position_units, 8, field="position_units", max_quanta=MONEY_MAX, allow_negative=True
            ),
            RefusalCode.INVALID_QUANTITY,
        )
        if self.refusal is not None:
            return 0
        if units <= 0:
            self.refuse(RefusalCode.INVALID_QUANTITY, f"position_units must be above 0 (got {trade.position_units})")
            return 0
        qty = quanta_of_units(Fraction(units, 10**8), instrument, money_decimals)
        if qty is None or qty > QTY_MAX:
            size = contract_size(instrument, money_decimals)
            self.refuse(
                RefusalCode.OFF_LOT,
                f"{quanta_text(units, 8)} units of {trade.symbol} are no whole number of its smallest quantity"
                f" ({quanta_text(1, instrument.qty_decimals)} lots of {size}): nothing is rounded, approve one that is",
            )
            return 0
        return qty

    def plan(self, trade: ApprovedTrade, instrument: Instrument) -> ExitPlan | None:
        """Stop and target guard the position that comes of it."""
        stop_px = self.price(trade.stop_loss, "stop_loss", instrument)
        target_px = self.price(trade.take_profit, "take_profit", instrument)
        return ExitPlan(stop_px, target_px) if stop_px or target_px else None

    def price(self, value: Any, name: str, instrument: Instrument) -> int:
        if value is None:
            return 0
        px = self.read(
            lambda: to_quanta(value, instrument.price_decimals, field=name, max_quanta=PRICE_MAX), RefusalCode.OFF_TICK
        )
        if not px:
            self.refuse(RefusalCode.INVALID_PLAN, f"{name} must be above 0; leave it out when there is none")
        return px

    def max_spread(self, pips: Any, instrument: Instrument) -> int:
        """The widest spread in price quanta; a part of a quantum counts for nothing."""
        mpips = self.read(lambda: to_quanta(pips, 3, field="max_slippage_pips"))
        if not instrument.pip:
            name = instrument.instrument_id
            self.refuse(
                RefusalCode.INVALID_INPUT,
                f"{name} has no pip, so its slippage cannot be told: set instruments.{name}.pip",
            )
            return 0
        if instrument.instrument_id[3:6] == YEN and Fraction(instrument.pip, 10**instrument.price_decimals) != _YEN_PIP:
            self.refuse(
                RefusalCode.INVALID_INPUT,
                f"a pip of {instrument.instrument_id} is 0.01, and it is configured as"
                f" {quanta_text(instrument.pip, instrument.price_decimals)}: set its pip and price_decimals",
            )
            return 0
        spread = mpips * instrument.pip // 1_000
        if not spread:
            self.refuse(RefusalCode.INVALID_INPUT, f"max_slippage_pips {pips} leaves no room for any spread at all")
        return spread


# -- what is recorded ---------------------------------------------------------------------------------------------


def _labels(output: RPMOutput, terms: Terms, reader: _Reader) -> dict[str, str]:
    """Everything that upstream said, as text: the log shows it, the engine never reads it."""
    decision, state = output.decision, output.portfolio_state
    said: dict[str, Any] = {
        "decision_id": decision.order_id,
        "decision_status": decision.status,
        "execution_engine_version": ENGINE_VERSION,
        "rpm_version": output.rpm_version,
        "model_version": output.model_version,
        "config_hash": output.config_hash,
        "max_slippage_pips": terms.max_slippage_pips,
        "timeout_seconds": terms.timeout_seconds,
    }
    for part in (decision.approved_trade, decision.rejected_trade, state):
        if part is not None:
            said |= {each.name: getattr(part, each.name) for each in dataclasses.fields(part)}
    if output.risk_metrics is not None:
        said["risk_metrics"] = _json(output.risk_metrics.values, reader)
    return {name: text for name, value in said.items() if (text := _text(name, value, reader))}


def _text(name: str, value: Any, reader: _Reader) -> str:
    """A figure as plain decimal text, anything else as it is; a figure that is none is refused, and left out."""
    value = getattr(value, "value", value)
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if name not in _FIGURES:
        return str(value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number.adjusted()) > _PLACES_MAX:
        reader.refuse(RefusalCode.INVALID_INPUT, f"{name} must be a finite number (got {str(value)[:40]!r})")
        return ""
    return format(number.normalize(), "f")


def _json(values: dict[str, Any], reader: _Reader) -> str:
    try:
        return msgspec.json.encode(values, order="deterministic").decode()
    except (TypeError, ValueError) as error:
        reader.refuse(RefusalCode.INVALID_INPUT, f"risk_metrics cannot be recorded: {error}")
        return ""
