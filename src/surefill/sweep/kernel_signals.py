"""What strategies want over the bars of a kernel's stage: computed once for all variants that want the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from surefill.market.series import BarSeries
from surefill.strategy.decisions import Strategy
from surefill.strategy.forms import Looped, Vectorised
from surefill.strategy.forms import Signals as Wanted
from surefill.strategy.spec import ExecutionSpec
from surefill.sweep.kernels.compiling import compiled_loop
from surefill.sweep.kernels.coverage import Waiting, waiting_prices
from surefill.sweep.kernels.prepare import signals_of
from surefill.sweep.kernels.tables import Signals

#: What a process keeps of them.
KEPT_BYTES: Final = 64_000_000


class SignalSource:
    """Signals of one strategy over the bars that are traded; it sees the `known` ones, which may begin earlier.

    Instruments in the order of `names`. Raises what the strategy raises.
    """

    def __init__(
        self, strategy: Strategy, names: Sequence[str], known: Mapping[str, BarSeries], traded: Mapping[str, BarSeries]
    ) -> None:
        self._name, self._names = strategy.name, names
        self._waiting: dict[object, Waiting] = {}
        self._series = [known[name] for name in names]
        self._begins = [len(known[name]) - len(traded[name]) for name in names]
        self._most = max(1, KEPT_BYTES // max(2 * sum(map(len, self._series)), 1))
        self._kept: dict[object, Signals | str] = {}
        self._compute: Callable[[ExecutionSpec, int], Wanted] | None = None
        if isinstance(strategy, Looped):
            self._strategy, self._loop = strategy, compiled_loop(strategy.signal_loop)
            self._prices = [
                (np.asarray(each.high_px), np.asarray(each.low_px), np.asarray(each.close_px)) for each in self._series
            ]
            self._compute = self._looped
        elif isinstance(strategy, Vectorised):
            self._compute = lambda spec, number: strategy.signals(spec, self._series[number])

    @property
    def together(self) -> int:
        """How many variants may go into one call without too much memory."""
        return max(1, self._most // 2)

    def of(self, spec: ExecutionSpec) -> Signals | str:
        """The signals of a spec; or why the kernel cannot trade by them."""
        kept, key = self._kept, _key(spec)
        found = kept.get(key)
        if found is None:
            if len(kept) >= self._most:
                del kept[next(iter(kept))]
            found = kept[key] = self._computed(spec)
        return found

    def prices_of(self, spec: ExecutionSpec) -> Waiting:
        """The prices that its entries wait for, once `of` has been asked."""
        return self._waiting[_key(spec)]

    def _computed(self, spec: ExecutionSpec) -> Signals | str:
        if self._compute is None:
            return f"{self._name} has no form over a whole series"
        found = [self._compute(spec, number) for number in range(len(self._series))]
        said = [each.since(begin) for each, begin in zip(found, self._begins, strict=True)]
        self._waiting[_key(spec)] = waiting_prices(self._names, said)
        made = signals_of(said)
        self._most = min(self._most, max(1, KEPT_BYTES // max(sum(column.nbytes for column in made), 1)))
        return made

    def _looped(self, spec: ExecutionSpec, number: int) -> Wanted:
        numbers = self._strategy.loop_numbers(spec)
        if numbers is None:
            return self._strategy.signals(spec, self._series[number])
        high_px, low_px, close_px = self._prices[number]
        written = np.zeros((2, len(close_px)), np.int8)
        entries, exits = written
        self._loop(high_px, low_px, close_px, numbers, entries, exits)
        return Wanted(entries, exits)


def _key(spec: ExecutionSpec) -> object:
    """What the signals of a strategy depend on."""
    return spec.entry.lookback_days, repr(spec.entry.params)
