"""EX-22 to EX-28: an answer is an answer, and a look that fails is none."""

from __future__ import annotations

from surefill.domain.position import position_key
from surefill.domain.reports import ExecType
from surefill.testing.remote_venue.faults import Fault
from surefill.testing.venue_conformance.numbered import check
from surefill.testing.venue_conformance.stage import ENDS, MANY, Stage, fails


class Looks:
    """Queries and positions."""

    @check(22, "an order that never was is not found, and that is an answer")
    async def test_ex_22_never_was(self, stage: Stage) -> None:
        found = await stage.query(stage.order())
        assert not found.found
        assert not found.reports

    @check(
        23, "an order is found in every state: working, filled in part, filled, canceled; twice asked, the same is told"
    )
    async def test_ex_23_found_in_every_state(self, stage: Stage) -> None:
        ground = stage.ground
        working, partly, filled, gone = (stage.limit(), stage.limit(), stage.order(), stage.limit())
        await stage.accepted(partly)
        await stage.move(ground.far_px, ground.part_qty)
        await stage.filled(partly, ground.part_qty)
        await stage.move(ground.px)
        for request in (working, filled, gone):
            await stage.accepted(request)
        await stage.filled(filled)
        await stage.canceled(gone)
        for request, cum_qty in ((working, 0), (partly, ground.part_qty), (filled, filled.order_qty), (gone, 0)):
            looks = [await stage.query(request) for _ in range(2)]
            for found in looks:
                assert found.found
                assert {each.cl_ord_id for each in found.reports} == {request.cl_ord_id}
                fills = {each.exec_id: each for each in found.reports if each.exec_type == ExecType.TRADE}
                assert sum(each.last_qty for each in fills.values()) == cum_qty
                ends = {each.exec_type for each in found.reports if each.exec_type in ENDS}
                assert ends == ({ExecType.CANCELED} if request is gone else set())
            assert _ids(looks[0].reports) == _ids(looks[1].reports)

    @check(24, "a query that fails raises: with an error, an answer nobody can read, or none", Fault.QUERY_ERROR)
    async def test_ex_24_failed_query(self, stage: Stage) -> None:
        request = await stage.resting()
        for fault in (Fault.QUERY_ERROR, Fault.GARBLE_ANSWER, Fault.LOSE_ANSWER):
            await stage.arm(fault, "", MANY)
            await fails(stage.venue.query(request), f"a query that met {fault.name}")
            await stage.heal()
        assert (await stage.query(request)).found

    @check(25, "positions that cannot be told raise", Fault.QUERY_ERROR)
    async def test_ex_25_failed_positions(self, stage: Stage) -> None:
        await stage.bought()
        await stage.arm(Fault.QUERY_ERROR, "", MANY)
        await fails(stage.venue.positions(), "positions")

    @check(26, "where nothing is held no position is told, and that is an answer")
    async def test_ex_26_nothing_held(self, stage: Stage) -> None:
        assert not (await stage.venue.positions()).get(_key(stage))

    @check(27, "positions follow the fills, bought and sold, and are what the venue really has")
    async def test_ex_27_positions(self, stage: Stage) -> None:
        for side, wanted in ((1, 1), (1, 2), (-1, 1)):
            request = stage.order(side)
            await stage.accepted(request)
            await stage.filled(request)
            held = (await stage.venue.positions()).get(_key(stage), 0)
            assert held == await stage.held(), f"after {wanted} of {stage.ground.qty} are held"
            # A commission may be taken out of what was bought: less than a hundredth of it, anywhere.
            assert 0 <= wanted * stage.ground.qty - held <= wanted * stage.ground.qty // 100 + 1

    @check(28, "two orders of the same terms are told apart, whatever became of each")
    async def test_ex_28_same_terms(self, stage: Stage) -> None:
        first, second = await stage.resting(), await stage.resting()
        assert stage.told.order_id(first) != stage.told.order_id(second)
        await stage.canceled(first)
        assert (await stage.truth(first)).working is False
        assert (await stage.truth(second)).working is True
        await stage.query(second)
        assert not stage.told.of(second, *ENDS)


def _key(stage: Stage) -> str:
    return position_key(stage.ground.instrument_id, "")


def _ids(reports: tuple[object, ...]) -> list[str]:
    return sorted(getattr(each, "exec_id", "") for each in reports)
