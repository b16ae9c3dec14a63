"""Kill switches above the workspaces: durable first, seen by all, remembered, and asked again before the wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.engine.workspaces import ScriptedVenue, instrument, intent, limit, opening, run, started

from surefill.domain.events import Halted
from surefill.domain.inputs import Halt, Resume
from surefill.engine.clock import LiveClock
from surefill.engine.control_stream import STREAM, ControlStream
from surefill.engine.engine import Engine
from surefill.engine.receipt import Verdict
from surefill.errors import AppendFailed, InputError
from surefill.journal import MemoryJournal, verify
from surefill.rules.codes import KillLevel, OrdStatus
from surefill.testing.faulty_journal import FaultyJournal, JournalFault
from surefill.venues.paper import PaperVenue


def _halt(scope: str, level: int = KillLevel.SUSPEND) -> Halt:
    return Halt(5, "OPERATOR", "all stop", "ann", level=level, scope=scope)


async def _refused(engine: Engine, name: str, key: str) -> str:
    receipt = await engine.submit(name, intent(key))
    return receipt.code if receipt.verdict == Verdict.REFUSED else ""


@pytest.mark.parametrize(
    ("scope", "code"), [("engine", "ENGINE_HALTED"), ("venue:venue", "VENUE_HALTED"), ("venue:another", "")]
)
def test_switch_above_holds_every_workspace_that_it_is_about(scope: str, code: str) -> None:
    async def test() -> None:
        engine = await started(MemoryJournal(), "a", "b")
        await engine.throw(_halt(scope))
        assert [await _refused(engine, name, "k") for name in ("a", "b")] == [code, code]
        await engine.throw(Resume(6, "ann", scope=scope))
        assert [await _refused(engine, name, "l") for name in ("a", "b")] == ["", ""]
        await engine.stop()

    run(test)


def test_switch_above_is_remembered_and_told_to_a_workspace_that_opens_later() -> None:
    async def test() -> None:
        journal = MemoryJournal()
        engine = await started(journal, "a")
        await engine.throw(_halt("engine"))
        await engine.stop()
        again = Engine(journal, LiveClock())
        await again.open(opening("b"), PaperVenue(), [instrument()])
        assert await again.read("b", lambda state: state.book.halted_code) == "OPERATOR"
        assert await _refused(again, "b", "k") == "ENGINE_HALTED"
        assert verify(journal).ok
        await again.stop()

    run(test)


def test_switch_loosened_while_a_workspace_was_closed_is_loosened_there_too() -> None:
    async def test() -> None:
        journal = MemoryJournal()
        engine = await started(journal, "a")
        await engine.throw(_halt("engine", KillLevel.SHUTDOWN))
        await engine.stop()
        ControlStream(journal).throw(Resume(7, "bob", level=KillLevel.THROTTLE, scope="engine"))
        again = await started(journal, "a")
        assert await again.read("a", lambda state: state.book.kills["engine"].level) == KillLevel.THROTTLE
        await again.stop()

    run(test)


def test_order_past_the_gates_is_kept_from_the_wire_before_its_workspace_has_heard() -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        engine = await started(venue=venue)
        waiting = asyncio.ensure_future(engine.submit("w", limit("k")))
        while not engine.desks["w"].errands:
            await asyncio.sleep(0)  # decided and durable, its errand not begun
        engine.control.throw(_halt("engine"))
        receipt = await waiting
        assert (receipt.status, receipt.code, venue.sent) == (OrdStatus.REJECTED, "NOT_SENT", [])
        await engine.stop()

    run(test)


def test_switch_above_lets_out_what_only_reduces() -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        engine = await started(venue=venue)
        await engine.submit("w", intent("in"))
        venue.fill(venue.sent[0], 10, "e1")
        await engine.throw(_halt("engine"))
        receipt = await engine.submit("w", intent("out", side=-1))
        assert (receipt.verdict, [request.side for request in venue.sent]) == (Verdict.ACCEPTED, [1, -1])
        await engine.stop()

    run(test)


def test_switch_that_cannot_be_made_durable_is_not_thrown() -> None:
    async def test() -> None:
        journal = FaultyJournal(MemoryJournal())
        engine = await started(journal)
        journal.plan(JournalFault.LOST)
        with pytest.raises(AppendFailed):
            await engine.throw(_halt("engine"))
        assert engine.control.kills == {}
        assert await engine.read("w", lambda state: state.book.halted_code) == "APPEND_FAILED"
        await engine.throw(_halt("engine"))
        assert engine.control.kills["engine"].level == KillLevel.SUSPEND
        await engine.stop()

    run(test)


def test_switch_of_a_workspace_does_not_belong_in_the_stream() -> None:
    with pytest.raises(InputError, match="is not above a workspace"):
        ControlStream(MemoryJournal()).throw(_halt(""))


def test_journal_without_such_a_switch_has_no_control_stream() -> None:
    async def test() -> None:
        journal: Any = MemoryJournal()
        engine = await started(journal)
        assert STREAM not in journal.heads()
        await engine.throw(_halt("engine"))
        assert STREAM in journal.heads()
        events = await engine.read("w", lambda state: state.book.kills["engine"].code)
        assert events == "OPERATOR"
        assert Halted.__name__.encode() in b"".join(record.payload for record in journal.read("w"))
        await engine.stop()

    run(test)
