"""One check under way: an adapter on its ground, everything that it has told, and what it is asked to do."""

from __future__ import annotations

import asyncio
import re
import string
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, Final, Self, cast

import msgspec

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.remote_venue.faults import Fault
from surefill.testing.venue_conformance.ground import Ground, TrueOrder
from surefill.units import NS_PER_S
from surefill.venues.protocol import Accepted, LiveVenue, Outcome, QueryAnswer, Rejected, ReportSink, Unknown, Venue

ENDS: Final = (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED)
LOOK_AGAIN_S: Final = 0.01
BEAT_S: Final = 0.005
SEND_WITHIN_NS: Final = 30 * NS_PER_S
#: Whether a look fails must not hang on how many requests it takes: a fault of looks strikes that often.
MANY: Final = 200

_numbers = count(1)


class Told(list[VenueReport]):
    """Reports, as they came."""

    def __repr__(self) -> str:
        return f"{len(self)} reports, at last {self[-3:]!r}" if self else "no reports"

    def of(self, request: OrderRequest, *kinds: ExecType) -> list[VenueReport]:
        """Those on an order, of these kinds (none: of any)."""
        return [each for each in self if each.cl_ord_id == request.cl_ord_id and (not kinds or each.exec_type in kinds)]

    def fills(self, request: OrderRequest) -> dict[str, VenueReport]:
        """Its executions by their ids. One id with two contents is no id."""
        found: dict[str, VenueReport] = {}
        for each in self.of(request, ExecType.TRADE):
            first = found.setdefault(each.exec_id, each)
            assert (first.last_px, first.last_qty) == (each.last_px, each.last_qty), f"two executions: {first}, {each}"
        return found

    def cum_qty(self, request: OrderRequest) -> int:
        """What they say that it has traded."""
        return sum(each.last_qty for each in self.fills(request).values())

    def order_id(self, request: OrderRequest) -> str:
        """The venue's id of it, "" where none was told."""
        return next((each.order_id for each in self.of(request) if each.order_id), "")


