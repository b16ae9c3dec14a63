from __future__ import annotations

import pytest

from surefill.market.sessions import calendar_named
from surefill.units import iso_from_ns, ns_from_iso

FOREX = calendar_named("forex")

# (asked at, open?, the session's end, its day, when it is open next). New York is five hours behind, four in summer.
QUESTIONS = [
    # The Sunday on which the clocks go forward: it opens an hour earlier in UTC; then the one on which they go back.
    ("2026-03-08T20:59:59Z", False, "2026-03-09T21:00:00Z", "2026-03-09", "2026-03-08T21:00:00Z"),
    ("2026-03-08T21:00:00Z", True, "2026-03-09T21:00:00Z", "2026-03-09", "2026-03-08T21:00:00Z"),
    ("2026-03-06T21:59:59Z", True, "2026-03-06T22:00:00Z", "2026-03-06", "2026-03-06T21:59:59Z"),
    ("2026-11-01T21:30:00Z", False, "2026-11-02T22:00:00Z", "2026-11-02", "2026-11-01T22:00:00Z"),
    # The day rolls without a pause, on Friday the week ends.
    ("2026-06-10T20:59:59Z", True, "2026-06-10T21:00:00Z", "2026-06-10", "2026-06-10T20:59:59Z"),
    ("2026-06-10T21:00:00Z", True, "2026-06-11T21:00:00Z", "2026-06-11", "2026-06-10T21:00:00Z"),
    ("2026-06-12T21:00:00Z", False, "2026-06-15T21:00:00Z", "2026-06-15", "2026-06-14T21:00:00Z"),
    # Christmas 2024 was a Wednesday, New Year's Day too.
    ("2024-12-24T22:00:00Z", False, "2024-12-26T22:00:00Z", "2024-12-26", "2024-12-25T22:00:00Z"),
    ("2024-12-24T21:59:59Z", True, "2024-12-24T22:00:00Z", "2024-12-24", "2024-12-24T21:59:59Z"),
    ("2025-01-01T12:00:00Z", False, "2025-01-02T22:00:00Z", "2025-01-02", "2025-01-01T22:00:00Z"),
    # Christmas on a Friday makes the weekend begin on Thursday; on a Monday it ends it on Monday evening.
    ("2026-12-24T22:00:00Z", False, "2026-12-28T22:00:00Z", "2026-12-28", "2026-12-27T22:00:00Z"),
    ("2023-12-24T23:00:00Z", False, "2023-12-26T22:00:00Z", "2023-12-26", "2023-12-25T22:00:00Z"),
    # On a Sunday it moves nothing.
    ("2022-12-25T22:00:00Z", True, "2022-12-26T22:00:00Z", "2022-12-26", "2022-12-25T22:00:00Z"),
]


@pytest.mark.parametrize(("at", "is_open", "end", "day", "next_open"), QUESTIONS)
def test_forex_asked_at_a_moment_answers(at: str, is_open: bool, end: str, day: str, next_open: str) -> None:
    ns = ns_from_iso(at)
    answers = (FOREX.is_open(ns), iso_from_ns(FOREX.session_end(ns)), FOREX.trading_day(ns))
    assert (*answers, iso_from_ns(FOREX.next_open(ns))) == (is_open, end, day, next_open)


@pytest.mark.parametrize("day", ["2024-12-25", "2025-01-01", "2026-06-13", "2026-06-14"])
def test_forex_on_a_holiday_or_weekend_has_no_trading_day(day: str) -> None:
    assert FOREX.session_on(day) is None
