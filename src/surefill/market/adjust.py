"""Splits: what an old price is worth in today's shares.

A share that splits two for one costs half from that morning on, and nothing was lost: figures from before are divided
by two (and their volumes multiplied), so that the series has no false fall in it. Only splits are undone here.
Dividends are not: they were paid, and belong into the cash, not into the prices.

Adjusting is integer arithmetic, and exact when the series counts in a fine enough quantum (a half or a quarter of a
cent needs 4 decimals); what does not come out is rounded to the nearest quantum, half to even, each price alike, so a
high stays above its low. Volumes are rounded down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.units import QTY_MAX, ns_from_iso


class Split(NamedTuple):
    """`new` shares for `old` ones; the first day of trading at the new price is `day` (ISO date)."""

    day: str
    new: int
    old: int


# From the jumps between close and adj_close in the shipped data; IBM, GOOG and FB did not split in 2000-03 to 2013-03.
DEMO_SPLITS: Final[dict[str, tuple[Split, ...]]] = {
    "AAPL": (Split("2000-06-21", 2, 1), Split("2005-02-28", 2, 1)),
    "FB": (),
    "GOOG": (),
    "IBM": (),
    "MSFT": (Split("2003-02-18", 2, 1),),
}


def back_adjusted(series: BarSeries, splits: Iterable[Split]) -> BarSeries:
    """The series in the shares of its last bar: each bar before a split's day is divided by it.

    A bar belongs to the side on which it opens (midnight UTC of the day). Raises InputError for a split that is none.
    """
    return BarSeries.from_bars(
        _adjusted(series, _steps(splits)),
        instrument_id=series.instrument_id,
        timeframe=series.timeframe,
        price_decimals=series.price_decimals,
        qty_decimals=series.qty_decimals,
    )


def _steps(splits: Iterable[Split]) -> list[tuple[int, int, int]]:
    """(until when, new, old), oldest first: the product of all splits that a bar before that moment lies ahead of."""
    steps: list[tuple[int, int, int]] = []
    new, old = 1, 1
    for split in sorted(splits, reverse=True):
        if split.new < 1 or split.old < 1:
            raise InputError(f"a split of {split.new} for {split.old} is none; both must be above 0", field="split")
        new, old = new * split.new, old * split.old
        steps.append((ns_from_iso(split.day, field="split day"), new, old))
    return steps[::-1]


def _adjusted(series: BarSeries, steps: list[tuple[int, int, int]]) -> Iterator[Bar]:
    at = 0
    for bar in series:
        while at < len(steps) and bar.open_ns >= steps[at][0]:
            at += 1
        if at == len(steps):
            yield bar
            continue
        _, new, old = steps[at]
        yield msgspec.structs.replace(
            bar,
            open_px=_divided(bar.open_px * old, new),
            high_px=_divided(bar.high_px * old, new),
            low_px=_divided(bar.low_px * old, new),
            close_px=_divided(bar.close_px * old, new),
            volume=min(bar.volume * new // old, QTY_MAX),
        )


def _divided(number: int, divisor: int) -> int:
    """Nearest, half to even; at least 1, because a price of 0 means "none"."""
    quotient, rest = divmod(number, divisor)
    if 2 * rest > divisor or (2 * rest == divisor and quotient % 2):
        quotient += 1
    return max(quotient, 1)
