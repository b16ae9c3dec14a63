"""Deciding on sessions: the shell's calendars say which is on, and the workspace's own begins its trading day."""

from __future__ import annotations

from surefill.domain.decide import breakers
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
    # Also where nobody watches it yet: a breaker that is switched on later counts from the beginning of the day.
    worth = equity(this.state) if item.calendar == this.book.profile.calendar else None
    this.emit(SessionSet(this.ts_ns, "", 0, item.calendar, item.day, item.open_ns, item.end_ns, worth))
    breakers.watch(this)
