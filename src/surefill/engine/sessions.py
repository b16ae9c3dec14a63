"""What the calendars say about a moment, in the core's words."""

from __future__ import annotations

import functools

from surefill.domain.risk import Session
from surefill.errors import LocalError
from surefill.market.sessions import calendar_named

_named = functools.cache(calendar_named)


def session_at(name: str, ns: int) -> Session | None:
    """The session of a calendar that contains `ns`, else the next one; None where the calendar cannot tell."""
    try:
        calendar = _named(name)
        day = calendar.trading_day(ns)
        session = calendar.session_on(day)
    except LocalError:  # an unknown year: the gates that need to know say no
        return None
    return None if session is None else Session(day, session.open_ns, session.end_ns)
