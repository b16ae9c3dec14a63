"""EX-41 to EX-46: what is told of an order by itself."""

from __future__ import annotations

from surefill.domain.reports import ExecType
from surefill.testing.remote_venue.faults import Fault
from surefill.testing.venue_conformance.numbered import check
from surefill.testing.venue_conformance.stage import MANY, Stage


class Reports:
    """The stream."""

    @check(
        41,
        "executions are told without being asked, with their instrument and side, for whoever does not know the order",
    )
    async def test_ex_41_streamed(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.move(stage.ground.far_px)
        fills = await stage.streams(request)
        told = {(each.instrument_id, each.bucket, each.side) for each in fills.values()}
        assert told == {(request.instrument_id, request.bucket, request.side)}

    @check(42, "reports that the venue sends twice keep their execution ids", Fault.DUPLICATE_REPORT)
    async def test_ex_42_doubled(self, stage: Stage) -> None:
        await _told_all_the_same(stage, Fault.DUPLICATE_REPORT)

    @check(43, "reports that come in the wrong order are all told", Fault.REORDER_REPORTS)
    async def test_ex_43_reordered(self, stage: Stage) -> None:
        await _told_all_the_same(stage, Fault.REORDER_REPORTS)

    @check(44, "a report that never came is made good, by the adapter itself or by a query", Fault.LOSE_REPORT)
    async def test_ex_44_lost_report(self, stage: Stage) -> None:
        await _told_all_the_same(stage, Fault.LOSE_REPORT)

    @check(45, "stream and query tell the same execution under the same id")
    async def test_ex_45_same_ids(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.move(stage.ground.far_px)
        streamed = set(await stage.streams(request))
        asked = {each.exec_id for each in (await stage.query(request)).reports if each.exec_type == ExecType.TRADE}
        assert asked == streamed

    @check(46, "reports keep the venue's own words")
    async def test_ex_46_raw_payload(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.move(stage.ground.far_px)
        await stage.filled(request)
        assert all(each.raw for each in stage.told.of(request, ExecType.TRADE))


async def _told_all_the_same(stage: Stage, fault: Fault) -> None:
    """Of an order that fills in two parts, whatever happens to what is told of it."""
    ground = stage.ground
    request = await stage.resting()
    await stage.arm(fault, "", MANY)
    await stage.move(ground.far_px, ground.part_qty)
    await stage.filled(request, ground.part_qty)
    await stage.move(ground.px)
    await stage.move(ground.far_px)
    await stage.filled(request)
    await stage.heal()
