"""Variants as machine code: the path for what the kernel covers, many of them in one call."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from surefill.config import Settings, instrument_of, opening_of, paper_settings_of
from surefill.domain.instrument import Instrument
from surefill.market.series import BarSeries
from surefill.strategy.spec import ExecutionSpec, ExitSpec
from surefill.sweep.events import Curve
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.split import Segment, cut, inside
from surefill.sweep.workbench import KERNEL, Ran, Task, Work, Workbench
from surefill.views.daily_figures import DDOF, DailyFigures, known

if TYPE_CHECKING:
    from surefill.sweep.kernel_signals import SignalSource
    from surefill.sweep.kernels.coverage import Waiting
    from surefill.sweep.kernels.prepare import Stage
    from surefill.sweep.kernels.run import BatchRun
    from surefill.sweep.kernels.tables import Ints, Signals

_SHAPES_KEPT: Final = 1_024


class _Shape(NamedTuple):
    """What of a variant is not its signals: `why_not`, else its rows of the kernel's tables."""

    why_not: str
    row: Sequence[int]
    budgets: Sequence[int]


class _Ground(NamedTuple):
    """What the variants over the same symbols and segment share. `why_not`: the kernel cannot stand in here."""

    known: dict[str, BarSeries]
    traded: dict[str, BarSeries]
    instruments: dict[str, Instrument]
    starting_cash: int
    why_not: str
    stage: Stage | None
    extremes: dict[str, tuple[int, int]]
    sources: dict[str, SignalSource]
    shapes: dict[object, _Shape]


