"""Positions whose exits see nothing: when, when not, and that somebody is called once for each time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.domain.core import Core, profile
from tests.engine.workspaces import MS, Alarms, ScriptedVenue, instrument, intent, opening, run

from surefill.domain.inputs import SetSession
from surefill.domain.intent import ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.market import Quote
from surefill.domain.reports import ExecType
from surefill.engine.blindness import blind_positions
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.rounds import RoundTimes
from surefill.journal import MemoryJournal

STOP = ExitPlan(stop_px=950)
AFTER = 1_000


def _held(plan: ExitPlan | None = STOP, **limits: Any) -> Core:
    core = Core(profile(limits=Limits(allow_negative_cash=True, **limits)))
    core.hold(plan=plan)
    return core


def _blind(core: Core, after_ns: int) -> list[str]:
    return list(blind_positions(core.state, core.now_ns + after_ns, AFTER))


def test_position_is_blind_when_its_session_is_on_and_no_price_comes() -> None:
    core = _held()
    seen = core.state.quotes["X"].ts_ns
    age = core.now_ns - seen
    assert _blind(core, AFTER - age - 1) == []
    assert _blind(core, AFTER - age) == ["X"]
    core.quote(1_000)
    assert _blind(core, AFTER - 1) == []
    del core.state.quotes["X"]
    assert "no price has come" in blind_positions(core.state, core.now_ns + AFTER, AFTER)["X"]


@pytest.mark.parametrize("plan", [None, STOP])
def test_position_outside_its_session_or_without_a_plan_is_not_blind(plan: ExitPlan | None) -> None:
    core = _held(plan)
    if plan is not None:
        core.feed(SetSession(core.tick(), "24x7", "2026-01-01", core.now_ns, core.now_ns + 10))
        assert _blind(core, 9) == []
    assert _blind(core, 10 * AFTER) == []


def test_position_whose_stop_rests_at_the_venue_is_guarded_there() -> None:
    core = _held(stops_at_venue=True)
    assert _blind(core, AFTER) == ["X"], "not confirmed"
    (stop,) = [order for order in core.live if order.rests]
    core.report(stop, ExecType.NEW)
    assert _blind(core, 2 * AFTER) == []


class Told(ScriptedVenue):
    """A venue that tells an account of its own."""

    async def open_orders(self) -> tuple[()]:
        return ()

    async def executions(self, since_ns: int) -> tuple[()]:
        return ()

    async def balances(self) -> tuple[()]:
        return ()


def test_somebody_is_called_once_for_each_time_that_a_position_goes_blind() -> None:
    async def test() -> None:
        times = RoundTimes(orders_every_ns=MS, positions_every_ns=3_600_000 * MS, blind_after_ns=20 * MS)
        engine, venue = Engine(MemoryJournal(), LiveClock(), times=times), Told()
        alarms = Alarms(engine)
        await engine.open(opening(), venue, [instrument()])
        await engine.feed("w", Quote("X", engine.clock.now_ns(), 100))
        await engine.submit("w", intent("k", plan=ExitPlan(stop_px=90)))
        venue.fill(venue.sent[0], 10, "e1")

        async def blind(count: int) -> None:
            while alarms.codes().count("POSITION_BLIND") < count:
                await asyncio.sleep(0.001)

        await blind(1)
        await asyncio.sleep(0.05)
        assert alarms.codes().count("POSITION_BLIND") == 1
        await engine.feed("w", Quote("X", engine.clock.now_ns(), 100))
        await blind(2)
        await engine.stop(timeout_s=0)

    run(test)
