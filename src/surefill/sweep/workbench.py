"""Variants in one process: what it needs for them, and the paths that they can take.

The engine runs everything: runner, gates, engine, paper venue, journal. Another path (a compiled kernel) may be quicker
for what it covers; it owes the same trades, and every outcome says which path it took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

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
from surefill.sweep.metrics import Booked, VariantMetrics, metrics_of
from surefill.sweep.overrides import Sweepable
from surefill.sweep.plan import Variant
from surefill.sweep.split import Segment, cut, inside
from surefill.venues.paper import PaperVenue
from surefill.views.daily_figures import daily_equity, periods_per_year
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


class Work(NamedTuple):
    """A task on its way. `spec` is its variant's in all that decides trades; its names are the base's.

    `why_not`: why a preferred path does not run it.
    """

    task: Task
    spec: ExecutionSpec
    why_not: str


class VariantPath(Protocol):
    """A way to run variants."""

    @property
    def at_once(self) -> int:
        """How many it takes in one call."""

    def why_not(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> str:
        """Why this path cannot run it; "" when it can."""

    def run(self, bench: Workbench, works: Sequence[Work]) -> list[Ran]:
        """Run them, each to `bench.completed`. What it raises over one of them is its failure."""


class EnginePath:
    """The engine itself, into a journal in memory."""

    at_once = 1

    def why_not(self, bench: Workbench, spec: ExecutionSpec, task: Task) -> str:
        """It can run everything."""
        return ""

    def run(self, bench: Workbench, works: Sequence[Work]) -> list[Ran]:
        """See `VariantPath`."""
        return [self._ran(bench, work, bench.spec_of(work.task)) for work in works]

    def _ran(self, bench: Workbench, work: Work, spec: ExecutionSpec) -> Ran:
        task = work.task
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
        curve = Curve(*map(tuple, booked.daily)) if task.with_curve else None
        metrics = metrics_of(booked, bench.per_year)
        completed = bench.completed(ENGINE, work, metrics, head.seq, head.chain_hash.hex(), curve)
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
        self.per_year = periods_per_year(calendars, self._base.timeframe)

    def run(self, tasks: Iterable[Task]) -> Iterator[Ran]:
        """Run tasks, in any order. Whatever goes wrong in one is its outcome, with the reason."""
        waiting: dict[str, list[Work]] = {}
        for task in tasks:
            try:
                name, work = self._prepared(task)
            except Exception as error:
                yield _failed(task, error)
                continue
            works = waiting.setdefault(name, [])
            works.append(work)
            if len(works) >= self._paths[name].at_once:
                yield from self._through(self._paths[name], waiting.pop(name))
        for name, works in waiting.items():
            yield from self._through(self._paths[name], works)

    def spec_of(self, task: Task) -> ExecutionSpec:
        """A task's spec whole, in the workspace that it has to itself. Raises InputError."""
        workspace_id = workspace_of(self.job.run_plan_id, task.variant.variant_id, task.segment.name)
        return self._sweepable.spec(task.variant.overrides).model_copy(update={"workspace_id": workspace_id})

    def _prepared(self, task: Task) -> tuple[str, Work]:
        """A task and the name of the path that takes it."""
        spec, why_not = self._sweepable.draft(task.variant.overrides), ""
        for name, path in self._paths.items():
            if name in (self.job.path, ENGINE) or self.job.path == AUTO:
                refused = path.why_not(self, spec, task)
                if not refused:
                    return name, Work(task, spec, why_not)
                why_not = why_not or f"{name}: {refused}"
        raise InvariantBreach(f"the engine runs everything, but not this: {why_not}")

    def _through(self, path: VariantPath, works: Sequence[Work]) -> Iterator[Ran]:
        """What came of them; where several together come to grief, each by itself."""
        try:
            yield from path.run(self, works)
        except Exception as error:
            if len(works) == 1:
                yield _failed(works[0].task, error)
            else:
                for work in works:
                    yield from self._through(path, [work])

    def completed(
        self,
        path: str,
        work: Work,
        metrics: VariantMetrics,
        events: int = 0,
        head: str = "",
        curve: Curve | None = None,
    ) -> VariantCompleted:
        """The outcome of a run with these figures."""
        task = work.task
        return VariantCompleted(
            task.variant.variant_id, task.segment.name, path, metrics, events, head, curve, work.why_not
        )


def _failed(task: Task, error: Exception) -> Ran:
    code, reason = "INTERNAL", f"{type(error).__name__}: {error}; this is a defect of surefill"
    if isinstance(error, SurefillError):
        code, reason = error.code, error.message
    return Ran(VariantFailed(task.variant.variant_id, task.segment.name, code, reason))
