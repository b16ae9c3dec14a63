"""Promises of the safety case that belong to no single module."""

from __future__ import annotations

from typing import Any

import pytest
from tests.domain.core import Core, profile
from tests.engine.workspaces import ScriptedVenue, intent, run, started

from surefill.domain.events import IntentRefused, OrderFilled
from surefill.domain.inputs import Halt, OutcomeUnknown, SubmitIntent
from surefill.domain.intent import Action
from surefill.domain.limits import Limits
from surefill.domain.refusals import RefusalCode
from surefill.rules.codes import OrdStatus

MONEY = 10**6


@pytest.mark.parametrize("names", [{}, {"instrument_id": "X"}, {"strategy_id": "s"}], ids=["all", "symbol", "strategy"])
def test_halt_of_the_same_turn_keeps_an_entry_from_the_venue(names: dict[str, Any]) -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        engine = await started(venue=venue)
        now_ns = engine.clock.now_ns()
        entry = engine.enqueue("w", SubmitIntent(now_ns, intent("k")))
        await engine.feed("w", Halt(now_ns, "OPERATOR", "kill", "ann", **names))
        receipt = await entry
        assert (venue.sent, receipt.status, receipt.code) == ([], OrdStatus.REJECTED, "NOT_SENT")
        await engine.stop()

    run(test)


def test_halt_of_the_same_turn_lets_a_reduction_out() -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        engine = await started(venue=venue)
        await engine.submit("w", intent("in"))
        venue.fill(venue.sent[0], 10, "e1")
        now_ns = engine.clock.now_ns()
        out = engine.enqueue("w", SubmitIntent(now_ns, intent("out", side=-1)))
        await engine.feed("w", Halt(now_ns, "OPERATOR", "kill", "ann"))
        await out
        assert [request.side for request in venue.sent] == [1, -1]
        await engine.stop()

    run(test)


def test_purchase_of_unknown_fate_keeps_its_cash_promised_in_full() -> None:
    core = Core(profile(limits=Limits()), cash=150 * 1000 * MONEY)
    first = core.order(1, 100)
    core.feed(OutcomeUnknown(core.tick(), first.request.cl_ord_id, "no answer"))
    assert first.status == OrdStatus.UNKNOWN

    core.submit(core.intent(Action.TRADE, 1, 60))
    assert core.only(IntentRefused).code == RefusalCode.INSUFFICIENT_CASH
    core.submit(core.intent(Action.TRADE, 1, 50))
    assert core.all(IntentRefused) == []


def test_execution_reported_for_two_orders_is_booked_once() -> None:
    core = Core()
    core.fill(core.order(1, 100), 100, exec_id="e1")
    core.fill(core.order(1, 50), 50, exec_id="e1")

    assert core.all(OrderFilled) == []
    assert core.position.qty == 100
