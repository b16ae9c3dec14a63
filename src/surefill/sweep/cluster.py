"""Where variants run: on the workers of a Dask cluster, several clients of which may be at work.

1. A worker gets a job, its strategies' files and the bars once, whole, and keeps them; then portions of tasks.
2. Dask itself gives the work of a worker that died to others. A portion whose workers died more often than the
   scheduler allows (`distributed.scheduler.allowed-failures`) comes back, and its tasks run alone (`HandOut`).
3. A scheduler that is gone is waited for, with patience; what was under way is sent again.
4. Client and workers must be the same program: results are owed to the last digit.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from surefill.errors import ConfigError, LocalError, RemoteError, SurefillError
from surefill.market.series import BarSeries
from surefill.sweep.cluster_parcel import Parcel, parcel_of
from surefill.sweep.executors import Stopping
from surefill.sweep.hand_out import HandOut
from surefill.sweep.workbench import Job, Ran, Task

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE_S: Final = 60.0
PORTION_S: Final = 0.25  # Dask takes some milliseconds for each, three processes together
_ANSWER_S: Final = 5.0
_LOOK_S: Final = 0.2
_COUNT_S: Final = 1.0


class ClusterWorkers:
    """Over the workers of the cluster whose scheduler is at `address` ("tcp://10.0.0.5:8786").

    Without an answer or any worker for `patience_s` seconds in the middle of a run it gives up: CLUSTER_LOST. Nobody at
    the address at the beginning: CLUSTER_UNREACHABLE, at once. Raises ConfigError where `distributed` is missing.
    """

    def __init__(self, series: Mapping[str, BarSeries], address: str, *, patience_s: float = PATIENCE_S) -> None:
        try:
            import distributed  # noqa: F401
        except ModuleNotFoundError as error:
            raise ConfigError(
                "a cluster needs the extra: pip install 'surefill[cluster]', or use worker processes",
                code="MISSING_EXTRA",
            ) from error
        self._series = series
        self._address = address
        self._patience_s = patience_s

    def run(self, job: Job, tasks: Iterable[Task], stopping: Stopping) -> Iterator[Ran]:
        """See `Executor`. Raises RemoteError (CLUSTER_UNREACHABLE, CLUSTER_LOST, CLUSTER_FAILED), LocalError too."""
        parcel = parcel_of(job, self._series)
        yield from _Running(self._address, parcel, HandOut(tasks, PORTION_S), stopping, self._patience_s).outcomes()


class _Lost(Exception):
    """The scheduler is gone, or has forgotten what it was given."""


class _Link:
    """A connection to the scheduler, and what goes over it. Raises _Lost, and what may not be gone on with."""

    def __init__(self, address: str, parcel: Parcel) -> None:
        from distributed import Client

        try:
            self._client: Client = Client(address, timeout=_ANSWER_S, set_as_default=False)
        except OSError as error:
            raise _Lost(f"{type(error).__name__}: {error}") from error
        except ValueError as error:
            raise ConfigError(
                f"{address!r} is no address of a scheduler, such as tcp://10.0.0.5:8786: {error}"
            ) from error
        self._parcel = parcel

    def close(self, under_way: Iterable[Future] = ()) -> None:
        """Take back what is under way, and hang up."""
        with contextlib.suppress(_Lost):  # a scheduler that is gone holds nothing back
            self._asked(self._client.cancel, list(under_way), force=True)
        with contextlib.suppress(OSError):  # it does not say good-bye in time
            self._client.close(timeout=_ANSWER_S)

    def workers(self) -> int:
        """How many there are."""
        return len(self._asked(self._client.nthreads))

    def prepare(self, address: str | None = None) -> None:
        """Send the parcel to all workers that have it not yet, or to one. Raises LocalError (VERSIONS_DIFFER)."""
        from surefill.sweep.cluster_worker import greet, identity, unpack

        those, mine, lacking = None if address is None else [address], identity(), []
        for worker, told in self._run(greet, self._parcel.key, workers=those):
            theirs, has = told if isinstance(told, tuple) else (told, False)
            if theirs != mine:
                raise LocalError(
                    f"worker {worker} of the cluster runs another program ({_difference(mine, theirs)}): install there"
                    " what is here, or the other way round",
                    code="VERSIONS_DIFFER",
                )
            lacking += [] if has else [worker]
        for worker, error in self._run(unpack, self._parcel, workers=lacking):
            if error is not None:
                raise RemoteError(
                    f"worker {worker} of the cluster cannot keep the bars: {error}", code="CLUSTER_FAILED"
                )

    def _run(self, function: Any, given: object, workers: list[str] | None) -> list[tuple[str, Any]]:
        """What it returned or raised at these workers; errors without a number are those of workers that died."""
        told = self._asked(self._client.run, function, given, workers=workers, on_error="return")
        return [(worker, each) for worker, each in told.items() if not isinstance(each, OSError) or each.errno]

    def submit(self, tasks: list[Task], wake: threading.Event) -> Future:
        """Send a portion."""
        from surefill.sweep.cluster_worker import Portion, work

        name = f"surefill-{uuid4().hex}"
        future = self._asked(self._client.submit, work, self._parcel.key, Portion(tasks), key=name, pure=False)
        future.add_done_callback(lambda _: wake.set())
        return future

    def results(self, futures: list[Future]) -> list[Any]:
        """What came of those that are done: a value, or what was raised."""
        if any(each.status not in ("finished", "error") for each in futures):
            raise _Lost
        fine = [each for each in futures if each.status == "finished"]
        values = dict(zip(fine, self._asked(self._client.gather, fine), strict=True))
        return [values[each] if each in values else each.exception() for each in futures]

    def _asked(self, question: Any, *words: Any, **more: Any) -> Any:
        import asyncio
        from concurrent.futures import CancelledError

        from distributed.client import ClosedClientError

        if self._client.status != "running":
            raise _Lost
        try:
            return question(*words, **more)
        except (OSError, CancelledError, asyncio.CancelledError, ClosedClientError) as error:
            raise _Lost from error


class _Running:
    """The tasks of one run on their way over the cluster."""

    def __init__(self, address: str, parcel: Parcel, hand_out: HandOut, stopping: Stopping, patience_s: float) -> None:
        self._address, self._parcel = address, parcel
        self._hand_out = hand_out
        self._stopping = stopping
        self._patience_s = patience_s
        self._flying: dict[Future, list[Task]] = {}
        self._wake = threading.Event()
        self._workers = 0
        self._counted = self._heard = time.monotonic()
        self._link = self._first_link()

    def outcomes(self) -> Iterator[Ran]:
        """What came of every task."""
        try:
            while not self._stopping():
                try:
                    if not self._submit():
                        return
                    self._wake.wait(_LOOK_S)
                    self._wake.clear()
                    yield from self._come_back()
                    self._count()
                except _Lost:
                    self._again()
            with contextlib.suppress(_Lost):
                yield from self._come_back()
        finally:
            self._link.close(self._flying)

    def _first_link(self) -> _Link:
        try:
            link = _Link(self._address, self._parcel)
        except _Lost as error:
            raise RemoteError(
                f"no scheduler answers at {self._address} ({error}): start one with 'dask scheduler',"
                " or check the address",
                code="CLUSTER_UNREACHABLE",
            ) from error
        try:
            link.prepare()
        except _Lost:
            pass  # the first portion finds out
        except BaseException:
            link.close()
            raise
        return link

    def _submit(self) -> bool:
        """Keep the workers busy; whether anything is under way."""
        while tasks := self._hand_out.next(max(self._workers, 1), len(self._flying)):
            try:
                self._flying[self._link.submit(tasks, self._wake)] = tasks
            except _Lost:
                self._hand_out.again(tasks)
                raise
        return bool(self._flying)

    def _come_back(self) -> Iterator[Ran]:
        """What came of the portions that are done."""
        from distributed.scheduler import KilledWorker

        from surefill.sweep.cluster_worker import Done, Lacking

        done = [future for future in self._flying if future.done()]
        for future, found in zip(done, self._link.results(done), strict=True):
            tasks = self._flying.pop(future)
            self._heard = time.monotonic()
            if isinstance(found, Done):
                self._hand_out.done(len(tasks), found.seconds)
                yield from found.ran
            elif isinstance(found, Lacking):
                self._hand_out.again(tasks)
                self._link.prepare(found.address)
            elif isinstance(found, KilledWorker):
                yield from self._hand_out.died(tasks, found.allowed_failures + 1)
            elif isinstance(found, SurefillError):
                raise found
            else:
                raise RemoteError(
                    f"a worker of the cluster could not run variants: {type(found).__name__}: {found}",
                    code="CLUSTER_FAILED",
                )

    def _count(self) -> None:
        """How many workers there are, now and then; none for long is as good as no cluster."""
        now = time.monotonic()
        if now - self._counted >= _COUNT_S or not self._workers:
            self._counted, self._workers = now, self._link.workers()
            if self._workers:
                self._heard = now
            self._check_patience(f"the cluster at {self._address} has no workers")

    def _again(self) -> None:
        """Wait for the scheduler; what was under way is to be sent again."""
        for tasks in self._flying.values():
            self._hand_out.again(tasks)
        self._flying.clear()
        self._link.close()
        while not self._stopping():
            try:
                self._link = _Link(self._address, self._parcel)
                self._link.prepare()
            except _Lost:
                self._link.close()
                self._check_patience(f"no scheduler answers at {self._address} any more")
            else:
                return

    def _check_patience(self, what: str) -> None:
        if time.monotonic() - self._heard > self._patience_s:
            raise RemoteError(
                f"{what}, for {self._patience_s:g} s. What is known is kept: once the cluster is there again,"
                " go on with 'surefill sweep resume RUN --cluster ADDRESS', or execute the same plan again",
                code="CLUSTER_LOST",
            )


def _difference(mine: dict[str, str], theirs: object) -> str:
    """In words. A worker without the module says so with an error."""
    if not isinstance(theirs, dict):
        return str(theirs)
    return ", ".join(
        f"{name} {theirs.get(name)} there, {own} here" for name, own in mine.items() if theirs.get(name) != own
    )
