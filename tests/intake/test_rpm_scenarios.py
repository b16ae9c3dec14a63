"""The contract's eight scenarios, each against a venue in another process, over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.intake.rpm_driving import SYMBOL, Rpm, decision, halted

from surefill.domain.profile import PROFILES
from surefill.engine.clock import LiveClock
from surefill.intake.rpm import ExecutionConfirmation, ExecutionLog, ExecutionStatus
from surefill.testing.remote_venue import Fault, RemoteVenue, Rules, VenueProcess, tcp
from surefill.units import NS_PER_MS

TIMEOUT_S = 0.05  # of a call to the venue
DELAY_MS = 90  # what is late comes after that
WAIT_S = 8.0

_numbers = count(1)


@pytest.fixture(scope="module")
def running_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("venue") / "truth.db") as process:
        yield process


@pytest.fixture
def process(running_venue: VenueProcess) -> Iterator[VenueProcess]:
    running_venue.rules(Rules(delay_ms=DELAY_MS))
    yield running_venue
    running_venue.heal()


@pytest.fixture(autouse=True)
def _quick_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile as it is, its pauses shortened."""
    rpm = PROFILES["rpm"]
    limits = msgspec.structs.replace(
        rpm.limits, query_spacing_ns=20 * NS_PER_MS, unknown_page_ns=300 * NS_PER_MS, retry_base_ns=20 * NS_PER_MS
    )
    monkeypatch.setitem(PROFILES, "rpm", msgspec.structs.replace(rpm, limits=limits))


class Remote:
    """The door on one account of the venue, with a symbol of its own there."""

    def __init__(
        self, process: VenueProcess, *, wait_s: float = WAIT_S, heartbeat_s: float = 0.03, **settings: Any
    ) -> None:
        number = next(_numbers)
        self.process = process
        self.account, self.symbol = f"account-{number}", f"EURUSD.{number}"
        venue = RemoteVenue(tcp(process.port), account=self.account, timeout_s=TIMEOUT_S, heartbeat_s=heartbeat_s)
        process.price(self.symbol, 109_500)
        open_always = {"default": {"calendar": "24x7"}}
        self.door = Rpm(venue=venue, clock=LiveClock(), wait_s=wait_s, instruments=open_always, **settings)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.door.engine.close()

    def send(self, order_id: str = "rpm_order_123", **overrides: Any) -> ExecutionConfirmation:
        return self.door.send(decision(order_id, symbol=self.symbol), **overrides)

    def log(self, confirmation: ExecutionConfirmation) -> ExecutionLog:
        log = self.door.engine.execution(confirmation.execution_id)
        assert log is not None
        return log

    def finally_(self, confirmation: ExecutionConfirmation) -> ExecutionLog:
        """The log of an execution once it has ended."""
        self.door.engine._monitor.wait(confirmation.execution_id, WAIT_S)
        return self.log(confirmation)

    def received(self) -> list[int]:
        """How often each order reached the venue."""
        return list(self.process.truth(self.account).received(self.account).values())

    def held(self) -> int:
        return self.process.truth(self.account).positions.get(self.account, {}).get(self.symbol, 0)


def test_order_is_filled_at_the_venue_with_its_own_order_id(process: VenueProcess) -> None:
    with Remote(process) as remote:
        confirmation = remote.send()
        assert (confirmation.status, confirmation.executed_units) == (ExecutionStatus.FILLED, 95_000)
        assert str(confirmation.order_id).startswith("R-")
        assert confirmation.fill_price == 1.095
        assert (remote.received(), remote.held()) == ([1], 95_000)


# -- 1: network failure -------------------------------------------------------------------------------------------


def test_scenario_1_network_failure_without_a_connection_is_rejected_after_three_attempts(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "truth.db") as process, Remote(process) as remote:
        process.kill()
        confirmation = remote.send()
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.REJECTED, "BROKER_REJECTION")
        assert str(confirmation.rejection_details).startswith("NOT_SENT")
        (order,) = remote.log(confirmation).details["orders"]
        assert order["attempts"] == 3
        assert remote.door.hears("BROKER_CONNECTION_LOST")
        process.start()
        assert remote.received() == []


