"""`donchian_stop`: a stop order waits at the channel of recent highs; out below the channel of recent lows."""

from __future__ import annotations

from collections.abc import Iterator

from surefill.domain.market import Bar
from surefill.market.series import BarSeries
from surefill.strategy.decisions import Decision, Position
from surefill.strategy.donchian import ENTRY_BARS, EXIT_BARS, channels
from surefill.strategy.forms import Signals
from surefill.strategy.indicators import SlidingHigh, lowest
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import ExecutionSpec


class DonchianStop:
    """Buys at the highest high of the last `entry_bars` bars, as soon as it is reached; closes as `donchian` does.

    The order is made anew at every bar, for the next one alone (with `entry.good_for_bars` at 1), so it follows the
    channel. The bar that has just closed belongs to it: nobody can trade there any more.
    """

    name = "donchian_stop"
    parameters = (ENTRY_BARS, EXIT_BARS)
    default_exit = "none"

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterator[Decision | str]:
        """An order while nothing is held, an exit below."""
        entry_bars, exit_bars = channels(spec)
        high, low = max(snapshot.highs[-entry_bars:]), lowest(snapshot.lows, exit_bars)
        return _said(entry_bars, snapshot.bar_count, snapshot.last_price, high, low, position)

    def start(self, spec: ExecutionSpec, price_decimals: int) -> _StopStream:
        """Bar by bar: see `forms.Incremental`."""
        return _StopStream(*channels(spec), 10**price_decimals)

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        """A whole series: see `forms.Vectorised`."""
        import numpy as np

        from surefill.strategy.arrays import from_bar, highest_before, long_only, lowest_before

        entry_bars, exit_bars = channels(spec)
        highs = np.asarray(series.high_px)
        channel = highest_before(np.append(highs, 0), entry_bars)[1:]  # the bar itself is within
        below = np.asarray(series.close_px) < lowest_before(np.asarray(series.low_px), exit_bars)
        return long_only(from_bar(len(series), entry_bars - 1), below, stop_px=channel)


class _StopStream:
    """The two channels, and how many bars there were."""

    def __init__(self, entry_bars: int, exit_bars: int, scale: int) -> None:
        self._entry_bars = entry_bars
        self._scale = scale
        self._bars = 0
        self._highs, self._lows = SlidingHigh(entry_bars), SlidingHigh(exit_bars)

    def on_bar(self, bar: Bar, position: Position | None) -> Iterator[Decision | str]:
        """See `forms.BarStream`."""
        self._highs.push(bar.high_px)
        low = -self._lows.push(-bar.low_px)
        self._bars += 1
        if self._bars == 1:  # no channel to leave by yet
            return iter(())
        scale = self._scale
        high = self._highs.top / scale
        return _said(self._entry_bars, self._bars, bar.close_px / scale, high, low / scale, position)


def _said(
    entry_bars: int, bar_count: int, price: float, high: float, low: float, position: Position | None
) -> Iterator[Decision | str]:
    if position is not None:
        if price < low:
            yield Decision.close_long(f"price {price} below {low}", signal="donchian_down")
    elif bar_count < entry_bars:
        yield f"lookback_partial_{bar_count}_of_{entry_bars}"
    else:
        yield Decision.open_long(f"at {high} or above", signal="donchian_stop", stop_px=high)
