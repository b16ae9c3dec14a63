"""`rsi_reversal`: buy when an oversold share turns up, sell when it is overbought."""

from __future__ import annotations

from array import array
from functools import partial
from typing import NamedTuple

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.strategy.decisions import Decision, Parameter, Position, Said
from surefill.strategy.forms import Signals
from surefill.strategy.indicators import WilderRsi, rsi
from surefill.strategy.snapshot import Columns, Floats, MarketSnapshot
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

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Said:
        """An entry on the way up through `lower`, an exit at `upper`."""
        levels = _levels(spec)
        strength = _strengths(snapshot, levels.period)
        return _said(levels, snapshot.bar_count, strength[-1], strength[-2], position)

    def start(self, spec: ExecutionSpec, price_decimals: int) -> _RsiStream:
        """Bar by bar: see `forms.Incremental`."""
        return _RsiStream(spec, 10**price_decimals)

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        """A whole series: see `forms.Vectorised`."""
        import numpy as np

        from surefill.strategy.arrays import from_bar, long_only

        period = int(PERIOD.of(spec))
        strength = np.asarray(_strengths(series, period))
        turned = from_bar(len(series), period) & (strength >= LOWER.of(spec))
        turned[1:] &= strength[:-1] < LOWER.of(spec)
        return long_only(turned, strength >= UPPER.of(spec))


class _RsiStream:
    """The index, and what it was a bar before."""

    def __init__(self, spec: ExecutionSpec, scale: int) -> None:
        self._levels = _levels(spec)
        self._scale = scale
        self._bars = 0
        self._index = WilderRsi(self._levels.period)
        self._now = 0.0

    def on_bar(self, bar: Bar, position: Position | None) -> Said:
        """See `forms.BarStream`."""
        self._bars += 1
        before, self._now = self._now, self._index.push(bar.close_px / self._scale)
        return _said(self._levels, self._bars, self._now, before, position)


class _Levels(NamedTuple):
    period: int
    lower: float
    upper: float


def _levels(spec: ExecutionSpec) -> _Levels:
    return _Levels(int(PERIOD.of(spec)), LOWER.of(spec), UPPER.of(spec))


def _said(levels: _Levels, bar_count: int, now: float, before: float, position: Position | None) -> Said:
    """What follows from the index now and a bar before, after so many bars."""
    period, lower, upper = levels
    if position is not None:
        if now >= upper:
            return (Decision.close_long(f"rsi {now:.1f} is overbought", signal="rsi_overbought"),)
    elif bar_count <= period:
        return (f"lookback_partial_{bar_count - 1}_of_{period}",)
    elif before < lower <= now:
        return (Decision.open_long(f"rsi {now:.1f} back from {before:.1f}", signal="rsi_turned_up"),)
    return ()


def _strengths(bars: MarketSnapshot | BarSeries, period: int) -> Floats:
    return bars.causal(("rsi", period), partial(_rsi_of_closes, period=period))


def _rsi_of_closes(columns: Columns, period: int) -> array[float]:
    return rsi(columns.closes, period)
