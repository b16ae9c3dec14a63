"""The contract's eight scenarios at a MetaTrader 5 terminal: what the door answers, and what the terminal has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.intake.rpm_driving import halted
from tests.intake.rpm_terminal import NOTHING, WAIT_S, Door, Terminal, filled
from tests.venues.mt5.rig import NETTING, gateway

from surefill.domain.profile import PROFILES
from surefill.intake.rpm import ExecutionConfirmation, ExecutionStatus
from surefill.testing.emulators import AnyFault, EmulatorProcess, Fault, WireFault
from surefill.units import NS_PER_MS

FILLED, REJECTED = ExecutionStatus.FILLED, ExecutionStatus.REJECTED
PARTIALLY, EXPIRED = ExecutionStatus.PARTIALLY_FILLED, ExecutionStatus.EXPIRED


@pytest.fixture(scope="module")
def process() -> Iterator[EmulatorProcess]:
    with EmulatorProcess("mt5", ":memory:") as process:
        process.rules(delay_ms=350, short_ms=150)
        yield process


@pytest.fixture(scope="module")
def gateway_url(process: EmulatorProcess) -> Iterator[str]:
    with gateway(process.port) as url:
        yield url


@pytest.fixture(params=["package", "gateway"])
def way(request: pytest.FixtureRequest, gateway_url: str) -> str:
    return gateway_url if request.param == "gateway" else ""


@pytest.fixture(autouse=True)
def _quick_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile as it is, its pauses shortened."""
    rpm = PROFILES["rpm"]
    limits = msgspec.structs.replace(
        rpm.limits, query_spacing_ns=20 * NS_PER_MS, unknown_page_ns=300 * NS_PER_MS, retry_base_ns=20 * NS_PER_MS
    )
    monkeypatch.setitem(PROFILES, "rpm", msgspec.structs.replace(rpm, limits=limits))


def test_units_are_traded_as_lots_and_told_as_units(process: EmulatorProcess, way: str) -> None:
    terminal = Terminal(process)
    with Door(terminal, way) as door:
        confirmation = door.send()
        assert (confirmation.status, confirmation.executed_units) == (FILLED, 95_000)
        assert (confirmation.fill_price, confirmation.slippage_pips) == (1.09505, 0.5)
        (row,) = process.truth().orders
        assert str(confirmation.order_id).endswith(str(row["number"]))  # the terminal's own ticket
        assert row["qty"] == "0.95"
        assert terminal.seen() == filled(95_000)


@pytest.mark.parametrize(
    ("units", "reason"),
    [(95_500, "VALIDATION_FAILED"), (500, "VALIDATION_FAILED"), (60_000_000, "INSUFFICIENT_LIQUIDITY")],
)
def test_units_that_are_no_lots_of_the_symbol_are_rejected_and_never_rounded(
    process: EmulatorProcess, units: int, reason: str
) -> None:
    terminal = Terminal(process, deposit="10000000")
    with Door(terminal) as door:
        confirmation = door.send(position_units=units)
        assert (confirmation.status, confirmation.rejection_reason) == (REJECTED, reason)
        assert terminal.seen() == NOTHING


# -- 1: network failure -------------------------------------------------------------------------------------------


def test_scenario_1_terminal_that_is_not_there_is_rejected_after_three_attempts(tmp_path: Path) -> None:
    with EmulatorProcess("mt5", tmp_path / "truth.db") as process:
        terminal = Terminal(process)
        with Door(terminal) as door:
            assert door.send("before", position_units=1_000).status is FILLED
            process.kill()
            confirmation = door.send()
            assert (confirmation.status, confirmation.rejection_reason) == (REJECTED, "BROKER_REJECTION")
            assert str(confirmation.rejection_details).startswith("NOT_SENT")
            (order,) = door.log(confirmation).details["orders"]
            assert order["attempts"] == 3
            assert door.rpm.hears("BROKER_CONNECTION_LOST")
            process.start()
            assert terminal.seen() == filled(1_000)


def test_scenario_1_request_that_was_turned_away_unread_is_sent_again(process: EmulatorProcess) -> None:
    terminal = Terminal(process)
    process.arm(Fault.THROTTLED, op="submit")
    with Door(terminal) as door:
        confirmation = door.send()
        assert confirmation.status is FILLED
        (order,) = door.log(confirmation).details["orders"]
        assert order["attempts"] == 2
        assert terminal.seen() == filled(95_000)


UNCLEAR: list[AnyFault] = [
    Fault.LOSE_ANSWER,
    Fault.GARBLE_ANSWER,
    Fault.SERVER_ERROR,
    Fault.DISCONNECT_AFTER,
    Fault.FILLED_UNSEEN,
    WireFault.STATUS_UNKNOWN,
]


