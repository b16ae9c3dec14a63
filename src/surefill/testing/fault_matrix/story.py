"""The story: enter, protect, move the stop, leave; and a fault that strikes at some steps of it.

1. Before each step that is to be struck the story is brought to where that step begins, with nothing wrong.
2. The fault is armed, the step is made, and the fault must strike: else the case has proved nothing, and fails.
3. The fault is switched off, and without anybody's help everything must settle: all that the venue has is known, both
   books are the same, what is held is guarded, or somebody was called. Then the person who was called does his part.
4. At the end the position leaves, nothing works anywhere, the journal holds all invariants, and looking at the venue
   once more changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

import msgspec

from surefill.errors import VenueOutcomeUnknown
from surefill.journal import verify
from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault
from surefill.testing.fault_matrix.place import CRASHED, Place
from surefill.testing.fault_matrix.session import BEAT_S, NEVER, WORKSPACE, Failed, NotStruck, described
from surefill.testing.fault_matrix.steps import OF_LOOKS, OF_STREAMS, STEPS, Step
from surefill.testing.fault_matrix.trip import TRIES, Trip
from surefill.testing.invariants import check_journal
from surefill.testing.remote_venue.faults import Fault

STRIKE_WITHIN_S = 10.0
LONG_ENOUGH_S = 1.0


class Struck(msgspec.Struct, frozen=True):
    """What came of one cell: how often the fault struck, whether somebody was called, and had to end an order."""

    fault: str
    step: str
    fired: int
    paged: bool
    by_hand: bool


class Story(Trip):
    """`fault` strikes at `steps`; the seed decides what does not matter."""

    def __init__(self, place: Place, fault: AnyFault | None, steps: Sequence[Step], seed: int) -> None:
        names = " ".join(step.name for step in steps)
        super().__init__(place, fault, seed, f"{place.name} {fault.name if fault else ''} {names} {seed}")
        self.steps = steps
        self.outcomes: list[Struck] = []

    async def tell(self) -> list[Struck]:
        """All of it. Raises Failed."""
        await asyncio.to_thread(self.place.begin, self.chance)
        try:
            await self.session.open()
            for step in STEPS:
                if step in self.steps:
                    await self._at(step)
            await self._end()
        finally:
            await self._closed()
        return self.outcomes

    async def _closed(self) -> None:
        if WORKSPACE in self.session.engine.desks:
            await self.session.close()

    async def _at(self, step: Step) -> None:
        """One step, struck."""
        await self.come_to(step)
        fired, alarms = (await self.session.there()).fired[self._name()], len(self.session.alarms)
        by_hand = self.session.resolved_by_hand
        wanted = await self._arm(step)
        await self.jitter()
        acting = asyncio.ensure_future(self.act_of(step)())
        try:
            struck = await self._struck(fired, wanted, acting)
            await self._heal()
            if self.seed and step in (Step.MOVE, Step.RECONCILE, Step.STOP) and self.chance.random() < 0.3:
                await self.by_hand()
            await acting
        finally:
            acting.cancel()
        await self.settled(alarms)
        paged = any(each.page for each in self.session.alarms[alarms:])
        await self._minded()
        ended = self.session.resolved_by_hand > by_hand
        self.outcomes.append(Struck(self._name(), step.name, struck, paged, ended))

    # -- the fault --------------------------------------------------------------------------------------------

    def _name(self) -> str:
        return self.fault.name if self.fault else ""

    async def _arm(self, step: Step) -> int:
        """Arm the fault; how many strikes to wait for."""
        if self.fault is None:
            return 0
        times = 1 if self.fault is Fault.CRASH else self.chance.choice((1, 1, 2))
        if self.fault in OF_STREAMS:
            times *= self.place.told_times
        asks = step is Step.QUERY
        if asks:  # nothing is heard of the entry, so that somebody has to ask; the rounds look there too
            times *= 3 if self.fault in OF_LOOKS else 1
            unheard = Fault.DISCONNECT_AFTER if self.fault is Fault.LOSE_ANSWER else Fault.LOSE_ANSWER
            await asyncio.to_thread(self.place.arm, unheard, "submit", 1)
            await asyncio.to_thread(self.place.arm, Fault.LOSE_REPORT, self.place.stream, 3)
        ops = self.place.ops_at(self.fault, step, self.chance)
        for op in ops:
            await asyncio.to_thread(self.place.arm, self.fault, op, times)
        return times * len(ops) if asks else 1

    async def _struck(self, before: int, wanted: int, acting: asyncio.Future[None]) -> int:
        """Wait until the fault has struck; how often it has."""
        if self.fault is None:
            return 0
        if self.fault is Fault.CRASH:
            code = await asyncio.to_thread(self.place.died)
            if code != CRASHED:
                raise Failed(f"the venue's process ended with {code}, not by the fault")
            return 1
        end = time.monotonic() + STRIKE_WITHIN_S
        while True:
            fired = (await self.session.there()).fired[self._name()] - before
            if fired >= wanted and acting.done():
                return fired
            if fired > 0:  # what is being done may not come to an end before the fault is over
                end = min(end, time.monotonic() + LONG_ENOUGH_S)
            if time.monotonic() > end:
                if fired > 0:
                    return fired
                stands = await self.session.read(described)
                raise NotStruck(f"{self._name()} did not strike, the case proves nothing: {stands}")
            await asyncio.sleep(BEAT_S)

    async def _heal(self) -> None:
        await asyncio.to_thread(self.place.heal)
        if self.fault is WireFault.EXPIRE_TOKEN:
            await self.place.renew(self.session.venue)

    async def _minded(self) -> None:
        """The person does his part, and all is settled again."""
        await self.session.mind()
        await self.settled(0)

    # -- the end ----------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """A whole trip in good health, whatever happened before; then the last look."""
        await self.come_to(Step.MOVE)
        await self.trail()
        await self.settled(0)
        await self.flat()
        session = self.session
        await session.close()
        await session.open(NEVER)
        await self._look()  # the first one lays the money beside the books
        before = session.written()
        await self._look()
        if session.written() != before:
            told = [record.payload for record in session.journal.read(WORKSPACE, before + 1)]
            raise Failed(f"looking once more changed something: {told}")
        found = check_journal(session.journal, WORKSPACE)
        if found or not verify(session.journal).ok:
            raise Failed(f"the journal does not hold: {found}")

    async def _look(self) -> None:
        """One more round; a look that fails, on a busy machine, has told nothing and is made again."""
        for _ in range(TRIES):
            with contextlib.suppress(VenueOutcomeUnknown):
                await self.session.engine.rounds[WORKSPACE].orders()
                await self.session.engine.rounds[WORKSPACE].positions()
                return
        raise Failed("the venue does not tell, though nothing fails any more")
