from __future__ import annotations

import pytest
from tests.market.sessions.asking import assert_unknown

from surefill.errors import InputError
from surefill.market.bar_format import BarFormat
from surefill.market.csv_bars import load_csv_bars
from surefill.market.sessions import calendar_named
from surefill.market.sessions.dated import LocalSessions, clock, spans
from surefill.units import iso_from_ns, ns_from_iso

NSE = calendar_named("nse")
#: Hours that were held in two halves: 09:15 to 10:00 and 11:30 to 12:30, five and a half hours ahead of UTC.
SPLIT = "2024-03-02"

# (calendar, the last moment that it can answer, the first that it cannot, the year of that)
EDGES = [
    ("nse", "2027-12-31T09:59:59Z", "2027-12-31T10:00:00Z", 2028),
    ("nse", "2010-12-31T18:30:00Z", "2010-12-31T18:29:59Z", 2010),
    ("nfo", "2027-12-31T10:09:59Z", "2027-12-31T10:10:00Z", 2028),
    ("us_equities", "2027-12-31T20:59:59Z", "2027-12-31T21:00:00Z", 2028),
    ("us_equities", "1998-01-01T05:00:00Z", "1998-01-01T04:59:59Z", 1997),
    ("forex", "2099-12-31T21:59:59Z", "2099-12-31T22:00:00Z", 2100),
]


@pytest.mark.parametrize(("name", "known", "unknown", "year"), EDGES)
def test_calendar_asked_beyond_its_years_refuses_every_question(name: str, known: str, unknown: str, year: int) -> None:
    calendar = calendar_named(name)
    for question in (calendar.is_open, calendar.session_end, calendar.trading_day, calendar.next_open):
        question(ns_from_iso(known))
        assert_unknown(question, ns_from_iso(unknown), year)
    assert_unknown(calendar.session_on, f"{year}-01-05", year)


def test_calendar_with_a_gap_between_its_years_refuses_the_gap() -> None:
    calendar = LocalSessions("gap", "UTC", lambda day: spans("09:00-17:00"), {2024, 2026})
    assert calendar.session_on("2024-12-31") is not None
    assert calendar.session_on("2026-01-01") is not None
    assert_unknown(calendar.session_on, "2025-06-02", 2025)
    assert_unknown(calendar.trading_day, ns_from_iso("2024-12-31T17:00Z"), 2025)


def test_bars_of_an_unknown_year_are_refused_with_their_line() -> None:
    fmt = BarFormat(instrument_id="X", timeframe="15m", zone="Asia/Kolkata", calendar=NSE)
    text = "ts,open,high,low,close\n2027-12-31 15:15,1,1,1,1\n2028-01-03 09:15,1,1,1,1\n"
    with pytest.raises(
        InputError, match="line 3, column ts: the calendar nse does not know the year of 2028-01-03"
    ) as refused:
        load_csv_bars(text.encode(), fmt)
    assert refused.value.values["reason"] == "CALENDAR_YEAR_UNKNOWN"


# (asked at, open?, next open at); the session's day and end are the same throughout.
BREAK = [
    ("2024-03-02T03:44:59Z", False, "2024-03-02T03:45:00Z"),
    ("2024-03-02T03:45:00Z", True, "2024-03-02T03:45:00Z"),
    ("2024-03-02T04:29:59Z", True, "2024-03-02T04:29:59Z"),
    ("2024-03-02T04:30:00Z", False, "2024-03-02T06:00:00Z"),
    ("2024-03-02T05:59:59Z", False, "2024-03-02T06:00:00Z"),
    ("2024-03-02T06:00:00Z", True, "2024-03-02T06:00:00Z"),
    ("2024-03-02T06:59:59Z", True, "2024-03-02T06:59:59Z"),
]


@pytest.mark.parametrize(("at", "is_open", "next_open"), BREAK)
def test_session_with_a_break_goes_on_through_it(at: str, is_open: bool, next_open: str) -> None:
    ns = ns_from_iso(at)
    assert (NSE.is_open(ns), iso_from_ns(NSE.next_open(ns))) == (is_open, next_open)
    assert (NSE.trading_day(ns), iso_from_ns(NSE.session_end(ns))) == (SPLIT, "2024-03-02T07:00:00Z")


def test_bar_before_a_break_ends_no_session() -> None:
    fmt = BarFormat(instrument_id="X", timeframe="15m", zone="Asia/Kolkata", calendar=NSE)
    times = ("09:45", "11:30", "12:15")
    text = "ts,open,high,low,close\n" + "".join(f"{SPLIT} {time},1,1,1,1\n" for time in times)
    assert [bar.is_session_end for bar in load_csv_bars(text.encode(), fmt)] == [False, False, True]


def test_session_is_made_once_however_often_it_is_asked_for() -> None:
    made = []

    def hours_on(day: object) -> tuple[tuple[int, int], ...]:
        made.append(day)
        return spans("09:00-17:00")

    calendar = LocalSessions("counted", "UTC", hours_on, range(2024, 2025))
    start_ns = ns_from_iso("2024-01-01T08:00Z")
    for minute in range(3 * 24 * 60):
        calendar.session_end(start_ns + minute * 60 * 10**9)
    assert len(made) == len(set(map(str, made))) == 4


@pytest.mark.parametrize("text", ["9:00", "09:60", "24:01", "0900", "", "٠٩:٠٠"])
def test_clock_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        clock(text)