@pytest.mark.parametrize("fault", UNCLEAR, ids=lambda fault: fault.name)
def test_scenario_1_order_of_unknown_outcome_is_asked_about_and_never_sent_again(
    process: EmulatorProcess, fault: AnyFault
) -> None:
    terminal = Terminal(process, comment_max=16)
    process.arm(fault, op="submit")
    with Door(terminal, poll_s=20.0) as door:  # so that only asking can tell
        confirmation = door.send()
        assert (confirmation.status, confirmation.rejection_reason) == (FILLED, None)
        assert ("SUBMITTED", "NETWORK_ERROR") in door.told(confirmation)
        assert door.rpm.hears("NETWORK_ERROR")
        assert terminal.seen() == filled(95_000)


def test_scenario_1_order_that_nobody_finds_stays_submitted(process: EmulatorProcess, way: str) -> None:
    terminal = Terminal(process)
    process.arm(Fault.LOSE_REQUEST, op="submit")
    with Door(terminal, way, wait_s=1.2) as door:
        confirmation = door.send()
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.SUBMITTED, "NETWORK_ERROR")
        assert str(confirmation.rejection_details).startswith("OUTCOME_UNKNOWN")
        assert door.rpm.engine.health().unknown_orders == 1
        assert terminal.seen() == NOTHING


# -- 2 to 6: refused, before or at the broker ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retcode", "details"),
    [(10006, "10006 REJECT"), (10018, "10018 MARKET_CLOSED"), (10019, "10019 NO_MONEY"), (10004, "10004 REQUOTE")],
)
def test_scenario_2_rejection_of_the_broker_is_not_tried_again(
    process: EmulatorProcess, retcode: int, details: str
) -> None:
    terminal = Terminal(process)
    process.control("retcode", retcode=retcode)
    with Door(terminal) as door:
        confirmation = door.send()
        assert (confirmation.status, confirmation.rejection_reason) == (REJECTED, "BROKER_REJECTION")
        assert str(confirmation.rejection_details).startswith(details)
        (order,) = door.log(confirmation).details["orders"]
        assert order["attempts"] == 1
        assert door.rpm.hears("BROKER_REJECTION")
        assert terminal.seen() == NOTHING


def test_scenario_2_dealer_that_refuses_leaves_a_rejected_order(process: EmulatorProcess, way: str) -> None:
    terminal = Terminal(process)
    process.arm(Fault.REFUSED, op="submit")
    with Door(terminal, way) as door:
        assert door.send().rejection_reason == "BROKER_REJECTION"
        assert terminal.seen() == ([("REJECTED", 95_000, 0)], [], [])


def test_scenario_3_prices_that_make_no_sense_stop_it_before_the_broker(process: EmulatorProcess) -> None:
    terminal = Terminal(process)
    terminal.price(bid="1.1", ask="1.095")
    with Door(terminal) as door:
        confirmation = door.send()
        assert (confirmation.status, confirmation.rejection_reason) == (REJECTED, "VALIDATION_FAILED")
        assert "bid 1.1 is above ask 1.095" in str(confirmation.rejection_details)
        assert door.rpm.hears("PRICES_UNREASONABLE")
        assert terminal.seen() == NOTHING


def test_scenario_4_wide_spread_preserves_the_signal_until_upstream_sends_it_again(process: EmulatorProcess) -> None:
    terminal = Terminal(process)
    terminal.price(bid="1.09", ask="1.1")
    with Door(terminal) as door:
        refused = door.send()
        assert (refused.status, refused.rejection_reason) == (REJECTED, "SPREAD_TOO_WIDE")
        assert [log.execution_id for log in door.rpm.engine.preserved()] == [refused.execution_id]
        terminal.price()
        door.rpm.engine.on_quote("EURUSD", 1.09495, 1.09505)
        assert terminal.seen() == NOTHING
        assert door.send().status is FILLED
        assert door.rpm.engine.preserved() == []
        assert terminal.seen() == filled(95_000)


def test_scenario_5_margin_is_the_terminals_own_requirement(process: EmulatorProcess) -> None:
    terminal = Terminal(process)
    with Door(terminal) as door:
        refused = door.send(position_units=7_000_000)  # 1 % of 7.67 million, and the cushion: 115 thousand
        assert (refused.status, refused.rejection_reason) == (REJECTED, "MARGIN_INSUFFICIENT")
        assert "pay in, or ask for less" in str(refused.rejection_details)
        assert door.rpm.hears("MARGIN_INSUFFICIENT")
        assert terminal.seen() == NOTHING
        assert door.send("less", position_units=6_000_000).status is FILLED
        assert terminal.seen() == filled(6_000_000)


def test_scenario_6_halt_is_a_kill_switch_event_and_nothing_is_sent(process: EmulatorProcess) -> None:
    terminal = Terminal(process)
    with Door(terminal) as door:
        confirmation = door.rpm.send(halted(reason="daily loss limit"))
        assert (confirmation.status, confirmation.rejection_reason) == (REJECTED, "TRADING_HALTED")
        assert confirmation.rejection_details == "daily loss limit"
        assert door.rpm.hears("KILL_SWITCH")
        assert terminal.seen() == NOTHING


# -- 7 and 8: too late, too little --------------------------------------------------------------------------------