class KernelPath:
    """See `workbench.VariantPath`."""

    at_once = 512

    def why_not(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> str:
        """Why the engine has to run it."""
        if task.with_journal:
            return "its journal is wanted"
        if not _numba_is_there():
            return "numba is not installed (extra `sweep`)"
        ground = _ground(bench, spec, task.segment)
        if ground.why_not:
            return ground.why_not
        signals = _source(bench, spec, ground).of(spec)
        return signals if isinstance(signals, str) else _shape(bench, spec, ground).why_not

    def run(self, bench: Workbench, works: Sequence[Work]) -> list[Ran]:
        """Their figures, from the kernel's fills."""
        ran: list[Ran] = []
        apart: dict[object, list[Work]] = {}
        for work in works:
            apart.setdefault((work.task.segment, work.spec.symbols, work.task.with_curve), []).append(work)
        for group in apart.values():
            ground = _ground(bench, group[0].spec, group[0].task.segment)
            assert ground.stage is not None
            size = 1 if group[0].task.with_curve else _source(bench, group[0].spec, ground).together
            for first in range(0, len(group), size):
                ran += _run(bench, ground, ground.stage, group[first : first + size])
        return ran


@functools.cache
def _numba_is_there() -> bool:
    return find_spec("numba") is not None


def _run(bench: Workbench, ground: _Ground, stage: Stage, works: Sequence[Work]) -> list[Ran]:
    import numpy as np

    from surefill.sweep.kernels import tables as t
    from surefill.sweep.kernels.prepare import stacked

    found: dict[int, int] = {}
    columns: list[Signals] = []
    rows, budgets = [], []
    source = _source(bench, works[0].spec, ground)
    for work in works:
        signals, shape = source.of(work.spec), _shape(bench, work.spec, ground)
        assert not isinstance(signals, str)  # `why_not` has asked
        if id(signals) not in found:
            found[id(signals)] = len(columns)
            columns.append(signals)
        rows.append((*shape.row[: t.SIGNALS], found[id(signals)]))
        budgets.append(shape.budgets)
    run = _batch(bench, stage, ground.starting_cash)
    summed = run.all(stacked(columns), np.array(rows, np.int64), np.array(budgets, np.int64))
    start, days = ground.starting_cash, len(stage.market.day_ends)
    figures = zip(works, summed.counts.tolist(), summed.ratios.tolist(), strict=True)
    return [
        Ran(
            bench.completed(
                KERNEL,
                work,
                _metrics(counts, ratios, start, days, bench.per_year),
                curve=_curve(stage, run.books.equity) if work.task.with_curve else None,
            )
        )
        for work, counts, ratios in figures
    ]


def _batch(bench: Workbench, stage: Stage, cash: int) -> BatchRun:
    """The run whose books the variants over a stage take turns with."""
    from surefill.sweep.kernels.run import BatchRun
    from surefill.sweep.kernels.tables import Account

    kept = bench.kept.get(KERNEL)
    if not isinstance(kept, BatchRun) or kept.stage is not stage:
        kept = bench.kept[KERNEL] = BatchRun(stage, Account(cash, bench.per_year))
    return kept


def _curve(stage: Stage, equity: Ints) -> Curve:
    ends = stage.market.day_ends
    return Curve(tuple(stage.market.closes_ns[ends].tolist()), tuple(equity[ends].tolist()))


def _metrics(counts: list[int], ratios: list[float], start: int, days: int, per_year: int) -> VariantMetrics:
    """A variant's rows as figures."""
    end, fees, trades, winning, losing, drawdown_days = counts
    return_pct, fall, sharpe, win_rate, profit_factor, expectancy, exposure, turnover, mae, mfe, *daily = ratios
    daily_fall, sharpe_a_year, sortino, cagr, calmar, volatility, sharpe_per_day, skew, kurtosis = daily
    return VariantMetrics(
        return_pct,
        fall,
        known(sharpe),
        win_rate,
        trades,
        known(profit_factor),
        start,
        end,
        fees,
        known(expectancy),
        exposure,
        known(turnover),
        winning,
        losing,
        known(mae),
        known(mfe),
        DailyFigures(
            days,
            per_year,
            0.0,
            DDOF,
            known(sharpe_a_year),
            known(sortino),
            known(cagr),
            known(calmar),
            known(volatility),
            daily_fall,
            drawdown_days,
            known(sharpe_per_day),
            known(skew),
            known(kurtosis),
        ),
    )


def _shape(bench: Workbench, spec: ExecutionSpec, ground: _Ground) -> _Shape:
    """A variant's rows, made once for all that differ in their signals only."""
    exit_spec, risk = bench.runner.registry.exit_of(spec), spec.risk
    prices = _source(bench, spec, ground).prices_of(spec)
    key = exit_spec, risk.dollars_per_trade, risk.max_positions, spec.enabled, spec.entry.good_for_bars, prices
    found = ground.shapes.get(key)
    if found is None:
        if len(ground.shapes) >= _SHAPES_KEPT:
            ground.shapes.clear()
        found = ground.shapes[key] = _shaped(bench, spec, exit_spec, ground, prices)
    return found


def _shaped(bench: Workbench, spec: ExecutionSpec, exit_spec: ExitSpec, ground: _Ground, prices: Waiting) -> _Shape:
    from surefill.sweep.kernels.coverage import variant_uncovered, widened
    from surefill.sweep.kernels.prepare import budgets_of, variant_of

    extremes = widened(ground.extremes, ground.instruments, prices)
    why_not = variant_uncovered(extremes, ground.instruments, spec, exit_spec)
    if why_not:
        return _Shape(why_not, (), ())
    assert ground.stage is not None
    row = variant_of(spec, exit_spec, at_close=bench.job.fill_at == "close")
    return _Shape("", row.tolist(), budgets_of(ground.stage, spec.risk.dollars_per_trade))


def _ground(bench: Workbench, spec: ExecutionSpec, segment: Segment) -> _Ground:
    key = (segment, spec.symbols)
    found = bench.kept.get(key)
    if not isinstance(found, _Ground):
        found = bench.kept[key] = _made(bench.job.settings, {s: bench.series[s] for s in spec.symbols}, segment)
    return found


def _made(settings: Settings, series: Mapping[str, BarSeries], segment: Segment) -> _Ground:
    from surefill.sweep.kernels.coverage import extremes_of, uncovered
    from surefill.sweep.kernels.prepare import stage_of

    known, traded = cut(series, segment), inside(series, segment)
    instruments = {symbol: instrument_of(settings, symbol) for symbol in series}
    opening, paper = opening_of(settings, 0), paper_settings_of(settings)
    why_not = uncovered(traded, instruments, opening.profile, paper)
    if why_not:
        return _Ground(known, traded, instruments, opening.starting_cash, why_not, None, {}, {}, {})
    earlier = {symbol: len(known[symbol]) - len(traded[symbol]) for symbol in series}
    stage = stage_of(traded, instruments, opening.profile, paper, earlier)
    return _Ground(known, traded, instruments, opening.starting_cash, "", stage, extremes_of(traded), {}, {})


def _source(bench: Workbench, spec: ExecutionSpec, ground: _Ground) -> SignalSource:
    found = ground.sources.get(spec.entry.type)
    if found is None:
        from surefill.sweep.kernel_signals import SignalSource

        assert ground.stage is not None
        strategy = bench.runner.registry.get(spec.entry.type)
        found = ground.sources[spec.entry.type] = SignalSource(
            strategy, ground.stage.names, ground.known, ground.traded
        )
    return found
