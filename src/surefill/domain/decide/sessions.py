"""Deciding on sessions: the shell's calendars say which is on, and the workspace's own begins its trading day."""

from __future__ import annotations

from surefill.domain.decide import breakers
from surefill.domain.decide.holding import set_hold_timer
from surefill.domain.decide.step import Step
from surefill.domain.events import SessionSet
from surefill.domain.inputs import SetSession
from surefill.domain.risk import Session
from surefill.domain.valuation import equity


def set_session(this: Step, item: SetSession) -> None:
    """Take a session over; time that ran backwards begins no day again."""
    before = this.book.sessions.get(item.calendar)
    session = Session(item.day, item.open_ns, item.end_ns)
    if before == session or (before is not None and item.end_ns <= before.end_ns):
        return
    _set(this, item.calendar, session)
    for key, position in list(this.state.open_positions()):
        set_hold_timer(this, key, position)
    breakers.watch(this)


def change_calendar(this: Step) -> None:
    """The workspace keeps another calendar from here on: where its session is known, the day ends with that."""
    calendar = this.book.profile.calendar
    session = this.book.sessions.get(calendar)
    if this.book.day.day and session is not None and this.ts_ns < session.end_ns:
        _set(this, calendar, session)


def _set(this: Step, calendar: str, session: Session) -> None:
    """Journal it. A day that is under way goes on: no change of calendars makes it forget what it has counted."""
    book = this.book
    own = calendar == book.profile.calendar
    continues = own and this.ts_ns < book.day.end_ns
    # Also where nobody watches it yet: a breaker that is switched on later counts from the beginning of the day.
    worth = equity(this.state) if own and not continues else None
    this.emit(SessionSet(this.ts_ns, "", 0, calendar, session.day, session.open_ns, session.end_ns, worth, continues))
