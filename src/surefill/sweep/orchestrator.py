"""Running a plan: tasks to an executor, outcomes into the plan's stream as they come, and results in the plan's order.

1. What is in the stream is known and never done again; a run that was killed goes on with the rest.
2. Results follow from outcomes alone, not from when they came: killed and resumed, on one process or on many, they are
   the same.
3. A plan that searches grows while it runs: what is tried next is in the stream before it is run, and follows from what
   is known of the batches before.
4. Variants are chosen on training segments only; what was chosen, and the baseline, then runs on the test segments.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from surefill.config import Settings, build_of_this, config_hash
from surefill.errors import ConfigError, InputError, LocalError, StrategyError
from surefill.journal.protocol import Journal
from surefill.market.series import BarSeries
from surefill.strategy.backtest import FillAt
from surefill.strategy.backtest_workspace import in_workspace
from surefill.strategy.decisions import Strategy
from surefill.strategy.registry import StrategyRegistry
from surefill.sweep.events import (
    RunCanceled,
    RunCompleted,
    RunResumed,
    RunStarted,
    SweepEvent,
    VariantFailed,
    stream_of,
)
from surefill.sweep.executors import Executor, InProcess, Keeping
from surefill.sweep.overrides import Sweepable
from surefill.sweep.plan import RunPlan
from surefill.sweep.result import RunResult, result_of, tested
from surefill.sweep.run_record import RunRecord, RunStream, read_run
from surefill.sweep.search import Search
from surefill.sweep.shared_bars import digest_of_bars
from surefill.sweep.split import WHOLE, Segment, Window, windows
from surefill.sweep.workbench import AUTO, Job, Ran, Task

COMMIT_EVERY_S: Final = 0.5
COMMIT_AT_MOST: Final = 4_096


class Progress(NamedTuple):
    """How far a run is. `per_s` counts this run's own outcomes; `eta_s` None: not known yet."""

    done: int
    total: int
    failed: int
    per_s: float
    eta_s: float | None


class Market(NamedTuple):
    """What a plan runs on: bars by symbol, and settings (mode backtest) that know the instruments."""

    settings: Settings
    series: Mapping[str, BarSeries]


def conditions_of(
    market: Market, *, fill_at: FillAt = "next_open", strategies: Sequence[str | Strategy] = ()
) -> dict[str, str]:
    """A plan's `conditions`: the same plan on other bars, with other settings or another strategy is another one.

    Of strategies the files count. Raises StrategyError where one cannot be read.
    """
    settings = in_workspace(market.settings, "sweep")
    files = [Path(each.rpartition(":")[0]) for each in strategies if isinstance(each, str)]
    return {
        "bars": digest_of_bars(market.series),
        "settings": config_hash(settings),
        "fill_at": fill_at,
        **{f"strategy {file.name}": _digest(file) for file in files},
    }