def test_scenario_7_timeout_cancels_asks_again_and_expires(process: EmulatorProcess, way: str) -> None:
    terminal = Terminal(process, slow=True)
    with Door(terminal, way) as door:
        confirmation = door.send(timeout_seconds=0.3)
        assert (confirmation.status, confirmation.rejection_reason) == (EXPIRED, "ORDER_TIMEOUT")
        assert (confirmation.executed_units, confirmation.fill_price) == (0, None)
        assert door.rpm.hears("ORDER_TIMEOUT")
        assert terminal.seen() == ([("CANCELED", 95_000, 0)], [], [])


def test_scenario_7_order_that_filled_while_it_was_canceled_is_filled(process: EmulatorProcess) -> None:
    terminal = Terminal(process, slow=True)
    process.arm(Fault.CANCEL_FILL_RACE, op="cancel")
    with Door(terminal) as door:
        confirmation = door.send(timeout_seconds=0.3)
        assert (confirmation.status, confirmation.executed_units) == (FILLED, 95_000)
        assert terminal.seen() == filled(95_000)


def test_scenario_7_order_that_was_slow_and_came_in_time_is_filled(process: EmulatorProcess) -> None:
    terminal = Terminal(process, slow=True)
    with Door(terminal) as door:
        answers: list[ExecutionConfirmation] = []
        sending = threading.Thread(target=lambda: answers.append(door.send(timeout_seconds=5)))
        sending.start()
        terminal.until(terminal.orders)
        terminal.price(units=70_000)
        sending.join()
        (confirmation,) = answers
        assert (confirmation.status, confirmation.executed_units) == (PARTIALLY, 70_000)
        assert terminal.seen() == ([("EXPIRED", 95_000, 70_000)], [(1, 70_000)], [70_000])


def test_scenario_8_partial_fill_is_accepted_and_told(process: EmulatorProcess, way: str) -> None:
    terminal = Terminal(process)
    terminal.price(units=70_000)
    with Door(terminal, way) as door:
        confirmation = door.send()
        assert (confirmation.status, confirmation.executed_units) == (PARTIALLY, 70_000)
        assert "25000 did not" in str(confirmation.rejection_details)
        assert door.rpm.hears("PARTIAL_FILL")
        assert terminal.seen() == ([("EXPIRED", 95_000, 70_000)], [(1, 70_000)], [70_000])


def test_scenario_8_partial_fill_with_retry_sends_the_rest_as_a_secondary_order(process: EmulatorProcess) -> None:
    terminal = Terminal(process, mode=NETTING, slow=True)
    with Door(terminal, risk={"partial_fill": "retry"}) as door:
        answers: list[ExecutionConfirmation] = []
        sending = threading.Thread(target=lambda: answers.append(door.send(timeout_seconds=5)))
        sending.start()
        terminal.until(terminal.orders)
        terminal.price(units=70_000)
        terminal.until(lambda: len(terminal.orders()) == 2)
        terminal.price(ask="1.0951")
        sending.join()
        (confirmation,) = answers
        assert (confirmation.status, confirmation.executed_units) == (FILLED, 95_000)
        orders = door.log(confirmation).details["orders"]
        assert [(order["units"], order["executed_units"]) for order in orders] == [
            ("95000", "70000"),
            ("25000", "25000"),
        ]
        assert [traded for _, _, traded in terminal.orders()] == [70_000, 25_000]
        assert (terminal.deals(), terminal.held()) == ([(1, 70_000), (1, 25_000)], [95_000])


# -- protection, and after a crash --------------------------------------------------------------------------------


def test_stop_loss_closes_the_position_by_its_ticket(process: EmulatorProcess, way: str) -> None:
    terminal = Terminal(process)
    with Door(terminal, way) as door:
        assert door.send(stop_loss=1.09).status is FILLED
        terminal.price(bid="1.0899", ask="1.09")
        terminal.until(lambda: terminal.held() == [])
        assert terminal.deals() == [(1, 95_000), (-1, 95_000)]  # closed: nothing stands on the other side


def test_stop_loss_kept_at_the_venue_is_an_order_of_the_terminals(process: EmulatorProcess) -> None:
    terminal = Terminal(process, mode=NETTING)
    with Door(terminal, execution={"stops_at": "venue"}) as door:
        assert door.send(stop_loss=1.09).status is FILLED
        terminal.until(lambda: len(terminal.orders()) == 2)
        assert terminal.orders()[1] == ("PENDING", 95_000, 0)
        terminal.price(bid="1.0899", ask="1.09")
        terminal.until(lambda: terminal.held() == [])
        assert terminal.deals() == [(1, 95_000), (-1, 95_000)]


def test_execution_in_flight_at_a_crash_is_finalised_by_the_next_start(process: EmulatorProcess) -> None:
    terminal = Terminal(process, slow=True)
    with Door(terminal, wait_s=0) as door:
        confirmation = door.send()
        terminal.until(terminal.orders)
        assert confirmation.status is ExecutionStatus.SUBMITTED
        journal = door.rpm.journal
    terminal.price()
    with Door(terminal, journal=journal, wait_s=WAIT_S) as door:
        again = door.send()
        assert again.execution_id == confirmation.execution_id
        assert (again.status, again.executed_units) == (FILLED, 95_000)
        assert terminal.seen() == filled(95_000)
