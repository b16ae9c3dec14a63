"""Variants as machine code: the path for what the kernel covers, many of them in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from surefill.config import Settings, instrument_of, opening_of, paper_settings_of
from surefill.domain.instrument import Instrument
from surefill.market.series import BarSeries
from surefill.strategy.forms import Vectorised
from surefill.strategy.spec import ExecutionSpec, ExitSpec
from surefill.sweep.events import Curve
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.split import Segment, cut, inside
from surefill.sweep.workbench import KERNEL, Ran, Task, Work, Workbench
from surefill.views.daily_figures import DDOF, DailyFigures, known

if TYPE_CHECKING:
    from surefill.sweep.kernels.prepare import Stage
    from surefill.sweep.kernels.run import BatchRun
    from surefill.sweep.kernels.tables import Ints, Signals

_SHAPES_KEPT: Final = 1_024
_SIGNALS_BYTES: Final = 64_000_000  # kept by a process; half of it goes into one call


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
    extremes: dict[object, Mapping[str, tuple[int, int]]]
    signals: dict[object, Signals | str]
    shapes: dict[object, _Shape]


class KernelPath:
    """See `workbench.VariantPath`."""

    at_once = 512

    def why_not(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> str:
        """Why the engine has to run it."""
        if task.with_journal:
            return "its journal is wanted"
        if find_spec("numba") is None:
            return "numba is not installed (extra `sweep`)"
        ground = _ground(bench, spec, task.segment)
        if ground.why_not:
            return ground.why_not
        signals = _signals(bench, spec, ground)
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
            size = 1 if group[0].task.with_curve else max(1, _most_signals(ground) // 2)
            for first in range(0, len(group), size):
                ran += _run(bench, ground, ground.stage, group[first : first + size])
        return ran


def _run(bench: Workbench, ground: _Ground, stage: Stage, works: Sequence[Work]) -> list[Ran]:
    import numpy as np

    from surefill.sweep.kernels import tables as t
    from surefill.sweep.kernels.prepare import stacked

    found: dict[int, int] = {}
    columns: list[Signals] = []
    rows, budgets = [], []
    for work in works:
        signals, shape = _signals(bench, work.spec, ground), _shape(bench, work.spec, ground)
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
    exit_spec, risk = bench.runner.exit_of(spec), spec.risk
    extremes = ground.extremes[_entry_key(spec)]
    key = (
        exit_spec,
        risk.dollars_per_trade,
        risk.max_positions,
        spec.enabled,
        spec.entry.good_for_bars,
        *extremes.items(),
    )
    found = ground.shapes.get(key)
    if found is None:
        if len(ground.shapes) >= _SHAPES_KEPT:
            ground.shapes.clear()
        found = ground.shapes[key] = _shaped(bench, spec, exit_spec, ground, extremes)
    return found


def _shaped(
    bench: Workbench,
    spec: ExecutionSpec,
    exit_spec: ExitSpec,
    ground: _Ground,
    extremes: Mapping[str, tuple[int, int]],
) -> _Shape:
    from surefill.sweep.kernels.coverage import variant_uncovered
    from surefill.sweep.kernels.prepare import budgets_of, variant_of

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
    return _Ground(known, traded, instruments, opening.starting_cash, "", stage, {None: extremes_of(traded)}, {}, {})


def _signals(bench: Workbench, spec: ExecutionSpec, ground: _Ground) -> Signals | str:
    """The strategy's signals over the traded bars, computed once for all variants that share them; or why not."""
    kept, key = ground.signals, _entry_key(spec)
    found = kept.get(key)
    if found is None:
        if len(kept) >= _most_signals(ground):
            del kept[next(iter(kept))]
        found = kept[key] = _computed(bench, spec, ground)
    return found


def _entry_key(spec: ExecutionSpec) -> object:
    """What a strategy's signals depend on."""
    return spec.entry.type, spec.entry.lookback_days, repr(spec.entry.params)


def _most_signals(ground: _Ground) -> int:
    assert ground.stage is not None
    return max(1, _SIGNALS_BYTES // max(2 * len(ground.stage.market.bars), 1))


def _computed(bench: Workbench, spec: ExecutionSpec, ground: _Ground) -> Signals | str:
    from surefill.sweep.kernels.coverage import widened
    from surefill.sweep.kernels.prepare import signals_of

    strategy = bench.runner.registry.get(spec.entry.type)
    if not isinstance(strategy, Vectorised):
        return f"{strategy.name} has no form over a whole series"
    bench.runner.exit_of(spec)  # raises where the strategy refuses the spec
    assert ground.stage is not None
    said = {}
    for symbol in ground.stage.names:
        begin = len(ground.known[symbol]) - len(ground.traded[symbol])
        said[symbol] = strategy.signals(spec, ground.known[symbol]).since(begin)
    ground.extremes[_entry_key(spec)] = widened(ground.extremes[None], ground.instruments, said)
    return signals_of(list(said.values()))
