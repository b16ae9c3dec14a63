"""`ema_cross` and `sma_cross`: long while the fast moving average is above the slow one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from functools import partial
from typing import TYPE_CHECKING, Final

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.strategy.decisions import Decision, Parameter, Position, Said
from surefill.strategy.forms import Signals
from surefill.strategy.indicators import ema, ema_step, ema_weight
from surefill.strategy.snapshot import Columns, Floats, MarketSnapshot
from surefill.strategy.spec import ExecutionSpec
from surefill.units import PRICE_MAX

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from surefill.strategy.arrays import Ints

    Flags = NDArray[np.int8]

_INT64_SURE: Final = 2**62

FAST = Parameter("fast", 20, 1, 10_000, "bars of the fast average")
SLOW = Parameter("slow", 50, 2, 10_000, "bars of the slow average")


class _Crossing(ABC):
    """What both crosses share: open when fast crosses above slow, close when it is below.

    Nothing opens before `slow` bars have passed. Closing asks where the averages are, not whether they crossed just
    now: a bar that was missed does not leave a position behind.
    """

    name = ""
    parameters = (FAST, SLOW)
    default_exit = "none"

    def check(self, spec: ExecutionSpec) -> None:
        """Raises InputError unless the fast average is the shorter one."""
        fast, slow = _periods(spec)
        if fast >= slow:
            raise InputError(
                f"entry.params.fast must be below entry.params.slow (got {fast} and {slow})",
                code="INVALID_SPEC",
                field="entry.params.fast",
            )

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Said:
        """An entry on the cross, an exit below."""
        fast, slow = _periods(spec)
        now, before = self._differences(snapshot, fast, slow)
        return self.said(fast, slow, snapshot.bar_count, now, before, position)

    def said(self, fast: int, slow: int, bar_count: int, now: float, before: float, position: Position | None) -> Said:
        """What follows from fast minus slow now and a bar before (only their signs count), after so many bars."""
        if position is not None:
            if now < 0:
                return (Decision.close_long(f"{self.name}: {fast} below {slow} bars", signal=f"{self.name}_down"),)
        elif bar_count <= slow:
            return (f"lookback_partial_{bar_count - 1}_of_{slow}",)
        elif before <= 0 < now:
            return (Decision.open_long(f"{self.name}: {fast} above {slow} bars", signal=f"{self.name}_up"),)
        return ()

    @abstractmethod
    def _differences(self, snapshot: MarketSnapshot, fast: int, slow: int) -> tuple[float, float]:
        """Fast minus slow (only its sign counts) at the current bar and at the one before."""


class EmaCross(_Crossing):
    """Exponential moving averages of closing prices, started at the first bar there is."""

    name = "ema_cross"

    def _differences(self, snapshot: MarketSnapshot, fast: int, slow: int) -> tuple[float, float]:
        short, long = _emas(snapshot, fast), _emas(snapshot, slow)
        return short[-1] - long[-1], short[-2] - long[-2]

    def start(self, spec: ExecutionSpec, price_decimals: int) -> _EmaStream:
        """Bar by bar: see `forms.Incremental`."""
        return _EmaStream(self, *_periods(spec), 10**price_decimals)

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        """A whole series: see `forms.Vectorised`."""
        import numpy as np

        from surefill.strategy.arrays import from_bar, long_only

        fast, slow = _periods(spec)
        differences = np.asarray(_emas(series, fast)) - np.asarray(_emas(series, slow))
        crossed = from_bar(len(series), slow) & (differences > 0)
        crossed[1:] &= differences[:-1] <= 0
        return long_only(crossed, differences < 0)


class SmaCross(_Crossing):
    """Simple moving averages of closing prices: sums of integers, compared exactly."""

    name = "sma_cross"

    def _differences(self, snapshot: MarketSnapshot, fast: int, slow: int) -> tuple[float, float]:
        closes = snapshot.columns.close_px
        if len(closes) <= slow:
            return 0, 0
        short, long = sum(closes[-fast:]), sum(closes[-slow:])
        short_before = short - closes[-1] + closes[-fast - 1]
        long_before = long - closes[-1] + closes[-slow - 1]
        return short * slow - long * fast, short_before * slow - long_before * fast

    def start(self, spec: ExecutionSpec, price_decimals: int) -> _SmaStream:
        """Bar by bar: see `forms.Incremental`."""
        return _SmaStream(self, *_periods(spec))

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        """A whole series: see `forms.Vectorised`."""
        import numpy as np

        from surefill.strategy.arrays import from_bar, long_only, sma_differences

        fast, slow = _periods(spec)
        signs = sma_differences(np.asarray(series.close_px), fast, slow)
        complete = from_bar(len(series), slow)
        crossed = complete & (signs > 0)
        crossed[1:] &= signs[:-1] <= 0
        return long_only(crossed, complete & (signs < 0))

    @staticmethod
    def signal_loop(
        high_px: Ints, low_px: Ints, close_px: Ints, numbers: tuple[int, int], entries: Flags, exits: Flags
    ) -> None:
        """See `forms.Looped`."""
        fast, slow = numbers
        short = long = 0
        for at in range(min(slow, len(close_px))):
            long += close_px[at]
            if at >= slow - fast:
                short += close_px[at]
        before = short * slow - long * fast
        # Views that begin together: an index that cannot be negative costs no test.
        entering, short_leaves, long_leaves = close_px[slow:], close_px[slow - fast :], close_px
        entries, exits = entries[slow:], exits[slow:]
        for at in range(len(entering)):
            short += entering[at] - short_leaves[at]
            long += entering[at] - long_leaves[at]
            now = short * slow - long * fast
            entries[at] = (before <= 0) & (now > 0)
            exits[at] = now < 0
            before = now

    def loop_numbers(self, spec: ExecutionSpec) -> tuple[int, int] | None:
        """See `forms.Looped`."""
        fast, slow = _periods(spec)
        return (fast, slow) if PRICE_MAX * fast * slow <= _INT64_SURE else None


class _EmaStream:
    """Two averages and how far they were apart."""

    def __init__(self, cross: EmaCross, fast: int, slow: int, scale: int) -> None:
        self._cross = cross
        self._fast, self._slow = fast, slow
        self._weights = ema_weight(fast), ema_weight(slow)
        self._scale = scale
        self._bars = 0
        self._short = self._long = self._before = 0.0

    def on_bar(self, bar: Bar, position: Position | None) -> Said:
        """See `forms.BarStream`."""
        price = bar.close_px / self._scale
        if not self._bars:
            self._short = self._long = price
        self._bars += 1
        self._short = ema_step(self._short, price, self._weights[0])
        self._long = ema_step(self._long, price, self._weights[1])
        before, self._before = self._before, self._short - self._long
        return self._cross.said(self._fast, self._slow, self._bars, self._before, before, position)


class _SmaStream:
    """The sums of two windows, and the closes that leave them."""

    def __init__(self, cross: SmaCross, fast: int, slow: int) -> None:
        self._cross = cross
        self._fast, self._slow = fast, slow
        self._closes = [0] * slow  # a ring
        self._bars = 0
        self._short = self._long = self._before = 0

    def on_bar(self, bar: Bar, position: Position | None) -> Said:
        """See `forms.BarStream`."""
        fast, slow, closes, at = self._fast, self._slow, self._closes, self._bars
        self._short += bar.close_px - (closes[(at - fast) % slow] if at >= fast else 0)
        self._long += bar.close_px - closes[at % slow]
        closes[at % slow] = bar.close_px
        self._bars = at + 1
        before, self._before = self._before, self._short * slow - self._long * fast
        now = self._before if self._bars > slow else 0
        return self._cross.said(fast, slow, self._bars, now, before, position)


def _periods(spec: ExecutionSpec) -> tuple[int, int]:
    return int(FAST.of(spec)), int(SLOW.of(spec))


def _emas(bars: MarketSnapshot | BarSeries, period: int) -> Floats:
    return bars.causal(("ema", period), partial(_ema_of_closes, period=period))


def _ema_of_closes(columns: Columns, period: int) -> array[float]:
    return ema(columns.closes, period)
