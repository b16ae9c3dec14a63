"""Taking over what the account held before: declared, by a person, at a price; the money stays conserved."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.workspaces import ScriptedVenue, run, started

from surefill.domain.codec import decode
from surefill.domain.events import AccountMoved
from surefill.engine.adoption import adopt
from surefill.errors import InputError
from surefill.testing.invariants import check_journal


def _venue(**held: int) -> ScriptedVenue:
    venue = ScriptedVenue()
    venue.held.update(held)
    return venue


@pytest.mark.parametrize(("prices", "px"), [({}, 100), ({"X": "97"}, 97)])
def test_holdings_are_taken_over_at_a_price_and_the_books_agree_afterwards(prices: dict[str, str], px: int) -> None:
    async def test() -> None:
        engine = await started(venue=_venue(X=5))
        assert (await engine.read("w", lambda state: state.book.halted_code)) == "POSITION_DRIFT"
        assert await adopt(engine, "w", "ann", prices) == {}
        book: Any = await engine.read("w", lambda state: state.book)
        position = book.positions["X"]
        assert (position.qty, position.cost) == (5, 5 * px)
        assert book.cash + position.cost * 100 == book.starting_cash + book.outside + book.realised - book.fees
        assert book.halted_code == "POSITION_DRIFT", "a person resumes"
        (moved,) = [event for event in map(decode, _payloads(engine)) if isinstance(event, AccountMoved)]
        assert moved.move.move_id.endswith("by ann: X")
        await engine.stop()
        assert check_journal(engine.journal, "w") == []

    run(test)


def _payloads(engine: Any) -> list[bytes]:
    return [record.payload for record in engine.journal.read("w")]


def test_books_that_agree_are_left_alone() -> None:
    async def test() -> None:
        engine = await started(venue=_venue())
        assert await adopt(engine, "w", "ann", {}) == {}
        assert not any(isinstance(event, AccountMoved) for event in map(decode, _payloads(engine)))
        await engine.stop()

    run(test)


@pytest.mark.parametrize(
    ("held", "by", "prices", "code"),
    [
        ({"X": 5}, "", {}, "NAME_REQUIRED"),
        ({"NO_SUCH": 5}, "ann", {}, "UNKNOWN_INSTRUMENT"),
        ({"X": 5}, "ann", {"X": "a lot"}, "NOT_A_NUMBER"),
    ],
)
def test_adoption_that_says_too_little_changes_nothing(
    held: dict[str, int], by: str, prices: dict[str, str], code: str
) -> None:
    async def test() -> None:
        engine = await started(venue=_venue(**held))
        with pytest.raises(InputError) as refused:
            await adopt(engine, "w", by, prices)
        assert refused.value.code == code
        assert await engine.read("w", lambda state: list(state.open_positions())) == []
        await engine.stop()

    run(test)


def test_holdings_of_which_no_price_was_seen_need_one() -> None:
    async def test() -> None:
        engine = await started(venue=_venue(X=5))
        await engine.read("w", lambda state: state.quotes.clear())
        with pytest.raises(InputError, match="give one with --price X="):
            await adopt(engine, "w", "ann", {})
        await engine.stop()

    run(test)
