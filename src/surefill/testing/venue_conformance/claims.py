"""EX-01 to EX-07: what the adapter says of itself is so."""

from __future__ import annotations

import re

from surefill.rules.codes import OrdType, TimeInForce
from surefill.testing.venue_conformance.ground import TrueOrder
from surefill.testing.venue_conformance.numbered import check
from surefill.testing.venue_conformance.stage import Stage, longest_id, new_id

_RESTING = (TimeInForce.DAY, TimeInForce.GTC)


class Claims:
    """Capabilities."""

    @check(
        1, "it says who it is, has market orders, takes the ids that the engine makes, and its limits bound something"
    )
    async def test_ex_01_capabilities(self, stage: Stage) -> None:
        told = stage.venue.capabilities
        assert told.name
        assert OrdType.MARKET in told.ord_types
        assert set(told.ord_types) <= set(OrdType)
        assert set(told.time_in_force) <= set(TimeInForce)
        assert any(told.takes(OrdType.LIMIT, tif) for tif in _RESTING)
        assert told.cl_ord_id_max >= len(new_id())
        assert not told.cl_ord_id_alphabet or re.fullmatch(f"(?:{told.cl_ord_id_alphabet})+", new_id())
        for limit in told.rate_limits:
            assert limit.kind
            assert min(limit.count, limit.window_ns) > 0
            assert limit.scope in ("account", "address")

    @check(2, "every order type that it claims is taken, and does at the venue what its name says")
    async def test_ex_02_claimed_order_types(self, stage: Stage) -> None:
        ground = stage.ground
        for kind in sorted(stage.venue.capabilities.ord_types):
            stops = kind in (OrdType.STOP, OrdType.STOP_LIMIT)
            px = {OrdType.LIMIT: ground.far_px, OrdType.STOP_LIMIT: ground.stop_px}.get(OrdType(kind), 0)
            request = stage.order(ord_type=kind, px=px, stop_px=ground.stop_px if stops else 0)
            await stage.accepted(request)
            if kind == OrdType.MARKET:
                await stage.filled(request)
            else:
                assert await stage.truth(request) == TrueOrder(1, 0, True), OrdType(kind).name

    @check(3, "every time in force that it claims is taken: a limit order rests, or ends at once where it must")
    async def test_ex_03_claimed_times_in_force(self, stage: Stage) -> None:
        told = stage.venue.capabilities
        for tif in sorted(told.time_in_force):
            assert any(told.takes(kind, tif) for kind in told.ord_types), TimeInForce(tif).name
            if told.takes(OrdType.MARKET, tif):
                request = stage.order(time_in_force=tif)
                await stage.accepted(request)
                await stage.filled(request)
            if not told.takes(OrdType.LIMIT, tif):
                continue
            request = stage.limit(time_in_force=tif)
            await stage.accepted(request)
            if tif in _RESTING:
                assert await stage.truth(request) == TrueOrder(1, 0, True), TimeInForce(tif).name
            else:
                await stage.ended(request)
                assert await stage.truth(request) == TrueOrder(1, 0, False), TimeInForce(tif).name

    @check(4, "an order type that it does not claim is rejected, and not sent")
    async def test_ex_04_unclaimed_order_types(self, stage: Stage) -> None:
        for kind in set(OrdType) - set(stage.venue.capabilities.ord_types):
            await stage.rejected(stage.order(ord_type=int(kind), px=stage.ground.far_px, stop_px=stage.ground.stop_px))

    @check(5, "a time in force that it does not claim for a limit order is rejected, and not sent")
    async def test_ex_05_unclaimed_times_in_force(self, stage: Stage) -> None:
        for tif in TimeInForce:
            if not stage.venue.capabilities.takes(OrdType.LIMIT, tif):
                await stage.rejected(stage.limit(time_in_force=int(tif)))

    @check(6, "an order for an instrument that it does not know is rejected")
    async def test_ex_06_unknown_instrument(self, stage: Stage) -> None:
        outcome = await stage.rejected(stage.order(instrument_id="NOWHERE:NOTHING"))
        assert not outcome.undelivered, "sending it again would not help"

    @check(7, "the longest client order id that it claims, of all characters that it claims, is taken and found again")
    async def test_ex_07_longest_id(self, stage: Stage) -> None:
        told = stage.venue.capabilities
        twins = [longest_id(told.cl_ord_id_max, told.cl_ord_id_alphabet) for _ in range(2)]
        for cl_ord_id in twins:
            request = stage.limit(cl_ord_id=cl_ord_id)
            await stage.accepted(request)
            found = await stage.query(request)
            assert found.found
            assert {each.cl_ord_id for each in found.reports} == {cl_ord_id}
            assert await stage.truth(request) == TrueOrder(1, 0, True)
            await stage.canceled(request)
