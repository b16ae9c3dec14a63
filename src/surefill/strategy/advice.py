"""A strategy during a backtest, in the quickest of its forms: after which bars it may want something, and what.

Whichever form answers, it says what `evaluate` says (`surefill.strategy.forms`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from surefill.errors import StrategyError
from surefill.market.series import BarSeries
from surefill.strategy.decisions import Position, Said
from surefill.strategy.forms import BarStream, Incremental, Vectorised
from surefill.strategy.runner import StrategyRunner, failed
from surefill.strategy.spec import ExecutionSpec


class Advice(Protocol):
    """Asked in the order of the bars, for each symbol by itself."""

    def next_wish(self, symbol: str, first: int, end: int, position: Position | None) -> int:
        """The first bar from `first` to before `end` after which it may want something; else `end`.

        `position` is the one that it has all along.
        """

    def said(self, symbol: str, at: int, position: Position | None) -> Said | None:
        """What it says after bar `at`; None: ask `evaluate`."""


class Whole:
    """A strategy that has no other form is asked after every bar."""

    def next_wish(self, symbol: str, first: int, end: int, position: Position | None) -> int:
        """See `Advice`."""
        return first

    def said(self, symbol: str, at: int, position: Position | None) -> Said | None:
        """See `Advice`."""
        return None


class Foreseen:
    """The signals of the whole run are there before it begins; where there is one, `evaluate` says the rest."""

    def __init__(self, strategy: Vectorised, spec: ExecutionSpec, series: Mapping[str, BarSeries]) -> None:
        self._flags: dict[str, tuple[bytes, bytes]] = {}
        for symbol, bars in series.items():
            found = strategy.signals(spec, bars)
            self._flags[symbol] = (found.entries != 0).tobytes(), (found.exits != 0).tobytes()

    def next_wish(self, symbol: str, first: int, end: int, position: Position | None) -> int:
        """See `Advice`."""
        found = self._flags[symbol][position is not None].find(1, first, end)
        return end if found < 0 else found

    def said(self, symbol: str, at: int, position: Position | None) -> Said | None:
        """See `Advice`."""
        return None if self._flags[symbol][position is not None][at] else ()


class Streamed:
    """Each bar is shown once, as soon as the position that goes with it is known."""

    def __init__(self, strategy: Incremental, spec: ExecutionSpec, series: Mapping[str, BarSeries]) -> None:
        self._spec = spec
        self._series = series
        self._streams: dict[str, BarStream] = {
            symbol: strategy.start(spec, bars.price_decimals) for symbol, bars in series.items()
        }
        self._shown = dict.fromkeys(series, 0)
        self._last: dict[str, Said | StrategyError] = {}

    def next_wish(self, symbol: str, first: int, end: int, position: Position | None) -> int:
        """See `Advice`. A bar at which the strategy fails is one, too."""
        self._catch_up(symbol, first)
        shown = self._shown[symbol]
        if shown > first and wishes(self._last[symbol]):  # it was looked at before, and nothing has changed since
            return min(shown - 1, end)
        return self._first_wish(symbol, shown, end, position) if shown < end else end

    def said(self, symbol: str, at: int, position: Position | None) -> Said | None:
        """See `Advice`."""
        self._catch_up(symbol, at)
        shown = self._shown[symbol]
        if shown > at + 1:
            return ()
        last = self._last[symbol] if shown > at else self._show(symbol, at, position)
        if isinstance(last, StrategyError):
            raise last
        return last

    def _catch_up(self, symbol: str, end: int) -> None:
        """Bars that nobody asked about: a run that is gone on with."""
        for at in range(self._shown[symbol], end):
            self._show(symbol, at, None)

    def _show(self, symbol: str, at: int, position: Position | None) -> Said | StrategyError:
        self._first_wish(symbol, at, at + 1, position)
        return self._last[symbol]

    def _first_wish(self, symbol: str, first: int, end: int, position: Position | None) -> int:
        """Show the bars from `first` on, up to the first after which there is a wish; its place, else `end`.

        A failure is kept until the run has come to its bar.
        """
        series, on_bar = self._series[symbol], self._streams[symbol].on_bar
        for at, bar in enumerate(series[first:end], first):  # the innermost loop of a backtest
            last: Said | StrategyError
            try:
                last = tuple(on_bar(bar, position))
            except StrategyError as error:
                last = error
            except Exception as error:
                last = failed(f"{type(error).__name__}: {error}", self._spec, symbol, series.ts_ns[at])
                last.__cause__ = error
            if last and wishes(last):
                self._shown[symbol], self._last[symbol] = at + 1, last
                return at
        self._shown[symbol], self._last[symbol] = end, ()
        return end


def wishes(said: Said | StrategyError | None) -> bool:
    """Whether there is more than notes in what was said."""
    if said is None or isinstance(said, StrategyError):
        return True
    return any(not isinstance(each, str) for each in said)


def advice_of(runner: StrategyRunner, spec: ExecutionSpec, series: Mapping[str, BarSeries]) -> Advice:
    """The spec's strategy in its quickest form that can be had here (whole series need numpy)."""
    strategy = runner.registry.get(spec.entry.type)
    if isinstance(strategy, Vectorised):
        try:
            return Foreseen(strategy, spec, series)
        except ImportError:
            pass
    return Streamed(strategy, spec, series) if isinstance(strategy, Incremental) else Whole()
