"""Turns: many callers share one commit, nobody sees what is not durable, one workspace's trouble is its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.engine.workspaces import Alarms, ScriptedVenue, instrument, intent, limit, opening, run, started

from surefill.domain import decide
from surefill.domain.decide import exits
from surefill.domain.events import Event, StopMoved
from surefill.domain.inputs import DefineInstrument, Halt, ResetWorkspace, Resume, SubmitIntent
from surefill.domain.intent import ExitPlan
from surefill.domain.market import Quote
from surefill.domain.state import State
from surefill.engine import desk as desk_module
from surefill.engine.clock import LiveClock, VirtualClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Verdict
from surefill.engine.recovery import fold_journal
from surefill.errors import AppendFailed, InputError, LocalError, WorkspaceHalted
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus
from surefill.testing.faulty_journal import FaultyJournal
from surefill.testing.invariants import check_journal
from surefill.venues.paper import PaperVenue

CALLERS = 64
PROTECTED = ExitPlan(stop_px=50)


async def _results(*calls: Any) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


def test_same_key_from_many_callers_is_executed_once() -> None:
    async def test() -> None:
        engine = await started()
        calls = (engine.submit("w", intent("k", correlation_id=f"c{n}")) for n in range(CALLERS))
        receipts = await asyncio.gather(*calls)
        assert Counter(receipt.verdict for receipt in receipts) == {Verdict.ACCEPTED: 1, Verdict.DUPLICATE: 63}
        assert {(receipt.correlation_id, receipt.order_ref) for receipt in receipts} == {
            (receipts[0].correlation_id, receipts[0].order_ref)
        }
        assert await engine.read("w", lambda state: state.book.positions["X"].qty) == 10
        await engine.stop()

    run(test)


def test_different_keys_from_many_callers_are_all_executed_in_few_commits() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        before = journal.appends
        receipts = await asyncio.gather(*(engine.submit("w", intent(f"k{n}")) for n in range(CALLERS)))
        assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        assert len({receipt.order_ref for receipt in receipts}) == CALLERS
        assert journal.appends - before == 1
        await engine.stop()
        assert check_journal(journal, "w") == []

    run(test)


def test_workspaces_share_a_commit_and_keep_their_books_apart() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal, "a", "b", "c")
        before = journal.appends
        await asyncio.gather(*(engine.submit(name, intent("k", 7)) for name in "abc"))
        assert journal.appends - before == 1
        for name in "abc":
            assert await engine.read(name, lambda state: state.book.positions["X"].qty) == 7
        await engine.stop()

    run(test)


def test_reader_never_sees_what_is_not_durable() -> None:
    async def test() -> None:
        journal = MemoryJournal()
        engine = await started(journal)
        seen: list[tuple[int, int]] = []

        def look(state: State) -> None:
            seen.append((state.book.seq, journal.heads()["w"].seq))

        calls: list[Any] = []
        for n in range(50):
            calls += [engine.submit("w", intent(f"k{n}")), engine.read("w", look)]
            if n % 7 == 0:
                await asyncio.sleep(0)
        await asyncio.gather(*calls)
        assert len(seen) == 50
        assert all(ours == durable for ours, durable in seen)
        await engine.stop()

    run(test)


def test_reader_that_fails_gets_its_own_error_and_harms_nobody() -> None:
    async def test() -> None:
        engine = await started()

        def fails(state: State) -> int:
            raise KeyError("a reader's own")

        failed, receipt = await _results(engine.read("w", fails), engine.submit("w", intent("k")))
        assert isinstance(failed, KeyError)
        assert receipt.verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_intents_are_not_let_in_before_the_books_are_compared() -> None:
    async def test() -> None:
        engine = await started()
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        class Slow(PaperVenue):
            async def positions(self) -> dict[str, int]:
                await gate
                return {}

        opened = asyncio.ensure_future(engine.open(opening("slow"), Slow(), [instrument()]))
        while "slow" not in engine.desks:
            await asyncio.sleep(0)
        with pytest.raises(WorkspaceHalted) as refused:
            await engine.submit("slow", intent("k"))
        assert refused.value.code == "NOT_READY"
        await engine.feed("slow", Quote("X", 5, 100))  # prices are taken in: exits are looked after
        gate.set_result(None)
        await opened
        assert (await engine.submit("slow", intent("k"))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_input_of_its_own_making_fails_its_sender_alone() -> None:
    async def test() -> None:
        engine = await started()
        bad = DefineInstrument(5, instrument("Z").__class__("Z", "USD", 0, 0, 100, instrument().terms))
        first, refused, second = await _results(
            engine.submit("w", intent("a")), engine.feed("w", bad), engine.submit("w", intent("b"))
        )
        assert isinstance(refused, InputError)
        assert (first.verdict, second.verdict) == (Verdict.ACCEPTED, Verdict.ACCEPTED)
        await engine.stop()

    run(test)


def test_unknown_workspace_is_named_with_those_that_there_are() -> None:
    async def test() -> None:
        engine = await started()
        with pytest.raises(InputError, match="open: w"):
            await engine.submit("elsewhere", intent("k"))
        await engine.stop()

    run(test)


def test_workspace_is_opened_once() -> None:
    async def test() -> None:
        engine = await started()
        with pytest.raises(InputError) as refused:
            await engine.open(opening(), PaperVenue(), [instrument()])
        assert refused.value.code == "ALREADY_OPEN"
        assert (await engine.submit("w", intent("k"))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_workspace_that_cannot_be_opened_can_be_opened_later() -> None:
    async def test() -> None:
        engine = await started()

        class Unreachable(ScriptedVenue):
            async def connect(self, sink: Any) -> None:
                raise ConnectionRefusedError("nobody there")

        venue = Unreachable()
        with pytest.raises(ConnectionRefusedError):
            await engine.open(opening("v"), venue, [instrument()])
        assert venue.closed
        await engine.open(opening("v"), PaperVenue(), [instrument()])
        await engine.stop()

    run(test)


# -- too much -------------------------------------------------------------------------------------------------


def test_full_queue_halts_once_refuses_and_drops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        engine = await started()
        monkeypatch.setattr(desk_module, "INBOX_MAX", 20)
        futures = [engine.enqueue("w", item) for item in _intents(engine, 50)]
        assert len(engine.desks["w"].inbox) == 21  # what was taken, and one halt
        results = await _results(*futures)
        taken = [result for result in results if not isinstance(result, BaseException)]
        refused = [result for result in results if isinstance(result, WorkspaceHalted)]
        assert (len(taken), len(refused)) == (20, 30)
        assert {error.code for error in refused} == {"QUEUE_FULL"}
        book = await engine.read("w", lambda state: (state.book.halted_code, state.book.positions["X"].qty))
        assert book == ("QUEUE_FULL", 200)
        names = [record.payload.split(b'"')[3] for record in engine.journal.read("w")]
        assert names.count(b"Halted") == 1
        await engine.feed("w", Resume(50, "ada"))
        assert (await engine.submit("w", intent("after"))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def _intents(engine: Engine, count: int) -> list[Any]:
    return [SubmitIntent(engine.clock.now_ns(), intent(f"k{n}")) for n in range(count)]


def test_more_than_a_turn_holds_is_taken_in_the_next_turns() -> None:
    async def test() -> None:
        engine = await started()
        receipts = await asyncio.gather(*(engine.submit("w", intent(f"k{n}")) for n in range(1300)))
        assert {receipt.status for receipt in receipts} == {OrdStatus.FILLED}
        assert await engine.read("w", lambda state: state.book.positions["X"].qty) == 13_000
        await engine.stop()

    run(test)


# -- breaches -------------------------------------------------------------------------------------------------


def _poisoned(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A quote of 666 breaks an invariant in whichever workspace takes it in."""
    ordinary = exits.quote

    def quote(this: Any, item: Quote) -> None:
        ordinary(this, item)
        if item.last_px == 666:
            this.emit(StopMoved(1, "", 0, "X", 1, 1, 1))  # half a step is folded when it breaks
            raise error

    monkeypatch.setitem(decide._DECIDE, Quote, quote)


