"""Indian bars as people publish them: local time, date and time apart, no volume, sessions on odd days.

They hold the calendar `nse` to what was traded: every bar lies in one of its sessions, but for those named here, and
every one of its sessions has bars, but for those named here.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from typing import NamedTuple

import pytest
from tests.recorded.recordings import recorded

from surefill.market.bar_format import BarFormat
from surefill.market.csv_bars import csv_decimals, load_csv_bars
from surefill.market.series import BarSeries
from surefill.market.sessions import calendar_named
from surefill.units import iso_from_ns

NSE = calendar_named("nse")


class File(NamedTuple):
    """What a file is known to hold. `days` are trading days of the calendar, `regular` those with all their bars.

    `early_ends`: sessions that end before half past three. `outside`: bars that no session has, by day. `silent`:
    sessions of which there are no bars.
    """

    name: str
    timeframe: str
    bars: int
    days: int
    regular: int
    session_ends: int
    early_ends: dict[str, int]
    outside: dict[str, int]
    silent: tuple[str, ...]
    first: tuple[str, int, int]  # when it opens, its first and its last price
    last: tuple[str, int, int]


# The index stood still on the screen after the close of Saturday 20 January, and was recorded on; five days are lost.
INDEX_OUTSIDE = {"2024-01-20": 167}
INDEX_SILENT = ("2024-02-01", "2024-03-04", "2024-04-05", "2024-05-07", "2024-07-10")
HALF_PAST_TWELVE = {"07:00:00Z": 2}  # Saturdays 2 March and 18 May 2024

FILES = [
    File(
        "NIFTY_1min_2024",
        "1m",
        *(58_127, 156, 154, 156),
        *(HALF_PAST_TWELVE, INDEX_OUTSIDE, INDEX_SILENT),
        ("2024-01-01T03:45:00Z", 2_172_775, 2_171_200),
        ("2024-08-23T09:59:00Z", 2_483_550, 2_483_185),
    ),
    File(
        "BANKNIFTY_1min_2024",
        "1m",
        *(58_127, 156, 154, 156),
        *(HALF_PAST_TWELVE, INDEX_OUTSIDE, INDEX_SILENT),
        ("2024-01-01T03:45:00Z", 4_820_345, 4_816_065),
        ("2024-08-23T09:59:00Z", 5_094_600, 5_096_135),
    ),
    File(
        "NIFTY_5min_202407_202507",
        "5m",
        *(18_676, 250, 249, 250),
        *({}, {}, ("2024-11-01",)),  # Muhurat
        ("2024-07-25T09:55:00Z", 2_441_575, 2_441_500),
        ("2025-07-25T09:55:00Z", 2_483_880, 2_483_220),
    ),
    File(
        "RELIANCE_15min_2011_2023",
        "15m",
        *(73_617, 2_951, 2_935, 2_948),
        {"07:15:00Z": 6},
        # Six Saturdays with hours of their own: the matching before the opening bell, and what came after the close.
        {
            **{"2012-01-07": 2, "2012-03-03": 2, "2012-04-28": 2, "2012-09-08": 2},
            **{"2013-05-11": 1, "2014-03-22": 1},
        },
        (
            *("2011-10-26", "2012-11-13", "2014-10-23", "2015-11-11", "2016-10-30", "2017-10-19"),  # Muhurat
            *("2018-11-07", "2019-10-27", "2020-11-14", "2021-11-04", "2022-10-24"),  # Muhurat
            # Lost by whoever recorded them; the exchange traded on each.
            *("2011-12-27", "2013-04-02", "2015-10-01", "2015-10-05", "2016-01-19", "2016-12-20", "2017-07-10"),
            *("2019-01-21", "2020-02-01", "2021-04-23", "2021-08-02", "2021-08-03"),
        ),
        ("2011-01-03T03:45:00Z", 53_200, 53_250),
        ("2023-01-02T09:45:00Z", 257_700, 257_790),
    ),
]
BARS_A_DAY = {"1m": 375, "5m": 75, "15m": 25}


@cache
def load(name: str, timeframe: str) -> BarSeries:
    fmt = BarFormat(instrument_id=name, timeframe=timeframe, zone="Asia/Kolkata", calendar=NSE)
    return load_csv_bars(recorded(f"market/nse/{name}.csv.gz"), fmt)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nse_file_loaded_holds_what_is_known_of_it(file: File) -> None:
    series = load(file.name, file.timeframe)

    days = Counter(NSE.trading_day(open_ns) for open_ns in series.open_ns if NSE.is_open(open_ns))
    assert len(series) == file.bars
    assert len(days) == file.days
    assert sum(count == BARS_A_DAY[file.timeframe] for count in days.values()) == file.regular
    assert [(iso_from_ns(bar.open_ns), bar.open_px, bar.close_px) for bar in (series[0], series[-1])] == [
        file.first,
        file.last,
    ]
    assert set(series.volume) == {0}  # the indices have none, the share's file has no column for it


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nse_sessions_end_at_half_past_three_but_for_short_saturdays(file: File) -> None:
    series = load(file.name, file.timeframe)

    ends = [iso_from_ns(series.ts_ns[at]) for at in range(len(series)) if series.session_end[at]]
    assert len({end[:10] for end in ends}) == len(ends) == file.session_ends
    assert Counter(end[11:] for end in ends) == {
        "10:00:00Z": file.session_ends - sum(file.early_ends.values()),  # 15:30 in India
        **file.early_ends,
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nse_bars_lie_in_sessions_of_the_calendar_but_for_those_named(file: File) -> None:
    series = load(file.name, file.timeframe)

    outside = [at for at in range(len(series)) if not NSE.is_open(series.open_ns[at])]
    assert Counter(iso_from_ns(series.open_ns[at])[:10] for at in outside) == file.outside
    assert not any(series.session_end[at] for at in outside)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nse_sessions_of_the_calendar_have_bars_but_for_those_named(file: File) -> None:
    series = load(file.name, file.timeframe)

    days = {NSE.trading_day(open_ns) for open_ns in series.open_ns if NSE.is_open(open_ns)}
    first, last = (date.fromisoformat(day).toordinal() for day in (min(days), max(days)))
    expected = {day.isoformat() for day in map(date.fromordinal, range(first, last + 1))}
    assert {day for day in expected - days if NSE.session_on(day)} == set(file.silent)


def test_nse_saturday_sessions_are_trading_days_of_their_own() -> None:
    series = load("NIFTY_1min_2024", "1m")

    opened = (open_ns for open_ns in series.open_ns if NSE.is_open(open_ns))
    days = Counter((iso_from_ns(open_ns)[:10], NSE.trading_day(open_ns)) for open_ns in opened)
    assert {day: days[(day, day)] for day in ("2024-01-20", "2024-03-02", "2024-05-18")} == {
        "2024-01-20": 375,
        "2024-03-02": 45 + 60,
        "2024-05-18": 45 + 60,
    }


def test_nse_minutes_follow_each_other_within_a_session() -> None:
    series = load("NIFTY_1min_2024", "1m")

    gaps = [
        (iso_from_ns(series.ts_ns[at]), iso_from_ns(series.open_ns[at + 1]))
        for at in range(len(series) - 1)
        if series.ts_ns[at] != series.open_ns[at + 1] and not series.session_end[at]
    ]
    # Only within and after the Saturdays: elsewhere a gap is a session's end.
    assert {gap[0][:10] for gap in gaps} == {"2024-01-20", "2024-03-02", "2024-05-18"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nse_prices_need_two_decimals(file: File) -> None:
    assert csv_decimals(recorded(f"market/nse/{file.name}.csv.gz")) == (2, 0)
