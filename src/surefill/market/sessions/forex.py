"""The foreign exchange week, as the retail market keeps it.

From Sunday 17:00 to Friday 17:00 in America/New_York, without a pause: the trading day rolls at 17:00 New York, in
summer and winter, so Sunday evening belongs to Monday.

Christmas and New Year's Day are closed: no session belongs to 25 December or 1 January, which means from 17:00 on the
evening before until 17:00 of the day. No other day is closed, and where one of the two falls on a weekend no weekday
takes its place. There is no exchange to decree it, and each broker announces its own hours: many stop some hours
earlier on 24 and 31 December, some reopen later. The rule is the core of what OANDA's recorded hours of EURUSD show
from 2007 to 2018: outside it are 44 hours, all of Christmas and New Year's Day 2007 to 2009.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from surefill.market.sessions.dated import LocalSessions, Span

#: Kept by rule, so no table ends it: from the first year of the euro on.
KNOWN_YEARS: Final = range(1999, 2100)

_ROLL: Final = 17 * 60
_DAY: Final = ((_ROLL - 24 * 60, _ROLL),)
_CLOSED: Final = ((12, 25), (1, 1))


def forex() -> LocalSessions:
    """The calendar `forex`."""
    return LocalSessions("forex", "America/New_York", _hours, KNOWN_YEARS)


def _hours(day: date) -> tuple[Span, ...]:
    return () if day.weekday() >= 5 or (day.month, day.day) in _CLOSED else _DAY
