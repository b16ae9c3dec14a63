"""When markets trade: session calendars with their holidays, asked in nanoseconds and trading days."""

from surefill.market.sessions.calendar import (
    ALWAYS_OPEN,
    AlwaysOpen,
    Calendar,
    Session,
    iso_date,
    time_zone,
)
from surefill.market.sessions.dated import DatedSessions
from surefill.market.sessions.named import calendar_named
from surefill.market.sessions.weekly import WeeklySessions

__all__ = [
    "ALWAYS_OPEN",
    "AlwaysOpen",
    "Calendar",
    "DatedSessions",
    "Session",
    "WeeklySessions",
    "calendar_named",
    "iso_date",
    "time_zone",
]
