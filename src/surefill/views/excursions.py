"""How far a trade went against its entry and in its favour while it was held."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import fsum
from typing import NamedTuple

from surefill.market.series import BarSeries
from surefill.views.trades import Trade


class Excursion(NamedTuple):
    """Fractions of the average entry price, both zero or more (Sweeney, Campaign Trading, 1996)."""

    adverse: float
    favourable: float


def excursion(trade: Trade, series: BarSeries) -> Excursion:
    """The worst and the best price of a closed trade, among those of the bars it was held in.

    The bars of entry and exit count whole, unless it was entered at a bar's very close or left at its very open: what
    happened within a bar first, nobody knows.
    """
    begin = bisect_right(series.ts_ns, trade.entry_ns)
    end = bisect_left(series.open_ns, trade.exit_ns)
    entry_px = trade.entry_notional / trade.entry_qty
    prices = [entry_px, trade.exit_notional / trade.exit_qty] if trade.exit_qty else [entry_px]
    low = min([*prices, *series.low_px[begin:end]])
    high = max([*prices, *series.high_px[begin:end]])
    down, up = (entry_px - low) / entry_px, (high - entry_px) / entry_px
    return Excursion(down, up) if trade.side > 0 else Excursion(up, down)


def mean_pct(fractions: Sequence[float]) -> float | None:
    """Their mean in percent: of all adverse excursions MAE, of all favourable ones MFE. None of none."""
    return 100 * fsum(fractions) / len(fractions) if fractions else None
