"""Figures of a run over columns, compiled: how far trades went. `views.excursions` says the same of single trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from surefill.sweep.kernels.tables import Ints, Market

    Floats = NDArray[float64]

# Of a trade.
NUMBER, ENTRY_NS, EXIT_NS, ENTRY_PX, EXIT_PX, TRADE_COLUMNS = range(6)


def excursions(trades: Ints, bounds: Ints, market: Market, adverse: Floats, favourable: Floats) -> None:
    """Fill in how far each long trade went against its entry and in its favour, as fractions of it.

    The bars of instrument n are those from `bounds[n]` to before `bounds[n + 1]`.
    """
    for row in range(len(trades)):
        number = trades[row, NUMBER]
        begin = _after(market.ts_ns, bounds[number], bounds[number + 1], trades[row, ENTRY_NS])
        end = _after(market.open_ns, bounds[number], bounds[number + 1], trades[row, EXIT_NS] - 1)
        low = min(trades[row, ENTRY_PX], trades[row, EXIT_PX])
        high = max(trades[row, ENTRY_PX], trades[row, EXIT_PX])
        for at in range(begin, end):
            low = min(low, market.low_px[at])
            high = max(high, market.high_px[at])
        entry_px = float(trades[row, ENTRY_PX])
        adverse[row] = (entry_px - float(low)) / entry_px
        favourable[row] = (float(high) - entry_px) / entry_px


def _after(times: Ints, begin: int, end: int, ts_ns: int) -> int:
    """The first place from `begin` to before `end` whose time is later; else `end`."""
    while begin < end:
        middle = (begin + end) // 2
        if times[middle] <= ts_ns:
            begin = middle + 1
        else:
            end = middle
    return begin
