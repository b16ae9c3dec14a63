"""What every adapter of a venue must do, as a numbered suite that each adapter subclasses.

::

    class TestMyVenue(VenueConformance):
        @pytest.fixture(scope="class")
        @classmethod
        def ground(cls):
            with my_emulated_venue() as emulated:
                yield MyGround(emulated)

The ground is the venue that the adapter is tried on: an emulated one, whose price can be set, whose faults can be
switched on, and which tells what really happened. What an adapter does otherwise, for a reason, is written down in
`deviations`, by number; the suite then skips that check, with the reason, and the adapter's page must say so.
"""

from __future__ import annotations

import asyncio
import re
import time
import unittest
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Final, Protocol, cast

import msgspec

from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.remote_venue.faults import Fault
from surefill.units import NS_PER_S
from surefill.venues.protocol import Accepted, LiveVenue, Rejected, Unknown, Venue

WITHIN_S: Final = 8.0
BLOCKED_S: Final = 0.5

_numbers = count(1)

#: What each check is about; the page on conformance is made of this.
CHECKS: Final = {
    1: "it says who it is, and takes the ids that the engine makes",
    2: "a market order is accepted, and fills under execution ids that are never used twice",
    3: "a limit order rests, is found working, is canceled, and is found canceled",
    4: "a cancel that comes too late is never told as done",
    5: "an order that never was is not found, and that is an answer",
    6: "a look that fails raises, and is no answer",
    7: "an answer that is lost is unknown; the order is there once, and a query finds it",
    8: "a request that is lost is unknown; nothing is there, and nothing is sent again",
    9: "an answer that nobody can read is unknown",
    10: "an error of the server's is unknown",
    11: "what was turned away unread is rejected as undelivered, and nothing is there",
    12: "what was read and refused is rejected, and not as undelivered",
    13: "positions follow the fills",
    14: "an order of a kind that it does not claim is rejected, and not sent",
    15: "an answer that comes too late is unknown, and the loop turns meanwhile",
    16: "what works is listed, with its client order id, side, quantity and price",
    17: "an execution is told by the history once, under the id that the stream gave it",
    18: "balances and instruments are told, with ticks and lots that orders can have",
    19: "it tells what the keys may do",
    20: "prices of what was asked for arrive",
    21: "where it claims to, it changes a working order in place, under the same id",
    22: "reports keep the venue's own words",
    23: "after it was closed another one takes up where it was",
}


class Ground(Protocol):
    """The venue that an adapter is tried on. Prices and quantities in the instrument's quanta.

    `px`: what the market trades at when a check begins; `far_px`: a price to buy at that rests, and is allowed; `qty`:
    what one order asks for. `deviations`: by number of the check, why the adapter does otherwise.
    """

    instrument_id: str
    px: int
    far_px: int
    qty: int
    deviations: Mapping[int, str]

    def venue(self) -> Venue:
        """A new adapter, not connected yet."""

    def begin(self) -> None:
        """Before each check: no faults, and the market at `px`."""

    def arm(self, fault: Fault, op: str) -> None:
        """Let a fault strike the next request `op` ("submit", "cancel", "" for any look)."""

    def move(self, px: int) -> None:
        """The market trades at this price from now on."""

    def received(self, cl_ord_id: str) -> int:
        """How many orders the venue has, in truth, under that client order id."""


class Told(list[VenueReport]):
    """What an adapter has streamed."""

    def of(self, cl_ord_id: str, *kinds: ExecType) -> list[VenueReport]:
        """The reports on an order, of these kinds (none: of any)."""
        return [each for each in self if each.cl_ord_id == cl_ord_id and (not kinds or each.exec_type in kinds)]


Story = Callable[[Venue, Told], Awaitable[None]]


