"""The ways of a story: what a trader and the market do, and how each step is come to with nothing wrong."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from surefill.domain.state import State
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdStatus
from surefill.testing.emulators.groundwork.faults import AnyFault
from surefill.testing.fault_matrix.checks import Checks
from surefill.testing.fault_matrix.place import Place, There
from surefill.testing.fault_matrix.session import BEAT_S, WITHIN_S, WORKSPACE, Failed, Session
from surefill.testing.fault_matrix.steps import OF_FILLS_AT_ONCE, Step
from surefill.testing.remote_venue.faults import Fault

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

TRIES = 5
FLAT_WITHIN_S = 2.5
T = TypeVar("T")


class _First(random.Random):
    """No chance, for the plain seed 0: always the first."""

    def choice(self, seq: SupportsLenAndGetItem[T]) -> T:
        """See random.Random.choice."""
        return seq[0]


class Trip:
    """One session on one place. `fault` is what will strike, since it decides how an entry is best made."""

    def __init__(self, place: Place, fault: AnyFault | None, seed: int, words: str) -> None:
        self.place, self.fault, self.seed = place, fault, seed
        self.chance = random.Random(words) if seed else _First()  # nosec B311: reproducible chance for tests
        self.session = Session(place, seed)
        self._side = -1 if place.shorts and seed and self.chance.random() < 0.5 else 1
        self._base = place.px

    async def come_to(self, step: Step) -> None:
        """Bring the story to where that step begins, with nothing wrong."""
        if step in (Step.ENTRY, Step.QUERY):
            await self.flat()
        elif step in (Step.FILL, Step.STOP):
            await self._resting()
        else:
            await self._guarded()

    def act_of(self, step: Step) -> Callable[[], Coroutine[Any, Any, None]]:
        return {
            Step.ENTRY: self._enter,
            Step.QUERY: self._enter_limit,
            Step.FILL: self._fill,
            Step.STOP: self._fill,
            Step.MOVE: self.trail,
            Step.QUOTES: self.trail,
            Step.RECONCILE: self._reconcile,
            Step.LOGIN: self._restart,
            Step.CANCEL: self.session.leave,
            Step.EXIT: self.session.leave,
        }[step]

    async def settled(self, alarms: int) -> There:
        """Without anybody's help."""
        session = self.session
        called = [each.code for each in session.alarms[alarms:]]

        def wrong(state: State, there: There) -> str:
            called[:] = [each.code for each in session.alarms[alarms:]]
            return Checks(self.place, called).settled(state, there)

        return await session.until(wrong)

    # -- where a step begins ----------------------------------------------------------------------------------

    async def flat(self) -> None:
        """Nothing held, nothing working, the market where it began, and its price known."""
        session = self.session
        for _ in range(TRIES):
            names = await session.read(lambda state: [n for n, o in state.book.orders.items() if not o.exit_reason])
            for name in names:
                await session.cancel(name)
            if await session.read(_holds):
                await session.leave()
            with contextlib.suppress(Failed):
                await session.until(Checks(self.place, []).flat, FLAT_WITHIN_S)
                break
            await session.mind()
        await session.until(Checks(self.place, []).flat)
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
                await self.flat()
            await begin()
            await self.settled(alarms)
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
        await self.session.enter(self._side, place.qty, px, stop_px, 6 * place.gap)

    async def _enter_market(self) -> None:
        place = self.place
        stop_px = self._base - 4 * place.gap * self._side
        await self.session.enter(self._side, place.qty, 0, stop_px, 6 * place.gap)

    async def _fill(self) -> None:
        """The price comes to the entry, at once or in two parts; its stop follows. What is one has no order to lose."""
        px = self._base - 2 * self.place.gap * self._side
        if self.fault is Fault.REORDER_REPORTS or (self.seed and self.chance.random() < 0.5):
            with contextlib.suppress(OSError, ValueError):
                await asyncio.to_thread(self.place.move, px, self.place.part_qty)
            await self.jitter()
        await self._market(px)

    async def trail(self) -> None:
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

    async def by_hand(self) -> None:
        """Somebody trades beside us: half of it more, or half of it less."""
        qty = self.place.part_qty
        side = self._side * self.chance.choice((1, -1))
        await asyncio.to_thread(self.place.trade_by_hand, side, qty)

    async def jitter(self) -> None:
        if self.seed:
            await asyncio.sleep(self.chance.random() * 0.05)


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
