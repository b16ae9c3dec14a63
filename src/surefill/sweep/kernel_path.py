"""Variants as machine code: the path for what the kernel covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from surefill.config import Settings, instrument_of, opening_of, paper_settings_of
from surefill.domain.instrument import Instrument
from surefill.market.series import BarSeries
from surefill.rules.codes import ExitReason
from surefill.strategy.forms import CLOSES_LONG, Vectorised
from surefill.strategy.spec import ExecutionSpec
from surefill.sweep.metrics import Booked
from surefill.sweep.split import Segment, cut, inside
from surefill.sweep.workbench import KERNEL, Ran, Task, Workbench
from surefill.views.daily_figures import daily_sums
from surefill.views.excursions import Excursion
from surefill.views.trades import Trade
from surefill.views.wording import exit_word

if TYPE_CHECKING:
    from surefill.sweep.kernels.prepare import Stage
    from surefill.sweep.kernels.run import Fill
    from surefill.sweep.kernels.tables import Ints, Signals

_HALF: Final = 30
_SIGNALS_KEPT: Final = 64


class _Ground(NamedTuple):
    """What the variants over the same symbols and segment share. `why_not`: the kernel cannot stand in here."""

    known: dict[str, BarSeries]
    traded: dict[str, BarSeries]
    instruments: dict[str, Instrument]
    starting_cash: int
    why_not: str
    stage: Stage | None
    times: list[int]
    extremes: dict[str, tuple[int, int]]
    signals: dict[str, Signals | str]


class KernelPath:
    """See `workbench.VariantPath`."""

    def why_not(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> str:
        """Why the engine has to run it."""
        if task.with_journal:
            return "its journal is wanted"
        if find_spec("numba") is None:
            return "numba is not installed (extra `sweep`)"
        from surefill.sweep.kernels.coverage import variant_uncovered

        ground = _ground(bench, spec, task.segment)
        if ground.why_not:
            return ground.why_not
        signals = _signals(bench, spec, ground)
        if isinstance(signals, str):
            return signals
        return variant_uncovered(ground.extremes, ground.instruments, spec, bench.runner.exit_of(spec))

    def run(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> Ran:
        """Its figures, from the kernel's fills."""
        from surefill.sweep.kernels.compiling import compiled
        from surefill.sweep.kernels.run import run_variant

        ground = _ground(bench, spec, task.segment)
        signals = _signals(bench, spec, ground)
        assert ground.stage is not None
        assert not isinstance(signals, str)  # `why_not` has asked
        found = run_variant(
            ground.stage,
            signals,
            spec,
            bench.runner.exit_of(spec),
            ground.starting_cash,
            at_close=bench.job.fill_at == "close",
        )
        fills = list(found.fills())
        per_notional = {name: each.money_per_notional for name, each in ground.instruments.items()}
        closed, running = trades_of(fills, per_notional, spec.strategy_id)
        ends = ground.stage.day_ends
        booked = Booked(
            ground.starting_cash,
            ground.times,
            _sum(found.equity),
            (ground.stage.closes_ns[ends].tolist(), cast("Sequence[int]", found.equity[ends])),
            closed,
            running,
            _went(ground.stage, closed),
            sum(fill.fee for fill in fills),
            per_notional,
        )
        return Ran(bench.completed(KERNEL, task, booked, sum_up=compiled(daily_sums)))


def _sum(column: Ints) -> int:
    """The sum of money, which may be beyond 64 bits."""
    return (int((column >> _HALF).sum()) << _HALF) + int((column & (1 << _HALF) - 1).sum())


def _went(stage: Stage, trades: Sequence[Trade]) -> list[Excursion]:
    """How far each trade went, as `views.excursions` has it."""
    import numpy as np

    from surefill.sweep.kernels.compiling import compiled
    from surefill.sweep.kernels.figures import TRADE_COLUMNS, excursions

    numbers = {name: number for number, name in enumerate(stage.names)}
    rows = np.array(
        [
            (
                numbers[each.instrument_id],
                each.entry_ns,
                each.exit_ns,
                each.entry_notional // each.entry_qty,
                each.exit_notional // each.exit_qty,
            )
            for each in trades
        ],
        np.int64,
    ).reshape(-1, TRADE_COLUMNS)
    adverse, favourable = np.zeros(len(rows)), np.zeros(len(rows))
    compiled(excursions)(rows, stage.bounds, stage.market, adverse, favourable)
    return list(map(Excursion, adverse.tolist(), favourable.tolist()))


def trades_of(
    fills: Iterable[Fill], per_notional: Mapping[str, int], strategy_id: str
) -> tuple[list[Trade], list[Trade]]:
    """Round trips, closed and still open, as `views.trades` makes them of a journal; entries are whole, and exits."""
    closed, running = [], {}
    for symbol, ts_ns, side, px, qty, fee, reason in fills:
        if side > 0:
            running[symbol] = Trade(
                symbol, symbol, strategy_id, "", 1, ts_ns, entry_qty=qty, entry_notional=px * qty, fees=fee, fills=1
            )
            continue
        trade = running.pop(symbol)
        trade.exit_ns, trade.exit_qty, trade.exit_notional = ts_ns, qty, px * qty
        trade.realised = (trade.exit_notional - trade.entry_notional) * per_notional[symbol]
        trade.fees += fee
        trade.fills += 1
        trade.exit_reason = exit_word(ExitReason(reason)) or "signal"
        closed.append(trade)
    return closed, list(running.values())


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
        return _Ground(known, traded, instruments, opening.starting_cash, why_not, None, [], {}, {})
    earlier = {symbol: len(known[symbol]) - len(traded[symbol]) for symbol in series}
    stage = stage_of(traded, instruments, opening.profile, paper, earlier)
    return _Ground(
        known, traded, instruments, opening.starting_cash, "", stage, stage.closes_ns.tolist(), extremes_of(traded), {}
    )


def _signals(bench: Workbench, spec: ExecutionSpec, ground: _Ground) -> Signals | str:
    """The strategy's signals over the traded bars, computed once for all variants that share them; or why not."""
    kept, key = ground.signals, spec.entry.model_dump_json()
    if key not in kept:
        if len(kept) >= _SIGNALS_KEPT:
            del kept[next(iter(kept))]
        kept[key] = _computed(bench, spec, ground)
    return kept[key]


def _computed(bench: Workbench, spec: ExecutionSpec, ground: _Ground) -> Signals | str:
    import numpy as np

    from surefill.sweep.kernels.tables import Signals

    strategy = bench.runner.registry.get(spec.entry.type)
    if not isinstance(strategy, Vectorised):
        return f"{strategy.name} has no form over a whole series"
    bench.runner.exit_of(spec)  # raises where the strategy refuses the spec
    enters, leaves = [], []
    assert ground.stage is not None
    for symbol in ground.stage.names:
        found = strategy.signals(spec, ground.known[symbol])
        begin = len(ground.known[symbol]) - len(ground.traded[symbol])
        if (found.entries[begin:] < 0).any():
            return f"{strategy.name} sells short"
        enters.append(found.entries[begin:] > 0)
        leaves.append(found.exits[begin:] & CLOSES_LONG)
    return Signals(np.concatenate(enters).astype(np.uint8), np.concatenate(leaves).astype(np.uint8))
