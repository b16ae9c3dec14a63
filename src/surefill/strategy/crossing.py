"""`ema_cross` and `sma_cross`: long while the fast moving average is above the slow one."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import partial

from surefill.errors import InputError
from surefill.strategy.decisions import Decision, Parameter, Position
from surefill.strategy.indicators import ema
from surefill.strategy.snapshot import Columns, Floats, MarketSnapshot
from surefill.strategy.spec import ExecutionSpec

FAST = Parameter("fast", 20, 1, 10_000, "bars of the fast average")
SLOW = Parameter("slow", 50, 2, 10_000, "bars of the slow average")


class _Crossing:
    """What both crosses share: open when fast crosses above slow, close when it is below.

    Nothing opens before `slow` bars have passed. Closing asks where the averages are, not whether they crossed just
    now: a bar that was missed does not leave a position behind.
    """

    name = ""
    parameters = (FAST, SLOW)
    default_exit = "none"

    def check(self, spec: ExecutionSpec) -> None:
        """Raises InputError unless the fast average is the shorter one."""
        fast, slow = FAST.of(spec), SLOW.of(spec)
        if fast >= slow:
            raise InputError(
                f"entry.params.fast must be below entry.params.slow (got {fast} and {slow})",
                code="INVALID_SPEC",
                field="entry.params.fast",
            )

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterator[Decision | str]:
        """An entry on the cross, an exit below."""
        fast, slow = int(FAST.of(spec)), int(SLOW.of(spec))
        now, before = self._differences(snapshot, fast, slow)
        if position is not None:
            if now < 0:
                yield Decision.close_long(f"{self.name}: {fast} below {slow} bars", signal=f"{self.name}_down")
        elif snapshot.bar_count <= slow:
            yield f"lookback_partial_{snapshot.bar_count - 1}_of_{slow}"
        elif before <= 0 < now:
            yield Decision.open_long(f"{self.name}: {fast} above {slow} bars", signal=f"{self.name}_up")

    def _differences(self, snapshot: MarketSnapshot, fast: int, slow: int) -> tuple[float, float]:
        """Fast minus slow (only its sign counts) at the current bar and at the one before."""
        raise NotImplementedError


class EmaCross(_Crossing):
    """Exponential moving averages of closing prices, started at the first bar there is."""

    name = "ema_cross"

    def _differences(self, snapshot: MarketSnapshot, fast: int, slow: int) -> tuple[float, float]:
        short, long = _emas(snapshot, fast), _emas(snapshot, slow)
        return short[-1] - long[-1], short[-2] - long[-2]


class SmaCross(_Crossing):
    """Simple moving averages of closing prices: sums of integers, compared exactly."""

    name = "sma_cross"

    def _differences(self, snapshot: MarketSnapshot, fast: int, slow: int) -> tuple[float, float]:
        closes = snapshot.columns.close_px
        if len(closes) <= slow:
            return 0, 0
        short, long = sum(closes[-fast:]), sum(closes[-slow:])
        short_before = short - closes[-1] + closes[-fast - 1]
        long_before = long - closes[-1] + closes[-slow - 1]
        return short * slow - long * fast, short_before * slow - long_before * fast


def _emas(snapshot: MarketSnapshot, period: int) -> Floats:
    return snapshot.causal(("ema", period), partial(_ema_of_closes, period=period))


def _ema_of_closes(columns: Columns, period: int) -> array[float]:
    return ema(columns.closes, period)