def test_scenario_1_network_failure_that_proves_non_arrival_is_sent_again_under_the_same_id(
    process: VenueProcess,
) -> None:
    process.arm(Fault.THROTTLED, op="submit")
    with Remote(process) as remote:
        confirmation = remote.send()
        assert confirmation.status is ExecutionStatus.FILLED
        (order,) = remote.log(confirmation).details["orders"]
        assert order["attempts"] == 2
        assert (remote.received(), remote.held()) == ([1], 95_000)


UNCLEAR = [
    Fault.LOSE_ANSWER,
    Fault.DELAY_ANSWER,
    Fault.GARBLE_ANSWER,
    Fault.SERVER_ERROR,
    Fault.DISCONNECT_AFTER,
    Fault.FILLED_UNSEEN,
]


@pytest.mark.parametrize("fault", UNCLEAR, ids=lambda fault: fault.name)
def test_scenario_1_network_failure_with_an_unknown_outcome_is_asked_about_and_never_sent_again(
    process: VenueProcess, fault: Fault
) -> None:
    process.arm(fault, op="submit")
    process.arm(Fault.LOSE_REPORT, 3, op="stream")
    with Remote(process, heartbeat_s=5.0) as remote:  # so that only asking can tell
        confirmation = remote.send()
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.FILLED, None)
        assert (remote.received(), remote.held()) == ([1], 95_000)
        if fault is not Fault.DELAY_ANSWER:
            rows = remote.door.engine._monitor.table.versions(execution_id=confirmation.execution_id)
            told = [(row.cells["status"], row.cells["rejection_reason"]) for row in rows]
            assert ("SUBMITTED", "NETWORK_ERROR") in told
            assert remote.door.hears("NETWORK_ERROR")


def test_scenario_1_network_failure_that_stays_unclear_is_submitted_and_nothing_is_invented(
    process: VenueProcess,
) -> None:
    process.arm(Fault.LOSE_REQUEST, op="submit")
    with Remote(process, wait_s=0.4) as remote:
        confirmation = remote.send()
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.SUBMITTED, "NETWORK_ERROR")
        assert str(confirmation.rejection_details).startswith("OUTCOME_UNKNOWN")
        assert remote.received() == []
        assert remote.door.engine.health().unknown_orders == 1
        assert remote.door.engine.metrics().network_errors == 1


# -- 2 to 6: refused, before or at the broker ---------------------------------------------------------------------


def test_scenario_2_broker_rejection_is_not_tried_again(process: VenueProcess) -> None:
    process.arm(Fault.REFUSED)
    with Remote(process) as remote:
        confirmation = remote.send()
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.REJECTED, "BROKER_REJECTION")
        assert confirmation.rejection_details == "REFUSED: refused by a check of the venue's"
        assert (remote.received(), remote.held()) == ([1], 0)
        assert remote.door.hears("BROKER_REJECTION")


def _unreasonable(remote: Remote) -> dict[str, Any]:
    remote.door.market.quote = {"bid": 1.100, "ask": 1.095}
    return decision(symbol=remote.symbol)


def _wide(remote: Remote) -> dict[str, Any]:
    remote.door.market.quote = {"bid": 1.09, "ask": 1.1}
    return decision(symbol=remote.symbol)


def _no_margin(remote: Remote) -> dict[str, Any]:
    return decision(symbol=remote.symbol, position_units=9_000_000)


def _halted(remote: Remote) -> dict[str, Any]:
    output = halted(reason="daily loss limit")
    output["decision"]["approved_trade"]["symbol"] = remote.symbol
    return output


BEFORE_THE_BROKER: list[tuple[Callable[[Remote], dict[str, Any]], str, str, str]] = [
    (_unreasonable, "VALIDATION_FAILED", "bid 1.1 is above ask 1.095", "PRICES_UNREASONABLE"),
    (_wide, "SPREAD_TOO_WIDE", "the market may improve", ""),
    (_no_margin, "MARGIN_INSUFFICIENT", "pay in, or ask for less", "MARGIN_INSUFFICIENT"),
    (_halted, "TRADING_HALTED", "daily loss limit", "KILL_SWITCH"),
]


