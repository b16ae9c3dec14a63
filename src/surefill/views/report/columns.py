"""Bars and curves as small JSON: integers, in units as large as all of them allow, and their differences.

A price column is its differences: the open from the close before, the close from the open, the high above both, the low
below both. A reader adds them up; a unit is a power of ten times an integer, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import gcd

import msgspec

from surefill.market.series import BarSeries
from surefill.units import NS_PER_S


class Steps(msgspec.Struct, frozen=True):
    """`count` integers: the first, then each one's difference from the one before, in `unit`s."""

    count: int
    unit: int
    first: int
    steps: list[int]


class BarColumns(msgspec.Struct, frozen=True):
    """A series of bars. Times in seconds UTC (`times`: when each bar began, `length`: how long the longest is).

    Prices in `unit` * 10**-decimals: `o` from the close before (the first one from 0), `c` from the open, `h` above the
    higher of the two, `l` below the lower.
    """

    symbol: str
    timeframe: str
    decimals: int
    unit: int
    times: Steps
    length: int
    o: list[int]
    h: list[int]
    l: list[int]  # noqa: E741 (open, high, low, close have their letters)
    c: list[int]


def steps_of(values: Sequence[int]) -> Steps:
    """Pack integers; exact."""
    differences = [after - before for before, after in pairwise(values)]
    unit = gcd(*differences) or 1
    return Steps(len(values), unit, values[0] if values else 0, [difference // unit for difference in differences])


def bar_columns(series: BarSeries) -> BarColumns:
    """Pack a series; exact, but for times below a second."""
    prices = (series.open_px, series.high_px, series.low_px, series.close_px)
    unit = gcd(*(gcd(*column) for column in prices)) or 1
    opens, highs, lows, closes = ([px // unit for px in column] for column in prices)
    return BarColumns(
        series.symbol,
        series.timeframe,
        series.price_decimals,
        unit,
        steps_of([ns // NS_PER_S for ns in series.open_ns]),
        max(((end - begin) // NS_PER_S for begin, end in zip(series.open_ns, series.ts_ns, strict=True)), default=0),
        _less(opens, [0, *closes[:-1]]),
        [high - max(pair) for high, *pair in zip(highs, opens, closes, strict=True)],
        [min(pair) - low for low, *pair in zip(lows, opens, closes, strict=True)],
        _less(closes, opens),
    )


def _less(values: Iterable[int], others: Iterable[int]) -> list[int]:
    return [value - other for value, other in zip(values, others, strict=False)]
