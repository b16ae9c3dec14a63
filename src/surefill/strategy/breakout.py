"""`breakout_52w_high`: buy what trades above the highest high of the last year."""

from __future__ import annotations

from collections.abc import Iterator

from surefill.domain.market import Bar
from surefill.market.series import BarSeries
from surefill.strategy.decisions import Decision, Position
from surefill.strategy.forms import Signals
from surefill.strategy.indicators import SlidingHigh, highest
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import ExecutionSpec


class Breakout52WeekHigh:
    """Opens when the price is above the highest high of up to `entry.lookback_days` bars before the current one.

    The current bar is left out: its own high would be known only afterwards. With fewer bars than that the ones there
    are count, and `lookback_partial_n_of_m` says so. It never closes: the spec's exit does (by default at the end of
    the day).
    """

    name = "breakout_52w_high"
    parameters = ()
    default_exit = "eod"

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterator[Decision | str]:
        """One entry, while there is no position."""
        lookback = spec.entry.lookback_days
        high = highest(snapshot.highs, lookback)
        return _said(lookback, snapshot.bar_count - 1, snapshot.last_price, high, position)

    def start(self, spec: ExecutionSpec, price_decimals: int) -> _BreakoutStream:
        """Bar by bar: see `forms.Incremental`."""
        return _BreakoutStream(spec.entry.lookback_days, 10**price_decimals)

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        """A whole series: see `forms.Vectorised`."""
        import numpy as np

        from surefill.strategy.arrays import highest_before, long_only

        above = np.asarray(series.close_px) > highest_before(np.asarray(series.high_px), spec.entry.lookback_days)
        return long_only(above, np.zeros(len(series), np.bool_))


class _BreakoutStream:
    """The highs in reach, and how many bars there were."""

    def __init__(self, lookback: int, scale: int) -> None:
        self._lookback = lookback
        self._scale = scale
        self._bars = 0
        self._highs = SlidingHigh(lookback)

    def on_bar(self, bar: Bar, position: Position | None) -> Iterator[Decision | str]:
        """See `forms.BarStream`."""
        high, before = self._highs.push(bar.high_px), self._bars
        self._bars += 1
        if not before:
            return iter(())
        return _said(self._lookback, before, bar.close_px / self._scale, high / self._scale, position)


def _said(lookback: int, before: int, price: float, high: float, position: Position | None) -> Iterator[Decision | str]:
    """What follows from the price and the highest high in reach, with so many bars before."""
    if before < lookback:
        yield f"lookback_partial_{before}_of_{lookback}"
    if price > high:
        if position is not None:
            yield "entry_skipped_position_open"
        else:
            reason = f"price {price} above {high}, the high of {min(before, lookback)} bars"
            yield Decision.open_long(reason, signal="breakout_entry_triggered")
