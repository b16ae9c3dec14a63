"""What the tests of calendars ask: hours of a day in local time, and days without any."""

from __future__ import annotations

from datetime import date

import pytest

from surefill.errors import InputError
from surefill.market.sessions import DatedSessions
from surefill.market.sessions.calendar import Calendar
from surefill.units import datetime_from_ns


def local_hours(calendar: Calendar, day: str) -> str | None:
    """The hours of a trading day as the tables write them: "09:15-10:00 11:30-12:30"; None where it is closed."""
    assert isinstance(calendar, DatedSessions)
    session = calendar.session_on(day)
    if session is None:
        return None
    edges = [session.open_ns, *(edge for pause in session.breaks for edge in pause), session.end_ns]
    clocks = [f"{datetime_from_ns(ns).astimezone(calendar.zone):%H:%M}" for ns in edges]
    return " ".join(f"{opens}-{closes}" for opens, closes in zip(clocks[::2], clocks[1::2], strict=True))


def closed_weekdays(calendar: Calendar, year: int) -> list[str]:
    """The weekdays of a year without a session, "month-day"."""
    days = map(date.fromordinal, range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()))
    return [f"{day:%m-%d}" for day in days if day.weekday() < 5 and calendar.session_on(day.isoformat()) is None]


def assert_unknown(ask: object, argument: object, year: int) -> None:
    """Asking raises CALENDAR_YEAR_UNKNOWN, and says which year."""
    assert callable(ask)
    with pytest.raises(InputError, match=f"does not know the year of {year}-") as refused:
        ask(argument)
    assert refused.value.code == "CALENDAR_YEAR_UNKNOWN"
    assert refused.value.values["year"] == year
