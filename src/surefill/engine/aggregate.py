"""What the workspaces of an engine that share a limit stand in for together.

They share it where they are at one venue, in one mode and one currency. The limit is in their profiles, so each has
journaled it; the smallest holds for all. The books of all of them are in this process, on one loop: what one has
decided a moment ago, durable or not, the next one counts.
"""

from __future__ import annotations

from collections.abc import Iterable

from surefill.domain.limits import UNSET
from surefill.domain.state import Book, Elsewhere, State
from surefill.domain.valuation import exposures


def elsewhere(state: State, others: Iterable[tuple[State, bool]]) -> Elsewhere | None:
    """What `others`, with whether their books can be trusted now, mean for this one; None where no limit is set."""
    mine = state.book
    among = [(each, sound) for each, sound in others if each is not state and _shared(mine, each.book)]
    limits = [
        _rescaled(book.profile.limits.aggregate_value_max, book, mine)
        for book in (mine, *(each.book for each, _ in among))
        if book.profile.limits.aggregate_value_max != UNSET
    ]
    if not limits:
        return None
    value = sum(-_rescaled(-sum(exposures(each).values()), each.book, mine) for each, _ in among)
    blind = next((each.book.workspace_id for each, sound in among if not sound), "")
    return Elsewhere(min(limits), value, blind)


def _shared(one: Book, other: Book) -> bool:
    return (one.venue, one.mode, one.currency) == (other.venue, other.mode, other.currency)


def _rescaled(money: int, source: Book, target: Book) -> int:
    """Money of one workspace in the quanta of another, rounded down."""
    found: int = money * 10**target.money_decimals // 10**source.money_decimals
    return found