class Stage:
    """`streamed`: what the adapter told by itself; `told`: that, and all that it answered."""

    def __init__(self, ground: Ground, within_s: float) -> None:
        self.ground = ground
        self.within_s = within_s
        self.streamed = Told()
        self.told = Told()
        self.venue: Venue = ground.venue()
        self._open = False

    async def __aenter__(self) -> Self:
        await self.venue.connect(self.hear)
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._open:
            await self.close()

    async def another(self, sink: ReportSink) -> None:
        """Go on with another adapter, after the one before was closed."""
        self.venue = self.ground.venue()
        await self.venue.connect(sink)
        self._open = True

    async def close(self) -> None:
        """Close the adapter."""
        self._open = False
        await self.venue.close()

    def hear(self, report: VenueReport) -> None:
        """The sink of its reports."""
        self.streamed.append(report)
        self.told.append(report)

    @property
    def live(self) -> LiveVenue:
        """The adapter as one of a venue behind a wire."""
        assert hasattr(self.venue, "open_orders"), "not a venue behind a wire"
        return cast(LiveVenue, self.venue)

    # -- the venue's side -------------------------------------------------------------------------------------

    async def move(self, px: int, qty: int = -1) -> None:
        """See `Ground.move`."""
        await asyncio.to_thread(self.ground.move, px, qty)

    async def arm(self, fault: Fault, op: str = "", times: int = 1) -> None:
        """See `Ground.arm`."""
        await asyncio.to_thread(self.ground.arm, fault, op, times)

    async def heal(self) -> None:
        """See `Ground.heal`."""
        await asyncio.to_thread(self.ground.heal)

    async def truth(self, request: OrderRequest) -> TrueOrder:
        """See `Ground.truth`."""
        return await asyncio.to_thread(self.ground.truth, request.cl_ord_id)

    async def held(self) -> int:
        """See `Ground.held`."""
        return await asyncio.to_thread(self.ground.held)

    async def hang_up(self) -> None:
        """See `Ground.hang_up`."""
        await asyncio.to_thread(self.ground.hang_up)

    # -- orders -----------------------------------------------------------------------------------------------

    def order(self, side: int = 1, **changes: Any) -> OrderRequest:
        """A market order under an id of its own, with whatever else is said."""
        cl_ord_id, now_ns = new_id(), time.time_ns()
        request = OrderRequest(
            cl_ord_id=cl_ord_id,
            order_ref=f"ref-{cl_ord_id}",
            instrument_id=self.ground.instrument_id,
            bucket="",
            side=side,
            ord_type=OrdType.MARKET,
            order_qty=self.ground.qty,
            px=0,
            stop_px=0,
            time_in_force=self._rests(),
            reduce_only=False,
            arrival_px=self.ground.px,
            transact_ns=now_ns,
            send_by_ns=now_ns + SEND_WITHIN_NS,
        )
        return msgspec.structs.replace(request, **changes)

    def limit(self, **changes: Any) -> OrderRequest:
        """A purchase that rests."""
        return self.order(**{"ord_type": OrdType.LIMIT, "px": self.ground.far_px, **changes})

    def _rests(self) -> int:
        takes = self.venue.capabilities.takes
        return next(each for each in (TimeInForce.DAY, TimeInForce.GTC) if takes(OrdType.LIMIT, each))

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send it once, and keep what was answered."""
        return self._kept(await self.venue.submit(request))

    async def accepted(self, request: OrderRequest) -> Accepted:
        """Send it, and it is accepted."""
        outcome = await self.submit(request)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    async def rejected(self, request: OrderRequest) -> Rejected:
        """Send it; it is rejected for a reason, and the venue has nothing of it."""
        outcome = await self.submit(request)
        assert isinstance(outcome, Rejected), outcome
        assert outcome.code, outcome
        assert outcome.text, outcome
        assert await self.truth(request) == TrueOrder(), "it said that nothing took effect"
        return outcome

    async def unknown(self, request: OrderRequest) -> None:
        """Send it, and nobody knows."""
        outcome = await self.submit(request)
        assert isinstance(outcome, Unknown), outcome
        assert outcome.reason

    async def resting(self, **changes: Any) -> OrderRequest:
        """A purchase that rests, in truth."""
        request = self.limit(**changes)
        await self.accepted(request)
        assert await self.truth(request) == TrueOrder(1, 0, True)
        return request

    async def cancel(self, request: OrderRequest) -> Outcome:
        """Ask for its end once, and keep what was answered."""
        return self._kept(await self.venue.cancel(request, self.told.order_id(request)))

    async def canceled(self, request: OrderRequest) -> None:
        """Ask for its end; it is done, and its end is told with the answer."""
        outcome = await self.cancel(request)
        assert isinstance(outcome, Accepted), outcome
        assert self.told.of(request, ExecType.CANCELED), outcome

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """Look for it, and keep what was answered."""
        found = await self.venue.query(request)
        self.told.extend(found.reports)
        assert found.found or not found.reports, found
        return found

    def _kept(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Accepted):
            self.told.extend(outcome.reports)
        return outcome

    # -- waiting ----------------------------------------------------------------------------------------------

    async def streams(self, request: OrderRequest) -> dict[str, VenueReport]:
        """Wait until all of it has been told without being asked for; its executions by id."""
        end = time.monotonic() + self.within_s
        while self.streamed.cum_qty(request) < request.order_qty:
            assert time.monotonic() < end, f"not all of its executions were streamed: {self.streamed}"
            await asyncio.sleep(LOOK_AGAIN_S)
        return self.streamed.fills(request)

    async def filled(self, request: OrderRequest, qty: int = 0) -> dict[str, VenueReport]:
        """Look until stream and queries have told so much of it (0: all), and no more; its executions by id."""
        qty = qty or request.order_qty
        await self._looked(request, lambda: self.told.cum_qty(request) >= qty, "not all of its executions were told")
        assert self.told.cum_qty(request) == qty == (await self.truth(request)).cum_qty
        return self.told.fills(request)

    async def ended(self, request: OrderRequest) -> VenueReport:
        """Look until its end is told."""
        await self._looked(request, lambda: self.told.of(request, *ENDS), "its end was never told")
        return self.told.of(request, *ENDS)[-1]

    async def _looked(self, request: OrderRequest, seen: Callable[[], object], why: str) -> None:
        end = time.monotonic() + self.within_s
        while True:
            await self.query(request)
            if seen():
                return
            assert time.monotonic() < end, f"{why}: {self.told}"
            await asyncio.sleep(LOOK_AGAIN_S)

    async def bought(self) -> dict[str, VenueReport]:
        """Buy at the market, and wait for it."""
        request = self.order()
        await self.accepted(request)
        return await self.filled(request)

    async def beats_while(self, doing: Awaitable[object]) -> int:
        """How many steps of `BEAT_S` the loop took before it was done; a look may fail."""
        task, beats = asyncio.ensure_future(doing), 0
        while not task.done():
            await asyncio.sleep(BEAT_S)
            beats += 1
        if not isinstance(task.exception(), VenueOutcomeUnknown):
            task.result()
        return beats


def new_id() -> str:
    """A client order id as the engine makes them: twenty hexadecimal digits."""
    return f"{time.time_ns():x}{next(_numbers):08x}"[-20:]


def longest_id(length: int, alphabet: str) -> str:
    """A client order id of that length, with as many characters of the alphabet as fit ("": letters and digits)."""
    taken = [each for each in string.printable if re.fullmatch(alphabet or "[0-9A-Za-z]", each)]
    rest = sorted(taken, key=str.isalnum)
    unique = new_id()[4:]
    return unique + "".join(rest[at % len(rest)] for at in range(length - len(unique)))


async def fails(look: Awaitable[object], what: str) -> None:
    """A look that raises, as one that failed must."""
    try:
        told = await look
    except VenueOutcomeUnknown:
        return
    raise AssertionError(f"{what} failed, and was answered: {told}")
