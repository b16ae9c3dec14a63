"""The keys of a turn's intents are looked up at once, and what was found is not believed beyond the turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from tests.engine.workspaces import intent, run, started

from surefill.engine.receipt import Verdict
from surefill.errors import InputError, JournalError
from surefill.journal import KeyClaim, MemoryJournal


class Watched(MemoryJournal):
    """Counts the looks; `fails`: those at many keys find the journal out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[list[str]] = []
        self.singles: list[str] = []
        self.fails = False

    def find_key(self, workspace_id: str, mode: str, key: str) -> KeyClaim | None:
        self.singles.append(key)
        return super().find_key(workspace_id, mode, key)

    def find_keys(self, workspace_id: str, mode: str, keys: Sequence[str]) -> dict[str, KeyClaim]:
        self.looks.append(list(keys))
        if self.fails:
            raise JournalError("planned fault")
        found = ((key, super(Watched, self).find_key(workspace_id, mode, key)) for key in keys)
        return {key: claim for key, claim in found if claim is not None}


def test_turn_of_many_looks_once_and_tells_new_repeated_and_contradicted_apart() -> None:
    async def test() -> None:
        journal = Watched()
        engine = await started(journal)
        await engine.submit("w", intent("old"))
        journal.singles.clear()
        wishes = [intent("a"), intent("old"), intent("b"), intent("old", qty=3), intent("a"), intent("b", qty=3)]
        receipts = await asyncio.gather(*(engine.submit("w", wish) for wish in wishes))
        new, same, other = Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.CONFLICT
        assert [receipt.verdict for receipt in receipts] == [new, same, new, other, same, other]
        assert journal.looks == [["a", "old", "b", "old", "a", "b"]]
        assert journal.singles == []
        await engine.stop()

    run(test)


def test_key_claimed_by_a_turn_is_known_in_the_next() -> None:
    async def test() -> None:
        engine = await started(Watched())
        for expected in (Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.DUPLICATE):
            receipts = await asyncio.gather(*(engine.submit("w", intent(key)) for key in "ab"))
            assert [receipt.verdict for receipt in receipts] == [expected] * 2
            assert (await engine.submit("w", intent("a"))).verdict == Verdict.DUPLICATE
        await engine.stop()

    run(test)


def test_single_intent_asks_for_its_own_key() -> None:
    async def test() -> None:
        journal = Watched()
        engine = await started(journal)
        await engine.submit("w", intent("a"))
        assert (journal.looks, journal.singles) == ([], ["a"])
        await engine.stop()

    run(test)


@pytest.mark.parametrize("key", [7, b"k", ["k"], "\ud800", None])
def test_key_that_no_journal_can_be_asked_for_harms_its_sender_alone(key: Any) -> None:
    async def test() -> None:
        journal = Watched()
        engine = await started(journal)
        wishes = [intent("a"), intent(cast(str, key)), intent("b"), intent("ключ")]
        calls = [asyncio.ensure_future(engine.submit("w", wish)) for wish in wishes]
        await asyncio.wait(calls)
        wrong = calls.pop(1)
        assert isinstance(wrong.exception(), InputError)
        assert {call.result().verdict for call in calls} == {Verdict.ACCEPTED}
        assert journal.looks == [["a", "b"]]
        await engine.stop()

    run(test)


def test_look_at_many_keys_that_fails_leaves_each_intent_to_ask_for_itself() -> None:
    async def test() -> None:
        journal = Watched()
        engine = await started(journal)
        journal.fails = True
        receipts = await asyncio.gather(*(engine.submit("w", intent(key)) for key in "ab"))
        assert {receipt.verdict for receipt in receipts} == {Verdict.ACCEPTED}
        assert journal.singles == ["a", "b"]
        await engine.stop()

    run(test)
