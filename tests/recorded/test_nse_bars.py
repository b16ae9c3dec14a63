"""Indian bars as people publish them: local time, date and time apart, no volume, sessions on odd days.

The calendar `nse` knows weekly hours. A session on a Saturday, or in the evening of a holiday, is outside them: its
bars are read, they count to the next trading day, and none of them ends a session. These tests say so on purpose.
"""

from __future__ import annotations

from collections import Counter
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
    """What a file is known to hold. `days` are trading days of the calendar, `regular` those with all their bars."""

    name: str
    timeframe: str
    bars: int
    days: int
    regular: int
    session_ends: int
    outside: int
    first: tuple[str, int, int]  # when it opens, its first and its last price
    last: tuple[str, int, int]


FILES = [
    File(
        "NIFTY_1min_2024",
        "1m",
        *(58_127, 156, 153, 153, 752),
        ("2024-01-01T03:45:00Z", 2_172_775, 2_171_200),
        ("2024-08-23T09:59:00Z", 2_483_550, 2_483_185),
    ),
    File(
        "BANKNIFTY_1min_2024",
        "1m",
        *(58_127, 156, 153, 153, 752),
        ("2024-01-01T03:45:00Z", 4_820_345, 4_816_065),
        ("2024-08-23T09:59:00Z", 5_094_600, 5_096_135),
    ),
    File(
        "NIFTY_5min_202407_202507",
        "5m",
        *(18_676, 249, 247, 249, 75),
        ("2024-07-25T09:55:00Z", 2_441_575, 2_441_500),
        ("2025-07-25T09:55:00Z", 2_483_880, 2_483_220),
    ),
    File(
        "RELIANCE_15min_2011_2023",
        "15m",
        *(73_617, 2_944, 2_927, 2_941, 71),
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

    days = Counter(NSE.trading_day(open_ns) for open_ns in series.open_ns)
    assert len(series) == file.bars
    assert len(days) == file.days
    assert sum(count == BARS_A_DAY[file.timeframe] for count in days.values()) == file.regular
    assert [(iso_from_ns(bar.open_ns), bar.open_px, bar.close_px) for bar in (series[0], series[-1])] == [
        file.first,
        file.last,
    ]
    assert set(series.volume) == {0}  # the indices have none, the share's file has no column for it


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nse_sessions_end_at_half_past_three_and_only_there(file: File) -> None:
    series = load(file.name, file.timeframe)

    ends = [series.ts_ns[at] for at in range(len(series)) if series.session_end[at]]
    assert len(ends) == file.session_ends
    assert len({end[:10] for end in map(iso_from_ns, ends)}) == file.session_ends
    assert {iso_from_ns(end)[11:] for end in ends} == {"10:00:00Z"}  # 15:30 in India


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nse_bars_outside_the_weekly_hours_end_no_session(file: File) -> None:
    series = load(file.name, file.timeframe)

    outside = [at for at in range(len(series)) if not NSE.is_open(series.open_ns[at])]
    assert len(outside) == file.outside
    assert not any(series.session_end[at] for at in outside)


def test_nse_saturday_sessions_count_to_the_next_trading_day() -> None:
    series = load("NIFTY_1min_2024", "1m")

    days = Counter(
        (iso_from_ns(open_ns)[:10], NSE.trading_day(open_ns)) for open_ns in series.open_ns if not NSE.is_open(open_ns)
    )
    # 22 January was a holiday: the calendar knows weekdays, not holidays, and expects the session all the same.
    assert days == {
        ("2024-01-20", "2024-01-22"): 542,
        ("2024-03-02", "2024-03-04"): 105,
        ("2024-05-18", "2024-05-20"): 105,
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
