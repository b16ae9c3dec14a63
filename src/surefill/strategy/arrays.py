"""Signals of whole series in numpy (extra `sweep`): the same comparisons as bar by bar, on the same numbers."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from surefill.strategy.forms import Signals

_INT64_SURE: Final = 2**62

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def long_only(entries: Bools, exits: Bools, *, stop_px: Ints | None = None) -> Signals:
    """Signals that open (at `stop_px`, where it is given) and close long positions; none at the first bar."""
    made = Signals(entries.astype(np.int8), exits.astype(np.int8))
    for column in (made.entries, made.exits):
        column[:1] = 0
    return made if stop_px is None else made._replace(stop_px=stop_px * made.entries)


def from_bar(count: int, at: int) -> Bools:
    """True from bar `at` on."""
    return np.arange(count) >= at


def highest_before(values: Ints, count: int) -> Ints:
    """At each bar the highest of the up to `count` values before it; the lowest integer at the first.

    In two passes however long the window is (van Herk 1992; Gil and Werman 1993): with the values cut into blocks of
    `count`, a window is the end of one block and the beginning of the next.
    """
    bars = len(values)
    count = max(min(count, bars), 1)
    blocks = bars // count + 2
    padded = np.full(blocks * count, np.iinfo(np.int64).min)
    padded[count : count + max(bars - 1, 0)] = values[:-1]
    cut = padded.reshape(blocks, count)
    beginnings = np.maximum.accumulate(cut, axis=1).ravel()
    ends = np.maximum.accumulate(cut[:, ::-1], axis=1)[:, ::-1].ravel()
    found: Ints = np.maximum(ends[:bars], beginnings[count - 1 : count - 1 + bars])
    return found


def lowest_before(values: Ints, count: int) -> Ints:
    """At each bar the lowest of the up to `count` values before it; at the first there is none: the highest but one."""
    found: Ints = -highest_before(-values, count) - (np.arange(len(values)) == 0)
    return found


def sma_differences(closes: Ints, fast: int, slow: int) -> NDArray[np.int8]:
    """The sign of the fast average less the slow one at each bar, exactly; 0 before there are `slow` bars.

    Running sums may wrap round; a window's sum, their difference, is right as long as it fits itself.
    """
    signs = np.zeros(len(closes), np.int8)
    if len(closes) < slow:
        return signs
    sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(closes)))
    short = (sums[fast:] - sums[:-fast])[slow - fast :]
    long = sums[slow:] - sums[:-slow]
    if int(closes.max()) * fast * slow < _INT64_SURE:
        signs[slow - 1 :] = np.sign(short * slow - long * fast)
    else:
        signs[slow - 1 :] = np.sign(short.astype(object) * slow - long.astype(object) * fast)
    return signs
