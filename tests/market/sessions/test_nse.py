from __future__ import annotations

from datetime import date
from itertools import chain, pairwise

import pytest
from tests.market.sessions.asking import closed_weekdays, local_hours

from surefill.market.sessions import DatedSessions, calendar_named
from surefill.market.sessions.dated import spans
from surefill.market.sessions.nse_days import CLOSED, PROVISIONAL, SPECIAL
from surefill.units import ns_from_iso

NSE = calendar_named("nse")
NFO = calendar_named("nfo")

# (day, hours in India). Ordinary days around the holidays, the holidays, and every kind of special session.
DAYS = [
    ("2011-01-03", "09:15-15:30"),
    ("2012-11-13", "15:45-17:00"),  # Muhurat on a weekday: nothing else is traded on it
    ("2013-11-14", "09:15-15:30"),  # Muharram was moved to the 15th
    ("2013-11-15", None),
    ("2015-02-28", "09:15-15:30"),  # budget on a Saturday
    ("2021-02-24", "09:15-11:40 15:45-17:00"),
    ("2023-11-12", "18:15-19:15"),  # Muhurat on a Sunday
    ("2024-01-20", "09:15-15:30"),
    ("2024-01-22", None),
    ("2024-01-27", None),
    ("2024-05-18", "09:15-10:00 11:30-12:30"),
    ("2024-05-20", None),  # parliament was elected
    ("2024-11-01", "18:00-19:00"),
    ("2025-10-21", "13:45-14:45"),
    ("2025-10-22", None),
    ("2026-01-15", None),  # Mumbai was elected: decreed three days before
    ("2026-02-01", "09:15-15:30"),  # budget on a Sunday
    ("2026-11-08", None),  # Muhurat was held; its hours were not found
    ("2026-11-27", "09:15-15:30"),
    ("2026-12-25", None),
    ("2027-01-26", None),
]


@pytest.mark.parametrize(("day", "hours"), DAYS)
def test_nse_on_a_day_has_its_hours(day: str, hours: str | None) -> None:
    assert local_hours(NSE, day) == hours


@pytest.mark.parametrize(
    ("year", "days"),
    [
        # As the exchange published them (2024 with the three that were decreed later, 2026 with the one).
        (
            2024,
            "01-22 01-26 03-08 03-25 03-29 04-11 04-17 05-01 05-20 06-17 07-17 08-15 10-02 11-15 11-20 12-25",
        ),
        (2025, "02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-22 11-05 12-25"),
        (
            2026,
            "01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10 11-24 12-25",
        ),
    ],
)
def test_nse_in_a_year_is_closed_on_the_published_weekdays(year: int, days: str) -> None:
    assert closed_weekdays(NSE, year) == days.split()


def test_nfo_keeps_the_days_of_nse_and_closes_later_from_august_2026() -> None:
    for day, hours in DAYS:
        expected = "09:15-15:40" if hours == "09:15-15:30" and day > "2026-08" else hours
        assert local_hours(NFO, day) == expected
    assert [local_hours(NFO, day) for day in ("2026-07-31", "2026-08-03")] == ["09:15-15:30", "09:15-15:40"]


def test_nse_provisional_years_are_told_to_whoever_asks() -> None:
    assert isinstance(NSE, DatedSessions)
    assert isinstance(NFO, DatedSessions)
    assert NSE.provisional_years == NFO.provisional_years == PROVISIONAL == {2027}
    assert NSE.known_years == set(range(2011, 2028))


def test_nse_table_has_every_year_and_only_weekdays_in_order() -> None:
    years = sorted(CLOSED)
    assert years == list(range(years[0], years[-1] + 1))
    days = [date.fromisoformat(f"{year}-{day}") for year in years for day in CLOSED[year].split()]
    assert all(earlier < later for earlier, later in pairwise(days))
    assert [day for day in days if day.weekday() >= 5] == []
    assert {len(CLOSED[year].split()) in range(10, 20) for year in years} == {True}


def test_nse_special_sessions_are_in_order_and_on_days_that_have_no_ordinary_one() -> None:
    assert list(SPECIAL) == sorted(SPECIAL)
    closed = {f"{year}-{day}" for year, days in CLOSED.items() for day in days.split()}
    weekdays = {day for day in SPECIAL if date.fromisoformat(day).weekday() < 5}
    assert weekdays - closed == {"2021-02-24"}  # an ordinary day, prolonged
    for hours in SPECIAL.values():
        edges = list(chain.from_iterable(spans(hours)))
        assert all(earlier < later for earlier, later in pairwise(edges))


def test_nse_over_a_long_weekend_waits_for_the_next_session() -> None:
    # From Thursday's close over Holi's Friday to Monday.
    ns = ns_from_iso("2025-03-13T10:00:00Z")
    assert (NSE.is_open(ns), NSE.trading_day(ns), NSE.next_open(ns)) == (
        False,
        "2025-03-17",
        ns_from_iso("2025-03-17T03:45:00Z"),
    )
