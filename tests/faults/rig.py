"""An engine against the remote venue, quick enough for hundreds of cases; and what must be true afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import msgspec

from surefill.domain.effects import Notify
from surefill.domain.inputs import OpenWorkspace, RequestCancel
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Quote, Source
from surefill.domain.orders import Order
from surefill.domain.profile import V3
from surefill.domain.state import State
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt
from surefill.engine.rounds import RoundTimes
from surefill.errors import VenueOutcomeUnknown
from surefill.journal import Journal, MemoryJournal, verify
from surefill.rules.codes import OrdStatus, OrdType
from surefill.testing.remote_venue import RemoteVenue, Truth, VenueProcess, tcp
from surefill.units import NS_PER_MS

WORKSPACE = "w"
PX = 1_000
TIMEOUT_S = 0.04
DELAY_MS = 70  # what is late comes after the time-out
LIMITS = Limits(query_spacing_ns=15 * NS_PER_MS, unknown_page_ns=250 * NS_PER_MS, send_by_ns=2_000 * NS_PER_MS)
OPEN_TRIES = 10
IN_FLIGHT = (OrdStatus.UNKNOWN, OrdStatus.SUBMITTED)

_numbers = count(1)


class Rig:
    """One account at the venue and one workspace on it. `run` gives it an engine for the length of a story."""

    def __init__(
        self,
        process: VenueProcess,
        *,
        heartbeat_s: float = 0.03,
        limits: Limits = LIMITS,
        journal: Journal | None = None,
        times: RoundTimes | None = None,
    ) -> None:
        number = next(_numbers)
        self.process = process
        self.account = f"account-{number}"
        self.symbol = f"SYM{number}"
        self.journal = journal or MemoryJournal()
        self.heartbeat_s = heartbeat_s
        self.times = times
        self.profile = msgspec.structs.replace(V3, limits=limits)
        self.alarms: list[Notify] = []
        self.engine: Engine
        process.price(self.symbol, PX)

    def run(self, story: Callable[[Rig], Awaitable[None]]) -> None:
        """Start an engine, open the workspace, tell the story, and drop everything as a crash would."""
        asyncio.run(self.live(story))
        self.journal.reopen()

    async def live(self, story: Callable[[Rig], Awaitable[None]]) -> None:
        self.engine = Engine(self.journal, LiveClock(), times=self.times)
        self.engine.alarms[:] = [lambda _workspace_id, notice: self.alarms.append(notice)]
        venue = await self._opened()
        try:
            await story(self)
        finally:
            self.engine._stopped = True  # a turn while the loop is being taken down would start what nobody ends
            await venue.close()

    async def _opened(self) -> RemoteVenue:
        """As a supervisor would: a venue that cannot be reached now is tried again."""
        opening = OpenWorkspace(
            time.time_ns(), WORKSPACE, "live", "remote", self.account, "USD", 8, 10**15, self.profile, "hash"
        )
        instrument = Instrument(self.symbol, "USD", 2, 3, 1_000, (Terms(),))
        for _ in range(OPEN_TRIES):
            venue = RemoteVenue(
                tcp(self.process.port), account=self.account, timeout_s=TIMEOUT_S, heartbeat_s=self.heartbeat_s
            )
            try:
                await self.engine.open(opening, venue, [instrument])
            except VenueOutcomeUnknown:
                continue
            return venue
        raise AssertionError(f"the venue could not be reached in {OPEN_TRIES} tries")

    async def submit(self, intent_id: str, side: int = 1, qty: int = 10, *, px: int = 0) -> Receipt:
        """A market order, or with `px` a limit order."""
        ord_type = OrdType.LIMIT if px else OrdType.MARKET
        intent = Intent(
            intent_id, f"c-{intent_id}", "test", "s", self.symbol, Action.TRADE, side, qty, ord_type=ord_type, px=px
        )
        quote = Quote(self.symbol, time.time_ns(), PX, source=Source.CALLER)
        return await self.engine.submit(WORKSPACE, intent, quote)

    async def cancel(self, cl_ord_id: str) -> None:
        await self.engine.feed(WORKSPACE, RequestCancel(time.time_ns(), cl_ord_id, "test"))

    async def read(self, reader: Callable[[State], Any]) -> Any:
        return await self.engine.read(WORKSPACE, reader)

    async def order(self, cl_ord_id: str) -> Order:
        order = await self.read(lambda state: state.order(cl_ord_id))
        assert isinstance(order, Order)
        return order

    async def until(self, what: Callable[[State], bool], within_s: float = 3.0) -> None:
        """Wait until the state is so."""
        end = time.monotonic() + within_s
        while not await self.read(what):
            assert time.monotonic() < end, f"not so within {within_s} s: {await self.read(described)}"
            await asyncio.sleep(0.005)

    # -- what must be true ------------------------------------------------------------------------------------

    async def settled(self) -> None:
        """All is well again: what the venue has is known, nothing else is without a page; both books are the same."""

        def agrees(state: State) -> bool:
            truth = self.process.truth(self.account)
            known = all(state.book.orders[name].status not in IN_FLIGHT for name in _live(state, truth))
            held = {key: position.qty for key, position in state.open_positions()}
            return known and resolved_or_paged(state) and held == truth.positions[self.account]

        await self.until(agrees)
        received = self.process.truth(self.account).received(self.account)
        assert all(count == 1 for count in received.values()), received
        known = await self.read(lambda state: {*state.book.orders, *state.book.done})
        assert received.keys() <= known
        assert verify(self.journal).ok

    def paged(self, code: str) -> bool:
        return any(alarm.page and alarm.code == code for alarm in self.alarms)


def _live(state: State, truth: Truth) -> set[str]:
    """The orders of ours that are not over and that the venue has."""
    return state.book.orders.keys() & {order.cl_ord_id for order in truth.orders}


def resolved_or_paged(state: State) -> bool:
    """No order is in the dark without somebody having been told."""
    return all(order.status not in IN_FLIGHT or order.paged for order in state.book.orders.values())


def described(state: State) -> str:
    """Where everything stands, for a failing test's message."""
    orders = [*state.book.orders.values(), *state.book.done.values()]
    lines = [f"{OrdStatus(o.status).name} {o.cum_qty}/{o.request.order_qty} paged={o.paged} {o.text}" for o in orders]
    held = {key: position.qty for key, position in state.open_positions()}
    return f"orders {lines}, positions {held}, halted {state.book.halted_code!r} {state.book.halted_reason!r}"
