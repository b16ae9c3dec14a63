"""When a market trades: the calendar interface, sessions, and a market that never closes.

Theory. A *session* is a stretch of time in which the market is open, and belongs to one *trading day* (an ISO date).
A trading day has one session or none. Every question is total: asked outside a session, it is answered for the next
one. So a bar before the opening bell belongs to the day that follows, and one after the close to the next day.

Rules.

1. A session contains its first nanosecond and not its last: at its end it is over.
2. Local opening hours become UTC through the IANA time zone, session by session, so daylight saving is right.
3. A session that runs over midnight belongs to the local date on which it ends (Sunday 17:00 to Monday 17:00: Monday).
4. A session may have breaks. During one the market is closed, but the session goes on: the day ends where it ends.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from surefill.errors import ConfigError, InputError
from surefill.units import NS_PER_DAY

EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


class Session(NamedTuple):
    """One trading day: from `open_ns` until just before `end_ns`, of trading day `day` (ISO date).

    `breaks`: when it pauses, each from its first nanosecond until just before its last; ascending.
    """

    open_ns: int
    end_ns: int
    day: str
    breaks: tuple[tuple[int, int], ...] = ()


class Calendar(Protocol):
    """What the engine, the loaders and the gates ask about time.

    A calendar may know only some years. Every question whose answer lies in another raises InputError
    (CALENDAR_YEAR_UNKNOWN): a market whose holidays nobody has looked up is not taken to be open.
    """

    def is_open(self, ns: int) -> bool:
        """Whether `ns` lies in a session and in none of its breaks."""

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
        return date.fromordinal(ns // NS_PER_DAY + EPOCH_ORDINAL).isoformat()

    def next_open(self, ns: int) -> int:
        """Now."""
        return ns

    def session_on(self, day: str) -> Session:
        """From midnight to midnight, UTC."""
        start = (iso_date(day).toordinal() - EPOCH_ORDINAL) * NS_PER_DAY
        return Session(start, start + NS_PER_DAY, day)


ALWAYS_OPEN: Final = AlwaysOpen()


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