def execute(
    plan: RunPlan,
    market: Market,
    journal: Journal,
    *,
    executor: Executor | None = None,
    strategies: tuple[str | Strategy, ...] = (),
    fill_at: FillAt = "next_open",
    path: str = AUTO,
    keep_journals: bool = False,
    again: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> RunResult:
    """Run a plan into a journal, from its beginning or from where it was left; its results.

    Without `executor` in this process. `strategies`: files or objects besides the built-in ones. `keep_journals`: the
    workspaces' journals too. `again`: variants that failed are tried once more. When `stopping` says so the run is
    canceled: what is known is kept. Raises LocalError (RUN_CHANGED) where plan and market do not belong together,
    JournalError, and what makes every variant impossible.
    """
    conditions = conditions_of(market, fill_at=fill_at, strategies=strategies)
    compare(plan.run_plan_id, plan.conditions, conditions)
    job = Job(plan.run_plan_id, plan.base, market.settings, strategies, fill_at, path)
    run = _Run(plan, conditions, market, journal, job, keep_journals, on_progress)
    return run.to_the_end(executor or InProcess(market.series), stopping, again=again)


class _Run:
    """One run while it goes on."""

    def __init__(
        self,
        plan: RunPlan,
        conditions: dict[str, str],
        market: Market,
        journal: Journal,
        job: Job,
        keep_journals: bool,
        on_progress: Callable[[Progress], None],
    ) -> None:
        series = _series_of(plan, market)
        self._begun_plan = plan
        self._conditions = conditions
        self._job = job
        self._keep_journals = keep_journals
        self._on_progress = on_progress
        self._windows: tuple[Window, ...] = windows(plan.split, series) if plan.split is not None else ()
        self._training: list[Segment] = [window.train for window in self._windows] or [WHOLE]
        self._search = _search_of(plan, job, self._training)
        self._record = RunRecord()
        if stream_of(plan.run_plan_id) in journal.heads():
            self._record = read_run(journal, stream_of(plan.run_plan_id))
        if self._record.started is not None:
            compare(plan.run_plan_id, self._record.started.conditions, conditions)
        self._stream = RunStream(journal, plan.run_plan_id)
        self._began = time.monotonic()
        self._own = 0
        self._tests = 2 * len(self._windows)  # at most; it is known once the choices are made

    def to_the_end(self, executor: Executor, stopping: Callable[[], bool], *, again: bool) -> RunResult:
        record = self._record
        if record.status == "completed" and not (again and any(self._failed())):
            return result_of(record)
        if record.started is None:
            self._write_start()
        else:
            self._write(RunResumed(time.time_ns(), len(record.outcomes), again, build_of_this()))
        with executor.kept() if isinstance(executor, Keeping) else nullcontext():
            for phase in (self._train, self._test):
                phase(executor, stopping)
                if stopping():
                    self._write(RunCanceled(time.time_ns(), len(record.outcomes)))
                    return result_of(record)
        result = result_of(record)
        self._write(RunCompleted(time.time_ns(), result.best, result.completed, result.failed))
        return msgspec.structs.replace(result, status=record.status)

    def _failed(self) -> Iterator[VariantFailed]:
        return (outcome for outcome in self._record.outcomes.values() if isinstance(outcome, VariantFailed))

    def _write_start(self) -> None:
        job = self._job
        self._write(
            RunStarted(
                time.time_ns(),
                self._begun_plan,
                self._windows,
                self._conditions,
                job.settings.model_dump(mode="json", exclude_unset=True),
                tuple(strategy for strategy in job.strategies if isinstance(strategy, str)),
                job.fill_at,
                job.path,
                build_of_this(),
            )
        )

    def _write(self, *events: SweepEvent) -> None:
        self._stream.append(events)
        for event in events:
            self._record.apply(event)

    def _train(self, executor: Executor, stopping: Callable[[], bool]) -> None:
        """All variants; of a search, batch by batch until it has no more to ask."""
        self._work(executor, self._to_train(), stopping)
        while self._search is not None and not stopping():
            asked = self._search.next_round(self._record)
            if not asked:
                return
            self._write(*asked)
            self._work(executor, self._to_train(), stopping)

    def _to_train(self) -> list[Task]:
        return [
            Task(variant, segment, with_journal=self._keep_journals)
            for segment in self._training
            for variant in self._record.plan.variants_in(segment.name)
        ]

    def _test(self, executor: Executor, stopping: Callable[[], bool]) -> None:
        """The chosen variant and the baseline, on what comes after each training segment."""
        tasks = [
            Task(variant, window.test, True, self._keep_journals)
            for window in self._windows
            for variant in tested(self._record.plan, self._record.outcomes, window)
        ]
        self._tests = len(tasks)
        self._work(executor, tasks, stopping)

    def _work(self, executor: Executor, tasks: list[Task], stopping: Callable[[], bool]) -> None:
        """Run what is not known yet, and commit what comes: soon, but not each outcome by itself."""
        outcomes = self._record.outcomes
        missing = [task for task in tasks if (task.variant.variant_id, task.segment.name) not in outcomes]
        fresh: list[Ran] = []
        committed = time.monotonic()
        for ran in executor.run(self._job, missing, stopping) if missing else ():
            fresh.append(ran)
            now = time.monotonic()
            if len(fresh) >= COMMIT_AT_MOST or now - committed >= COMMIT_EVERY_S:
                self._commit(fresh)
                committed = now
        self._commit(fresh)

    def _commit(self, fresh: list[Ran]) -> None:
        if not fresh:
            return
        self._stream.append([ran.outcome for ran in fresh], fresh)
        for ran in fresh:
            self._record.apply(ran.outcome)
        self._own += len(fresh)
        fresh.clear()
        self._on_progress(self._progress())

    def _progress(self) -> Progress:
        done, failed = len(self._record.outcomes), len(list(self._failed()))
        if self._search is not None:
            variants = self._search.most(self._record)
        else:
            variants = len(self._begun_plan.variants) * len(self._training)
        total = variants + self._tests
        per_s = self._own / max(time.monotonic() - self._began, 1e-9)
        return Progress(done, total, failed, per_s, (total - done) / per_s if per_s else None)


def _search_of(plan: RunPlan, job: Job, segments: Sequence[Segment]) -> Search | None:
    if plan.constraints.sampling != "bayes":
        return None
    sweepable = Sweepable(plan.spec, StrategyRegistry.knowing(job.strategies))
    return Search(plan, sweepable, [segment.name for segment in segments])


def _series_of(plan: RunPlan, market: Market) -> dict[str, BarSeries]:
    """The bars that a plan trades. Raises InputError where there are none, ConfigError in another mode."""
    if market.settings.workspace.mode != "backtest":
        raise ConfigError("a plan runs in workspaces of the mode backtest", key="workspace.mode")
    symbols = plan.spec.symbols
    series = {symbol: market.series[symbol] for symbol in symbols if len(market.series.get(symbol, ()))}
    if len(series) < len(symbols):
        missing = ", ".join(symbol for symbol in symbols if symbol not in series)
        raise InputError(f"there are no bars of {missing}", code="NO_BARS", field="symbols")
    return series


def compare(run_plan_id: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """What a plan or a run was made for must be what is here. (A plan may say nothing of it.)"""
    for name, value in before.items():
        if now.get(name) != value:
            raise LocalError(
                f"run {run_plan_id} was begun with other {name}: give it the same again, or make a new plan",
                code="RUN_CHANGED",
                condition=name,
            )


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise StrategyError(f"{file} cannot be read: {error}", code="INVALID_STRATEGY") from error
