"""Bars of several instruments as one sequence of moments: what a backtest steps through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from surefill.market.series import BarSeries


class Moment(NamedTuple):
    """All bars that begin at `open_ns`: (instrument id, index into its series), in instrument order."""

    open_ns: int
    bars: tuple[tuple[str, int], ...]


def moments(series: Mapping[str, BarSeries]) -> Iterator[Moment]:
    """Merge series by the time at which their bars begin; at one time, by instrument id."""
    names = sorted(name for name in series if len(series[name]))
    opens = {name: series[name].open_ns for name in names}
    at = dict.fromkeys(names, 0)
    while names:
        open_ns = min(opens[name][at[name]] for name in names)
        due = tuple((name, at[name]) for name in names if opens[name][at[name]] == open_ns)
        for name, index in due:
            at[name] = index + 1
        names = [name for name in names if at[name] < len(opens[name])]
        yield Moment(open_ns, due)
