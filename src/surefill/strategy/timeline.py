"""Bars of several instruments as one sequence of moments: what a backtest steps through."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from surefill.market.series import BarSeries

NEVER_NS: Final = 2**63 - 1


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
        open_ns = NEVER_NS
        due: list[tuple[str, int]] = []
        for name, opens in self._opens.items():
            at = self.at[name]
            if at < len(opens) and opens[at] <= open_ns:
                if opens[at] < open_ns:
                    open_ns, due = opens[at], []
                due.append((name, at))
        for name, at in due:
            self.at[name] = at + 1
        return Moment(open_ns, tuple(due)) if due else None

    def skip(self, open_ns: int) -> None:
        """Step over everything that begins before `open_ns`."""
        for name, opens in self._opens.items():
            self.at[name] = bisect_left(opens, open_ns, self.at[name])


def moments(series: Mapping[str, BarSeries]) -> Iterator[Moment]:
    """Merge series by the time at which their bars begin; at one time, by instrument id."""
    timeline = Timeline(series)
    while (moment := timeline.next()) is not None:
        yield moment
