"""One variant at a time: what a process needs for it, and the paths that it can take.

The engine runs everything: runner, gates, engine, paper venue, journal. Another path (a compiled kernel) may be quicker
for what it covers; it owes the same trades, and every outcome says which path it took.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from surefill.config import Settings, instrument_of, paper_settings_of
from surefill.domain.events import Event
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import InvariantBreach, SurefillError
from surefill.journal import KeyClaim, MemoryJournal
from surefill.market.series import BarSeries
from surefill.strategy.backtest import Backtest, FillAt
from surefill.strategy.backtest_workspace import in_workspace, open_for_backtest
from surefill.strategy.decisions import Strategy
from surefill.strategy.registry import StrategyRegistry
from surefill.strategy.runner import StrategyRunner
from surefill.strategy.spec import ExecutionSpec, load_spec
from surefill.sweep.canonical import workspace_of
from surefill.sweep.events import Curve, Outcome, VariantCompleted, VariantFailed
from surefill.sweep.metrics import Booked, metrics_of
from surefill.sweep.overrides import Sweepable
from surefill.sweep.plan import Variant
from surefill.sweep.split import Segment, cut, inside
from surefill.venues.paper import PaperVenue
from surefill.views.daily_figures import SumUp, daily_equity, daily_sums, periods_per_year
from surefill.views.excursions import excursion
from surefill.views.trades import TradeLog

AUTO: Final = "auto"
ENGINE: Final = "engine"
KERNEL: Final = "kernel"
_FLUSH_EVERY: Final = 512  # moments in a commit: the events are the same
_NEVER: Final = 2**62


class Job(NamedTuple):
    """What all variants of a plan share; sent to every process once.

    `strategies`: files of strategies (`my_file.py:MyStrategy`), or strategies themselves. `path`: "auto", or one by its
    name.
    """

    run_plan_id: str
    base: Mapping[str, object]
    settings: Settings
    strategies: tuple[str | Strategy, ...] = ()
    fill_at: FillAt = "next_open"
    path: str = AUTO


class Task(NamedTuple):
    """One variant over one segment of time. `with_curve`: its daily equity is wanted; `with_journal`: its journal."""

    variant: Variant
    segment: Segment
    with_curve: bool = False
    with_journal: bool = False


class Ran(NamedTuple):
    """What came of a task; events and claims of the workspace's journal where they were wanted."""

    outcome: Outcome
    workspace_id: str = ""
    payloads: tuple[bytes, ...] = ()
    claims: tuple[KeyClaim, ...] = ()


class VariantPath(Protocol):
    """A way to run a variant."""

    def why_not(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> str:
        """Why this path cannot run it; "" when it can."""

    def run(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> Ran:
        """Run it, to `bench.completed`. What it raises is the variant's failure."""


class EnginePath:
    """The engine itself, into a journal in memory."""

    def why_not(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> str:
        """It can run everything."""
        return ""

    def run(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> Ran:
        """See `VariantPath`."""
        settings = in_workspace(bench.job.settings, spec.workspace_id)
        known, traded = (part({s: bench.series[s] for s in spec.symbols}, task.segment) for part in (cut, inside))
        journal = MemoryJournal()
        writer = WorkspaceWriter(
            journal, spec.workspace_id, PaperVenue(paper_settings_of(settings)), snapshot_every=_NEVER
        )
        log = TradeLog()

        def follow(_seq: int, events: list[Event]) -> None:
            for event in events:
                log.apply(event)

        writer.subscribers.append(follow)
        open_for_backtest(writer, settings, traded)
        result = Backtest(
            writer,
            spec,
            known,
            runner=bench.runner,
            fill_at=bench.job.fill_at,
            flush_every=_FLUSH_EVERY,
            from_ns=task.segment.from_ns,
        ).run()
        book = writer.state.book
        times, equity = [point.ts_ns for point in result.equity], [point.equity for point in result.equity]
        booked = Booked(
            book.starting_cash,
            times,
            sum(equity),
            daily_equity(times, equity),
            log.closed,
            list(log.running.values()),
            [excursion(trade, traded[trade.instrument_id]) for trade in log.closed],
            book.fees,
            {name: instrument.money_per_notional for name, instrument in book.instruments.items()},
        )
        head = journal.heads()[spec.workspace_id]
        completed = bench.completed(ENGINE, task, booked, events=head.seq, head=head.chain_hash.hex())
        if not task.with_journal:
            return Ran(completed)
        payloads = tuple(record.payload for record in journal.read(spec.workspace_id))
        return Ran(completed, spec.workspace_id, payloads, tuple(journal.read_keys(spec.workspace_id)))


class Workbench:
    """Everything in one process that running variants takes. Raises StrategyError, InputError, ConfigError.

    `paths` by name, the preferred ones first; the engine is the last, and takes whatever is left. `kept` is for them:
    what they need not make again for the next variant.
    """

    def __init__(self, job: Job, series: Mapping[str, BarSeries], paths: Mapping[str, VariantPath]) -> None:
        self.job = job
        self.series = series
        self.kept: dict[object, object] = {}
        self._paths = paths
        registry = StrategyRegistry.knowing(job.strategies)
        self.runner = StrategyRunner(registry)
        self._base = load_spec(job.base, code="INVALID_BASE_SPEC")
        self._sweepable = Sweepable(self._base, registry)
        calendars = {instrument_of(job.settings, symbol).calendar for symbol in self._base.symbols}
        self._per_year = periods_per_year(calendars, self._base.timeframe)

    def run(self, task: Task) -> Ran:
        """Run one task. Whatever goes wrong in it is its outcome, with the reason."""
        variant, segment = task.variant, task.segment.name
        try:
            workspace_id = workspace_of(self.job.run_plan_id, variant.variant_id, segment)
            spec = self._sweepable.spec(variant.overrides).model_copy(update={"workspace_id": workspace_id})
            return self._run(spec, task)
        except SurefillError as error:
            return Ran(VariantFailed(variant.variant_id, segment, error.code, error.message))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}; this is a defect of surefill"
            return Ran(VariantFailed(variant.variant_id, segment, "INTERNAL", reason))

    def _run(self, spec: ExecutionSpec, task: Task) -> Ran:
        why_not = ""
        for name, path in self._paths.items():
            if name in (self.job.path, ENGINE) or self.job.path == AUTO:
                refused = path.why_not(self, spec, task)
                if not refused:
                    ran = path.run(self, spec, task)
                    return ran._replace(outcome=msgspec.structs.replace(ran.outcome, why_not=why_not))
                why_not = why_not or f"{name}: {refused}"
        raise InvariantBreach(f"the engine runs everything, but not this: {why_not}")

    def completed(
        self,
        path: str,
        task: Task,
        booked: Booked,
        *,
        events: int = 0,
        head: str = "",
        sum_up: SumUp = daily_sums,
    ) -> VariantCompleted:
        """The outcome of a run that left this behind."""
        curve = None
        if task.with_curve:
            times, equity = booked.daily
            curve = Curve(tuple(map(int, times)), tuple(map(int, equity)))
        metrics = metrics_of(booked, self._per_year, sum_up=sum_up)
        return VariantCompleted(task.variant.variant_id, task.segment.name, path, metrics, events, head, curve)
