"""One workspace of a real engine, with the real adapter, on one place; and the person who minds it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, Final

import msgspec

from surefill.domain.effects import Notify
from surefill.domain.inputs import OpenWorkspace, RequestCancel, ResolveOrder, Resume
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Quote, Source
from surefill.domain.orders import Order
from surefill.domain.profile import V3
from surefill.domain.state import State
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.rounds import RoundTimes
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus, OrdType
from surefill.testing.fault_matrix.place import Place, There
from surefill.units import NS_PER_DAY, NS_PER_MS
from surefill.venues.protocol import LiveVenue

WORKSPACE: Final = "w"
BY: Final = "the person on call"
IN_DOUBT: Final = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)
BEAT_S: Final = 0.02
#: How long everything has to become well again after a fault, a ban of two seconds included.
WITHIN_S: Final = 30.0
OPEN_WITHIN_S: Final = 60.0
#: How often the engine looks by itself; and not at all, for a look that is asked for.
OFTEN: Final = RoundTimes(orders_every_ns=200 * NS_PER_MS, positions_every_ns=400 * NS_PER_MS)
NEVER: Final = RoundTimes(orders_every_ns=NS_PER_DAY)


class Failed(AssertionError):
    """What had to be true is not."""


class NotStruck(Failed):
    """The fault had no occasion, so the case has proved nothing: neither that it holds nor that it does not."""


class Session:
    """`alarms`: everybody who was called. `journal` outlives the engine: `open` may be called again after `close`."""

    def __init__(self, place: Place, seed: int = 0) -> None:
        self.place = place
        self.alarms: list[Notify] = []
        self.journal = MemoryJournal()
        self.engine: Engine
        self.venue: LiveVenue
        self.resolved_by_hand = 0
        self.resumed = 0
        self.px = place.px
        self._seed = seed
        self._numbers = count(1)
        self._profile = msgspec.structs.replace(
            V3,
            limits=Limits(
                query_spacing_ns=30 * NS_PER_MS,
                unknown_page_ns=600 * NS_PER_MS,
                naked_page_ns=600 * NS_PER_MS,
                retry_base_ns=30 * NS_PER_MS,
                attempts_max=3,
                stops_at_venue=True,
                stop_grace_ns=300 * NS_PER_MS,
                stop_time_in_force=place.time_in_force,
                message_rate_max=100,
                repeated_fills_max=1_000,
            ),
        )

    # -- life -------------------------------------------------------------------------------------------------

    async def open(self, times: RoundTimes = OFTEN) -> None:
        """Start, as a supervisor does: a venue that cannot be reached now is tried again."""
        place, end = self.place, time.monotonic() + OPEN_WITHIN_S
        while time.monotonic() < end:
            self.engine = Engine(self.journal, LiveClock(), times=times, seed=self._seed)
            self.engine.alarms[:] = [lambda _workspace_id, notice: self.alarms.append(notice)]
            venue = self.venue = await asyncio.to_thread(place.venue)
            opening = OpenWorkspace(
                time.time_ns(), WORKSPACE, "live", venue.capabilities.name, place.account, place.currency,
                place.money_decimals, 10**17, self._profile, "hash",
            )  # fmt: skip
            try:
                await venue.access()  # as the doors do: only then does MetaTrader 5 know whether it keeps stops
                await self.engine.open(opening, venue, await self._instruments(venue))
                await venue.subscribe((place.instrument_id,), self._priced)
            except VenueOutcomeUnknown:
                await self.close()
                await venue.close()
                continue
            return
        raise Failed(f"the venue could not be reached in {OPEN_WITHIN_S} s")

    async def _instruments(self, venue: LiveVenue) -> list[Instrument]:
        """What the venue lists, asked as the engine's doors do: before the workspace opens."""
        if self.place.listed is not None:
            return [self.place.listed]
        if not self.place.lists_when_connected:
            listed = await venue.instruments()
        else:
            lister = await asyncio.to_thread(self.place.venue)
            await lister.connect(lambda _report: None)
            try:
                listed = await lister.instruments()
            finally:
                await lister.close()
        return [each for each in listed if each.instrument_id == self.place.instrument_id]

    async def close(self) -> None:
        """Stop; orders stay where they are."""
        await self.engine.stop(timeout_s=1.0)
        self.journal.reopen()

    def _priced(self, quote: Quote) -> None:
        if WORKSPACE in self.engine.desks:
            self.engine.tell(WORKSPACE, quote)

    # -- what a caller does -----------------------------------------------------------------------------------

    async def enter(self, side: int, qty: int, px: int, stop_px: int, trail_distance: int) -> str:
        """An entry with a plan, at a limit or (`px` 0) at the market; its client order id, "" where it was refused."""
        plan = ExitPlan(stop_px=stop_px, trail_distance=trail_distance)
        ord_type = OrdType.LIMIT if px else OrdType.MARKET
        return await self._ask(Action.TRADE, side, qty, px, ord_type, plan)

    async def leave(self) -> None:
        """Close what is held."""
        await self._ask(Action.CLOSE, 0, 0, 0, OrdType.MARKET, None)

    async def _ask(self, action: int, side: int, qty: int, px: int, ord_type: int, plan: ExitPlan | None) -> str:
        name = f"i{next(self._numbers)}"
        intent = Intent(
            name, f"c-{name}", "test", "s", self.place.instrument_id, action, side, qty,
            ord_type=ord_type, px=px, plan=plan, time_in_force=self.place.time_in_force,
        )  # fmt: skip
        quote = Quote(self.place.instrument_id, time.time_ns(), self.px, source=Source.CALLER)
        return (await self.engine.submit(WORKSPACE, intent, quote)).cl_ord_id

    async def cancel(self, cl_ord_id: str) -> None:
        """Take an order back."""
        await self.engine.feed(WORKSPACE, RequestCancel(time.time_ns(), cl_ord_id, BY))

    # -- what the person does ---------------------------------------------------------------------------------

    async def mind(self) -> None:
        """Answer the calls: end what the venue never had, loosen what has halted."""
        there = await self.there()
        orders: list[Order] = await self.read(lambda state: list(state.book.orders.values()))
        for order in orders:
            name = order.request.cl_ord_id
            if order.status == OrdStatus.UNKNOWN and order.paged and not there.of(self.place.name_of(name)):
                item = ResolveOrder(time.time_ns(), name, OrdStatus.REJECTED, BY, "it is not in the venue's own books")
                try:
                    await self.engine.feed(WORKSPACE, item)
                except InputError as error:
                    if error.code != "NOT_UNKNOWN":
                        raise
                self.resolved_by_hand += 1
        halted = await self.read(
            lambda state: bool(state.book.halted_code),
        )
        names = await self.read(lambda state: list(state.book.halted_instruments))
        if halted:
            await self.engine.feed(WORKSPACE, Resume(time.time_ns(), BY))
        for name in names:
            await self.engine.feed(WORKSPACE, Resume(time.time_ns(), BY, name))
        self.resumed += halted + len(names)

    # -- looking ----------------------------------------------------------------------------------------------

    async def there(self) -> There:
        """The venue's truth."""
        return await asyncio.to_thread(self.place.there)

    async def read(self, reader: Callable[[State], Any]) -> Any:
        """What a reader makes of our state."""
        return await self.engine.read(WORKSPACE, reader)

    async def until(self, what: Callable[[State, There], str], within_s: float = WITHIN_S) -> There:
        """Wait until nothing is wrong any more, by our state and the venue's truth."""
        end = time.monotonic() + within_s
        while True:
            there = await self.there()
            wrong: str = await self.read(partial(_asked, what, there))
            if not wrong:
                return there
            if time.monotonic() > end:
                raise Failed(f"{wrong}; {await self.read(described)}; there {there}; called {self.called()}")
            await asyncio.sleep(BEAT_S)

    def written(self) -> int:
        """How many events there are."""
        return self.journal.heads()[WORKSPACE].seq

    def called(self) -> list[str]:
        """What somebody was woken for."""
        return [f"{each.code}: {each.text}" for each in self.alarms if each.page]


def _asked(what: Callable[[State, There], str], there: There, state: State) -> str:
    return what(state, there)


def described(state: State) -> str:
    """Where everything stands, for a failure's message."""
    orders = [*state.book.done.values(), *state.book.orders.values()]
    lines = [
        f"{o.request.cl_ord_id} {OrdType(o.request.ord_type).name} {o.request.side * o.request.order_qty}"
        f" {OrdStatus(o.status).name} cum {o.cum_qty} stop {o.request.stop_px} paged={o.paged} {o.code} {o.text}"
        for o in orders
    ]
    held = {key: (position.qty, position.protection) for key, position in state.open_positions()}
    return f"orders {lines}, held {held}, kills {state.book.kills}"
