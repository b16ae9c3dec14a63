"""One variant through the kernel, and what came of it in the engine's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from surefill.domain.refusals import RefusalCode
from surefill.strategy.spec import ExecutionSpec, ExitSpec
from surefill.sweep.kernels import tables as t
from surefill.sweep.kernels.account import simulate
from surefill.sweep.kernels.compiling import compiled
from surefill.sweep.kernels.prepare import Stage, books_for, budgets_of, variant_of

_FILLS_GUESSED: Final = 4_096
_CODES: Final = {
    t.NO_POSITION: RefusalCode.NO_POSITION,
    t.OUT_OF_RANGE: RefusalCode.QUANTITY_OUT_OF_RANGE,
    t.STOP_SIDE: RefusalCode.STOP_ON_WRONG_SIDE,
    t.TARGET_SIDE: RefusalCode.TARGET_ON_WRONG_SIDE,
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


def run_variant(
    stage: Stage, signals: t.Signals, spec: ExecutionSpec, exit_spec: ExitSpec, cash: int, *, at_close: bool = False
) -> KernelRun:
    """Trade a variant that `coverage` has nothing against, from `cash` money quanta on.

    Raises ConfigError where numba is not installed.
    """
    kernel, variant = compiled(simulate), variant_of(spec, exit_spec, at_close=at_close)
    instruments = stage.instruments.copy()
    instruments[:, t.LOTS_BUDGET] = budgets_of(stage, spec.risk.dollars_per_trade)
    room = _FILLS_GUESSED
    while True:
        books = books_for(stage, cash, room)
        kernel(stage.market, signals, instruments, stage.rules, variant, stage.costs, books)
        count = int(books.result[t.FILLS])
        if count <= room:
            break
        room = count
    return KernelRun(
        stage.names,
        books.fills[:count],
        books.equity,
        int(books.result[t.CASH]),
        {code.name: int(books.result[column]) for column, code in _CODES.items() if books.result[column]},
    )
