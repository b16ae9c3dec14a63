"""How long a position may be held: timers of the core's, set again after a start.

One counts from when it was opened. The other comes before the end of its instrument's session, so that what is not to
be held over night leaves before the broker closes it.
"""

from __future__ import annotations

from surefill.domain.decide.step import Step
from surefill.domain.effects import SetTimer
from surefill.domain.position import Position
from surefill.domain.state import Book

HOLD_TIMER = "hold:"
EOD_TIMER = "eod:"


def hold_until_ns(position: Position) -> int:
    """When it is to be left; 0: whenever."""
    protection = position.protection
    if protection is None or not protection.max_hold_ns or not position.qty:
        return 0
    return position.opened_ns + protection.max_hold_ns


def set_hold_timer(this: Step, key: str, position: Position) -> None:
    """Be woken when the position's time is up, and before its session ends."""
    at_ns = hold_until_ns(position)
    if at_ns:
        this.ask(SetTimer(HOLD_TIMER + key, at_ns))
    at_ns = leave_by_ns(this.book, position)
    if at_ns:
        this.ask(SetTimer(EOD_TIMER + key, at_ns))


def leave_by_ns(book: Book, position: Position) -> int:
    """When it is to be left because its session ends; 0: by no time (with the session's last bar, if at all)."""
    protection, lead_ns = position.protection, book.profile.limits.eod_lead_ns
    if protection is None or not protection.end_of_day or not position.qty or not lead_ns:
        return 0
    session = book.sessions.get(book.instruments[position.instrument_id].calendar)
    return 0 if session is None else session.end_ns - lead_ns