@pytest.mark.parametrize(
    ("breach", "reason", "told", "alert"),
    BEFORE_THE_BROKER,
    ids=["scenario 3 prices", "scenario 4 spread", "scenario 5 margin", "scenario 6 halt"],
)
def test_scenarios_3_to_6_are_rejected_before_anything_is_sent(
    process: VenueProcess, breach: Callable[[Remote], dict[str, Any]], reason: str, told: str, alert: str
) -> None:
    with Remote(process) as remote:
        confirmation = remote.door.send(breach(remote))
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.REJECTED, reason)
        assert told in str(confirmation.rejection_details)
        assert remote.log(confirmation).rejection_reason == reason
        assert remote.received() == []
        assert not alert or remote.door.hears(alert)


def test_scenario_4_wide_spread_preserves_the_signal_until_upstream_sends_it_again(process: VenueProcess) -> None:
    with Remote(process) as remote:
        good = remote.door.market.quote
        refused = remote.door.send(_wide(remote))
        assert [log.execution_id for log in remote.door.engine.preserved()] == [refused.execution_id]
        remote.door.market.quote = good
        remote.door.engine.on_quote(remote.symbol, **good)
        assert remote.received() == []
        assert remote.send().status is ExecutionStatus.FILLED
        assert remote.door.engine.preserved() == []


# -- 7 and 8: too late, too little --------------------------------------------------------------------------------


def test_scenario_7_timeout_cancels_asks_again_and_expires(process: VenueProcess) -> None:
    process.rules(Rules(delay_ms=DELAY_MS, market_rests=True))
    with Remote(process) as remote:
        process.price(remote.symbol, 109_500, 0)
        confirmation = remote.send(timeout_seconds=0.2)
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.EXPIRED, "ORDER_TIMEOUT")
        assert (confirmation.executed_units, confirmation.fill_price) == (0, None)
        assert [order.status for order in process.truth(remote.account).orders] == ["canceled"]
        assert remote.door.hears("ORDER_TIMEOUT")


def test_scenario_7_timeout_whose_cancel_came_too_late_is_filled(process: VenueProcess) -> None:
    process.rules(Rules(delay_ms=DELAY_MS, market_rests=True))
    process.arm(Fault.CANCEL_FILL_RACE)
    with Remote(process) as remote:
        process.price(remote.symbol, 109_500, 0)
        confirmation = remote.send(timeout_seconds=0.2)
        assert (confirmation.status, confirmation.executed_units) == (ExecutionStatus.FILLED, 95_000)
        assert remote.held() == 95_000


def test_scenario_7_timeout_with_fills_is_partially_filled(process: VenueProcess) -> None:
    process.rules(Rules(delay_ms=DELAY_MS, market_rests=True))
    with Remote(process) as remote:
        process.price(remote.symbol, 109_500, 70_000)
        confirmation = remote.send(timeout_seconds=0.2)
        assert (confirmation.status, confirmation.rejection_reason) == (
            ExecutionStatus.PARTIALLY_FILLED,
            "ORDER_TIMEOUT",
        )
        assert (confirmation.executed_units, remote.held()) == (70_000, 70_000)


def test_scenario_7_fill_after_the_end_is_booked_and_alerts(process: VenueProcess) -> None:
    process.rules(Rules(delay_ms=DELAY_MS, market_rests=True, short_ms=150))
    process.arm(Fault.LATE_FILL)
    with Remote(process) as remote:
        process.price(remote.symbol, 109_500, 0)
        confirmation = remote.send(timeout_seconds=0.2)
        assert confirmation.status is ExecutionStatus.EXPIRED
        assert remote.door.hears("LATE_FILL")
        log = remote.log(confirmation)
        assert (log.status, log.executed_units) == (ExecutionStatus.PARTIALLY_FILLED, remote.held())


