"""EX-53 to EX-63: a venue behind a wire, with an account that others may use too and a market that we do not make."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

import msgspec

from surefill.domain.market import Quote
from surefill.domain.reports import ExecType
from surefill.testing.remote_venue.faults import Fault
from surefill.testing.venue_conformance.numbered import check
from surefill.testing.venue_conformance.stage import LOOK_AGAIN_S, MANY, Stage, fails
from surefill.units import NS_PER_S
from surefill.venues.protocol import Accepted, OpenOrder, Rejected


class Account:
    """What a `LiveVenue` tells beside its orders."""

    @check(53, "what works is listed, with its ids, side, quantity and price; what has ended is not")
    async def test_ex_53_open_orders(self, stage: Stage) -> None:
        working, gone = await stage.resting(), await stage.resting()
        await stage.canceled(gone)
        listed = {each.cl_ord_id: each for each in await stage.live.open_orders()}
        assert gone.cl_ord_id not in listed
        found = msgspec.structs.replace(listed[working.cl_ord_id], raw="")
        assert found == OpenOrder(
            order_id=stage.told.order_id(working),
            cl_ord_id=working.cl_ord_id,
            instrument_id=working.instrument_id,
            bucket=working.bucket,
            side=working.side,
            ord_type=working.ord_type,
            order_qty=working.order_qty,
            cum_qty=0,
            px=working.px,
            stop_px=0,
        )

    @check(
        54, "the history tells every execution since a moment once, oldest first, under the id that the stream gave it"
    )
    async def test_ex_54_executions(self, stage: Stage) -> None:
        since_ns = time.time_ns() - 60 * NS_PER_S
        ids: list[str] = []
        for side in (1, 1, -1):
            request = stage.order(side)
            await stage.accepted(request)
            ids += await stage.filled(request)
        history = await stage.live.executions(since_ns)
        assert [each.exec_id for each in history] == ids
        assert {each.exec_type for each in history} == {ExecType.TRADE}
        assert [(each.instrument_id, each.side) for each in (history[0], history[-1])] == [
            (stage.ground.instrument_id, 1),
            (stage.ground.instrument_id, -1),
        ]

    @check(55, "balances name their assets, and no more is available than there is")
    async def test_ex_55_balances(self, stage: Stage) -> None:
        told = await stage.live.balances()
        assert len({each.asset for each in told}) == len(told)
        for each in told:
            assert each.asset
            assert isinstance(each.total, Decimal)
            assert each.available <= each.total

    @check(56, "instruments are listed once each, with ticks, lots and a worth that orders can have")
    async def test_ex_56_instruments(self, stage: Stage) -> None:
        listed, now_ns = await stage.live.instruments(), time.time_ns()
        assert len({each.instrument_id for each in listed}) == len(listed)
        for each in listed:
            terms = each.terms_at(now_ns)
            assert min(terms.tick, terms.lot, each.money_per_notional) > 0, each
            assert each.calendar, each
        ground = stage.ground
        (found,) = [each for each in listed if each.instrument_id == ground.instrument_id] or (None,)
        assert found is not None, f"{ground.instrument_id} is not listed"
        terms = found.terms_at(now_ns)
        assert terms.tick == ground.tick
        assert {px % terms.tick for px in (ground.px, ground.far_px, ground.stop_px)} == {0}
        assert {qty % terms.lot for qty in (ground.qty, ground.part_qty)} == {0}

    @check(57, "it tells whose account it is, that it may trade, and how the venue's clock stands")
    async def test_ex_57_access(self, stage: Stage) -> None:
        access = await stage.live.access()
        assert access.account
        assert access.can_trade
        assert abs(access.clock_ahead_ns) < 5 * NS_PER_S

    @check(58, "prices of what was asked for arrive, of nothing else, at the venue's own figures")
    async def test_ex_58_prices(self, stage: Stage) -> None:
        quotes: list[Quote] = []
        await stage.live.subscribe([stage.ground.instrument_id], quotes.append)
        await _priced(stage, quotes)
        assert {each.instrument_id for each in quotes} == {stage.ground.instrument_id}
        assert all(abs(each.ts_ns - time.time_ns()) < 60 * NS_PER_S for each in quotes)

    @check(59, "prices come back by themselves when the connection broke")
    async def test_ex_59_prices_after_a_break(self, stage: Stage) -> None:
        quotes: list[Quote] = []
        await stage.live.subscribe([stage.ground.instrument_id], quotes.append)
        await _priced(stage, quotes)
        await stage.hang_up()
        quotes.clear()
        await _priced(stage, quotes)

    @check(60, "a working order's price is changed in place, under the same client order id, where it claims so")
    async def test_ex_60_amend(self, stage: Stage) -> None:
        request = await stage.resting()
        lower = msgspec.structs.replace(request, px=request.px - stage.ground.tick)
        outcome = await stage.live.amend(lower, stage.told.order_id(request))
        if not stage.venue.capabilities.amends:
            assert isinstance(outcome, Rejected), outcome
            return
        assert isinstance(outcome, Accepted), outcome
        listed = {each.cl_ord_id: each.px for each in await stage.live.open_orders()}
        assert listed == {request.cl_ord_id: lower.px}
        assert (await stage.truth(request)).orders == 1

    @check(61, "a change of an order that has ended is never told as done")
    async def test_ex_61_amend_of_ended(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.canceled(request)
        lower = msgspec.structs.replace(request, order_qty=stage.ground.part_qty)
        outcome = await stage.live.amend(lower, stage.told.order_id(request))
        assert not isinstance(outcome, Accepted), outcome

    @check(62, "orders, history and balances that cannot be told raise", Fault.QUERY_ERROR)
    async def test_ex_62_failed_looks(self, stage: Stage) -> None:
        live = stage.live
        await stage.resting()
        await stage.bought()
        await stage.arm(Fault.QUERY_ERROR, "", MANY)
        await fails(live.open_orders(), "open_orders")
        await fails(live.executions(time.time_ns() - 60 * NS_PER_S), "executions")
        await fails(live.balances(), "balances")

    @check(63, "what the keys may do raises where it cannot be told", Fault.QUERY_ERROR)
    async def test_ex_63_failed_access(self, stage: Stage) -> None:
        await stage.arm(Fault.QUERY_ERROR, "", MANY)
        await fails(stage.live.access(), "access")


async def _priced(stage: Stage, quotes: list[Quote]) -> None:
    """Let the market move until the adapter tells a price that it moved to."""
    ground = stage.ground

    def told() -> bool:
        return any(ground.stop_px in (each.last_px, each.ask_px) for each in quotes)

    end = time.monotonic() + stage.within_s
    while not told():
        assert time.monotonic() < end, f"no such price arrived; told: {quotes}"
        await stage.move(ground.px)
        await stage.move(ground.stop_px)
        await asyncio.sleep(LOOK_AGAIN_S)
