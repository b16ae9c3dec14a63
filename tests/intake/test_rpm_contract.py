"""Door 4, row by row of its contract, on the simulated market: types, words, the gatekeeper, nine steps, keys, pips."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.intake.rpm_driving import START, SYMBOL, TRADE, Rpm, decision, halted, turned_down

from surefill.domain.events import IntentAccepted, IntentRefused, OrderCreated
from surefill.domain.inputs import Halt
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.refusals import RefusalCode
from surefill.errors import ConfigError, InputError
from surefill.intake.rpm import (
    ApprovedTrade,
    ExecutionConfirmation,
    ExecutionLog,
    ExecutionRequest,
    ExecutionStatus,
    PortfolioState,
    RejectedTrade,
    RejectionReason,
    RiskMetrics,
    RPMOutput,
    SlippageBand,
    TradeDecision,
)
from surefill.units import ns_from_datetime
from surefill.views.execution_rows import COLUMNS
from surefill.views.execution_units import contract_size, quanta_of_units, units_of
from surefill.views.execution_words import REASON_OF, slippage_band

LATE: dict[str, Any] = {"execution": {"latency_ms": 60_000}}  # orders wait for later prices


# -- types and words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (RPMOutput, "decision portfolio_state risk_metrics config_hash rpm_version model_version"),
        (TradeDecision, "status order_id approved_trade rejected_trade"),
        (
            ApprovedTrade,
            "symbol direction position_units confidence_score regime base_units confidence_adjustment regime_adjustment"
            " correlation_adjustment atr vol_percentile risk_per_trade kelly_fraction expectancy intended_price"
            " stop_loss take_profit",
        ),
        (RejectedTrade, "rejection_reason rejection_details"),
        (PortfolioState, "trading_halted current_drawdown equity halt_reason"),
        (RiskMetrics, "values"),
        (
            ExecutionConfirmation,
            "execution_id order_id status symbol direction intended_units executed_units fill_price slippage_pips"
            " timestamp rejection_reason rejection_details",
        ),
    ],
)
def test_messages_of_rpm_have_the_contracts_fields(message: type, names: str) -> None:
    assert [field.name for field in fields(message)] == names.split()


def test_execution_log_has_the_tables_columns_its_request_and_details() -> None:
    assert [field.name for field in fields(ExecutionLog)] == [*COLUMNS, "request", "details"]
    assert {"request_id", "execution_id", "rpm_decision_id"} <= {field.name for field in fields(ExecutionRequest)}


def test_words_of_rpm_are_the_contracts() -> None:
    assert [status.value for status in ExecutionStatus] == [
        "PENDING", "SUBMITTED", "FILLED", "PARTIALLY_FILLED", "REJECTED", "EXPIRED", "CANCELLED", "ERROR",
    ]  # fmt: skip
    assert [reason.value for reason in RejectionReason] == [
        "VALIDATION_FAILED", "SPREAD_TOO_WIDE", "MARGIN_INSUFFICIENT", "BROKER_REJECTION", "ORDER_TIMEOUT",
        "TRADING_HALTED", "MARKET_CLOSED", "SYMBOL_NOT_TRADABLE", "INSUFFICIENT_LIQUIDITY", "NETWORK_ERROR",
        "SLIPPAGE_EXCEEDED", "INSUFFICIENT_FILL", "STALE_TICK", "SPREAD_WIDENED", "MARGIN_DEPLETED",
        "CORRELATION_BREACH",
    ]  # fmt: skip


@pytest.mark.parametrize("code", RefusalCode, ids=lambda code: code.name)
def test_refusal_code_has_a_reason_of_the_contract(code: RefusalCode) -> None:
    assert isinstance(REASON_OF[code], RejectionReason)


@pytest.mark.parametrize("code", RejectionReason, ids=str)
def test_refusal_code_of_the_same_name_is_that_reason(code: RejectionReason) -> None:
    same = RefusalCode.__members__.get(code.value)
    assert same is None or REASON_OF[same] is code


# -- the nine steps ---------------------------------------------------------------------------------------------


def test_nine_steps_of_an_approved_trade_end_in_the_documents_confirmation() -> None:
    with Rpm() as door:
        confirmation = door.send()
        log = door.engine.execution(confirmation.execution_id)
        assert door.statuses(confirmation.execution_id) == ["PENDING", "SUBMITTED", "FILLED"]
        kinds = door.kinds()
    assert confirmation == ExecutionConfirmation(
        execution_id=confirmation.execution_id,
        order_id=confirmation.order_id,
        status=ExecutionStatus.FILLED,
        symbol=SYMBOL,
        direction=1,
        intended_units=95_000,
        executed_units=95_000,
        fill_price=1.09505,
        slippage_pips=0.5,
        timestamp="2025-11-19T09:20:01.000000Z",
    )
    assert confirmation.execution_id.startswith("exec_")
    assert log is not None
    assert (log.rpm_decision_id, log.request_id) == ("rpm_order_123", log.request.request_id)
    assert kinds.index("IntentAccepted") < kinds.index("OrderCreated") < kinds.index("OrderFilled")


def test_execution_request_and_log_are_stored_before_anything_is_sent() -> None:
    with Rpm(**LATE) as door:
        confirmation = door.send()
        log = door.engine.execution(confirmation.execution_id)
        first = next(event for event in door.events() if isinstance(event, IntentAccepted))
    assert log is not None
    assert log.request == ExecutionRequest(
        request_id=log.request_id,
        execution_id=confirmation.execution_id,
        rpm_decision_id="rpm_order_123",
        symbol=SYMBOL,
        direction=1,
        units=95_000,
        max_slippage_pips=5.0,
        timeout_seconds=60.0,
        created_timestamp="2025-11-19T09:20:01.000000Z",
        intended_price=1.095,
        config_hash="abc123def456",
        rpm_version="1.0.0",
    )
    assert first.intent.context["confidence_score"] == "0.78"


def test_everything_that_the_risk_manager_said_is_in_the_journal_and_in_the_log() -> None:
    with Rpm() as door:
        log = door.engine.execution(door.send().execution_id)
    assert log is not None
    said = log.details["decision"]
    assert {name: said[name] for name in TRADE} == {
        "symbol": SYMBOL,
        "direction": "1",
        "position_units": "95000",
        "confidence_score": "0.78",
        "regime": "TRENDING",
        "base_units": "100000",
        "confidence_adjustment": "0.95",
        "regime_adjustment": "1",
        "correlation_adjustment": "0.9",
        "atr": "0.0015",
        "vol_percentile": "0.65",
        "risk_per_trade": "500",
        "kelly_fraction": "0.25",
        "expectancy": "0.0035",
    }
    assert (said["risk_metrics"], said["equity"]) == ('{"value_at_risk":1200.5}', "98500")
    assert (log.confidence_score, log.regime, log.risk_per_trade) == (0.78, "TRENDING", 500)
    assert (log.rpm_version, log.execution_engine_version, log.model_version) == ("1.0.0", "1.0.0", None)


def test_adjusted_decision_is_executed_like_an_approved_one() -> None:
    with Rpm() as door:
        assert door.send(decision(status="ADJUSTED")).status is ExecutionStatus.FILLED


def test_rejected_decision_is_recorded_and_confirmed_with_the_risk_managers_own_reason() -> None:
    with Rpm() as door:
        confirmation = door.send(turned_down())
        log = door.engine.execution(confirmation.execution_id)
        kinds = door.kinds()
    assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.REJECTED, "KILL_SWITCH_TRIGGERED")
    assert confirmation.rejection_details == "limit reached"
    assert log is not None
    assert (log.symbol, log.rpm_decision_id, log.order_id) == ("", "rpm_order_123", None)
    assert "OrderCreated" not in kinds


def test_decision_without_its_trade_is_validation_failed() -> None:
    output = decision()
    output["decision"]["approved_trade"] = None
    with Rpm() as door:
        confirmation = door.send(output)
    assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.REJECTED, "VALIDATION_FAILED")
    assert confirmation.rejection_details == "INVALID_INPUT: the decision is APPROVED, and there is no trade with it"


def test_stop_loss_and_take_profit_guard_the_position() -> None:
    with Rpm() as door:
        door.send(decision(stop_loss=1.09, take_profit=1.1))
        door.tick()
        door.engine.on_quote(SYMBOL, 1.0899, 1.09)
        assert door.engine.positions()[SYMBOL].quantity == 0
        assert [log.executed_units for log in door.engine.history()] == [95_000], "an exit is no execution of its own"


def test_message_and_mapping_of_a_decision_are_the_same() -> None:
    output = RPMOutput(
        TradeDecision("APPROVED", "rpm_order_123", ApprovedTrade(**TRADE)),
        PortfolioState(False, 0.05, 98_500.0),
        RiskMetrics({"value_at_risk": 1_200.5}),
        "abc123def456",
        "1.0.0",
    )
    with Rpm() as door:
        first = door.engine.execute(output)
        assert door.send(decision()) == first


# -- the gatekeeper ---------------------------------------------------------------------------------------------


def _closed(door: Rpm, _output: dict[str, Any]) -> None:
    door.tick(3.5 * 86_400)  # to Saturday


def _insane(door: Rpm, _output: dict[str, Any]) -> None:
    door.market.quote = {"bid": 1.100, "ask": 1.095}


def _no_quote(door: Rpm, _output: dict[str, Any]) -> None:
    door.market.quote = None


def _wide(door: Rpm, _output: dict[str, Any]) -> None:
    door.market.quote = {"bid": 1.09470, "ask": 1.09521}


def _no_margin(_door: Rpm, output: dict[str, Any]) -> None:
    output["decision"]["approved_trade"]["position_units"] = 2_500_000


def _thin(door: Rpm, _output: dict[str, Any]) -> None:
    door.market.quote = {**door.market.quote, "bid_size": 90_000, "ask_size": 90_000}


def _halt(_door: Rpm, output: dict[str, Any]) -> None:
    output["portfolio_state"] |= {"trading_halted": True, "halt_reason": "kill switch"}


Breach = Callable[[Rpm, dict[str, Any]], None]

GATEKEEPER: list[tuple[Breach, str]] = [
    (_halt, "TRADING_HALTED"),
    (_closed, "MARKET_CLOSED"),
    (_no_quote, "VALIDATION_FAILED"),
    (_insane, "VALIDATION_FAILED"),
    (_wide, "SPREAD_TOO_WIDE"),
    (_no_margin, "MARGIN_INSUFFICIENT"),
    (_thin, "INSUFFICIENT_LIQUIDITY"),
]


@pytest.mark.parametrize(("breach", "reason"), GATEKEEPER, ids=lambda value: getattr(value, "__name__", None))
def test_gatekeeper_failure_is_rejected_with_its_reason_logged_and_nothing_is_sent(breach: Breach, reason: str) -> None:
    output = decision()
    with Rpm() as door:
        breach(door, output)
        confirmation = door.send(output)
        log = door.engine.execution(confirmation.execution_id)
        kinds = door.kinds()
    assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.REJECTED, reason)
    assert confirmation.rejection_details
    assert log is not None
    assert (log.order_id, log.executed_units, log.submission_timestamp) == (None, 0, None)
    assert "OrderCreated" not in kinds


ORDERED = [
    (first, second, reason)
    for (first, reason), (second, _) in pairwise(GATEKEEPER)
    if (first, second) != (_no_quote, _insane)  # a market is either not there or not sane
]


@pytest.mark.parametrize(
    ("first", "second", "reason"), ORDERED, ids=[f"{one.__name__}-{two.__name__}" for one, two, _ in ORDERED]
)
def test_gatekeeper_asks_in_the_contracts_order(first: Breach, second: Breach, reason: str) -> None:
    output = decision()
    with Rpm() as door:
        second(door, output)
        first(door, output)
        assert door.send(output).rejection_reason == reason


def test_symbol_not_tradable_is_rejected_before_its_market_is_looked_at() -> None:
    with Rpm(instruments={SYMBOL: {"tradable": False}}) as door:
        door.market.quote = None
        assert door.send().rejection_reason == "SYMBOL_NOT_TRADABLE"


@pytest.mark.parametrize(
    ("quote", "told"),
    [
        ({"bid": float("nan"), "ask": 1.1}, "bid must be a finite number"),
        ({"bid": float("inf"), "ask": 1.1}, "bid must be a finite number"),
        ({"bid": 1.09, "ask": 0.0}, "ask must be above 0"),
        ({"bid": -1.09, "ask": 1.1}, "bid must be above 0"),
        ({"bid": 1.0949512, "ask": 1.1}, "bid is finer than the 5 decimals"),
        ({"bid": 1.100, "ask": 1.095}, "bid 1.1 is above ask 1.095"),
        ({"ask": 1.095}, "no bid of EURUSD"),
        ({}, "no bid and no ask of EURUSD"),
        (None, "the feed has no quote of EURUSD"),
        (ValueError("feed down"), "the feed failed: ValueError: feed down"),
        ("1.095", "no bid and no ask of EURUSD"),
    ],
)
def test_prices_that_are_not_reasonable_are_validation_failed_and_say_why(quote: Any, told: str) -> None:
    with Rpm() as door:
        door.market.quote = quote
        confirmation = door.send()
    assert confirmation.rejection_reason == "VALIDATION_FAILED"
    assert told in str(confirmation.rejection_details)


@pytest.mark.parametrize(("ask", "status"), [(1.09545, ExecutionStatus.FILLED), (1.09546, ExecutionStatus.REJECTED)])
def test_spread_equal_to_max_slippage_passes_and_one_quantum_more_does_not(ask: float, status: ExecutionStatus) -> None:
    with Rpm() as door:
        door.market.quote = {"bid": 1.09495, "ask": ask}
        assert door.send().status is status


def test_max_slippage_of_the_request_overrules_the_configuration() -> None:
    with Rpm(rpm={"max_slippage_pips": 0.5}) as door:
        assert door.send().rejection_reason == "SPREAD_TOO_WIDE"
        assert door.send(max_slippage_pips=1).status is ExecutionStatus.FILLED


def test_margin_is_the_real_requirement_with_its_cushion() -> None:
    # 95 000 units at 1.09505 are worth 104 029.75; 3.33 % of that is 3 464.19, and 1.5 times that 5 196.29
    for equity, status in ((5_196.29, ExecutionStatus.FILLED), (5_196.28, ExecutionStatus.REJECTED)):
        with Rpm(workspace={"starting_equity": equity}) as door:
            assert door.send().status is status


def test_liquidity_without_a_book_is_judged_by_the_volume_limit_and_says_so() -> None:
    with Rpm(instruments={SYMBOL: {"max_qty": 50_000}}) as door:
        confirmation = door.send()
    assert confirmation.rejection_reason == "INSUFFICIENT_LIQUIDITY"
    assert "no book is shown" in str(confirmation.rejection_details)


def test_workspace_that_is_halted_by_its_operator_is_trading_halted() -> None:
    with Rpm() as door:
        door.engine._door.feed([Halt(door.clock.now_ns(), "OPERATOR", "lunch", "somebody")])
        confirmation = door.send()
        assert confirmation.rejection_reason == "TRADING_HALTED"
        assert "lunch" in str(confirmation.rejection_details)
        assert door.engine.health().status == "halted"


# -- size and translation ---------------------------------------------------------------------------------------

LOTS = {"qty_decimals": 2, "lot": "0.01", "multiplier": 100_000}


@pytest.mark.parametrize("terms", [{}, LOTS], ids=["units", "lots"])
def test_size_is_executed_exactly_or_not_at_all(terms: dict[str, Any]) -> None:
    with Rpm(instruments={SYMBOL: terms}) as door:
        assert door.send().executed_units == 95_000
        for units in (95_500, 95_000.5, 999, 0, -1_000):
            confirmation = door.send(decision(f"odd {units}", position_units=units))
            assert confirmation.rejection_reason == "VALIDATION_FAILED", units
            assert confirmation.executed_units == 0
        sizes = [event.request.order_qty for event in door.events() if isinstance(event, OrderCreated)]
    assert sizes == [95_000 if terms is not LOTS else 95]


def test_units_and_lots_are_exact_both_ways() -> None:
    instrument = Instrument(SYMBOL, "USD", 5, 2, 10**8, (Terms(),))
    assert contract_size(instrument, 10) == 100_000
    assert quanta_of_units(Fraction(95_000), instrument, 10) == 95
    assert quanta_of_units(Fraction(95_500), instrument, 10) is None
    assert units_of(95, instrument, 10) == 95_000


def test_direction_minus_one_sells() -> None:
    with Rpm() as door:
        confirmation = door.send(decision(direction=-1))
        assert (confirmation.direction, confirmation.fill_price) == (-1, 1.09495)
        assert door.engine.positions()[SYMBOL].quantity == -95_000


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"direction": 0}, "neither 1 (buy) nor -1 (sell)"),
        ({"stop_loss": 1.2}, "STOP_ON_WRONG_SIDE"),
        ({"take_profit": 1.0}, "TARGET_ON_WRONG_SIDE"),
        ({"stop_loss": 1.0812345}, "OFF_TICK"),
        ({"stop_loss": 0.0}, "stop_loss must be above 0"),
        ({"confidence_score": float("nan")}, "confidence_score must be a finite number"),
        ({"intended_price": float("inf")}, "intended_price must be a finite number"),
        ({"position_units": float("nan")}, "position_units must be a finite number"),
        ({"symbol": " "}, "is not a symbol"),
    ],
)
def test_bad_trade_is_rejected_recorded_and_nothing_is_sent(terms: dict[str, Any], told: str) -> None:
    with Rpm() as door:
        confirmation = door.send(decision(**terms))
        assert confirmation.status is ExecutionStatus.REJECTED
        assert told in str(confirmation.rejection_details)
        assert door.engine.execution(confirmation.execution_id) is not None
        assert "OrderCreated" not in door.kinds()


def test_portfolio_state_that_does_not_tell_of_a_halt_is_no_approval() -> None:
    output = RPMOutput(TradeDecision("APPROVED", "x", ApprovedTrade(**TRADE)), PortfolioState(None))  # type: ignore[arg-type]
    with Rpm() as door:
        assert door.engine.execute(output).rejection_reason == "VALIDATION_FAILED"


@pytest.mark.parametrize("status", ["approved?", "", "MAYBE"])
def test_status_that_is_not_known_is_no_approval(status: str) -> None:
    with Rpm() as door:
        assert door.send(decision(status=status)).rejection_reason == "VALIDATION_FAILED"


@pytest.mark.parametrize(
    "output",
    [{}, {"decision": {}}, {**decision(), "risk_metrics": 5}, decision(position_units="many"), 7],
    ids=["nothing", "no decision", "metrics", "units in words", "a number"],
)
def test_mapping_that_is_no_decision_is_an_error_and_nothing_is_recorded(output: Any) -> None:
    with Rpm() as door:
        with pytest.raises(InputError) as refused:
            door.send(output)
        assert refused.value.code == "INVALID_SHAPE"
        assert door.engine.history() == []


@pytest.mark.parametrize("terms", [{"max_slippage_pips": 0}, {"timeout_seconds": 0}, {"timeout_seconds": -1}])
def test_terms_of_a_request_that_make_no_sense_are_validation_failed(terms: dict[str, Any]) -> None:
    with Rpm() as door:
        assert door.send(**terms).rejection_reason == "VALIDATION_FAILED"


# -- slippage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pips", "band"),
    [
        (0, "excellent"), (1, "excellent"), (1.01, "good"), (3, "good"), (3.01, "acceptable"), (5, "acceptable"),
        (5.01, "poor"),
    ],
)  # fmt: skip
def test_slippage_band_holds_its_upper_end(pips: float, band: str) -> None:
    assert slippage_band(pips) is SlippageBand(band)


@pytest.mark.parametrize(
    ("direction", "intended", "pips", "signed"),
    [(1, None, 0.5, 0.00005), (-1, None, 0.5, 0.00005), (1, 1.0950, 0.5, 0.00005), (1, 1.0955, 4.5, -0.00045)],
)
def test_slippage_is_measured_from_the_intended_price_else_from_the_mid(
    direction: int, intended: float | None, pips: float, signed: float
) -> None:
    with Rpm() as door:
        confirmation = door.send(decision(direction=direction, intended_price=intended))
        log = door.engine.execution(confirmation.execution_id)
    assert confirmation.slippage_pips == pips
    assert log is not None
    assert log.details["slippage"] == pytest.approx(signed, abs=1e-12), "above 0 is worse for us"


def test_pip_of_a_yen_pair_is_a_hundredth_and_another_is_refused() -> None:
    yen = {"price_decimals": 3, "pip": 0.01, "tick": 0.001}
    settings: dict[str, Any] = {"workspace": {"currency": "JPY", "starting_equity": 100_000_000}}
    with Rpm(instruments={"USDJPY": yen, "EURJPY": {"price_decimals": 5}}, **settings) as door:
        door.market.quote = {"bid": 150.000, "ask": 150.010}
        confirmation = door.send(decision(symbol="USDJPY"))
        assert (confirmation.status, confirmation.slippage_pips) == (ExecutionStatus.FILLED, 0.5)
        wrong = door.send(decision("other", symbol="EURJPY"))
        assert "a pip of EURJPY is 0.01" in str(wrong.rejection_details)


def test_fill_beyond_max_slippage_stays_filled_is_flagged_and_alerts() -> None:
    with Rpm(**LATE) as door:
        confirmation = door.send()
        assert confirmation.status is ExecutionStatus.SUBMITTED
        door.tick(60)
        door.engine.on_quote(SYMBOL, 1.09560, 1.09570)
        log = door.engine.execution(confirmation.execution_id)
        assert door.hears("SLIPPAGE_EXCEEDED")
    assert log is not None
    assert (log.status, log.rejection_reason) == (ExecutionStatus.FILLED, "SLIPPAGE_EXCEEDED")
    assert log.slippage_pips == 7
    assert log.details["slippage_band"] == "poor"


# -- time, cancels, partial fills -------------------------------------------------------------------------------


def test_order_that_is_not_filled_in_time_expires_and_the_trader_is_told() -> None:
    with Rpm(**LATE) as door:
        confirmation = door.send(timeout_seconds=10)
        door.tick(9)
        door.engine.on_quote("GBPUSD", 1.3, 1.3001)
        pending = door.engine.execution(confirmation.execution_id)
        assert pending is not None
        assert pending.status is ExecutionStatus.SUBMITTED
        door.tick(1)
        _fire_timers(door)
        log = door.engine.execution(confirmation.execution_id)
        assert door.hears("ORDER_TIMEOUT")
    assert log is not None
    assert (log.status, log.rejection_reason) == (ExecutionStatus.EXPIRED, "ORDER_TIMEOUT")
    assert (log.executed_units, log.fill_price) == (0, None)


def _fire_timers(door: Rpm) -> None:
    session = door.engine._door.session

    async def fire() -> None:
        session.engine.engine.fire_timers()

    session.engine.run(fire())
    session.read(lambda state: None)


def test_execution_can_be_canceled_and_is_cancelled() -> None:
    with Rpm(**LATE) as door:
        confirmation = door.send()
        log = door.engine.cancel(confirmation.execution_id, "the trader")
    assert log is not None
    assert (log.status, log.rejection_reason) == (ExecutionStatus.CANCELLED, None)
    assert "by the trader" in str(log.rejection_details)


@pytest.mark.parametrize("policy", ["accept", "retry"])
def test_partial_fill_is_accepted_or_its_rest_tried_again_in_the_same_log(policy: str) -> None:
    risk = {"partial_fill": policy, "disable": ["liquidity"]}
    with Rpm(execution={"partial_fills": True}, risk=risk, instruments={SYMBOL: {"lot": 5_000}}) as door:
        door.market.quote = {**door.market.quote, "bid_size": 70_000, "ask_size": 70_000}
        confirmation = door.send(timeout_seconds=10)
        assert (confirmation.status, confirmation.executed_units) == (ExecutionStatus.PARTIALLY_FILLED, 70_000)
        door.tick(10)
        _fire_timers(door)
        log = door.engine.execution(confirmation.execution_id)
        assert log is not None
        if policy == "accept":
            assert (log.status, log.executed_units) == (ExecutionStatus.PARTIALLY_FILLED, 70_000)
            assert log.rejection_reason == "ORDER_TIMEOUT"
            assert str(log.rejection_details).startswith("70000 of 95000 units filled; 25000 did not")
            assert door.hears("ORDER_TIMEOUT")
            return
        assert [order["units"] for order in log.details["orders"]] == ["95000", "25000"]
        door.tick()
        door.engine.on_quote(SYMBOL, 1.09505, 1.09515, bid_size=70_000, ask_size=70_000)
        log = door.engine.execution(confirmation.execution_id)
    assert log is not None
    assert (log.status, log.executed_units) == (ExecutionStatus.FILLED, 95_000)
    assert log.fill_price == pytest.approx((70 * 1.09505 + 25 * 1.09515) / 95)


# -- keys -------------------------------------------------------------------------------------------------------


def test_same_decision_again_gives_the_first_result_whatever_the_market_does() -> None:
    with Rpm() as door:
        first = door.send()
        door.market.quote = None
        assert door.send() == first
        assert len(door.engine.history()) == 1


def test_same_decision_under_another_configuration_gives_the_first_result(monkeypatch: pytest.MonkeyPatch) -> None:
    with Rpm() as door:
        first, journal, clock = door.send(), door.journal, door.clock
    monkeypatch.setattr("surefill.intake.rpm.translation.ENGINE_VERSION", "2.0.0")
    with Rpm(journal=journal, clock=clock, rpm={"max_slippage_pips": 1, "timeout_seconds": 5}) as door:
        assert door.send() == first
        assert door.send(decision(regime="RANGING")).rejection_reason == "VALIDATION_FAILED"


def test_other_content_under_the_same_order_id_is_a_conflict_and_nothing_is_done() -> None:
    with Rpm() as door:
        first = door.send()
        confirmation = door.send(decision(position_units=96_000))
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.REJECTED, "VALIDATION_FAILED")
        assert str(confirmation.rejection_details).startswith("KEY_CONFLICT")
        assert first.execution_id in str(confirmation.rejection_details)
        assert door.engine.positions()[SYMBOL].quantity == 95_000


def test_refused_decision_leaves_its_key_free() -> None:
    with Rpm() as door:
        _wide(door, {})
        assert door.send().status is ExecutionStatus.REJECTED
        door.market.quote = {"bid": 1.09495, "ask": 1.09505}
        assert door.send().status is ExecutionStatus.FILLED


def test_same_decision_after_a_restart_gives_the_first_result(tmp_path: Path) -> None:
    with Rpm(folder=tmp_path) as door:
        first = door.send()
        journal = door.journal
    with Rpm(folder=tmp_path, journal=journal) as door:
        assert door.send() == first


# -- looking ----------------------------------------------------------------------------------------------------


def test_executions_are_found_by_execution_order_decision_symbol_and_date() -> None:
    with Rpm() as door:
        first = door.send()
        door.tick(86_400)
        other = door.send(decision("other", symbol="GBPUSD"))
        engine = door.engine
        assert [log.execution_id for log in engine.history()] == [other.execution_id, first.execution_id]
        assert [log.execution_id for log in engine.history("GBPUSD")] == [other.execution_id]
        assert [log.execution_id for log in engine.history(limit=1)] == [other.execution_id]
        assert [log.execution_id for log in engine.find(order_id=str(first.order_id))] == [first.execution_id]
        assert [log.execution_id for log in engine.find(rpm_decision_id="other")] == [other.execution_id]
        assert [log.execution_id for log in engine.audit_trail("2025-11-19", "2025-11-19")] == [first.execution_id]
        assert [log.execution_id for log in engine.audit_trail(date(2025, 11, 20))] == [other.execution_id]
        assert len(engine.audit_trail(START)) == len(engine.audit_trail()) == 2
        assert engine.execution("exec_nothing") is None
        assert engine.find() == []


@pytest.mark.parametrize(
    ("start", "end"), [("yesterday", None), (None, "2025-13-01"), ("2025-11-20", "2025-11-18"), ("", None)]
)
def test_audit_trail_of_a_bad_date_is_an_error(start: str | None, end: str | None) -> None:
    with Rpm() as door, pytest.raises(InputError) as refused:
        door.engine.audit_trail(start, end)
    assert refused.value.code == "INVALID_TIME"


@pytest.mark.parametrize("limit", [0, -1, 1_001, True, "5", 2.0])
def test_history_of_a_bad_limit_is_an_error(limit: Any) -> None:
    with Rpm() as door, pytest.raises(InputError) as refused:
        door.engine.history(limit=limit)
    assert refused.value.code == "INVALID_LIMIT"


def test_audit_trail_as_csv_has_the_tables_columns_and_no_formulas() -> None:
    output = decision(regime="=cmd|' /C calc'!A0")
    with Rpm() as door:
        door.send(output)
        rows = list(csv.DictReader(io.StringIO(door.engine.audit_csv().decode())))
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["regime"] == "'=cmd|' /C calc'!A0"
    assert (rows[0]["fill_price"], rows[0]["rejection_reason"]) == ("1.09505", "")


def test_audit_trail_says_what_why_when_how_well_and_whether() -> None:
    with Rpm() as door:
        door.send()
        (log,) = door.engine.audit_trail()
    assert (log.symbol, log.direction, log.executed_units) == (SYMBOL, 1, 95_000)
    assert log.details["decision"]["decision_status"] == "APPROVED"
    assert log.created_timestamp <= str(log.submission_timestamp) <= str(log.fill_timestamp)
    assert (log.fill_price, log.slippage_pips, log.status) == (1.09505, 0.5, ExecutionStatus.FILLED)
    assert log.details["limits_version"] == 1


def test_preserved_signal_is_stored_with_its_reason_and_only_upstream_sends_it_again() -> None:
    with Rpm() as door:
        good = door.market.quote
        _wide(door, {})
        refused = door.send()
        door.send(decision("later", symbol="GBPUSD"))
        door.market.quote = good
        door.tick(3_600)
        door.engine.on_quote(SYMBOL, 1.09495, 1.09505)
        kept = door.engine.preserved()
        assert [log.rpm_decision_id for log in kept] == ["later", "rpm_order_123"]
        assert kept[1].execution_id == refused.execution_id
        assert kept[1].rejection_reason == "SPREAD_TOO_WIDE"
        assert door.send().status is ExecutionStatus.FILLED
        assert [log.rpm_decision_id for log in door.engine.preserved()] == ["later"]
        assert door.engine.preserved(SYMBOL) == []


def test_health_of_a_good_engine_is_healthy() -> None:
    with Rpm() as door:
        door.send()
        health = door.engine.health()
    assert (health.status, health.halted, health.open_executions, health.unknown_orders) == ("healthy", "", 0, 0)


def test_engine_of_another_profile_is_refused() -> None:
    with pytest.raises(ConfigError, match="this door is rpm"):
        Rpm(execution={"engine": "v2"})


def test_refusal_is_journaled_with_everything_that_was_asked_for() -> None:
    with Rpm() as door:
        door.send(halted())
        refusals = [event for event in door.events() if isinstance(event, IntentRefused)]
    assert [RefusalCode(event.code) for event in refusals] == [RefusalCode.UPSTREAM_HALTED]
    assert refusals[0].reason == "drawdown of 10 %"
    assert refusals[0].intent.context["position_units"] == "95000"
    assert ns_from_datetime(datetime.fromisoformat("2025-11-19T09:20:01+00:00")) == refusals[0].ts_ns


def test_quote_without_a_time_is_stale_once_the_feed_has_told_one() -> None:
    with Rpm() as door:
        assert door.send(decision("untimed")).status is ExecutionStatus.FILLED
        door.market.quote |= {"timestamp": "2025-11-19T09:20:02Z"}
        assert door.send(decision("timed")).status is ExecutionStatus.FILLED
        del door.market.quote["timestamp"]
        refused = door.send(decision("untimed again"))
        assert str(refused.rejection_details).startswith("STALE_PRICE: EURUSD: the feed has told the time")
