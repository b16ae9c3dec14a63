"""Which tasks go to a worker next, and what becomes of those that were under way when one died.

1. Tasks go in portions that take so long that the way there and back costs little.
2. What was under way when a worker died is suspect: each of it runs again, by itself, with nothing else under way.
3. A task that kills its worker `DEATHS_MAX` times while it is alone fails with WORKER_DIED.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final

from surefill.sweep.events import VariantFailed
from surefill.sweep.workbench import Ran, Task

DEATHS_MAX: Final = 2
PORTION_S: Final = 0.1
PORTION_MAX: Final = 512
IN_FLIGHT: Final = 2  # for each worker: one portion that runs, one that waits for it


class Pace:
    """How many tasks go together: so many that a portion takes about `portion_s`."""

    def __init__(self, portion_s: float = PORTION_S) -> None:
        self._portion_s = portion_s
        self._size = 1

    def portion(self, waiting: Iterator[Task]) -> list[Task]:
        """The next ones."""
        return list(islice(waiting, self._size))

    def took(self, tasks: int, seconds: float) -> None:
        """A portion is done. From one to the next they grow fourfold at most."""
        fitting = int(self._portion_s * tasks / max(seconds, 1e-9))
        self._size = max(1, min(fitting, 4 * self._size, PORTION_MAX))


class HandOut:
    """The tasks of one run on their way to workers that may die."""

    def __init__(self, tasks: Iterable[Task], portion_s: float = PORTION_S) -> None:
        self._waiting: Iterator[Task] = iter(tasks)
        self._pace = Pace(portion_s)
        self._suspects: deque[Task] = deque()
        self._alone = False
        self._deaths = 0  # of the one that is alone

    def next(self, workers: int, flying: int) -> list[Task]:
        """What `workers` get next while `flying` portions are under way; nothing where they have enough."""
        if self._suspects or self._alone:
            if flying:
                return []
            self._alone = bool(self._suspects)
        if self._alone:
            return [self._suspects.popleft()]
        return self._pace.portion(self._waiting) if flying < workers * IN_FLIGHT else []

    def done(self, tasks: int, seconds: float) -> None:
        """A portion came back."""
        self._deaths = 0
        self._pace.took(tasks, seconds)

    def again(self, tasks: list[Task]) -> None:
        """A portion got lost, by no fault of a worker's: it goes first."""
        if self._alone:
            self._suspects.extendleft(tasks)
        else:
            self._waiting = chain(tasks, self._waiting)

    def died(self, lost: list[Task], deaths: int = 1) -> Iterator[Ran]:
        """Workers have died with these under way, so many of them. The task that was alone has done it."""
        if not self._alone:
            self._suspects.extend(lost)
            return
        (task,) = lost
        self._deaths += deaths
        if self._deaths < DEATHS_MAX:
            self._suspects.appendleft(task)
            return
        reason = f"the process that ran it died, {self._deaths} times while nothing else was under way"
        self._deaths = 0
        yield Ran(VariantFailed(task.variant.variant_id, task.segment.name, "WORKER_DIED", reason))
