"""Bars of several instruments as one sequence of moments: what a backtest steps through."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from surefill.market.series import BarSeries


class Moment(NamedTuple):
    """All bars that begin at `open_ns`: (instrument id, index into its series), in instrument order."""

    open_ns: int
    bars: tuple[tuple[str, int], ...]


class Timeline:
    """A walk through the moments. `at`: the index of each instrument's next bar, in instrument order."""

    def __init__(self, series: Mapping[str, BarSeries]) -> None:
        self._opens = {name: series[name].open_ns for name in sorted(series)}
        self.at = dict.fromkeys(self._opens, 0)

    def next(self) -> Moment | None:
        """Step over the next moment; None at the end."""
        waiting = [(opens[self.at[name]], name) for name, opens in self._opens.items() if self.at[name] < len(opens)]
        if not waiting:
            return None
        open_ns = min(waiting)[0]
        due = tuple((name, self.at[name]) for ns, name in waiting if ns == open_ns)
        for name, at in due:
            self.at[name] = at + 1
        return Moment(open_ns, due)

    def skip(self, open_ns: int) -> None:
        """Step over everything that begins before `open_ns`."""
        for name, opens in self._opens.items():
            self.at[name] = bisect_left(opens, open_ns, self.at[name])


def moments(series: Mapping[str, BarSeries]) -> Iterator[Moment]:
    """Merge series by the time at which their bars begin; at one time, by instrument id."""
    timeline = Timeline(series)
    while (moment := timeline.next()) is not None:
        yield moment
