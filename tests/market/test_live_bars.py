"""Bars out of prices: the session's grid, what belongs to which bar, and what is none."""

from __future__ import annotations

import pytest

from surefill.domain.market import Bar
from surefill.market.live_bars import BarBuilder
from surefill.market.sessions import ALWAYS_OPEN, Calendar, calendar_named
from surefill.units import NS_PER_S

MIN = 60 * NS_PER_S
# 2026-11-27, a Friday: NSE trades from 09:15 to 15:30 IST, which is 03:45 to 10:00 UTC.
NSE_OPEN = 1_795_751_100 * NS_PER_S
NSE_END = NSE_OPEN + 375 * MIN


def _told(builder: BarBuilder, *prices: tuple[int, int]) -> list[Bar]:
    return [bar for px, ts_ns in prices if (bar := builder.take(px, ts_ns)) is not None]


def _figures(bar: Bar) -> tuple[int, ...]:
    return bar.open_ns, bar.ts_ns, bar.open_px, bar.high_px, bar.low_px, bar.close_px


def test_first_price_of_the_next_bar_finishes_the_one_before() -> None:
    builder = BarBuilder("X", "1m", ALWAYS_OPEN)
    (bar,) = _told(builder, (10, 5), (14, 6), (8, 7), (11, MIN - 1), (12, MIN))
    assert _figures(bar) == (0, MIN, 10, 14, 8, 11)
    assert not bar.is_session_end


def test_bar_ends_without_a_price_when_its_time_is_up() -> None:
    builder = BarBuilder("X", "1m", ALWAYS_OPEN)
    builder.take(10, 5)
    assert builder.end_ns == MIN
    assert builder.finish(MIN - 1) is None
    bar = builder.finish(MIN)
    assert bar is not None
    assert (bar.close_px, builder.end_ns, builder.finish(9 * MIN)) == (10, 0, None)


def test_bar_without_a_price_is_left_out_and_a_price_from_before_is_none() -> None:
    builder = BarBuilder("X", "1m", ALWAYS_OPEN)
    bars = _told(builder, (10, 5), (20, 3 * MIN), (99, MIN), (21, 4 * MIN))
    assert [_figures(bar)[:3] for bar in bars] == [(0, MIN, 10), (3 * MIN, 4 * MIN, 20)]
    assert bars[1].high_px == 20


@pytest.mark.parametrize("px", [0, -5])
def test_what_is_no_price_makes_no_bar(px: int) -> None:
    builder = BarBuilder("X", "1m", ALWAYS_OPEN)
    builder.take(px, 5)
    assert builder.end_ns == 0


@pytest.mark.parametrize(
    ("timeframe", "at_ns", "open_ns", "end_ns", "ends"),
    [
        ("15m", NSE_OPEN, NSE_OPEN, NSE_OPEN + 15 * MIN, False),
        ("1h", NSE_OPEN + 61 * MIN, NSE_OPEN + 60 * MIN, NSE_OPEN + 120 * MIN, False),
        ("1h", NSE_END - 1, NSE_OPEN + 360 * MIN, NSE_END, True),  # the last one ends with the session
        ("1d", NSE_OPEN + 5, NSE_OPEN, NSE_END, True),
    ],
)
def test_grid_begins_and_ends_with_the_session(
    timeframe: str, at_ns: int, open_ns: int, end_ns: int, ends: bool
) -> None:
    builder = BarBuilder("X", timeframe, calendar_named("nse"))
    builder.take(100, at_ns)
    bar = builder.finish(end_ns)
    assert bar is not None
    assert (bar.open_ns, bar.ts_ns, bar.is_session_end) == (open_ns, end_ns, ends)


@pytest.mark.parametrize("at_ns", [NSE_OPEN - 1, NSE_END])
def test_price_outside_a_session_is_none(at_ns: int) -> None:
    calendar: Calendar = calendar_named("nse")
    builder = BarBuilder("X", "1m", calendar)
    builder.take(100, at_ns)
    assert builder.end_ns == 0
