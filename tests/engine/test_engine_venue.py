"""A venue behind a wire: every outcome, every silence, and what the engine does before it lets anything in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.engine.workspaces import (
    Alarms,
    ScriptedVenue,
    instrument,
    intent,
    limit,
    opening,
    profile,
    report_of,
    run,
    started,
)

from surefill.domain.inputs import RequestCancel
from surefill.domain.intent import ExitPlan
from surefill.domain.market import Quote
from surefill.domain.reports import ExecType
from surefill.engine.clock import LiveClock, VirtualClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Verdict
from surefill.errors import VenueOutcomeUnknown
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus
from surefill.testing.faulty_journal import FaultyJournal, JournalFault
from surefill.testing.invariants import check_journal
from surefill.venues.protocol import Accepted, QueryAnswer, Rejected, Unknown


async def _status(engine: Engine, cl_ord_id: str, wanted: int) -> Any:
    """The order, once it has this status."""
    while True:
        order = await engine.read("w", lambda state: state.order(cl_ord_id))
        if order.status == wanted:
            return order
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (Rejected("NO", "not today"), OrdStatus.REJECTED, "not today"),
        (Unknown("timed out"), OrdStatus.UNKNOWN, "timed out"),
        (VenueOutcomeUnknown("503"), OrdStatus.UNKNOWN, "503"),
        (ConnectionResetError("by peer"), OrdStatus.UNKNOWN, "ConnectionResetError: by peer"),
        (ValueError("unreadable answer"), OrdStatus.UNKNOWN, "ValueError: unreadable answer"),
        (Accepted(()), OrdStatus.NEW, ""),
    ],
)
def test_outcome_of_sending_row(outcome: Any, status: OrdStatus, reason: str) -> None:
    async def test() -> None:
        never = asyncio.get_running_loop().create_future()
        venue = ScriptedVenue([outcome], [never])
        engine = await started(venue=venue)
        receipt = await engine.submit("w", intent("k"))
        assert (receipt.status, receipt.reason) == (status, reason)
        assert len(venue.sent) == 1
        await engine.stop(timeout_s=0)

    run(test)


def test_answer_that_never_comes_is_unknown_in_time() -> None:
    async def test() -> None:
        never = asyncio.get_running_loop().create_future
        venue = ScriptedVenue([never()], [never(), never()])
        engine = await started(venue=venue, rules=profile(answer_by_ns=5 * 10**6))
        receipt = await engine.submit("w", limit("k"))
        assert (receipt.status, receipt.reason) == (OrdStatus.UNKNOWN, "no answer within 0.005 s")
        await _status(engine, receipt.cl_ord_id, OrdStatus.NEW)  # two queries told nothing, the third did
        assert len(venue.asked) == 3
        await engine.stop()

    run(test)


def test_positions_that_are_never_told_keep_intents_out_and_call_somebody() -> None:
    async def test() -> None:
        class Mute(ScriptedVenue):
            asked_for_positions = 0

            async def positions(self) -> dict[str, int]:
                self.asked_for_positions += 1
                if self.asked_for_positions < 6:
                    await asyncio.get_running_loop().create_future()
                return {}

        engine = Engine(MemoryJournal(), LiveClock())
        alarms = Alarms(engine)
        rules = profile(answer_by_ns=5 * 10**6, unknown_page_ns=10 * 10**6)
        await engine.open(opening(rules=rules), Mute(), [instrument()])
        assert "BOOKS_NOT_COMPARED" in alarms.codes()
        await engine.stop()

    run(test)


def test_order_is_durable_before_it_is_sent() -> None:
    async def test() -> None:
        journal = MemoryJournal()
        seen: list[int] = []

        class Looks(ScriptedVenue):
            async def submit(self, request: Any) -> Any:
                payloads = [record.payload for record in journal.read("w")]
                seen.append(sum(request.cl_ord_id.encode() in payload for payload in payloads))
                return await super().submit(request)

        engine = await started(journal, venue=Looks())
        await engine.submit("w", intent("k"))
        assert seen == [1]
        await engine.stop()

    run(test)


def test_order_whose_commit_failed_is_never_sent() -> None:
    async def test() -> None:
        journal, venue = FaultyJournal(MemoryJournal()), ScriptedVenue(answers=[QueryAnswer(False)] * 1000)
        engine = await started(journal, venue=venue)
        for fault in (JournalFault.REFUSED, JournalFault.LOST, JournalFault.KEPT):
            journal.plan(fault)
            await asyncio.gather(engine.submit("w", intent(fault.name)), return_exceptions=True)
        await asyncio.sleep(0.01)
        assert venue.sent == []
        await engine.stop(timeout_s=0)

    run(test)


def test_unknown_order_is_asked_for_until_there_is_evidence() -> None:
    async def test() -> None:
        answers = [VenueOutcomeUnknown("503"), TimeoutError(), QueryAnswer(False)]
        venue = ScriptedVenue([Unknown("timed out")], answers)
        engine = await started(venue=venue)
        receipt = await engine.submit("w", limit("k"))
        order = await _status(engine, receipt.cl_ord_id, OrdStatus.NEW)
        assert (order.absent_count, len(venue.asked), len(venue.sent)) == (1, 4, 1)
        await engine.stop()
        assert check_journal(engine.journal, "w") == []

    run(test)


def test_unknown_order_pages_once_in_time() -> None:
    async def test() -> None:
        venue = ScriptedVenue([Unknown("timed out")], [QueryAnswer(False)] * 10_000)
        engine = await started(venue=venue)
        alarms = Alarms(engine)
        await engine.submit("w", limit("k"))
        while "UNKNOWN_UNRESOLVED" not in alarms.codes():
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        assert alarms.codes() == ["UNKNOWN_UNRESOLVED"]
        await engine.stop()

    run(test)


def test_order_past_its_deadline_is_not_sent() -> None:
    async def test() -> None:
        clock = VirtualClock(10**18)
        venue = ScriptedVenue()
        engine = await started(venue=venue, clock=clock, rules=profile(send_by_ns=1000))
        pending = asyncio.ensure_future(engine.submit("w", intent("k")))
        await asyncio.sleep(0)  # queued; its deadline runs from now
        clock.advance_to(10**18 + 1001)
        receipt = await pending
        assert (receipt.status, receipt.code) == (OrdStatus.REJECTED, "SEND_LAPSED")
        assert venue.sent == []
        await engine.stop()
        assert check_journal(engine.journal, "w") == []

    run(test)


def test_order_at_its_deadline_is_sent() -> None:
    async def test() -> None:
        clock = VirtualClock(10**18)
        venue = ScriptedVenue()
        engine = await started(venue=venue, clock=clock, rules=profile(send_by_ns=1000))
        pending = asyncio.ensure_future(engine.submit("w", intent("k")))
        await asyncio.sleep(0)
        clock.advance_to(10**18 + 1000)
        assert (await pending).status == OrdStatus.NEW
        await engine.stop()

    run(test)


def test_duplicate_of_an_order_on_its_way_is_answered_at_once() -> None:
    async def test() -> None:
        gate = asyncio.get_running_loop().create_future()
        venue = ScriptedVenue([gate])
        engine = await started(venue=venue)
        first = asyncio.ensure_future(engine.submit("w", intent("k")))
        while not venue.sent:
            await asyncio.sleep(0)
        again = await engine.submit("w", intent("k"))
        assert (again.verdict, again.status) == (Verdict.DUPLICATE, OrdStatus.SUBMITTED)
        gate.set_result(Accepted((report_of(venue.sent[0], ExecType.NEW),)))
        assert (await first).cl_ord_id == again.cl_ord_id
        assert len(venue.sent) == 1
        await engine.stop()

    run(test)


@pytest.mark.parametrize("outcome", [Unknown("lost"), Rejected("LATE", "too late"), OSError("lost")])
def test_cancel_that_did_not_succeed_asks_and_keeps_trying_while_the_order_works(outcome: Any) -> None:
    async def test() -> None:
        accepted = lambda otherwise: otherwise  # noqa: E731
        venue = ScriptedVenue([accepted, outcome])
        engine = await started(venue=venue)
        receipt = await engine.submit("w", limit("k"))
        await engine.feed("w", RequestCancel(engine.clock.now_ns(), receipt.cl_ord_id, "ada"))
        await _status(engine, receipt.cl_ord_id, OrdStatus.CANCELED)
        assert len(venue.canceled) == 2
        assert venue.asked
        await engine.stop()
        assert check_journal(engine.journal, "w") == []

    run(test)


def test_fill_on_the_stream_before_the_answer_answers_the_caller() -> None:
    async def test() -> None:
        gate = asyncio.get_running_loop().create_future()
        venue = ScriptedVenue([gate])
        engine = await started(venue=venue)
        pending = asyncio.ensure_future(engine.submit("w", intent("k")))
        while not venue.sent:
            await asyncio.sleep(0)
        venue.fill(venue.sent[0], 10, "e1", 101)
        receipt = await pending
        assert (receipt.status, receipt.cum_notional) == (OrdStatus.FILLED, 1010)
        gate.set_exception(TimeoutError())  # it came after all; and tells nothing
        await asyncio.sleep(0.005)
        assert await engine.read("w", lambda state: state.book.orders) == {}
        await engine.stop()

    run(test)


# -- starting -------------------------------------------------------------------------------------------------


def _dead_engine(journal: MemoryJournal, venue: ScriptedVenue) -> str:
    """Leave an order durable and perhaps sent: its answer never came."""

    async def test() -> str:
        never = asyncio.get_running_loop().create_future()
        venue.outcomes.append(never)
        engine = await started(journal, venue=venue)
        pending = asyncio.ensure_future(engine.submit("w", limit("k")))
        while not venue.sent:
            await asyncio.sleep(0)
        await engine.stop(timeout_s=0)
        with pytest.raises(VenueOutcomeUnknown):
            await pending
        return venue.sent[0].cl_ord_id

    return run(test)


@pytest.mark.parametrize(
    ("answer", "status", "qty"),
    [
        (ExecType.STATUS, OrdStatus.NEW, 0),
        (ExecType.TRADE, OrdStatus.FILLED, 10),
        (ExecType.CANCELED, OrdStatus.CANCELED, 0),
        (ExecType.REJECTED, OrdStatus.REJECTED, 0),
    ],
)
def test_start_asks_for_what_was_in_flight_and_never_sends_it_again(
    answer: ExecType, status: OrdStatus, qty: int
) -> None:
    journal, venue = MemoryJournal(), ScriptedVenue()
    cl_ord_id = _dead_engine(journal, venue)

    async def test() -> None:
        fields = {"exec_id": "e", "last_px": 100, "last_qty": 10} if answer is ExecType.TRADE else {}
        venue.held = {"X": qty}
        venue.answers.append(QueryAnswer(True, (report_of(venue.sent[0], answer, **fields),)))
        engine = Engine(journal, LiveClock())
        await engine.open(opening(), venue, [instrument()])
        order = await engine.read("w", lambda state: state.order(cl_ord_id))
        assert order.status == status
        assert len(venue.sent) == 1
        again = await engine.submit("w", limit("k"))
        assert (again.verdict, again.status) == (Verdict.DUPLICATE, status)
        assert await engine.read("w", lambda state: state.book.halted_code) == ""
        await engine.stop()
        assert check_journal(journal, "w") == []

    run(test)


def test_start_with_other_positions_than_the_venues_is_halted() -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        venue.held = {"X": 5}
        engine = Engine(MemoryJournal(), LiveClock())
        alarms = Alarms(engine)
        await engine.open(opening(), venue, [instrument()])
        await engine.feed("w", Quote("X", engine.clock.now_ns(), 100))
        refused = await engine.submit("w", intent("k"))
        assert (refused.verdict, refused.code) == (Verdict.REFUSED, "HALTED")
        assert "POSITION_DRIFT" in alarms.codes()
        assert await engine.reconcile("w") == {"X": (0, 5)}
        await engine.stop()

    run(test)


# -- exits, timers --------------------------------------------------------------------------------------------


def test_exit_on_the_wire_is_one_order_however_many_prices_breach_the_stop() -> None:
    async def test() -> None:
        gate = asyncio.get_running_loop().create_future()
        accepted = lambda otherwise: otherwise  # noqa: E731
        venue = ScriptedVenue([accepted, gate])
        engine = await started(venue=venue)
        await engine.submit("w", intent("k", plan=ExitPlan(stop_px=95)))
        venue.fill(venue.sent[0], 10, "e1")
        for px in range(95, 60, -1):
            await engine.feed("w", Quote("X", engine.clock.now_ns(), px))
        assert len(venue.sent) == 2
        assert venue.sent[1].reduce_only
        venue.fill(venue.sent[1], 10, "e2", 94)
        assert await engine.read("w", lambda state: state.book.positions["X"].qty) == 0
        gate.set_result(Accepted(()))
        await engine.stop()
        assert check_journal(engine.journal, "w") == []

    run(test)


def test_timer_is_not_lost_when_the_loop_wakes_a_moment_too_early() -> None:
    """The loop's clock and the wall's are not the same: at the wall's the time has not quite come."""

    async def test() -> None:
        class Behind(LiveClock):
            def now_ns(self) -> int:
                return super().now_ns() // 10**7 * 10**7  # in steps of 10 ms

        venue = ScriptedVenue([Unknown("timed out")])
        engine = await started(venue=venue, clock=Behind())
        await engine.submit("w", limit("k"))
        while not venue.asked:  # and nothing else happens that could set another alarm
            await asyncio.sleep(0.002)
        await engine.stop()

    run(test)


def test_timers_of_a_simulation_fire_when_it_says_so() -> None:
    async def test() -> None:
        clock = VirtualClock(10**18)
        venue = ScriptedVenue([Unknown("timed out")])
        engine = await started(venue=venue, clock=clock)
        await engine.submit("w", limit("k"))
        due_ns = engine.next_timer_ns()
        assert due_ns == 10**18 + 10**6
        engine.fire_timers()
        await asyncio.sleep(0.005)
        assert venue.asked == []
        clock.advance_to(due_ns)
        engine.fire_timers()
        while not venue.asked:
            await asyncio.sleep(0)
        assert engine.next_timer_ns() is None
        await engine.stop()

    run(test)


def test_stop_leaves_orders_at_their_venue_and_tells_whoever_waits() -> None:
    journal, venue = MemoryJournal(), ScriptedVenue()
    _dead_engine(journal, venue)
    assert venue.closed
    assert venue.canceled == []
