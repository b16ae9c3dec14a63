"""Sessions looked up trading day by trading day, within the years that a calendar knows.

Theory of operation. A calendar is a function from a trading day to its opening hours, and the years in which it may be
asked. Sessions are made when they are first needed and kept. Questions come in order, so the latest answer and
the stretch of time that it is the answer for are kept too: within a session a question costs two comparisons. That
answer is one tuple, so that threads may share a calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from surefill.errors import InputError
from surefill.market.sessions.calendar import Session, iso_date, time_zone
from surefill.units import NS_PER_S, ns_from_datetime

#: Opening and closing, in minutes from local midnight of the trading day; below 0 is the evening before.
Span = tuple[int, int]
Hours = Callable[[date], tuple[Span, ...]]

_NEVER: Final = (0, 0, Session(0, 0, ""))


class DatedSessions:
    """A calendar whose sessions `session_made` makes, for the trading days of the years `known_years`.

    `provisional_years`: known years whose holidays are expected, not published; they may still change.
    A session lies between the noon before its trading day and the midnight that ends it, in local time.
    """

    def __init__(
        self,
        name: str,
        zone: ZoneInfo,
        session_made: Callable[[date], Session | None],
        known_years: Set[int] | range,
        provisional_years: frozenset[int] = frozenset(),
    ) -> None:
        self.name = name
        self.zone = zone
        self.known_years = known_years
        self.provisional_years = provisional_years
        self._made = session_made
        self._sessions: dict[int, Session | None] = {}
        self._latest: tuple[int, int, Session] = _NEVER  # from, until: when the session is the answer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.zone.key!r})"

    def is_open(self, ns: int) -> bool:
        """Whether `ns` lies in a session and in none of its breaks."""
        session = self._session(ns)
        if session.breaks and any(start <= ns < end for start, end in session.breaks):
            return False
        return session.open_ns <= ns

    def session_end(self, ns: int) -> int:
        """The end of the session that contains `ns`, else of the next one."""
        return self._session(ns).end_ns

    def trading_day(self, ns: int) -> str:
        """The ISO date of the session that contains `ns`, else of the next one."""
        return self._session(ns).day

    def next_open(self, ns: int) -> int:
        """The first moment at or after `ns` at which the market is open."""
        session = self._session(ns)
        return next((end for start, end in session.breaks if start <= ns < end), max(ns, session.open_ns))

    def session_on(self, day: str) -> Session | None:
        """The session of a trading day (ISO date); None if the market stays closed."""
        return self._session_of(iso_date(day).toordinal())

    def _session(self, ns: int) -> Session:
        """The session that contains `ns`, else the next one."""
        since_ns, until_ns, session = self._latest
        if since_ns <= ns < until_ns:
            return session
        # A session ends on its own date at the latest, so those of earlier local dates are over.
        ordinal = datetime.fromtimestamp(ns // NS_PER_S, self.zone).toordinal()
        while (found := self._session_of(ordinal)) is None or found.end_ns <= ns:
            ordinal += 1
        self._latest = (min(ns, found.open_ns), found.end_ns, found)
        return found

    def _session_of(self, ordinal: int) -> Session | None:
        try:
            return self._sessions[ordinal]
        except KeyError:
            day = date.fromordinal(ordinal)
            if day.year not in self.known_years:
                self._refuse(day)
            session = self._sessions[ordinal] = self._made(day)
            return session

    def _refuse(self, day: date) -> NoReturn:
        raise InputError(
            f"the calendar {self.name} does not know the year of {day} (it knows {min(self.known_years)} to"
            f" {max(self.known_years)}): nobody can say whether the market is open then. Use a version of surefill that"
            " knows the year, or add it (docs/calendars.md)",
            code="CALENDAR_YEAR_UNKNOWN",
            field="ts",
            calendar=self.name,
            year=day.year,
        )


class LocalSessions(DatedSessions):
    """A calendar of opening hours in local time: `hours_on` gives those of a trading day, none where it is closed.

    Several spans on a day are one session with breaks.
    """

    def __init__(
        self,
        name: str,
        zone: str,
        hours_on: Hours,
        known_years: Set[int] | range,
        provisional_years: frozenset[int] = frozenset(),
    ) -> None:
        super().__init__(name, time_zone(zone), self._local_session, known_years, provisional_years)
        self._hours_on = hours_on

    def _local_session(self, day: date) -> Session | None:
        spans = self._hours_on(day)
        if not spans:
            return None
        moments = [(self._ns(day, opens), self._ns(day, closes)) for opens, closes in spans]
        breaks = tuple((earlier[1], later[0]) for earlier, later in pairwise(moments))
        return Session(moments[0][0], moments[-1][1], day.isoformat(), breaks)

    def _ns(self, day: date, minute: int) -> int:
        local = datetime.combine(day, time()) + timedelta(minutes=minute)
        return ns_from_datetime(local.replace(tzinfo=self.zone).astimezone(UTC))


def clock(text: str) -> int:
    """Minutes since midnight from "09:30"; "24:00" is the end of the day. Raises ValueError."""
    hour, _, minute = text.partition(":")
    if len(text) == 5 and hour.isdecimal() and minute.isdecimal() and text.isascii():
        total = int(hour) * 60 + int(minute)
        if int(minute) < 60 and total <= 24 * 60:
            return total
    raise ValueError(f"{text!r} is not a time of day; write it like 09:30")


def spans(text: str) -> tuple[Span, ...]:
    """Opening hours from "09:15-10:00 11:30-12:30". Raises ValueError."""
    pairs = (part.split("-") for part in text.split())
    return tuple((clock(opens), clock(closes)) for opens, closes in pairs)
