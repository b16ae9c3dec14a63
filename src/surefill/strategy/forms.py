"""The forms that a strategy may have beside `evaluate`: bar by bar, a whole series at once, and a loop to be compiled.

1. `evaluate` is the strategy. Another form says at every bar what `evaluate` says there, or it is a defect;
   `surefill.testing.strategy_conformance` proves it.
2. No form sees a bar before it has closed.
3. The first bar of a series is shown, but nobody is asked about it: a snapshot needs two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

from surefill.domain.market import Bar
from surefill.market.series import BarSeries
from surefill.strategy.decisions import Decision, Position
from surefill.strategy.spec import ExecutionSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Bits of `Signals.exits`.
CLOSES_LONG: Final = 1
CLOSES_SHORT: Final = 2


class BarStream(Protocol):
    """What a strategy remembers of one symbol; each bar costs the same, however many there were."""

    def on_bar(self, bar: Bar, position: Position | None) -> Iterable[Decision | str]:
        """Take the bar that has just closed; what `evaluate` would say with it as the last one.

        Every bar of the series is shown, in order. `position` must leave no trace: what is remembered are bars.
        """


@runtime_checkable
class Incremental(Protocol):
    """A strategy with a form that goes bar by bar."""

    def start(self, spec: ExecutionSpec, price_decimals: int) -> BarStream:
        """A stream that has seen no bar yet; a price quantum of its bars is 10**-price_decimals."""


class Signals(NamedTuple):
    """What a strategy would do at the close of each bar: arrays of int8, as long as the series; 0 at the first bar.

    `entries`: what it opens while nothing is held: 1 a long position, -1 a short one, 0 none.
    `exits`: what it would close: 1 a long position, 2 a short one, 3 either, 0 none.
    `px`, `stop_px`: where entries wait for a price (`Decision`), it, in quanta of the series: arrays of int64, 0 where
    there is none.
    """

    entries: NDArray[np.int8]
    exits: NDArray[np.int8]
    px: NDArray[np.int64] | None = None
    stop_px: NDArray[np.int64] | None = None

    def since(self, begin: int) -> Signals:
        """Those from bar `begin` on."""
        px, stop_px = (None if prices is None else prices[begin:] for prices in (self.px, self.stop_px))
        return Signals(self.entries[begin:], self.exits[begin:], px, stop_px)


@runtime_checkable
class Vectorised(Protocol):
    """A strategy with a form that takes a whole series. Its decisions bring no quantity, stop or target."""

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        """Its signals at each bar, from that bar and earlier ones only."""


@runtime_checkable
class Looped(Vectorised, Protocol):
    """A vectorised strategy whose signals a plain loop writes too: one that machine code can be made of (Numba).

    Sweeps use it where it is there; it may call nothing but builtins and functions of its own file that Numba knows.
    """

    @staticmethod
    def signal_loop(
        high_px: NDArray[np.int64],
        low_px: NDArray[np.int64],
        close_px: NDArray[np.int64],
        numbers: tuple[float, ...],
        entries: NDArray[np.int8],
        exits: NDArray[np.int8],
    ) -> None:
        """Fill in `Signals`, which are all zero; prices are in quanta."""

    def loop_numbers(self, spec: ExecutionSpec) -> tuple[float, ...] | None:
        """What the loop goes by; None: 64 bits might not hold its sums of prices up to `PRICE_MAX`."""
