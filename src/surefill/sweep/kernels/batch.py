"""Many variants, one after the other: what Python calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefill.sweep.kernels import tables as t
from surefill.sweep.kernels.account import simulate
from surefill.sweep.kernels.figures import sum_up

if TYPE_CHECKING:
    from surefill.sweep.kernels.tables import Account, Books, Costs, Floats, Ints, Market, Signals, Sums


def simulate_all(
    market: Market,
    signals: Signals,
    instruments: Ints,
    rules: Ints,
    costs: Costs,
    account: Account,
    variants: Ints,
    budgets: Ints,
    books: Books,
    sums: Sums,
    results: Ints,
    counts: Ints,
    ratios: Floats,
) -> int:
    """Trade variants and sum them up, until one has more fills than there is room for; how many are done.

    Variant v goes by row `variants[v, SIGNALS]` of the signals and has its row in `budgets`, `results`, `counts` and
    `ratios`. `books` are those of the last.
    """
    for number in range(len(variants)):
        row, result = variants[number, t.SIGNALS], books.result
        result[:] = 0
        result[t.CASH] = account.cash
        books.positions[:] = 0
        for instrument in range(len(instruments)):
            instruments[instrument, t.LOTS_BUDGET] = budgets[number, instrument]
        wanted = t.Signals(signals.enters[row], signals.leaves[row], signals.px[row], signals.stop_px[row])
        simulate(market, wanted, instruments, rules, variants[number], costs, books)
        if result[t.FILLS] > len(books.fills):
            return number
        sum_up(market, instruments, account, books, sums, counts[number], ratios[number])
        for column in range(len(result)):
            results[number, column] = result[column]
    return len(variants)
