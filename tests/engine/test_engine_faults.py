"""The journal fails under the engine: callers are told the truth, memory is what the journal says, evidence is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.engine.workspaces import Alarms, ScriptedVenue, instrument, intent, limit, opening, run, started

from surefill.domain.inputs import Resume
from surefill.domain.intent import ExitPlan
from surefill.domain.market import Quote
from surefill.engine.engine import Engine
from surefill.engine.receipt import Verdict
from surefill.engine.recovery import fold_journal
from surefill.errors import AppendFailed, JournalError, WorkspaceHalted
from surefill.journal import Journal, MemoryJournal
from surefill.rules.codes import OrdStatus
from surefill.testing.faulty_journal import FaultyJournal, JournalFault
from surefill.testing.invariants import check_book, check_journal
from surefill.venues.paper import PaperVenue

REFUSED, LOST, KEPT, KEYS_TAKEN, STALE = JournalFault


async def _results(*calls: Any) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


def _sound(engine: Engine, journal: Journal, name: str = "w") -> None:
    """Memory is what the journal says, and the journal is good."""
    state = engine.desks[name].writer.state
    assert state.digest() == fold_journal(journal, name)[0].digest()
    assert check_book(state) == []
    assert check_journal(journal, name) == []


@pytest.mark.parametrize("fault", [REFUSED, LOST, KEPT])
@pytest.mark.parametrize("callers", [1, 64])
def test_failed_commit_leaves_the_outcome_unknown_and_a_retry_executes_once(fault: JournalFault, callers: int) -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        alarms = Alarms(engine)
        journal.plan(fault)
        failed = await _results(*(engine.submit("w", intent(f"k{n}")) for n in range(callers)))
        assert {type(each) for each in failed} == {AppendFailed}
        assert {each.code for each in failed} == {"OUTCOME_UNKNOWN"}
        assert {each.values["durable"] for each in failed} == {"no" if fault is REFUSED else "unknown"}
        assert journal.fired[fault] == 1
        assert alarms.codes() == ["APPEND_FAILED"]
        assert await engine.read("w", lambda state: state.book.halted_code) == "APPEND_FAILED"
        _sound(engine, journal)
        await engine.feed("w", Resume(engine.clock.now_ns(), "ada"))
        again = await asyncio.gather(*(engine.submit("w", intent(f"k{n}")) for n in range(callers)))
        expected = Verdict.DUPLICATE if fault is KEPT else Verdict.ACCEPTED
        assert {receipt.verdict for receipt in again} == {expected}
        assert await engine.read("w", lambda state: state.book.positions["X"].qty) == 10 * callers
        await engine.stop()
        _sound(engine, journal)

    run(test)


def test_failed_commit_of_a_reduction_can_be_repeated_although_the_workspace_is_halted() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        await engine.submit("w", intent("in"))
        journal.plan(LOST)
        await _results(engine.submit("w", intent("out", side=-1)))
        assert (await engine.submit("w", intent("out", side=-1))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_failed_commit_is_told_to_every_workspace_that_was_in_it() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal, "a", "b", "idle")
        journal.plan(LOST)
        failed = await _results(engine.submit("a", intent("k")), engine.submit("b", intent("k")))
        assert {type(each) for each in failed} == {AppendFailed}
        for name in ("a", "b", "idle"):  # leases die with the reopened journal: all begin again
            _sound(engine, journal, name)
            await engine.feed(name, Resume(engine.clock.now_ns(), "ada"))
            assert (await engine.submit(name, intent("k"))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_reader_waiting_through_a_failed_commit_sees_what_is_durable() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        journal.plan(LOST)
        failed, seen = await _results(
            engine.submit("w", intent("k")), engine.read("w", lambda state: dict(state.book.positions))
        )
        assert isinstance(failed, AppendFailed)
        assert seen == {}
        await engine.stop()

    run(test)


def test_key_taken_by_somebody_else_halts_that_workspace_alone() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal, "a", "b")
        journal.plan(KEYS_TAKEN)
        keyed, plain = await _results(engine.submit("a", intent("k")), engine.submit("b", intent("")))
        assert isinstance(keyed, AppendFailed)
        assert plain.verdict == Verdict.ACCEPTED
        assert await engine.read("a", lambda state: state.book.halted_code) == "INVARIANT_BREACH"
        assert await engine.read("b", lambda state: state.book.halted_code) == ""
        await engine.stop()

    run(test)


def test_stale_writer_stops_and_does_not_take_the_stream_back_by_itself() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        alarms = Alarms(engine)
        journal.plan(STALE)
        (failed,) = await _results(engine.submit("w", intent("k")))
        assert isinstance(failed, AppendFailed)
        assert alarms.codes() == ["FENCED"]
        epoch = journal.heads()["w"].epoch
        for call in (engine.submit("w", intent("k")), engine.feed("w", Quote("X", 9, 100))):
            with pytest.raises(AppendFailed):
                await call
        with pytest.raises(WorkspaceHalted):
            await engine.read("w", lambda state: None)
        assert journal.heads()["w"].epoch == epoch
        await engine.revive("w")  # a person says so
        assert journal.heads()["w"].epoch == epoch + 1
        await engine.feed("w", Resume(engine.clock.now_ns(), "ada"))
        assert (await engine.submit("w", intent("k"))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_idle_engine_finds_out_that_another_writes_its_workspace() -> None:
    async def test() -> None:
        journal = MemoryJournal()
        engine = await started(journal, "a", "b")
        alarms = Alarms(engine)
        engine.look_for_other_writers()
        assert alarms.codes("a") == []
        journal.open_stream("a")  # what another process does, on the same file
        engine.look_for_other_writers()
        assert alarms.codes("a") == ["FENCED"]
        engine.look_for_other_writers()  # told once
        assert alarms.codes("a") == ["FENCED"]
        with pytest.raises(WorkspaceHalted):
            await engine.read("a", lambda state: None)
        assert (await engine.submit("b", intent("k"))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_look_for_other_writers_leaves_a_closed_journal_to_the_next_append() -> None:
    async def test() -> None:
        journal = MemoryJournal()
        engine = await started(journal)
        alarms = Alarms(engine)
        journal.close()
        engine.look_for_other_writers()
        assert alarms.codes() == []
        (failed,) = await _results(engine.submit("w", intent("k")))
        assert isinstance(failed, AppendFailed)
        await engine.stop()

    run(test)


def test_fenced_workspace_stays_out_when_the_journal_is_reopened_for_others() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal, "fenced", "b")
        journal.plan(STALE)
        await _results(engine.submit("fenced", intent("k")))
        journal.plan(LOST)
        await _results(engine.submit("b", intent("k")))
        assert engine.desks["fenced"].broken is not None
        assert engine.desks["b"].broken is None
        await engine.stop()

    run(test)


# -- a journal that stays away --------------------------------------------------------------------------------


class Gone(FaultyJournal):
    """A journal that cannot be reopened while `away`."""

    away = False

    def reopen(self) -> None:
        if self.away:
            raise JournalError("the disk is gone")
        super().reopen()


async def _broken(*names: str) -> tuple[Gone, Engine, Alarms]:
    journal = Gone(MemoryJournal())
    engine = await started(journal, *names)
    alarms = Alarms(engine)
    journal.plan(LOST)
    journal.away = True
    return journal, engine, alarms


def test_journal_that_is_gone_breaks_the_workspace_until_it_is_revived() -> None:
    async def test() -> None:
        journal, engine, alarms = await _broken()
        (failed,) = await _results(engine.submit("w", intent("k")))
        assert failed.code == "OUTCOME_UNKNOWN"
        assert [notice.code for _, notice in alarms.raised] == ["JOURNAL_LOST"]
        with pytest.raises(AppendFailed):
            await engine.submit("w", intent("k"))
        with pytest.raises(WorkspaceHalted):
            await engine.read("w", lambda state: None)
        with pytest.raises(AppendFailed):
            await engine.revive("w")
        journal.away = False
        await engine.revive("w")
        assert await engine.read("w", lambda state: state.book.halted_code) == "APPEND_FAILED"
        await engine.feed("w", Resume(engine.clock.now_ns(), "ada"))
        assert (await engine.submit("w", intent("k"))).verdict == Verdict.ACCEPTED
        _sound(engine, journal)
        await engine.stop()

    run(test)


def test_broken_workspace_answers_whoever_waited_and_does_not_spin() -> None:
    async def test() -> None:
        _, engine, _ = await _broken()
        engine.desks["w"].tell(Quote("X", 5, 100))
        calls = [engine.submit("w", intent(f"k{n}")) for n in range(1000)]  # more than one turn takes
        reads = [engine.read("w", lambda state: state.book.seq)]
        failed = await _results(*calls, *reads)
        assert {type(each) for each in failed} == {AppendFailed}
        engine.tell("w", Quote("X", 6, 100))
        turns = 0
        ordinary = engine._turn

        def counted() -> None:
            nonlocal turns
            turns += 1
            ordinary()

        engine._turn = counted  # type: ignore[method-assign]
        for _ in range(50):
            await asyncio.sleep(0)
        assert turns <= 1
        assert not engine.desks["w"].inbox
        await engine.stop()

    run(test)


def test_workspaces_broken_together_are_revived_together() -> None:
    async def test() -> None:
        journal, engine, _ = await _broken("a", "b")
        await _results(engine.submit("a", intent("k")))
        assert engine.desks["a"].broken is not None
        assert engine.desks["b"].broken is not None
        journal.away = False
        await engine.revive("a")
        for name in ("a", "b"):
            await engine.feed(name, Resume(engine.clock.now_ns(), "ada"))
            assert (await engine.submit(name, intent("k"))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_revival_of_a_healthy_workspace_changes_nothing() -> None:
    async def test() -> None:
        engine = await started()
        before = engine.journal.heads()["w"]
        await engine.revive("w")
        assert engine.journal.heads()["w"] == before
        await engine.stop()

    run(test)


# -- evidence -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [REFUSED, LOST, KEPT])
def test_execution_reported_in_a_turn_that_failed_is_booked_all_the_same(fault: JournalFault) -> None:
    async def test() -> None:
        journal, venue = FaultyJournal(MemoryJournal()), ScriptedVenue()
        engine = await started(journal, venue=venue)
        receipt = await engine.submit("w", limit("k", qty=10))
        assert receipt.status == OrdStatus.NEW
        journal.plan(fault)
        venue.fill(venue.sent[0], 4, "e1")
        venue.fill(venue.sent[0], 6, "e2")
        while not journal.fired:
            await asyncio.sleep(0)
        qty = await engine.read("w", lambda state: state.book.positions["X"].qty)
        assert qty == 10
        assert await engine.reconcile("w") == {}
        await engine.stop()
        _sound(engine, journal)

    run(test)


def test_late_execution_reported_in_a_turn_that_failed_is_not_lost() -> None:
    """Nobody would ask for it: its order is over."""

    async def test() -> None:
        journal, venue = FaultyJournal(MemoryJournal()), ScriptedVenue()
        engine = await started(journal, venue=venue)
        await engine.submit("w", limit("k", qty=10))
        venue.fill(venue.sent[0], 10, "e1")
        await engine.read("w", lambda state: None)
        journal.plan(LOST)
        venue.fill(venue.sent[0], 3, "late")
        while not journal.fired:
            await asyncio.sleep(0)
        assert await engine.read("w", lambda state: state.book.positions["X"].qty) == 13
        await engine.stop()

    run(test)


def test_evidence_that_came_while_the_journal_was_gone_is_taken_when_it_is_back() -> None:
    async def test() -> None:
        journal, venue = Gone(MemoryJournal()), ScriptedVenue()
        engine = await started(journal, venue=venue)
        await engine.submit("w", limit("k", qty=10))
        journal.plan(LOST)
        journal.away = True
        await _results(engine.submit("w", intent("other")))
        venue.fill(venue.sent[0], 10, "e1")
        engine.tell("w", Quote("X", 9, 100))
        await asyncio.sleep(0)
        journal.away = False
        await engine.revive("w")
        assert await engine.read("w", lambda state: state.book.positions["X"].qty) == 10
        await engine.stop()

    run(test)


def test_exit_goes_on_after_a_failed_commit() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        await engine.submit("w", intent("k", plan=ExitPlan(stop_px=95)))
        journal.plan(LOST)
        (failed,) = await _results(engine.feed("w", Quote("X", engine.clock.now_ns(), 94)))
        assert isinstance(failed, AppendFailed)
        await engine.feed("w", Quote("X", engine.clock.now_ns(), 94))
        assert await engine.read("w", lambda state: state.book.positions["X"].qty) == 0
        await engine.stop()
        _sound(engine, journal)

    run(test)


def test_second_failure_right_after_the_first_is_survived() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal, "a", "b")
        for nth in (1, 2):
            journal.plan(LOST, nth)  # the commit, and then the halt of the first workspace
        await _results(engine.submit("a", intent("k")))
        assert journal.fired[LOST] == 2
        for name in ("a", "b"):
            if engine.desks[name].broken is not None:
                await engine.revive(name)
            await engine.feed(name, Resume(engine.clock.now_ns(), "ada"))
            receipt = await _retried(engine, name)
            assert receipt.verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE)
            _sound(engine, journal, name)
        await engine.stop()

    run(test)


async def _retried(engine: Engine, name: str) -> Any:
    """What a caller does with OUTCOME_UNKNOWN: ask again under the same id."""
    for _ in range(3):
        try:
            return await engine.submit(name, intent("k"))
        except AppendFailed:
            if engine.desks[name].broken is not None:
                await engine.revive(name)
            await engine.feed(name, Resume(engine.clock.now_ns(), "ada"))
    raise AssertionError("three retries were not enough")


def test_journal_that_cannot_be_folded_breaks_its_workspace_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal, "bad", "good")
        discard = engine.desks["bad"].writer.discard

        def fails() -> None:
            discard()
            raise KeyError("an event of a shape that this program does not know")

        monkeypatch.setattr(engine.desks["bad"].writer, "discard", fails)
        journal.plan(LOST)
        await _results(engine.submit("good", intent("k")))
        assert engine.desks["bad"].broken is not None
        await engine.feed("good", Resume(engine.clock.now_ns(), "ada"))
        assert (await engine.submit("good", intent("k"))).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_open_on_a_journal_that_fails_leaves_nothing_half_open() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        journal.plan(LOST)
        with pytest.raises(AppendFailed):
            await engine.open(opening("v"), PaperVenue(), [instrument()])
        assert list(engine.desks) == ["w"]
        await engine.open(opening("v"), PaperVenue(), [instrument()])
        await engine.stop()

    run(test)