class VenueConformance:
    """Subclass it, give it a fixture `ground`, and let pytest collect the subclass."""

    # Orders

    def test_ex_01_capabilities(self, ground: Ground) -> None:
        self._skip(ground, 1)
        told = ground.venue().capabilities
        assert told.name
        assert OrdType.MARKET in told.ord_types
        assert told.time_in_force
        assert told.cl_ord_id_max >= 20
        assert not told.cl_ord_id_alphabet or re.fullmatch(f"{told.cl_ord_id_alphabet}{{20}}", _id())

    def test_ex_02_market_order(self, ground: Ground) -> None:
        self._skip(ground, 2)

        async def story(venue: Venue, told: Told) -> None:
            requests = [self._order(ground, side) for side in (1, -1, 1)]
            for request in requests:
                outcome = await venue.submit(request)
                assert isinstance(outcome, Accepted), outcome
                told.extend(outcome.reports)
                await self._filled(venue, told, request)
            ids = [each.exec_id for each in _executions(told).values()]
            assert len(ids) == len(set(ids)) >= len(requests)
            assert [ground.received(request.cl_ord_id) for request in requests] == [1, 1, 1]

        self._run(ground, story)

    def test_ex_03_resting_order(self, ground: Ground) -> None:
        self._skip(ground, 3)

        async def story(venue: Venue, told: Told) -> None:
            request, order_id = await self._resting(ground, venue, told)
            found = await venue.query(request)
            assert found.found
            assert not [each for each in found.reports if each.exec_type == ExecType.TRADE]
            outcome = await venue.cancel(request, order_id)
            assert isinstance(outcome, Accepted), outcome
            assert ExecType.CANCELED in {each.exec_type for each in outcome.reports}
            ended = await venue.query(request)
            assert ExecType.CANCELED in {each.exec_type for each in ended.reports}

        self._run(ground, story)

    def test_ex_04_cancel_too_late(self, ground: Ground) -> None:
        self._skip(ground, 4)

        async def story(venue: Venue, told: Told) -> None:
            request = self._order(ground)
            outcome = await venue.submit(request)
            assert isinstance(outcome, Accepted)
            told.extend(outcome.reports)
            await self._filled(venue, told, request)
            outcome = await venue.cancel(request, _order_id(told, request))
            assert not isinstance(outcome, Accepted), outcome

        self._run(ground, story)

    def test_ex_05_order_that_never_was(self, ground: Ground) -> None:
        self._skip(ground, 5)

        async def story(venue: Venue, _told: Told) -> None:
            assert not (await venue.query(self._order(ground))).found

        self._run(ground, story)

    def test_ex_06_look_that_fails(self, ground: Ground) -> None:
        self._skip(ground, 6)

        async def story(venue: Venue, told: Told) -> None:
            request, _ = await self._resting(ground, venue, told)
            ground.arm(Fault.QUERY_ERROR, "")
            try:
                found = await venue.query(request)
            except VenueOutcomeUnknown:
                return
            raise AssertionError(f"a failed look was told as an answer: {found}")

        self._run(ground, story)

    # Outcomes

    def test_ex_07_lost_answer(self, ground: Ground) -> None:
        self._skip(ground, 7)

        async def story(venue: Venue, told: Told) -> None:
            ground.arm(Fault.LOSE_ANSWER, "submit")
            request = self._order(ground)
            assert isinstance(await venue.submit(request), Unknown)
            assert ground.received(request.cl_ord_id) == 1
            await self._filled(venue, told, request)
            assert ground.received(request.cl_ord_id) == 1

        self._run(ground, story)

    def test_ex_08_lost_request(self, ground: Ground) -> None:
        self._skip(ground, 8)

        async def story(venue: Venue, _told: Told) -> None:
            ground.arm(Fault.LOSE_REQUEST, "submit")
            request = self._order(ground)
            assert isinstance(await venue.submit(request), Unknown)
            assert not (await venue.query(request)).found
            assert ground.received(request.cl_ord_id) == 0

        self._run(ground, story)

    def test_ex_09_unreadable_answer(self, ground: Ground) -> None:
        self._skip(ground, 9)
        self._unknown_and_there(ground, Fault.GARBLE_ANSWER)

    def test_ex_10_server_error(self, ground: Ground) -> None:
        self._skip(ground, 10)
        self._unknown_and_there(ground, Fault.SERVER_ERROR)

    def test_ex_11_turned_away(self, ground: Ground) -> None:
        self._skip(ground, 11)

        async def story(venue: Venue, _told: Told) -> None:
            ground.arm(Fault.THROTTLED, "submit")
            request = self._order(ground)
            outcome = await venue.submit(request)
            assert isinstance(outcome, Rejected), outcome
            assert outcome.undelivered
            assert ground.received(request.cl_ord_id) == 0

        self._run(ground, story)

    def test_ex_12_refused(self, ground: Ground) -> None:
        self._skip(ground, 12)

        async def story(venue: Venue, _told: Told) -> None:
            ground.arm(Fault.REFUSED, "submit")
            outcome = await venue.submit(self._order(ground))
            assert isinstance(outcome, Rejected), outcome
            assert not outcome.undelivered
            assert outcome.code
            assert outcome.text

        self._run(ground, story)

    def test_ex_13_positions(self, ground: Ground) -> None:
        self._skip(ground, 13)

        async def story(venue: Venue, told: Told) -> None:
            before = (await venue.positions()).get(ground.instrument_id, 0)
            request = self._order(ground)
            outcome = await venue.submit(request)
            assert isinstance(outcome, Accepted)
            await self._filled(venue, told, request)
            after = (await venue.positions()).get(ground.instrument_id, 0)
            assert after == before + ground.qty

        self._run(ground, story)

    def test_ex_14_kind_that_is_not_claimed(self, ground: Ground) -> None:
        self._skip(ground, 14)

        async def story(venue: Venue, _told: Told) -> None:
            for kind in set(OrdType) - set(venue.capabilities.ord_types):
                stop = ground.far_px if kind in (OrdType.STOP, OrdType.STOP_LIMIT) else 0
                request = self._order(ground, ord_type=int(kind), px=ground.far_px, stop_px=stop)
                assert isinstance(await venue.submit(request), Rejected)
                assert ground.received(request.cl_ord_id) == 0

        self._run(ground, story)

    def test_ex_15_answer_that_comes_too_late(self, ground: Ground) -> None:
        self._skip(ground, 15)

        async def story(venue: Venue, told: Told) -> None:
            ground.arm(Fault.LOSE_ANSWER, "submit")
            request = self._order(ground)
            longest = 0.0
            submitting = asyncio.ensure_future(venue.submit(request))
            before = time.monotonic()
            while not submitting.done():
                await asyncio.sleep(0.005)
                now = time.monotonic()
                longest, before = max(longest, now - before), now
            assert isinstance(submitting.result(), Unknown)
            assert longest < BLOCKED_S, f"the loop stood still for {longest:.2f} s"

        self._run(ground, story)

    # What a live venue tells

    def test_ex_16_open_orders(self, ground: Ground) -> None:
        self._skip(ground, 16)

        async def story(venue: Venue, told: Told) -> None:
            live = _live(venue)
            request, order_id = await self._resting(ground, venue, told)
            listed = {each.cl_ord_id: each for each in await live.open_orders()}
            found = listed[request.cl_ord_id]
            assert (found.order_id, found.instrument_id, found.side) == (order_id, ground.instrument_id, 1)
            assert (found.order_qty, found.cum_qty, found.px) == (ground.qty, 0, ground.far_px)

        self._run(ground, story)

    def test_ex_17_executions(self, ground: Ground) -> None:
        self._skip(ground, 17)

        async def story(venue: Venue, told: Told) -> None:
            since_ns = time.time_ns() - 60 * NS_PER_S
            request = self._order(ground)
            outcome = await venue.submit(request)
            assert isinstance(outcome, Accepted)
            fills = await self._filled(venue, told, request)
            history = [each for each in await _live(venue).executions(since_ns) if each.exec_id in fills]
            assert sorted(each.exec_id for each in history) == sorted(fills)
            assert {(each.instrument_id, each.side) for each in history} == {(ground.instrument_id, 1)}

        self._run(ground, story)

    def test_ex_18_balances_and_instruments(self, ground: Ground) -> None:
        self._skip(ground, 18)

        async def story(venue: Venue, _told: Told) -> None:
            live = _live(venue)
            assert all(each.asset for each in await live.balances())
            (instrument,) = [each for each in await live.instruments() if each.instrument_id == ground.instrument_id]
            terms = instrument.terms_at(time.time_ns())
            assert (ground.far_px % terms.tick, ground.qty % terms.lot) == (0, 0)
            assert instrument.money_per_notional > 0

        self._run(ground, story)

    def test_ex_19_access(self, ground: Ground) -> None:
        self._skip(ground, 19)

        async def story(venue: Venue, _told: Told) -> None:
            access = await _live(venue).access()
            assert access.account
            assert access.can_trade

        self._run(ground, story)

    def test_ex_20_prices(self, ground: Ground) -> None:
        self._skip(ground, 20)

        async def story(venue: Venue, _told: Told) -> None:
            quotes: list[Quote] = []
            await _live(venue).subscribe([ground.instrument_id], quotes.append)
            end = time.monotonic() + WITHIN_S
            while not quotes:
                assert time.monotonic() < end, "no price arrived"
                ground.move(ground.px)
                await asyncio.sleep(0.05)
            assert {each.instrument_id for each in quotes} == {ground.instrument_id}
            assert all(each.last_px or each.bid_px or each.ask_px for each in quotes)

        self._run(ground, story)

    def test_ex_21_amend(self, ground: Ground) -> None:
        self._skip(ground, 21)

        async def story(venue: Venue, told: Told) -> None:
            live = _live(venue)
            request, order_id = await self._resting(ground, venue, told)
            terms = next(e for e in await live.instruments() if e.instrument_id == ground.instrument_id).terms[0]
            lower = msgspec.structs.replace(request, px=request.px - terms.tick)
            outcome = await live.amend(lower, order_id)
            if not venue.capabilities.amends:
                assert isinstance(outcome, Rejected)
                return
            assert isinstance(outcome, Accepted), outcome
            listed = {each.cl_ord_id: each.px for each in await live.open_orders()}
            assert listed[request.cl_ord_id] == lower.px

        self._run(ground, story)

    def test_ex_22_raw_payloads(self, ground: Ground) -> None:
        self._skip(ground, 22)

        async def story(venue: Venue, told: Told) -> None:
            request = self._order(ground)
            outcome = await venue.submit(request)
            assert isinstance(outcome, Accepted)
            await self._filled(venue, told, request)
            found = await venue.query(request)
            assert all(each.raw for each in found.reports if each.exec_type == ExecType.TRADE)

        self._run(ground, story)

    def test_ex_23_closed_and_taken_up(self, ground: Ground) -> None:
        self._skip(ground, 23)
        request = self._order(ground, ord_type=OrdType.LIMIT, px=ground.far_px)

        async def first(venue: Venue, _told: Told) -> None:
            assert isinstance(await venue.submit(request), Accepted)

        async def second(venue: Venue, _told: Told) -> None:
            found = await venue.query(request)
            assert found.found
            order_id = next(each.order_id for each in found.reports if each.order_id)
            assert isinstance(await venue.cancel(request, order_id), Accepted)

        self._run(ground, first)
        self._run(ground, second)

    # -- how a check is made ----------------------------------------------------------------------------------

    def _skip(self, ground: Ground, number: int) -> None:
        """Leave a check out that the adapter answers otherwise, for a reason."""
        why = ground.deviations.get(number)
        if why is not None:
            raise unittest.SkipTest(f"EX-{number:02}, a deviation: {why}")

    def _run(self, ground: Ground, story: Story) -> None:
        ground.begin()

        async def live() -> None:
            venue, told = ground.venue(), Told()
            await venue.connect(told.append)
            try:
                await story(venue, told)
            finally:
                await venue.close()

        asyncio.run(asyncio.wait_for(live(), 60))

    def _order(self, ground: Ground, side: int = 1, **changes: Any) -> OrderRequest:
        now_ns = time.time_ns()
        request = OrderRequest(
            _id(),
            "ref",
            ground.instrument_id,
            "",
            side,
            OrdType.MARKET,
            ground.qty,
            0,
            0,
            TimeInForce.DAY,
            False,
            ground.px,
            now_ns,
            now_ns + 30 * NS_PER_S,
        )
        return msgspec.structs.replace(request, **changes)

    async def _resting(self, ground: Ground, venue: Venue, told: Told) -> tuple[OrderRequest, str]:
        request = self._order(ground, ord_type=OrdType.LIMIT, px=ground.far_px)
        outcome = await venue.submit(request)
        assert isinstance(outcome, Accepted), outcome
        told.extend(outcome.reports)
        return request, _order_id(told, request)

    async def _filled(self, venue: Venue, told: Told, request: OrderRequest) -> set[str]:
        """Wait until stream and queries have told all of its fills; their execution ids."""
        end = time.monotonic() + WITHIN_S
        while True:
            found = await venue.query(request)
            told.extend(found.reports)
            fills = _executions(told.of(request.cl_ord_id))
            if sum(each.last_qty for each in fills.values()) == request.order_qty:
                return set(fills)
            assert time.monotonic() < end, f"not all of its fills were told: {told}"
            await asyncio.sleep(0.05)

    def _unknown_and_there(self, ground: Ground, fault: Fault) -> None:
        async def story(venue: Venue, told: Told) -> None:
            ground.arm(fault, "submit")
            request = self._order(ground)
            assert isinstance(await venue.submit(request), Unknown)
            await self._filled(venue, told, request)
            assert ground.received(request.cl_ord_id) == 1

        self._run(ground, story)


def _id() -> str:
    """A client order id as the engine makes them: twenty hexadecimal digits."""
    return f"{time.time_ns():x}{next(_numbers):020x}"[-20:]


def _executions(told: list[VenueReport]) -> dict[str, VenueReport]:
    return {each.exec_id: each for each in told if each.exec_type == ExecType.TRADE}


def _order_id(told: Told, request: OrderRequest) -> str:
    return next((each.order_id for each in told.of(request.cl_ord_id) if each.order_id), "")


def _live(venue: Venue) -> LiveVenue:
    assert hasattr(venue, "open_orders"), "not a venue behind a wire"
    return cast(LiveVenue, venue)
