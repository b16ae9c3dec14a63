"""`rsi_reversal`: buy when an oversold share turns up, sell when it is overbought."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import partial

from surefill.errors import InputError
from surefill.strategy.decisions import Decision, Parameter, Position
from surefill.strategy.indicators import rsi
from surefill.strategy.snapshot import Columns, MarketSnapshot
from surefill.strategy.spec import ExecutionSpec

PERIOD = Parameter("period", 14, 2, 10_000, "bars of Wilder's averages")
LOWER = Parameter("lower", 30.0, 0.0, 100.0, "oversold below this")
UPPER = Parameter("upper", 70.0, 0.0, 100.0, "overbought from this on")


class RsiReversal:
    """Opens when the relative strength index comes back up to `lower`, closes when it has reached `upper`.

    Nothing opens in the first `period` bars, while the index still settles.
    """

    name = "rsi_reversal"
    parameters = (PERIOD, LOWER, UPPER)
    default_exit = "none"

    def check(self, spec: ExecutionSpec) -> None:
        """Raises InputError unless oversold lies below overbought."""
        lower, upper = LOWER.of(spec), UPPER.of(spec)
        if lower >= upper:
            raise InputError(
                f"entry.params.lower must be below entry.params.upper (got {lower} and {upper})",
                code="INVALID_SPEC",
                field="entry.params.lower",
            )

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterator[Decision | str]:
        """An entry on the way up through `lower`, an exit at `upper`."""
        period = int(PERIOD.of(spec))
        strength = snapshot.causal(("rsi", period), partial(_rsi_of_closes, period=period))
        now, before = strength[-1], strength[-2]
        if position is not None:
            if now >= UPPER.of(spec):
                yield Decision.close_long(f"rsi {now:.1f} is overbought", signal="rsi_overbought")
        elif snapshot.bar_count <= period:
            yield f"lookback_partial_{snapshot.bar_count - 1}_of_{period}"
        elif before < LOWER.of(spec) <= now:
            yield Decision.open_long(f"rsi {now:.1f} back from {before:.1f}", signal="rsi_turned_up")


def _rsi_of_closes(columns: Columns, period: int) -> array[float]:
    return rsi(columns.closes, period)
