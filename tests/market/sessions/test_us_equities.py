from __future__ import annotations

import pytest
from tests.market.sessions.asking import closed_weekdays, local_hours

from surefill.market.sessions import calendar_named
from surefill.market.sessions.us_equities import KNOWN_YEARS, half_days, holidays

US = calendar_named("us_equities")


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (1998, "01-01 01-19 02-16 04-10 05-25 07-03 09-07 11-26 12-25"),
        (2001, "01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25"),
        (2004, "01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24"),
        (2005, "01-17 02-21 03-25 05-30 07-04 09-05 11-24 12-26"),  # New Year's Day on a Saturday is not kept
        (2007, "01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25"),
        (2012, "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25"),
        (2018, "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25"),
        (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),  # no Juneteenth yet
        (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
        (2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25"),
        (2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25"),
        (2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24"),
    ],
)
def test_us_equities_in_a_year_are_closed_on_the_weekdays_of_the_exchange(year: int, days: str) -> None:
    assert closed_weekdays(US, year) == days.split()


@pytest.mark.parametrize(
    "day",
    [
        *("1999-12-31", "2003-12-26"),  # by decree
        *("2002-07-05", "2013-07-03", "2019-07-03", "2024-07-03"),  # around a fourth of July on a Thursday
        *("2000-07-03", "2001-07-03", "2025-07-03"),
        *("2002-12-24", "2024-12-24", "2026-12-24"),
        *("2001-11-23", "2026-11-27", "2027-11-26"),
    ],
)
def test_us_equities_on_a_half_day_close_at_one(day: str) -> None:
    assert local_hours(US, day) == "09:30-13:00"


@pytest.mark.parametrize(
    "day",
    [
        *("2002-07-03", "2013-07-05", "2026-07-02", "2027-07-02"),  # no half day before a holiday on a Friday or Monday
        *("2008-12-26", "2014-12-26", "2027-12-23", "2027-12-31"),
    ],
)
def test_us_equities_next_to_a_holiday_trade_the_whole_day(day: str) -> None:
    assert local_hours(US, day) == "09:30-16:00"


def test_us_equities_holidays_of_a_year_lie_in_it() -> None:
    # New Year's Day on a Saturday would be kept on the last day of the year before: 1999, 2004, 2010, 2021, 2027.
    for year in KNOWN_YEARS:
        assert {day.year for day in holidays(year) | half_days(year)} == {year}
