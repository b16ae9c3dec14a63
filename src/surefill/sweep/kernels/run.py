"""Variants through the kernel, and what came of one in the engine's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from surefill.domain.refusals import RefusalCode
from surefill.strategy.spec import ExecutionSpec, ExitSpec
from surefill.sweep.kernels import tables as t
from surefill.sweep.kernels.batch import simulate_all
from surefill.sweep.kernels.compiling import compiled
from surefill.sweep.kernels.prepare import Stage, books_for, budgets_of, stacked, sums_for, variant_of
from surefill.views.daily_figures import PER_YEAR_EXCHANGE

_FILLS_GUESSED: Final = 4_096
_CODES: Final = {
    t.NO_POSITION: RefusalCode.NO_POSITION,
    t.NO_ORD_TYPE: RefusalCode.UNSUPPORTED_ORDER_TYPE,
    t.OUT_OF_RANGE: RefusalCode.QUANTITY_OUT_OF_RANGE,
    t.STOP_SIDE: RefusalCode.STOP_ON_WRONG_SIDE,
    t.TARGET_SIDE: RefusalCode.TARGET_ON_WRONG_SIDE,
    t.NO_SHORT: RefusalCode.SHORT_NOT_ALLOWED,
    t.NO_CASH: RefusalCode.INSUFFICIENT_CASH,
}


class Fill(NamedTuple):
    """One fill: prices and quantities in quanta, money in money quanta; `reason` is an ExitReason."""

    symbol: str
    ts_ns: int
    side: int
    px: int
    qty: int
    fee: int
    reason: int


class KernelRun(NamedTuple):
    """`equity`: cash and positions at the closes of each moment, in money quanta. `refused`: how many, by code."""

    names: tuple[str, ...]
    rows: t.Ints
    equity: t.Ints
    cash: int
    refused: dict[str, int]

    def fills(self) -> Iterator[Fill]:
        """Every fill, in the order in which they happened."""
        for row in self.rows.tolist():
            yield Fill(
                self.names[row[t.INSTRUMENT]],
                row[t.TS_NS],
                row[t.SIDE],
                row[t.PX],
                row[t.LAST_QTY],
                row[t.FEE],
                row[t.REASON],
            )


class Summed(NamedTuple):
    """What came of many variants, a row for each: see the columns in `tables`."""

    results: t.Ints
    counts: t.Ints
    ratios: t.Floats


def run_variant(
    stage: Stage, signals: t.Signals, spec: ExecutionSpec, exit_spec: ExitSpec, cash: int, *, at_close: bool = False
) -> KernelRun:
    """Trade a variant that `coverage` has nothing against, from `cash` money quanta on, by signals of one row.

    Raises ConfigError where numba is not installed.
    """
    run = BatchRun(stage, t.Account(cash, PER_YEAR_EXCHANGE))
    many = stacked([signals])
    row = variant_of(spec, exit_spec, at_close=at_close)
    summed = run.all(many, row.reshape(1, -1), np.array([budgets_of(stage, spec.risk.dollars_per_trade)]))
    result = summed.results[0]
    return KernelRun(
        stage.names,
        run.books.fills[: result[t.FILLS]],
        run.books.equity,
        int(result[t.CASH]),
        {code.name: int(result[column]) for column, code in _CODES.items() if result[column]},
    )


class BatchRun:
    """Variants over a stage, each from the same account. `books` are those of the last one."""

    def __init__(self, stage: Stage, account: t.Account) -> None:
        self.stage, self._account = stage, account
        self._kernel = compiled(simulate_all)
        self._instruments = stage.instruments.copy()
        self._make_room(_FILLS_GUESSED)

    def all(self, signals: t.Signals, variants: t.Ints, budgets: t.Ints) -> Summed:
        """Run variants: a row each, of `variant_of` and of `budgets_of`."""
        many, stage = len(variants), self.stage
        found = Summed(
            np.zeros((many, t.RESULT_COLUMNS), np.int64),
            np.zeros((many, t.COUNT_COLUMNS), np.int64),
            np.zeros((many, t.RATIO_COLUMNS)),
        )
        done = 0
        while True:
            done += self._kernel(
                stage.market,
                signals,
                self._instruments,
                stage.rules,
                stage.costs,
                self._account,
                variants[done:],
                budgets[done:],
                self.books,
                self._sums,
                found.results[done:],
                found.counts[done:],
                found.ratios[done:],
            )
            if done == many:
                return found
            self._make_room(2 * int(self.books.result[t.FILLS]))

    def _make_room(self, fills: int) -> None:
        self.books, self._sums = books_for(self.stage, fills), sums_for(self.stage, fills)
