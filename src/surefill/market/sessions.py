"""When a market trades: the calendar interface, a market that never closes, and one with weekly sessions.

Theory. A *session* is a stretch of time in which the market is open, and belongs to one *trading day* (an ISO date).
Every question is total: asked outside a session, it is answered for the next one. So a bar before the opening bell
belongs to the day that follows, and one after the close to the next day.

Rules.

1. A session contains its first nanosecond and not its last: at its end it is over.
2. Local opening hours become UTC through the IANA time zone, session by session, so daylight saving is right.
3. A session that runs over midnight belongs to the local date on which it ends (Sunday 17:00 to Monday 17:00: Monday).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from surefill.errors import ConfigError, InputError
from surefill.units import NS_PER_DAY, ns_from_datetime

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_SOME_WEEK: Final = date(2024, 1, 1).toordinal() // 7


class Session(NamedTuple):
    """One stretch of trading: from `open_ns` until just before `end_ns`, of trading day `day` (ISO date)."""

    open_ns: int
    end_ns: int
    day: str


class Calendar(Protocol):
    """What the engine, the loaders and the gates ask about time."""

    def is_open(self, ns: int) -> bool:
        """Whether `ns` lies in a session."""

    def session_end(self, ns: int) -> int:
        """The end of the session that contains `ns`, else of the next one."""

    def trading_day(self, ns: int) -> str:
        """The ISO date of the session that contains `ns`, else of the next one."""

    def next_open(self, ns: int) -> int:
        """The first moment at or after `ns` at which the market is open (`ns` itself if it is)."""

    def session_on(self, day: str) -> Session | None:
        """The session of a trading day (ISO date); None if the market stays closed."""


class AlwaysOpen:
    """Twenty-four hours, seven days; the trading day rolls at 00:00 UTC."""

    name = "24x7"

    def is_open(self, ns: int) -> bool:
        """Always."""
        return True

    def session_end(self, ns: int) -> int:
        """The next midnight, UTC."""
        return (ns // NS_PER_DAY + 1) * NS_PER_DAY

    def trading_day(self, ns: int) -> str:
        """The date in UTC."""
        return date.fromordinal(ns // NS_PER_DAY + _EPOCH_ORDINAL).isoformat()

    def next_open(self, ns: int) -> int:
        """Now."""
        return ns

    def session_on(self, day: str) -> Session:
        """From midnight to midnight, UTC."""
        start = (iso_date(day).toordinal() - _EPOCH_ORDINAL) * NS_PER_DAY
        return Session(start, start + NS_PER_DAY, day)


ALWAYS_OPEN: Final = AlwaysOpen()


class WeeklySessions:
    """The same opening hours every week, in local time. No holidays: on those the market merely stays silent.

    `hours` maps a weekday (0 is Monday) to local opening and closing times ("09:30", "16:00"). A close at or before the
    open lies on the next day, "24:00" is midnight at the end of the day. Raises ConfigError for what cannot be.
    """

    def __init__(self, name: str, zone: str, hours: Mapping[int, tuple[str, str]]) -> None:
        self.name = name
        self.zone = time_zone(zone)
        self._hours = {weekday: _span(name, weekday, *span) for weekday, span in hours.items()}
        if not self._hours:
            raise ConfigError(f"calendar {name!r} has no opening hours; give at least one weekday")
        self._by_week: dict[int, tuple[Session, ...]] = {}
        self._latest = Session(0, 0, "")
        self._check_overlaps()

    def __repr__(self) -> str:
        return f"WeeklySessions({self.name!r}, {self.zone.key!r})"

    def is_open(self, ns: int) -> bool:
        """Whether `ns` lies in a session."""
        return self._session(ns).open_ns <= ns

    def session_end(self, ns: int) -> int:
        """The end of the session that contains `ns`, else of the next one."""
        return self._session(ns).end_ns

    def trading_day(self, ns: int) -> str:
        """The ISO date of the session that contains `ns`, else of the next one."""
        return self._session(ns).day

    def next_open(self, ns: int) -> int:
        """The first moment at or after `ns` at which the market is open."""
        return max(ns, self._session(ns).open_ns)

    def session_on(self, day: str) -> Session | None:
        """The session of a trading day (ISO date); None if that weekday has none."""
        week = (iso_date(day).toordinal() - 1) // 7
        for session in (*self._sessions_of(week - 1), *self._sessions_of(week)):
            if session.day == day:
                return session
        return None

    def _session(self, ns: int) -> Session:
        """The session that contains `ns`, else the next one. Questions come in order: the latest answer often fits."""
        latest = self._latest
        if latest.open_ns <= ns < latest.end_ns:
            return latest
        week = (ns // NS_PER_DAY + _EPOCH_ORDINAL - 1) // 7
        # A local week is up to a day off the week in UTC, and may begin with a session still running from the last one.
        around = (*self._sessions_of(week - 1), *self._sessions_of(week), *self._sessions_of(week + 1))
        self._latest = around[bisect_right(around, ns, key=lambda session: session.end_ns)]
        return self._latest

    def _sessions_of(self, week: int) -> tuple[Session, ...]:
        """The sessions that begin in a local week (weeks counted from 0001-01-01, a Monday)."""
        found = self._by_week.get(week)
        if found is None:
            if len(self._by_week) > 64:
                self._by_week.clear()
            hours = sorted(self._hours.items())
            found = tuple(self._session_of(week * 7 + 1 + weekday, *span) for weekday, span in hours)
            self._by_week[week] = found
        return found

    def _check_overlaps(self) -> None:
        sessions = (*self._sessions_of(_SOME_WEEK), *self._sessions_of(_SOME_WEEK + 1))
        for earlier, later in pairwise(sessions):
            if later.open_ns < earlier.end_ns:
                raise ConfigError(
                    f"calendar {self.name!r}: one session begins before the one of {earlier.day} ends;"
                    " let each close before the next opens"
                )

    def _session_of(self, ordinal: int, opens_minute: int, closes_minute: int) -> Session:
        midnight = datetime.combine(date.fromordinal(ordinal), time())
        opens = midnight + timedelta(minutes=opens_minute)
        closes = midnight + timedelta(minutes=closes_minute)
        day = (closes - timedelta(microseconds=1)).date().isoformat()
        return Session(self._ns(opens), self._ns(closes), day)

    def _ns(self, local: datetime) -> int:
        return ns_from_datetime(local.replace(tzinfo=self.zone).astimezone(UTC))


def time_zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises ConfigError (INVALID_TIME_ZONE)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"time zone {name!r} is not known; write it like Asia/Kolkata"
            " (a system without time zone data needs the package tzdata)",
            code="INVALID_TIME_ZONE",
            zone=name,
        ) from error


def iso_date(text: str) -> date:
    """A date from "2025-11-19". Raises InputError (INVALID_DATE)."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except (ValueError, TypeError):
        pass
    raise InputError(f"{text!r} is not a date; write it like 2025-11-19", code="INVALID_DATE", value=text)


