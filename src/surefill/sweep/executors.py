"""Where variants run: in this process, or in worker processes of this machine.

An executor takes tasks and gives back what came of each, in whatever order it comes; nothing else is asked of one, so
a cluster is another class with this one method.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for_end
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from surefill.errors import LocalError, StrategyError
from surefill.market.series import BarSeries
from surefill.sweep.events import VariantFailed
from surefill.sweep.paths import PATHS
from surefill.sweep.shared_bars import map_bars, write_bars
from surefill.sweep.workbench import Job, Ran, Task, Workbench

Stopping = Callable[[], bool]
DEATHS_MAX: Final = 2
PORTION_S: Final = 0.1
PORTION_MAX: Final = 512
_LOOK_S: Final = 0.2
_IN_FLIGHT: Final = 2  # for each worker: one that runs, one that waits for it
_STARTED: Final = "started"


class Executor(Protocol):
    """Runs tasks."""

    def run(self, job: Job, tasks: Iterable[Task], stopping: Stopping) -> Iterator[Ran]:
        """What came of each task, in any order; when `stopping` says so, no task is begun any more.

        Raises what makes the job as a whole impossible (a strategy's file that is gone).
        """


class Pace:
    """How many tasks go together: so many that a portion takes about `PORTION_S`."""

    def __init__(self) -> None:
        self._size = 1

    def portion(self, waiting: Iterator[Task]) -> list[Task]:
        """The next ones."""
        return list(islice(waiting, self._size))

    def took(self, tasks: int, seconds: float) -> None:
        """A portion is done. From one to the next they grow fourfold at most."""
        fitting = int(PORTION_S * tasks / max(seconds, 1e-9))
        self._size = max(1, min(fitting, 4 * self._size, PORTION_MAX))


@runtime_checkable
class Keeping(Protocol):
    """An executor that can keep what it made for one `run` for the next one of the same job."""

    def kept(self) -> AbstractContextManager[None]:
        """Keep it, until the end of the block."""


class InProcess:
    """One after the other, here."""

    def __init__(self, series: Mapping[str, BarSeries]) -> None:
        self._series = series

    def run(self, job: Job, tasks: Iterable[Task], stopping: Stopping) -> Iterator[Ran]:
        """See `Executor`."""
        bench = Workbench(job, self._series, PATHS)
        waiting, pace = iter(tasks), Pace()
        while not stopping() and (portion := pace.portion(waiting)):
            began = time.monotonic()
            yield from bench.run(portion)
            pace.took(len(portion), time.monotonic() - began)


class WorkerProcesses:
    """In `workers` processes that share the bars' memory.

    A worker that dies (killed, out of memory) takes nothing along: what was under way is done again, one task at a time
    until it is through. A task that kills its worker `DEATHS_MAX` times while it is alone fails with WORKER_DIED.
    Programs that use it need the usual `if __name__ == "__main__":`, since workers import the main module.
    """

    def __init__(self, series: Mapping[str, BarSeries], workers: int = 0) -> None:
        self._series = series
        self._workers = workers or os.cpu_count() or 1
        self._crew: _Crew | None = None
        self._keeps = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """See `Keeping`: the processes, and the bars that they map."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            self._dismiss()

    def run(self, job: Job, tasks: Iterable[Task], stopping: Stopping) -> Iterator[Ran]:
        """See `Executor`."""
        if self._crew is None:
            _check_sendable(job)
            self._crew = _Crew(job, self._series, self._workers)
        try:
            yield from _Running(self._crew, tasks, stopping).outcomes()
        finally:
            if not self._keeps:
                self._dismiss()

    def _dismiss(self) -> None:
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.close()


class _Crew:
    """A pool of workers for one job, and the folder of its bars."""

    def __init__(self, job: Job, series: Mapping[str, BarSeries], workers: int) -> None:
        self.workers = workers
        self._job = job
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="surefill-bars-")))
            write_bars(series, self._folder)
            self.pool = self._new_pool()
            self._cleaning = stack.pop_all()

    @property
    def has_started(self) -> bool:
        """Whether any of its workers ever came up."""
        return (self._folder / _STARTED).exists()

    def replace(self) -> None:
        """Another pool for one that has lost a worker."""
        self.pool.shutdown()
        self.pool = self._new_pool()

    def close(self) -> None:
        """No more of it."""
        self.pool.shutdown(cancel_futures=True)
        self._cleaning.close()

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers,
            mp_context=get_context("spawn"),
            initializer=_begin,
            initargs=(self._job, str(self._folder)),
        )


