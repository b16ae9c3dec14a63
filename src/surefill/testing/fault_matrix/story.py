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
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from surefill.domain.state import State
from surefill.errors import VenueOutcomeUnknown
from surefill.journal import verify
from surefill.rules.codes import OrdStatus
from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault
from surefill.testing.fault_matrix.checks import Checks
from surefill.testing.fault_matrix.place import CRASHED, Place, There
from surefill.testing.fault_matrix.session import BEAT_S, NEVER, WITHIN_S, WORKSPACE, Failed, Session
from surefill.testing.fault_matrix.steps import OF_FILLS_AT_ONCE, OF_STREAMS, STEPS, Step
from surefill.testing.invariants import check_journal
from surefill.testing.remote_venue.faults import Fault

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

STRIKE_WITHIN_S = 10.0
LONG_ENOUGH_S = 1.0
TRIES = 5
FLAT_WITHIN_S = 2.5


class Struck(msgspec.Struct, frozen=True):
    """What came of one cell: how often the fault struck, whether somebody was called, and had to end an order."""

    fault: str
    step: str
    fired: int
    paged: bool
    by_hand: bool


class Story:
    """`fault` strikes at `steps`; the seed decides what does not matter."""

    def __init__(self, place: Place, fault: AnyFault | None, steps: Sequence[Step], seed: int) -> None:
        self.place, self.fault, self.steps, self.seed = place, fault, steps, seed
        words = f"{place.name} {fault.name if fault else ''} {' '.join(step.name for step in steps)} {seed}"
        self.chance = random.Random(words) if seed else _First()  # nosec B311: reproducible chance for tests
        self.session = Session(place, seed)
        self.checks = Checks(place, [])
        self.outcomes: list[Struck] = []
        self._side = -1 if place.shorts and seed and self.chance.random() < 0.5 else 1
        self._base = place.px
        self._entered = ""

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
        self.checks = Checks(self.place, [])
        await self._arm(step)
        await self._jitter()
        acting = asyncio.ensure_future(self._act_of(step)())
        try:
            struck = await self._struck(fired, acting)
            await self._heal()
            if self.seed and step in (Step.MOVE, Step.RECONCILE, Step.STOP) and self.chance.random() < 0.3:
                await self._by_hand()
            await acting
        finally:
            acting.cancel()
        await self._settled(alarms)
        paged = any(each.page for each in self.session.alarms[alarms:])
        await self._minded()
        ended = self.session.resolved_by_hand > by_hand
        self.outcomes.append(Struck(self._name(), step.name, struck, paged, ended))

    async def come_to(self, step: Step) -> None:
        """Bring the story to where that step begins, with nothing wrong."""
        if step in (Step.ENTRY, Step.QUERY):
            await self._flat()
        elif step in (Step.FILL, Step.STOP):
            await self._resting()
        else:
            await self._guarded()

    def _act_of(self, step: Step) -> Callable[[], Coroutine[Any, Any, None]]:
        return {
            Step.ENTRY: self._enter,
            Step.QUERY: self._enter_limit,
            Step.FILL: self._fill,
            Step.STOP: self._fill,
            Step.MOVE: self._trail,
            Step.QUOTES: self._trail,
            Step.RECONCILE: self._reconcile,
            Step.LOGIN: self._restart,
            Step.CANCEL: self.session.leave,
            Step.EXIT: self.session.leave,
        }[step]

    # -- the fault --------------------------------------------------------------------------------------------

    def _name(self) -> str:
        return self.fault.name if self.fault else ""

    async def _arm(self, step: Step) -> None:
        if self.fault is None:
            return
        times = 1 if not self.seed or self.fault is Fault.CRASH else self.chance.choice((1, 1, 2))
        if self.fault in OF_STREAMS:
            times *= self.place.told_times
        if step is Step.QUERY:  # nothing is heard of the entry, so that somebody has to ask
            await asyncio.to_thread(self.place.arm, Fault.LOSE_ANSWER, "submit", 1)
        for op in self.place.ops_at(self.fault, step, self.chance):
            await asyncio.to_thread(self.place.arm, self.fault, op, times)

    async def _struck(self, before: int, acting: asyncio.Future[None]) -> int:
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
            if fired > 0 and acting.done():
                return fired
            if fired > 0:  # what is being done may not come to an end before the fault is over
                end = min(end, time.monotonic() + LONG_ENOUGH_S)
            if time.monotonic() > end:
                if fired > 0:
                    return fired
                raise Failed(f"{self._name()} did not strike: the case proves nothing")
            await asyncio.sleep(BEAT_S)

    async def _heal(self) -> None:
        await asyncio.to_thread(self.place.heal)
        if self.fault is WireFault.EXPIRE_TOKEN:
            await self.place.renew(self.session.venue)

    async def _settled(self, alarms: int) -> There:
        """Without anybody's help."""
        session = self.session
        called = [each.code for each in session.alarms[alarms:]]

        def wrong(state: State, there: There) -> str:
            called[:] = [each.code for each in session.alarms[alarms:]]
            return Checks(self.place, called).settled(state, there)

        return await session.until(wrong)

    async def _minded(self) -> None:
        """The person does his part, and all is settled again."""
        await self.session.mind()
        await self._settled(0)

    # -- where a step begins ----------------------------------------------------------------------------------

    async def _flat(self) -> None:
        """Nothing held, nothing working, the market where it began, and its price known."""
        session = self.session
        for _ in range(TRIES):
            names = await session.read(lambda state: [n for n, o in state.book.orders.items() if not o.exit_reason])
            for name in names:
                await session.cancel(name)
            if await session.read(_holds):
                await session.leave()
            with contextlib.suppress(Failed):
                await session.until(self.checks.flat, FLAT_WITHIN_S)
                break
            await session.mind()
        await session.until(self.checks.flat)
        await self._market(self._base)

    async def _resting(self) -> None:
        """An entry rests below the market, and the venue has said so."""
        await self._come_to(_rests, self._enter_limit)

    async def _guarded(self) -> None:
        """A position is held, and its stop is at the venue."""

        async def enter() -> None:
            await self._resting()
            await self._fill()

        await self._come_to(_is_guarded, enter)

    async def _come_to(self, there: Callable[[State], bool], begin: Callable[[], Awaitable[None]]) -> None:
        """From the beginning where it is not so; a busy machine may lose an answer without a fault's help."""
        for _ in range(TRIES):
            alarms = len(self.session.alarms)
            if await self.session.read(there):
                return
            if there is _rests or await self.session.read(_holds):
                await self._flat()
            await begin()
            await self._settled(alarms)
            await self.session.mind()
        raise Failed(f"{there.__name__.strip('_')} was not come to in {TRIES} tries")

    # -- what happens -----------------------------------------------------------------------------------------

    async def _enter(self) -> None:
        if self.fault in OF_FILLS_AT_ONCE or (self.seed and self.chance.random() < 0.4):
            await self._enter_market()
        else:
            await self._enter_limit()

    async def _enter_limit(self) -> None:
        place = self.place
        px = self._base - 2 * place.gap * self._side
        stop_px = px - 4 * place.gap * self._side
        self._entered = await self.session.enter(self._side, place.qty, px, stop_px, 6 * place.gap)

    async def _enter_market(self) -> None:
        place = self.place
        stop_px = self._base - 4 * place.gap * self._side
        self._entered = await self.session.enter(self._side, place.qty, 0, stop_px, 6 * place.gap)

    async def _fill(self) -> None:
        """The price comes to the entry, at once or in two parts; its stop follows. What is one has no order to lose."""
        px = self._base - 2 * self.place.gap * self._side
        if self.fault is Fault.REORDER_REPORTS or (self.seed and self.chance.random() < 0.5):
            with contextlib.suppress(OSError, ValueError):
                await asyncio.to_thread(self.place.move, px, self.place.part_qty)
            await self._jitter()
        await self._market(px)

    async def _trail(self) -> None:
        """The price goes our way, until the plan has heard of it."""
        px = self.session.px + 4 * self.place.gap * self._side
        await self._market(px)

    async def _market(self, px: int) -> None:
        """The price moves, and is told again until it is known: prices may be lost, the last one is not."""
        session, name = self.session, self.place.instrument_id
        session.px = px
        end = time.monotonic() + WITHIN_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError, ValueError):  # it may be down, and told again when it is back
                await asyncio.to_thread(self.place.move, px)
            for _ in range(10):
                quote = await session.read(lambda state: state.quotes.get(name))
                if quote is not None and px in (quote.last_px, quote.bid_px):
                    return
                await asyncio.sleep(BEAT_S)
        raise Failed(f"the price {px} is not known")

    async def _reconcile(self) -> None:
        """The rounds come by themselves; a look at the positions is asked for besides, by a person."""
        for _ in range(2):
            with contextlib.suppress(VenueOutcomeUnknown):  # it has told nothing
                await self.session.engine.reconcile(WORKSPACE)

    async def _restart(self) -> None:
        await self.session.close()
        await self.session.open()

    async def _by_hand(self) -> None:
        """Somebody trades beside us: half of it more, or half of it less."""
        qty = self.place.part_qty
        side = self._side * self.chance.choice((1, -1))
        await asyncio.to_thread(self.place.trade_by_hand, side, qty)

    async def _jitter(self) -> None:
        if self.seed:
            await asyncio.sleep(self.chance.random() * 0.05)

    # -- the end ----------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """A whole trip in good health, whatever happened before; then the last look."""
        await self.come_to(Step.MOVE)
        await self._trail()
        await self._settled(0)
        await self._flat()
        session = self.session
        await session.close()
        await session.open(NEVER)
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


T = TypeVar("T")


class _First(random.Random):
    """No chance, for the plain seed 0: always the first."""

    def choice(self, seq: SupportsLenAndGetItem[T]) -> T:
        """See random.Random.choice."""
        return seq[0]


def _holds(state: State) -> bool:
    return any(not position.dust for _, position in state.open_positions())


def _rests(state: State) -> bool:
    return not _holds(state) and any(
        order.status == OrdStatus.NEW and not order.exit_reason for order in state.book.orders.values()
    )


def _is_guarded(state: State) -> bool:
    held = [position for _, position in state.open_positions() if not position.dust]
    return bool(held) and all(
        position.protection is not None
        and position.protection.stop_cl_ord_id != ""
        and not position.protection.naked_ns
        for position in held
    )