@pytest.mark.parametrize("error", [ZeroDivisionError("of no class of ours"), LocalError("after something happened")])
def test_breach_in_one_workspace_is_its_own(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def test() -> None:
        journal = MemoryJournal()
        engine = await started(journal, "bad", "good")
        alarms = Alarms(engine)
        await engine.submit("bad", intent("held", 10, plan=PROTECTED))
        _poisoned(monkeypatch, error)
        lost = engine.submit("bad", intent("before"))
        poison = engine.feed("bad", Quote("X", 9, 666))
        later = engine.submit("bad", intent("after"))
        fine = engine.submit("good", intent("k"))
        before, poisoned, after, good = await _results(lost, poison, later, fine)
        assert [type(each) for each in (before, poisoned)] == [AppendFailed, AppendFailed]
        assert before.code == poisoned.code == "OUTCOME_UNKNOWN"
        assert (after.verdict, after.code) == (Verdict.REFUSED, "HALTED")  # taken after the refold
        assert good.verdict == Verdict.ACCEPTED
        assert alarms.codes("bad") == ["INVARIANT_BREACH"]
        assert alarms.codes("good") == []
        live = await engine.read("bad", lambda state: (state.digest(), state.book.halted_code))
        assert live == (fold_journal(journal, "bad")[0].digest(), "INVARIANT_BREACH")
        assert (await engine.submit("good", intent("k2"))).verdict == Verdict.ACCEPTED
        await engine.feed("bad", Resume(50, "ada"))
        again = await engine.submit("bad", intent("before"))
        assert again.verdict == Verdict.ACCEPTED  # it had not happened
        await engine.stop()
        assert check_journal(journal, "bad") == check_journal(journal, "good") == []

    run(test)


def test_breach_cancels_working_entries_and_keeps_protection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        engine = await started()
        await engine.submit("w", intent("held", 10, plan=PROTECTED))
        resting = await engine.submit("w", limit("rests"))
        _poisoned(monkeypatch, ZeroDivisionError())
        await _results(engine.feed("w", Quote("X", 9, 666)))
        order = await engine.read("w", lambda state: state.order(resting.cl_ord_id))
        assert order.status == OrdStatus.CANCELED
        await engine.feed("w", Quote("X", 10, 49))
        assert await engine.read("w", lambda state: state.book.positions["X"].qty) == 0
        await engine.stop()

    run(test)


# -- projections and alarms -----------------------------------------------------------------------------------


def test_subscriber_that_fails_is_alarmed_and_stops_nobody() -> None:
    async def test() -> None:
        engine = await started()
        alarms = Alarms(engine)
        heard: list[int] = []

        def fails(first: int, events: list[Event]) -> None:
            raise OSError("the disk of the projection")

        engine.desks["w"].writer.subscribers += [fails, lambda first, events: heard.append(first)]
        receipt = await engine.submit("w", intent("k"))
        assert receipt.verdict == Verdict.ACCEPTED
        await engine.feed("w", Quote("X", 9, 100))
        assert alarms.codes() == ["PUBLISH_FAILED"]
        assert len(heard) == 1
        await engine.stop()

    run(test)


def test_alarm_that_fails_does_not_silence_the_next() -> None:
    async def test() -> None:
        engine = await started()

        def fails(*told: Any) -> None:
            raise OSError("the pager is broken")

        engine.alarms.append(fails)
        alarms = Alarms(engine)
        engine.desks["w"].writer.subscribers.append(fails)
        await engine.submit("w", intent("k"))
        await engine.feed("w", Quote("X", 9, 100))
        assert alarms.codes() == ["PUBLISH_FAILED"]
        await engine.stop()

    run(test)


# -- the disk, stopping ---------------------------------------------------------------------------------------


def test_disk_below_its_floor_stops_entries_and_lets_exits_go_on() -> None:
    class SmallDisk(MemoryJournal):
        left = 10**9

        def free_bytes(self) -> int:
            return self.left

    async def test() -> None:
        journal = SmallDisk()
        engine = await started(journal, disk_floor_bytes=10**6)
        await engine.submit("w", intent("held"))
        journal.left = 10**6 - 1
        await engine.feed("w", Quote("X", 5, 100))
        refused = await engine.submit("w", intent("k"))
        assert (refused.verdict, refused.code) == (Verdict.REFUSED, "HALTED")
        assert (await engine.submit("w", intent("out", side=-1))).verdict == Verdict.ACCEPTED
        assert await engine.read("w", lambda state: state.book.halted_code) == "DISK_LOW"
        await engine.stop()

    run(test)


def test_stop_commits_snapshots_and_refuses_what_comes_after() -> None:
    async def test() -> None:
        journal = MemoryJournal()
        engine = await started(journal)
        pending = asyncio.ensure_future(engine.submit("w", intent("k")))
        await asyncio.sleep(0)
        await engine.stop()
        assert (await pending).verdict == Verdict.ACCEPTED
        assert fold_journal(journal, "w")[1] == journal.heads()["w"].seq
        for call in (engine.submit("w", intent("late")), engine.feed("w", Quote("X", 9, 100))):
            with pytest.raises(WorkspaceHalted) as refused:
                await call
            assert refused.value.code == "STOPPED"

    run(test)


def test_engine_on_a_virtual_clock_stamps_with_it() -> None:
    async def test() -> None:
        clock = VirtualClock(1_700_000_000 * 10**9)
        engine = await started(clock=clock)
        clock.advance_to(1_800_000_000 * 10**9)
        receipt = await engine.submit("w", intent("k"))
        assert receipt.ts_ns == 1_800_000_000 * 10**9
        await engine.stop()

    run(test)


def test_reset_is_one_of_the_inputs() -> None:
    async def test() -> None:
        engine = await started(clock=LiveClock())
        await engine.submit("w", intent("k"))
        await engine.feed("w", Halt(5, "KILL", "a person said so", "ada"))
        await engine.feed("w", ResetWorkspace(engine.clock.now_ns(), 1, "ada"))
        assert await engine.read("w", lambda state: (state.book.cash, len(state.book.positions))) == (1, 0)
        assert await engine.reconcile("w") == {}
        await engine.stop()

    run(test)
