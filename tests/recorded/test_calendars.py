"""Calendars held to what was traded: the days of SPY, the hours of EURUSD at a retail broker."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date

from tests.recorded.recordings import recorded

from surefill.market.sessions import calendar_named
from surefill.units import ns_from_iso

US = calendar_named("us_equities")
FOREX = calendar_named("forex")


def stamps(path: str) -> Iterator[tuple[str, str]]:
    """Date and time of each row of a zipped file, "2007-01-01" and "21:00"."""
    with zipfile.ZipFile(recorded(path)) as archive:
        (name,) = archive.namelist()
        for line in archive.read(name).decode("ascii").splitlines():
            day, time = line.split(",", 1)[0].split(" ")
            yield f"{day[:4]}-{day[4:6]}-{day[6:]}", time


def test_us_equities_have_a_session_on_the_days_of_spy_and_on_no_other() -> None:
    traded = {day for day, _ in stamps("market/lean/equity/usa/daily/spy.zip")}

    first, last = (date.fromisoformat(day).toordinal() for day in (min(traded), max(traded)))
    days = (date.fromordinal(ordinal).isoformat() for ordinal in range(first, last + 1))
    assert {day for day in days if US.session_on(day)} == traded
    assert (min(traded), max(traded), len(traded)) == ("1998-01-02", "2021-03-31", 5849)


def test_forex_is_open_in_every_hour_of_eurusd_but_for_old_holidays() -> None:
    hours = list(stamps("market/lean/forex/oanda/hour/eurusd.zip"))

    outside = [(day, time) for day, time in hours if not FOREX.is_open(ns_from_iso(f"{day}T{time}Z"))]
    assert (len(hours), len(outside)) == (74_439, 44)
    assert {day[5:] for day, _ in outside} == {"12-24", "12-25", "01-01"}
    assert (outside[0][0], outside[-1][0]) == ("2007-01-01", "2009-12-25")