class _Running:
    """The tasks of one run on their way through pools of workers: a pool that has lost one is replaced."""

    def __init__(self, crew: _Crew, tasks: Iterable[Task], stopping: Stopping) -> None:
        self._crew = crew
        self._waiting = iter(tasks)
        self._stopping = stopping
        self._flying: dict[Future[tuple[list[Ran], float]], list[Task]] = {}
        self._pace = Pace()
        self._suspects: deque[Task] = deque()  # were under way when a worker died: each runs alone now
        self._alone = False
        self._deaths = 0  # of the one that is alone

    def outcomes(self) -> Iterator[Ran]:
        """What came of every task."""
        while self._submit():
            done, _ = wait(self._flying, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            lost = []
            for future in done:
                tasks = self._flying.pop(future)
                try:
                    ran, seconds = future.result()
                except BrokenProcessPool:
                    lost += tasks
                else:
                    self._deaths = 0
                    self._pace.took(len(tasks), seconds)
                    yield from ran
            if lost:
                self._check_started()
                lost += chain.from_iterable(self._flying.values())
                self._flying.clear()
                self._crew.replace()
                yield from self._suspect(lost)

    def _submit(self) -> bool:
        """Keep the workers busy; whether anything is under way."""
        self._alone = bool(self._suspects) or (self._alone and bool(self._flying))
        room = 1 if self._alone else self._crew.workers * _IN_FLIGHT
        while len(self._flying) < room and not self._stopping():
            tasks = [self._suspects.popleft()] if self._alone else self._pace.portion(self._waiting)
            if not tasks:
                break
            try:
                future = self._crew.pool.submit(_work, tasks)
            except BrokenProcessPool as error:
                future = Future()
                future.set_exception(error)
            self._flying[future] = tasks
        return bool(self._flying)

    def _check_started(self) -> None:
        """Workers that never came up will not the next time either. Raises LocalError."""
        if not self._crew.has_started:
            raise LocalError(
                'worker processes die as they start: a program that uses them needs `if __name__ == "__main__":`;'
                " what they said is on standard error",
                code="WORKERS_CANNOT_START",
            )

    def _suspect(self, lost: Iterable[Task]) -> Iterator[Ran]:
        """A worker has died with these under way. The one that was alone has done it."""
        if not self._alone:
            self._suspects.extend(lost)
            return
        (task,) = lost
        self._deaths += 1
        if self._deaths < DEATHS_MAX:
            self._suspects.appendleft(task)
            return
        self._deaths = 0
        reason = f"the process that ran it died, {DEATHS_MAX} times while nothing else was under way"
        yield Ran(VariantFailed(task.variant.variant_id, task.segment.name, "WORKER_DIED", reason))


def _check_sendable(job: Job) -> None:
    """Raises StrategyError where a strategy cannot be sent to another process."""
    try:
        ForkingPickler.dumps(job)
    except Exception as error:  # whatever the strategy's own attributes raise
        raise StrategyError(
            f"a strategy cannot be sent to worker processes ({error}): write it in a file and name that,"
            " or run it in this process",
            code="INVALID_STRATEGY",
        ) from error


_job: tuple[Job, str] | None = None
_bench: Workbench | None = None


def _begin(job: Job, folder: str) -> None:
    """In a worker: remember the job, leave Ctrl-C to the parent, and do not outlive it."""
    global _job
    _job = job, folder
    Path(folder, _STARTED).touch()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="surefill-parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait_for_end([parent.sentinel])
    os._exit(1)


def _work(tasks: list[Task]) -> tuple[list[Ran], float]:
    """In a worker: run tasks, and how many seconds they took; the bars are mapped with the first."""
    global _bench
    if _bench is None:
        assert _job is not None
        _bench = Workbench(_job[0], map_bars(Path(_job[1])), PATHS)
    began = time.monotonic()
    return list(_bench.run(tasks)), time.monotonic() - began
