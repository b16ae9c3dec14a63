"""American equities: the New York Stock Exchange, whose days the other American exchanges keep.

09:30 to 16:00 in America/New_York. Holidays and half days (until 13:00) follow rules, written down here; what no rule
gives stands in `CLOSED` and `HALF_DAYS`. Sources (looked up on 2026-11-28): the exchange's holiday rules and its
calendar of 2025 to 2027, the lists of closings in `exchange_calendars` 4.13.2 (XNYS), and the recorded days of SPY from
1998 to 2021, with which the rules agree on every one. A closure decreed in 2026 that is not known there would be
missing, as would any decreed from now on.

1998 is the first year in which the exchange kept Martin Luther King Jr. Day; 2027 the last one it had published.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Final

from surefill.market.sessions.dated import LocalSessions, Span, spans

KNOWN_YEARS: Final = range(1998, 2028)

#: Days without trading that no rule gives.
CLOSED: Final = {
    date(2001, 9, 11): "attacks on New York",
    date(2001, 9, 12): "attacks on New York",
    date(2001, 9, 13): "attacks on New York",
    date(2001, 9, 14): "attacks on New York",
    date(2004, 6, 11): "mourning for President Reagan",
    date(2007, 1, 2): "mourning for President Ford",
    date(2012, 10, 29): "hurricane Sandy",
    date(2012, 10, 30): "hurricane Sandy",
    date(2018, 12, 5): "mourning for President Bush",
    date(2025, 1, 9): "mourning for President Carter",
}

#: Half days that no rule gives.
HALF_DAYS: Final = frozenset({date(1999, 12, 31), date(2003, 12, 26)})

_DAY: Final = spans("09:30-16:00")
_HALF_DAY: Final = spans("09:30-13:00")
_MONDAY, _WEDNESDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 2, 3, 4, 5, 6
_ONE_DAY: Final = timedelta(days=1)


def us_equities() -> LocalSessions:
    """The calendar `us_equities`."""
    return LocalSessions("us_equities", "America/New_York", _hours, KNOWN_YEARS)


@cache
def holidays(year: int) -> frozenset[date]:
    """The days of a year on which the rules close the exchange."""
    days = {
        _nth(year, 1, _MONDAY, 3),  # Martin Luther King Jr. Day
        _nth(year, 2, _MONDAY, 3),  # Washington's Birthday
        _easter(year) - 2 * _ONE_DAY,  # Good Friday
        _nth(year, 6, _MONDAY, 1) - 7 * _ONE_DAY,  # Memorial Day, the last Monday of May
        _nearest_weekday(date(year, 7, 4)),  # Independence Day
        _nth(year, 9, _MONDAY, 1),  # Labor Day
        _nth(year, 11, _THURSDAY, 4),  # Thanksgiving Day
        _nearest_weekday(date(year, 12, 25)),  # Christmas
    }
    if year >= 2022:
        days.add(_nearest_weekday(date(year, 6, 19)))  # Juneteenth
    new_year = date(year, 1, 1)
    if new_year.weekday() != _SATURDAY:  # then it is not kept: the Friday before ends a year of books
        days.add(_nearest_weekday(new_year))
    return frozenset(days)


@cache
def half_days(year: int) -> frozenset[date]:
    """The days of a year on which the rules close the exchange at 13:00."""
    days = {_nth(year, 11, _THURSDAY, 4) + _ONE_DAY}
    christmas_eve, before, after = date(year, 12, 24), date(year, 7, 3), date(year, 7, 5)
    if christmas_eve.weekday() < _FRIDAY:
        days.add(christmas_eve)
    # Until 2012 it was the day after a fourth of July on a Thursday, since then the Wednesday before it.
    if before.weekday() == _WEDNESDAY and year < 2013:
        days.add(after)
    elif before.weekday() < _FRIDAY:
        days.add(before)
    return frozenset(days)


def _hours(day: date) -> tuple[Span, ...]:
    if day.weekday() >= _SATURDAY or day in holidays(day.year) or day in CLOSED:
        return ()
    return _HALF_DAY if day in half_days(day.year) or day in HALF_DAYS else _DAY


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + _ONE_DAY * ((weekday - first.weekday()) % 7 + 7 * (number - 1))


def _nearest_weekday(day: date) -> date:
    return day + _ONE_DAY * {_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0)


def _easter(year: int) -> date:
    """Easter Sunday (the anonymous Gregorian algorithm; Meeus, Astronomical Algorithms, chapter 8)."""
    century, rest = divmod(year, 100)
    epact = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
