"""EX-08 to EX-15: the lives of orders, when nothing goes wrong."""

from __future__ import annotations

import asyncio
import time

from surefill.domain.reports import ExecType
from surefill.rules.codes import OrdType
from surefill.testing.venue_conformance.ground import TrueOrder
from surefill.testing.venue_conformance.numbered import check
from surefill.testing.venue_conformance.stage import ENDS, Stage
from surefill.units import NS_PER_S
from surefill.venues.protocol import Accepted

_CLOCKS_APART_NS = 120 * NS_PER_S


class Orders:
    """Market, limit and stop orders."""

    @check(8, "market orders are accepted, once each, and fill under execution ids that are never used twice")
    async def test_ex_08_market_orders(self, stage: Stage) -> None:
        requests = [stage.order(side) for side in (1, 1, -1)]
        ids: list[str] = []
        for request in requests:
            outcome = await stage.accepted(request)
            assert {each.cl_ord_id for each in outcome.reports} == {request.cl_ord_id}
            fills = await stage.filled(request)
            ids += fills
            assert all(each.last_px > 0 and each.last_qty > 0 for each in fills.values())
            assert len({each.order_id for each in stage.told.of(request)}) == 1, "one order has one id"
            assert await stage.truth(request) == TrueOrder(1, request.order_qty, False)
        assert all(ids)
        assert len(set(ids)) == len(ids)
        assert len({stage.told.order_id(request) for request in requests}) == len(requests)

    @check(9, "executions carry their time, in nanoseconds since 1970 UTC, or none")
    async def test_ex_09_times(self, stage: Stage) -> None:
        for fill in (await stage.bought()).values():
            assert not fill.transact_ns or abs(fill.transact_ns - time.time_ns()) < _CLOCKS_APART_NS, fill

    @check(10, "a limit order rests, is told as new and found working, is canceled, and is found canceled")
    async def test_ex_10_resting_order(self, stage: Stage) -> None:
        request = await stage.resting()
        found = await stage.query(request)
        assert found.found
        assert {each.exec_type for each in stage.told.of(request)} <= {ExecType.NEW, ExecType.STATUS}
        await stage.canceled(request)
        assert await stage.truth(request) == TrueOrder(1, 0, False)
        ended = [each for each in (await stage.query(request)).reports if each.exec_type in ENDS]
        assert [each.exec_type for each in ended] == [ExecType.CANCELED]
        assert ended[0].cum_qty in (0, -1)

    @check(
        11, "a limit order that the market reaches fills at its limit or better, and that is told without being asked"
    )
    async def test_ex_11_reached_limit(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.move(stage.ground.far_px)
        fills = await stage.streams(request)
        assert all(0 < each.last_px <= request.px for each in fills.values())
        assert set(await stage.filled(request)) == set(fills)

    @check(12, "a stop order waits for its trigger, and fills when the market has reached it")
    async def test_ex_12_stop_order(self, stage: Stage) -> None:
        ground = stage.ground
        request = stage.order(ord_type=OrdType.STOP, stop_px=ground.stop_px)
        await stage.accepted(request)
        await stage.query(request)
        assert not stage.told.of(request, ExecType.TRADE, ExecType.TRIGGERED, *ENDS)
        assert await stage.truth(request) == TrueOrder(1, 0, True)
        await stage.move(ground.stop_px)
        await stage.streams(request)
        await stage.filled(request)
        assert not [each for each in stage.told.of(request, *ENDS) if each.cum_qty not in (request.order_qty, -1)]

    @check(13, "a stop order is canceled like any other, and found canceled")
    async def test_ex_13_canceled_stop(self, stage: Stage) -> None:
        request = stage.order(ord_type=OrdType.STOP, stop_px=stage.ground.stop_px)
        await stage.accepted(request)
        await stage.canceled(request)
        assert await stage.truth(request) == TrueOrder(1, 0, False)
        assert (await stage.ended(request)).exec_type == ExecType.CANCELED

    @check(14, "a part that fills is told as that part; the rest is canceled, and the end counts what filled")
    async def test_ex_14_partial_fill(self, stage: Stage) -> None:
        ground = stage.ground
        request = await stage.resting()
        await stage.move(ground.far_px, ground.part_qty)
        await stage.filled(request, ground.part_qty)
        assert not stage.told.of(request, *ENDS)
        await stage.move(ground.px)
        await stage.canceled(request)
        end = await stage.ended(request)
        assert (end.exec_type, end.cum_qty in (ground.part_qty, -1)) == (ExecType.CANCELED, True)
        assert await stage.truth(request) == TrueOrder(1, ground.part_qty, False)
        assert stage.told.cum_qty(request) == ground.part_qty

    @check(15, "orders sent at once are each taken once, and what fills of one is not told of another")
    async def test_ex_15_orders_at_once(self, stage: Stage) -> None:
        requests = [stage.order(), stage.limit(), stage.order(), stage.limit()]
        outcomes = await asyncio.gather(*map(stage.submit, requests))
        assert all(isinstance(each, Accepted) for each in outcomes), outcomes
        for request in requests:
            if request.ord_type == OrdType.MARKET:
                await stage.filled(request)
            else:
                assert (await stage.query(request)).found
                assert not stage.told.fills(request)
            assert (await stage.truth(request)).orders == 1
