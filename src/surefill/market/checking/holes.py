"""What a calendar says of bars: which are missing between two, and which should not be there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from surefill.domain.market import Bar
from surefill.market.sessions import Calendar, WeeklySessions
from surefill.market.timeframes import DURATION_NS
from surefill.units import NS_PER_DAY

#: For a market whose calendar nobody has named, and that stays silent on weekends.
WEEKDAYS = WeeklySessions("weekdays", "UTC", dict.fromkeys(range(5), ("00:00", "24:00")))


class Hole(NamedTuple):
    """What is missing between two bars: so many bars, and whole sessions on these days."""

    bars: int
    days: tuple[str, ...]


class Expected:
    """What a calendar expects of bars of one timeframe.

    `only_days`: the calendar is a guess, by which days may be missing but nothing is too much. Methods raise InputError
    (CALENDAR_YEAR_UNKNOWN).
    """

    def __init__(self, calendar: Calendar, timeframe: str, *, only_days: bool = False) -> None:
        self._calendar = calendar
        self._timeframe = timeframe
        self._duration = DURATION_NS[timeframe]
        self.only_days = only_days
        self._session = (0, 0)

    def has(self, open_ns: int) -> bool:
        """Whether a bar may open then: in a session, or on the day of one."""
        if self._session[0] <= open_ns < self._session[1] or self._timeframe == "1w" or self.only_days:
            return True
        if self._timeframe == "1d":
            return self._calendar.session_on(self._day_of(open_ns)) is not None
        if not self._calendar.is_open(open_ns):
            return False
        session = self._calendar.session_on(self._calendar.trading_day(open_ns))
        if session is not None and not session.breaks:
            self._session = session.open_ns, session.end_ns
        return True

    def hole(self, before: Bar, after: Bar) -> Hole:
        """What is missing between two bars."""
        if self._timeframe == "1w":
            return Hole(max(round((after.open_ns - before.open_ns) / self._duration) - 1, 0), ())
        first, last = self._day_of(before.open_ns), self._day_of(after.open_ns)
        if self._timeframe == "1d" or self.only_days:
            days = tuple(day for day in _between(first, last) if self._calendar.session_on(day) is not None)
            return Hole(len(days) if self._timeframe == "1d" else 0, days)
        bars = 0
        missing = []
        for day in (first, *_between(first, last), *(() if first == last else (last,))):
            session = self._calendar.session_on(day)
            if session is None:
                continue
            edges = [session.open_ns, *(edge for pause in session.breaks for edge in pause), session.end_ns]
            for start, end in zip(edges[::2], edges[1::2], strict=True):
                low, high = max(start, before.ts_ns), min(end, after.open_ns)
                bars += max(-((low - high) // self._duration), 0)
            if before.ts_ns <= session.open_ns and session.end_ns <= after.open_ns:
                missing.append(day)
        return Hole(bars, tuple(missing))

    def _day_of(self, open_ns: int) -> str:
        if self.only_days:
            return _date(open_ns)
        day = self._calendar.trading_day(open_ns)
        if self._timeframe == "1d":
            session = self._calendar.session_on(day)
            if session is None or not session.open_ns <= open_ns < session.end_ns:
                return _date(open_ns)  # the calendar would answer for the next session
        return day


def _between(first: str, last: str) -> list[str]:
    """The dates after the first and before the last."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(begin + timedelta(days=number)).isoformat() for number in range(1, (end - begin).days)]


def _date(ns: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=ns // NS_PER_DAY)).isoformat()
