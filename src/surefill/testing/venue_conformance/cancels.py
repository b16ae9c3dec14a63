"""EX-16 to EX-21: cancels that come too late, find nothing, or get lost."""

from __future__ import annotations

from surefill.domain.reports import ExecType
from surefill.testing.remote_venue.faults import Fault
from surefill.testing.venue_conformance.ground import TrueOrder
from surefill.testing.venue_conformance.numbered import check
from surefill.testing.venue_conformance.stage import ENDS, Stage
from surefill.venues.protocol import Accepted, Rejected, Unknown


class Cancels:
    """Ends that are asked for."""

    @check(16, "a cancel that comes after the last fill is never told as done")
    async def test_ex_16_cancel_of_filled(self, stage: Stage) -> None:
        request = stage.order()
        await stage.accepted(request)
        await stage.filled(request)
        outcome = await stage.cancel(request)
        assert not isinstance(outcome, Accepted), outcome
        await stage.query(request)
        assert not stage.told.of(request, ExecType.CANCELED, ExecType.EXPIRED)

    @check(17, "a cancel of an order that never was is never told as done")
    async def test_ex_17_cancel_of_nothing(self, stage: Stage) -> None:
        outcome = await stage.cancel(stage.limit())
        assert not isinstance(outcome, Accepted), outcome

    @check(18, "a second cancel of the same order ends it no second time, and hides its end from nobody")
    async def test_ex_18_second_cancel(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.canceled(request)
        await stage.cancel(request)
        ends = {each.exec_type for each in (await stage.query(request)).reports if each.exec_type in ENDS}
        assert ends == {ExecType.CANCELED}
        assert await stage.truth(request) == TrueOrder(1, 0, False)

    @check(
        19,
        "a cancel whose answer is lost is unknown; a query tells the end",
        Fault.LOSE_ANSWER,
    )
    async def test_ex_19_lost_answer_to_cancel(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.arm(Fault.LOSE_ANSWER, "cancel")
        outcome = await stage.cancel(request)
        assert isinstance(outcome, Unknown), outcome
        assert (await stage.ended(request)).exec_type == ExecType.CANCELED

    @check(20, "a cancel whose request is lost is unknown; the order works on, and can be canceled", Fault.LOSE_REQUEST)
    async def test_ex_20_lost_request_to_cancel(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.arm(Fault.LOSE_REQUEST, "cancel")
        assert isinstance(await stage.cancel(request), Unknown)
        assert (await stage.query(request)).found
        assert not stage.told.of(request, *ENDS)
        await stage.canceled(request)

    @check(
        21, "a cancel that was turned away unread is rejected as undelivered, and the order works on", Fault.THROTTLED
    )
    async def test_ex_21_throttled_cancel(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.arm(Fault.THROTTLED, "cancel")
        outcome = await stage.cancel(request)
        assert isinstance(outcome, Rejected), outcome
        assert outcome.undelivered
        assert (await stage.truth(request)).working
