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
    worth = equity(this.state) if this.state.watches_equity else None
    this.emit(SessionSet(this.ts_ns, "", 0, item.calendar, item.day, item.open_ns, item.end_ns, worth))
    for key, position in list(this.state.open_positions()):
        set_hold_timer(this, key, position)
    breakers.watch(this)
