"""A check, its number and how it is judged."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from surefill.errors import VenueOutcomeUnknown
from surefill.testing.remote_venue.faults import Fault
from surefill.testing.venue_conformance.ground import Ground
from surefill.testing.venue_conformance.stage import Stage

LONGEST_S: Final = 60.0
#: How long a deviation is waited for: what does not come in this time has not come.
DEVIATES_WITHIN_S: Final = 0.5

Story = Callable[[Any, Stage], Coroutine[Any, Any, None]]
#: As pytest collects it.
Test = Callable[[Any, Ground], None]


class Check(NamedTuple):
    """`title` says what an adapter does; `part` is the group it stands in; `faults` are those that have to strike."""

    number: int
    part: str
    title: str
    faults: frozenset[Fault]

    @property
    def name(self) -> str:
        """As tables show it."""
        return f"EX-{self.number:02}"


#: Every check by its number; the page on conformance is made of this.
CHECKS: Final[dict[int, Check]] = {}


def check(number: int, title: str, *faults: Fault) -> Callable[[Story], Test]:
    """Make a numbered check of a story on a stage."""

    def numbered(story: Story) -> Test:
        if number in CHECKS:
            raise TypeError(f"EX-{number:02} is there already: {CHECKS[number].title}")
        made = CHECKS[number] = Check(number, story.__module__.rpartition(".")[2], title, frozenset(faults))

        def test(self: Any, ground: Ground) -> None:
            _judge(made, ground, lambda stage: story(self, stage))

        test.__name__, test.__qualname__, test.__doc__ = story.__name__, story.__qualname__, title
        return test

    return numbered


def _judge(made: Check, ground: Ground, story: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
    """Make the check; a deviation has to be one, and what is not applicable has to say why."""
    why_not = ground.not_applicable.get(made.number)
    if why_not is not None:
        raise unittest.SkipTest(f"{made.name}, not applicable: {why_not}")
    cannot = made.faults - ground.faults
    if cannot:
        raise AssertionError(f"the ground cannot arm {sorted(f.name for f in cannot)}: say why in not_applicable")
    deviation = ground.deviations.get(made.number)
    within_s = ground.within_s if deviation is None else DEVIATES_WITHIN_S
    try:
        asyncio.run(_play(made, ground, within_s, story))
    except (AssertionError, VenueOutcomeUnknown) as error:
        if deviation is None:
            raise
        raise unittest.SkipTest(f"{made.name}, a deviation, tried: {deviation}") from error
    if deviation is not None:
        raise AssertionError(f"{made.name} is met: take it out of the deviations ({deviation})")


async def _play(
    made: Check, ground: Ground, within_s: float, story: Callable[[Stage], Coroutine[Any, Any, None]]
) -> None:
    await asyncio.to_thread(ground.begin)
    before = {fault: await asyncio.to_thread(ground.struck, fault) for fault in made.faults}
    async with asyncio.timeout(LONGEST_S), Stage(ground, within_s) as stage:
        await story(stage)
    for fault, count in before.items():
        assert await asyncio.to_thread(ground.struck, fault) > count, f"{fault.name} never struck: nothing was tried"