def test_scenario_8_partial_fill_is_accepted_and_told(process: VenueProcess) -> None:
    with Remote(process) as remote:
        process.price(remote.symbol, 109_500, 70_000)
        confirmation = remote.send()
        assert (confirmation.status, confirmation.executed_units) == (ExecutionStatus.PARTIALLY_FILLED, 70_000)
        assert "25000 did not" in str(confirmation.rejection_details)
        assert (remote.received(), remote.held()) == ([1], 70_000)
        assert remote.door.hears("PARTIAL_FILL")


def test_scenario_8_partial_fill_with_retry_sends_the_rest_as_a_secondary_order(process: VenueProcess) -> None:
    process.rules(Rules(delay_ms=DELAY_MS, market_rests=True))
    with Remote(process, risk={"partial_fill": "retry"}) as remote:
        process.price(remote.symbol, 109_500, 70_000)
        answers: list[ExecutionConfirmation] = []
        sending = threading.Thread(target=lambda: answers.append(remote.send(timeout_seconds=0.3)))
        sending.start()
        while len(remote.received()) < 2:
            assert sending.is_alive(), answers
        process.price(remote.symbol, 109_510)
        sending.join()
        (confirmation,) = answers
        assert (confirmation.status, confirmation.executed_units) == (ExecutionStatus.FILLED, 95_000)
        orders = remote.log(confirmation).details["orders"]
        assert [(order["units"], order["executed_units"]) for order in orders] == [
            ("95000", "70000"),
            ("25000", "25000"),
        ]
        assert (remote.received(), remote.held()) == ([1, 1], 95_000)


# -- right before the wire, and after a crash ---------------------------------------------------------------------


def test_recheck_of_a_stale_tick_keeps_the_order_from_the_broker(process: VenueProcess) -> None:
    with Remote(process, risk={"recheck_age_max_s": 0.001}) as remote:
        remote.door.market.quote |= {"timestamp": "2026-01-01T00:00:00Z"}
        confirmation = remote.send()
        assert (confirmation.status, confirmation.rejection_reason) == (ExecutionStatus.REJECTED, "STALE_TICK")
        assert remote.received() == []


def test_exit_leaves_for_the_venue_although_the_feed_is_dead(process: VenueProcess) -> None:
    with Remote(process) as remote:
        assert remote.send("in").status is ExecutionStatus.FILLED
        remote.door.market.quote = ConnectionError("the feed is gone")
        refused = remote.send("more")
        assert str(refused.rejection_details).startswith("NO_MARKET_DATA")
        out = remote.door.send(decision("out", symbol=remote.symbol, direction=-1))
        assert (out.status, out.executed_units) == (ExecutionStatus.FILLED, 95_000)
        assert (remote.received(), remote.held()) == ([1, 1], 0)


def test_execution_in_flight_at_a_crash_is_finalised_by_the_next_start(process: VenueProcess) -> None:
    process.rules(Rules(delay_ms=DELAY_MS, market_rests=True))
    with Remote(process, wait_s=0) as remote:
        process.price(remote.symbol, 109_500, 0)
        confirmation = remote.send()
        assert confirmation.status is ExecutionStatus.SUBMITTED
        journal, symbol, account = remote.door.journal, remote.symbol, remote.account
    process.price(symbol, 109_500)
    venue = RemoteVenue(tcp(process.port), account=account, timeout_s=TIMEOUT_S, heartbeat_s=0.03)
    settings = {"default": {"calendar": "24x7"}}
    with Rpm(venue=venue, clock=LiveClock(), journal=journal, wait_s=WAIT_S, instruments=settings) as door:
        again = door.send(decision(symbol=symbol))
        assert again.execution_id == confirmation.execution_id
        assert (again.status, again.executed_units) == (ExecutionStatus.FILLED, 95_000)


def test_symbol_of_the_scenarios_is_the_documents() -> None:
    assert decision()["decision"]["approved_trade"]["symbol"] == SYMBOL == "EURUSD"
