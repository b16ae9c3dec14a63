"""EX-29 to EX-40: proof where there is proof, and not knowing everywhere else."""

from __future__ import annotations

import time

from surefill.testing.remote_venue.faults import Fault
from surefill.testing.venue_conformance.ground import TrueOrder
from surefill.testing.venue_conformance.numbered import check
from surefill.testing.venue_conformance.stage import MANY, Stage
from surefill.venues.protocol import Rejected

#: A beat is five milliseconds: what waits for an answer waits longer than so many of them.
BEATS = 10


class Outcomes:
    """What a submission comes to when something goes wrong."""

    @check(
        29, "an answer that is lost is unknown; the order is there once, and a query tells its fills", Fault.LOSE_ANSWER
    )
    async def test_ex_29_lost_answer(self, stage: Stage) -> None:
        await _done_and_unknown(stage, Fault.LOSE_ANSWER)

    @check(30, "a request that is lost is unknown; nothing is there, and nothing is sent again", Fault.LOSE_REQUEST)
    async def test_ex_30_lost_request(self, stage: Stage) -> None:
        await _lost_and_unknown(stage, Fault.LOSE_REQUEST)

    @check(31, "an answer that nobody can read is unknown", Fault.GARBLE_ANSWER)
    async def test_ex_31_unreadable_answer(self, stage: Stage) -> None:
        await _done_and_unknown(stage, Fault.GARBLE_ANSWER)

    @check(32, "an error of the server's is unknown", Fault.SERVER_ERROR)
    async def test_ex_32_server_error(self, stage: Stage) -> None:
        await _done_and_unknown(stage, Fault.SERVER_ERROR)

    @check(
        33,
        "a connection that breaks before the request is read is unknown: nobody knows when it broke",
        Fault.DISCONNECT,
    )
    async def test_ex_33_broken_before(self, stage: Stage) -> None:
        await _lost_and_unknown(stage, Fault.DISCONNECT)

    @check(34, "a connection that breaks before the answer is unknown; the order is there once", Fault.DISCONNECT_AFTER)
    async def test_ex_34_broken_after(self, stage: Stage) -> None:
        await _done_and_unknown(stage, Fault.DISCONNECT_AFTER)

    @check(35, "an answer that comes too late is unknown; coming at last it breaks nothing", Fault.DELAY_ANSWER)
    async def test_ex_35_late_answer(self, stage: Stage) -> None:
        await _done_and_unknown(stage, Fault.DELAY_ANSWER)
        await stage.bought()

    @check(
        36, "what was turned away unread is rejected as undelivered, with the wait that was asked for", Fault.THROTTLED
    )
    async def test_ex_36_turned_away(self, stage: Stage) -> None:
        await stage.arm(Fault.THROTTLED, "submit")
        outcome = await stage.rejected(stage.order())
        assert outcome.undelivered
        assert outcome.retry_after_ns > 0, "the venue asked for patience"

    @check(37, "what was read and refused is rejected in the venue's words, and not as undelivered", Fault.REFUSED)
    async def test_ex_37_refused(self, stage: Stage) -> None:
        await stage.arm(Fault.REFUSED, "submit")
        outcome = await stage.rejected(stage.order())
        assert not outcome.undelivered

    @check(38, "the same client order id submitted twice, while the first order works, is one order at the venue")
    async def test_ex_38_same_id_twice(self, stage: Stage) -> None:
        request = await stage.resting()
        outcome = await stage.submit(request)
        assert not (isinstance(outcome, Rejected) and outcome.undelivered), "its twin is there"
        assert (await stage.truth(request)).orders == 1

    @check(39, "an order whose time to be sent is over is rejected as never sent")
    async def test_ex_39_too_late_to_send(self, stage: Stage) -> None:
        now_ns = time.time_ns()
        outcome = await stage.rejected(stage.order(transact_ns=now_ns - 2, send_by_ns=now_ns - 1))
        assert outcome.undelivered

    @check(40, "while an answer is waited for the loop turns", Fault.LOSE_ANSWER)
    async def test_ex_40_loop_turns(self, stage: Stage) -> None:
        request = stage.limit()
        await stage.arm(Fault.LOSE_ANSWER, "submit")
        assert await stage.beats_while(stage.submit(request)) >= BEATS
        await stage.arm(Fault.LOSE_ANSWER, "", MANY)
        assert await stage.beats_while(stage.venue.query(request)) >= BEATS


async def _done_and_unknown(stage: Stage, fault: Fault) -> None:
    request = stage.order()
    await stage.arm(fault, "submit")
    await stage.unknown(request)
    await stage.filled(request)
    assert await stage.truth(request) == TrueOrder(1, request.order_qty, False)


async def _lost_and_unknown(stage: Stage, fault: Fault) -> None:
    request = stage.order()
    await stage.arm(fault, "submit")
    await stage.unknown(request)
    assert not (await stage.query(request)).found
    assert await stage.truth(request) == TrueOrder()
