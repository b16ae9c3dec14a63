"""The National Stock Exchange of India: equities (`nse`), futures and options on them (`nfo`).

Both trade Monday to Friday from 09:15 to 15:30 in Asia/Kolkata, on the days that `nse_days` leaves them. From Monday
2026-08-03 on futures and options trade until 15:40 (the exchange's circular, reported by webindia123.com, 2026-05-30).
From that day on the shares that have derivatives close in an auction (15:15 to 15:35; circular NSE/CMTR/72394 of
2026-01-19); the calendar does not know which shares those are, and `nse` is open until 15:30 for all of them.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from surefill.market.sessions.dated import LocalSessions, Span, spans
from surefill.market.sessions.nse_days import CLOSED, PROVISIONAL, SPECIAL

_ZONE: Final = "Asia/Kolkata"
_KNOWN: Final = frozenset(CLOSED)  # a year that the table skips is not one without holidays
_CLOSED: Final = frozenset(date.fromisoformat(f"{year}-{day}") for year, days in CLOSED.items() for day in days.split())
_SPECIAL: Final = {date.fromisoformat(day): spans(hours) for day, hours in SPECIAL.items()}
_DAY: Final = spans("09:15-15:30")
_LONGER_DAY: Final = spans("09:15-15:40")
_LONGER_FROM: Final = date(2026, 8, 3)


def _equities(day: date) -> tuple[Span, ...]:
    return _hours(day, _DAY)


def _derivatives(day: date) -> tuple[Span, ...]:
    return _hours(day, _LONGER_DAY if day >= _LONGER_FROM else _DAY)


def _hours(day: date, ordinary: tuple[Span, ...]) -> tuple[Span, ...]:
    special = _SPECIAL.get(day)
    if special is not None:
        return special
    return () if day.weekday() >= 5 or day in _CLOSED else ordinary


def nse() -> LocalSessions:
    """Equities."""
    return LocalSessions("nse", _ZONE, _equities, _KNOWN, PROVISIONAL)


def nfo() -> LocalSessions:
    """Futures and options on equities and their indices."""
    return LocalSessions("nfo", _ZONE, _derivatives, _KNOWN, PROVISIONAL)
