"""`donchian`: buy above the channel of recent highs, sell below the channel of recent lows."""

from __future__ import annotations

from surefill.domain.market import Bar
from surefill.market.series import BarSeries
from surefill.strategy.decisions import Decision, Parameter, Position, Said
from surefill.strategy.forms import Signals
from surefill.strategy.indicators import SlidingHigh, highest, lowest
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import ExecutionSpec

ENTRY_BARS = Parameter("entry_bars", 20, 1, 10_000, "bars of the channel that an entry breaks")
EXIT_BARS = Parameter("exit_bars", 10, 1, 10_000, "bars of the channel that an exit breaks")


class Donchian:
    """Opens above the highest high of the last `entry_bars` bars, closes below the lowest low of `exit_bars`.

    The current bar belongs to neither channel. Nothing opens before the entry channel is complete.
    """

    name = "donchian"
    parameters = (ENTRY_BARS, EXIT_BARS)
    default_exit = "none"

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Said:
        """An entry above, an exit below."""
        entry_bars, exit_bars = channels(spec)
        high, low = highest(snapshot.highs, entry_bars), lowest(snapshot.lows, exit_bars)
        return _said(entry_bars, snapshot.bar_count, snapshot.last_price, high, low, position)

    def start(self, spec: ExecutionSpec, price_decimals: int) -> _ChannelStream:
        """Bar by bar: see `forms.Incremental`."""
        return _ChannelStream(*channels(spec), 10**price_decimals)

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        """A whole series: see `forms.Vectorised`."""
        import numpy as np

        from surefill.strategy.arrays import from_bar, highest_before, long_only, lowest_before

        entry_bars, exit_bars = channels(spec)
        closes = np.asarray(series.close_px)
        above = closes > highest_before(np.asarray(series.high_px), entry_bars)
        below = closes < lowest_before(np.asarray(series.low_px), exit_bars)
        return long_only(from_bar(len(series), entry_bars) & above, below)


class _ChannelStream:
    """The two channels, and how many bars there were."""

    def __init__(self, entry_bars: int, exit_bars: int, scale: int) -> None:
        self._entry_bars = entry_bars
        self._scale = scale
        self._bars = 0
        self._highs, self._lows = SlidingHigh(entry_bars), SlidingHigh(exit_bars)

    def on_bar(self, bar: Bar, position: Position | None) -> Said:
        """See `forms.BarStream`."""
        high, low = self._highs.push(bar.high_px), -self._lows.push(-bar.low_px)
        self._bars += 1
        if self._bars == 1:  # no channel yet
            return ()
        scale = self._scale
        return _said(self._entry_bars, self._bars, bar.close_px / scale, high / scale, low / scale, position)


def channels(spec: ExecutionSpec) -> tuple[int, int]:
    """How many bars make the channel of entries, and that of exits."""
    return int(ENTRY_BARS.of(spec)), int(EXIT_BARS.of(spec))


def _said(entry_bars: int, bar_count: int, price: float, high: float, low: float, position: Position | None) -> Said:
    if position is not None:
        if price < low:
            return (Decision.close_long(f"price {price} below {low}", signal="donchian_down"),)
    elif bar_count <= entry_bars:
        return (f"lookback_partial_{bar_count - 1}_of_{entry_bars}",)
    elif price > high:
        return (Decision.open_long(f"price {price} above {high}", signal="donchian_up"),)
    return ()