def _span(name: str, weekday: int, opens: str, closes: str) -> tuple[int, int]:
    if weekday not in range(7):
        raise ConfigError(f"calendar {name!r}: weekday {weekday} is not 0 (Monday) to 6 (Sunday)")
    start, end = _minute(name, opens), _minute(name, closes)
    return start, end if end > start else end + 24 * 60


def _minute(name: str, text: str) -> int:
    hour, _, minute = text.partition(":")
    if len(text) == 5 and hour.isdecimal() and minute.isdecimal() and text.isascii():
        total = int(hour) * 60 + int(minute)
        if int(minute) < 60 and total <= 24 * 60:
            return total
    raise ConfigError(f"calendar {name!r}: {text!r} is not a time of day; write it like 09:30")


def _weekdays(opens: str, closes: str) -> dict[int, tuple[str, str]]:
    return dict.fromkeys(range(5), (opens, closes))


_NAMED: Final[dict[str, Callable[[], Calendar]]] = {
    "24x7": lambda: ALWAYS_OPEN,
    "us_equities": lambda: WeeklySessions("us_equities", "America/New_York", _weekdays("09:30", "16:00")),
    "nse": lambda: WeeklySessions("nse", "Asia/Kolkata", _weekdays("09:15", "15:30")),
    "forex": lambda: WeeklySessions("forex", "America/New_York", dict.fromkeys((6, 0, 1, 2, 3), ("17:00", "17:00"))),
}


def calendar_named(name: str) -> Calendar:
    """A calendar by its name: 24x7, us_equities, nse, forex (weekly hours, no holidays). Raises ConfigError."""
    make = _NAMED.get(name)
    if make is None:
        raise ConfigError(
            f"calendar {name!r} is not known; use one of {', '.join(_NAMED)}", code="UNKNOWN_CALENDAR", calendar=name
        )
    return make()
