"""Running the matrix: stories side by side on emulated venues of their own, and what came of every cell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec

from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault, fault_named
from surefill.testing.fault_matrix.place import Place
from surefill.testing.fault_matrix.session import NotStruck
from surefill.testing.fault_matrix.steps import FAULTS, STEPS, Step
from surefill.testing.fault_matrix.story import Story, Struck

_PLACES: Final = {
    "remote": ("remote", "RemotePlace"),
    "binance": ("binance", "SpotPlace"),
    "binanceusdm": ("binance", "UsdmPlace"),
    "kite": ("kite", "KitePlace"),
    "mt5": ("mt5", "Mt5Place"),
}
#: The venues, in the order in which tables show them.
VENUES: Final = tuple(_PLACES)
STORY_WITHIN_S: Final = 180.0
#: After these a venue is left alone for seconds, so that their steps are quicker in stories of their own.
_SLOW: Final = (WireFault.BANNED, WireFault.OVERLOADED, WireFault.UNAVAILABLE)


class Job(msgspec.Struct, frozen=True):
    """One story: a fault at some steps of it, what does not matter by the seed. `again`: it did not strike before."""

    venue: str
    fault: str
    steps: tuple[str, ...]
    seed: int = 0
    again: bool = False


class Result(msgspec.Struct, frozen=True):
    """What came of a story: the cells that were struck and ended well, and of one that did not, why."""

    job: Job
    struck: tuple[Struck, ...]
    failed_step: str = ""
    why: str = ""

    @property
    def void(self) -> bool:
        """Whether the fault had no occasion to strike, which proves nothing and is no failure of what is tried."""
        return self.why.startswith(NotStruck.__name__)


def place_of(venue: str) -> type[Place]:
    """The venue by its name in `VENUES`. Its adapter's client library is imported here."""
    module, name = _PLACES[venue]
    found: type[Place] = getattr(import_module(f"surefill.testing.fault_matrix.places.{module}"), name)
    return found


def possible(venue: str, fault: AnyFault) -> tuple[Step, ...]:
    """At which steps the fault can strike there."""
    place = place_of(venue)
    return tuple(step for step in STEPS if not place.why_not(fault, step))


def impossible(venue: str) -> Iterator[tuple[AnyFault, Step, str]]:
    """The cells that cannot be, each with its reason."""
    place = place_of(venue)
    for fault in FAULTS:
        for step in STEPS:
            why = place.why_not(fault, step)
            if why:
                yield fault, step, why


def jobs_of(
    venues: Iterable[str], seeds: Iterable[int] = (0,), faults: Sequence[str] = (), steps: Sequence[str] = ()
) -> list[Job]:
    """Stories that strike every cell that can be, once for each seed; fewer where faults or steps are named."""
    jobs: list[Job] = []
    for seed in seeds:
        for venue in venues:
            for fault in FAULTS:
                if faults and fault.name not in faults:
                    continue
                names = [each.name for each in possible(venue, fault) if not steps or each.name in steps]
                parts = [[each] for each in names] if fault in _SLOW else [names] if names else []
                jobs += [Job(venue, fault.name, tuple(each), seed) for each in parts]
    return jobs


async def run(
    jobs: Sequence[Job], directory: Path, told: Callable[[Result], None], *, at_a_time: int = 4
) -> list[Result]:
    """Run stories of one venue or of several, so many at a time of each; `told` hears of each result."""
    results: list[Result] = []

    def tell(result: Result) -> None:
        results.append(result)
        told(result)

    async with asyncio.TaskGroup() as group:
        for venue in dict.fromkeys(job.venue for job in jobs):
            waiting = [job for job in reversed(jobs) if job.venue == venue]
            for _ in range(min(at_a_time, len(waiting))):
                group.create_task(_work(place_of(venue), waiting, directory, tell))
    return results


async def _work(kind: type[Place], waiting: list[Job], directory: Path, tell: Callable[[Result], None]) -> None:
    """One emulated venue, and one story after another on it; after one that failed it is another venue."""
    place = await asyncio.to_thread(kind, directory)
    try:
        while waiting:
            job = waiting.pop()
            result = await _told(place, job)
            tell(result)
            if not result.why:
                continue
            after = 0 if result.void and not job.again else 1  # once more, with the same step first
            known = result.failed_step in job.steps
            left = job.steps[job.steps.index(result.failed_step) + after :] if known else ()
            if left:
                waiting.append(msgspec.structs.replace(job, steps=left, again=not after))
            await asyncio.to_thread(place.close)
            place = await asyncio.to_thread(kind, directory)
    finally:
        await asyncio.to_thread(place.close)


async def _told(place: Place, job: Job) -> Result:
    story = Story(place, fault_named(job.fault), [Step[name] for name in job.steps], job.seed)
    why = ""
    try:
        async with asyncio.timeout(STORY_WITHIN_S):
            await story.tell()
    except Exception as error:  # a story that breaks off is a story that failed, whatever broke it
        why = f"{type(error).__name__}: {error}"
    struck = tuple(story.outcomes)
    failed = "" if not why else next(iter(job.steps[len(struck) :]), "the end")
    return Result(job, struck, failed, why)


class Tally(msgspec.Struct):
    """What came of one cell over all seeds."""

    stories: int = 0
    fired: int = 0
    paged: int = 0
    by_hand: int = 0
    failed: int = 0


def tallied(results: Iterable[Result]) -> dict[tuple[str, str, str], Tally]:
    """By venue, fault and step."""
    cells: dict[tuple[str, str, str], Tally] = {}
    for result in results:
        job = result.job
        for each in result.struck:
            tally = cells.setdefault((job.venue, job.fault, each.step), Tally())
            tally.stories += 1
            tally.fired += each.fired
            tally.paged += each.paged
            tally.by_hand += each.by_hand
        if result.why and not result.void:
            at = result.failed_step if result.failed_step in job.steps else job.steps[-1]
            cells.setdefault((job.venue, job.fault, at), Tally()).failed += 1
    return cells
