"""A position that may be held only so long is left when its time is up, whatever the price."""

from __future__ import annotations

import pytest
from tests.domain.core import Core, profile

from surefill.domain.decide.holding import EOD_TIMER, HOLD_TIMER
from surefill.domain.effects import SetTimer
from surefill.domain.events import ExitTriggered, IntentRefused, OrderCreated
from surefill.domain.inputs import RecoverOrders, SetSession, TimerFired
from surefill.domain.intent import HOLD_MAX_NS, Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.refusals import RefusalCode
from surefill.rules.codes import ExitReason

HOLD_NS = 1_000
PLAN = ExitPlan(max_hold_ns=HOLD_NS)


def fire(core: Core, ts_ns: int) -> None:
    core.feed(TimerFired(ts_ns, f"{HOLD_TIMER}X"))


def test_holding_time_sets_a_timer_from_when_the_position_was_opened() -> None:
    core = Core()
    core.hold(plan=PLAN)
    timers = [effect for effect in core.effects if isinstance(effect, SetTimer) and effect.name == f"{HOLD_TIMER}X"]
    assert [timer.at_ns for timer in timers] == [core.state.book.positions["X"].opened_ns + HOLD_NS]


@pytest.mark.parametrize(("early_ns", "leaves"), [(1, False), (0, True), (-1, True)])
@pytest.mark.parametrize("side", [1, -1])
def test_holding_time_that_is_up_closes_the_position(side: int, early_ns: int, leaves: bool) -> None:
    core = Core()
    position = core.hold(side, plan=PLAN)
    fire(core, position.opened_ns + HOLD_NS - early_ns)
    assert [(event.reason, event.qty, event.px) for event in core.all(ExitTriggered)] == (
        [(ExitReason.TIME_STOP, 100, 1000)] if leaves else []
    )
    assert [event.request.side for event in core.all(OrderCreated)] == ([-side] if leaves else [])


def test_holding_time_without_a_price_leaves_all_the_same() -> None:
    core = Core()
    position = core.hold(plan=PLAN)
    core.state.quotes.clear()
    fire(core, position.opened_ns + HOLD_NS)
    assert core.only(OrderCreated).request.reduce_only


def test_holding_time_finds_an_exit_on_its_way_and_sends_no_other() -> None:
    core = Core()
    position = core.hold(plan=ExitPlan(stop_px=950, max_hold_ns=HOLD_NS))
    core.quote(950)
    assert core.only(OrderCreated).exit_reason == ExitReason.STOP
    fire(core, position.opened_ns + HOLD_NS)
    assert core.events == []


def test_holding_time_of_a_position_that_is_gone_does_nothing() -> None:
    core = Core()
    fire(core, 10**6)
    assert core.events == []


def test_holding_time_is_watched_again_after_a_start() -> None:
    core = Core()
    position = core.hold(plan=PLAN)
    core.feed(RecoverOrders(core.tick()))
    timers = [effect for effect in core.effects if isinstance(effect, SetTimer)]
    assert [(timer.name, timer.at_ns) for timer in timers] == [(f"{HOLD_TIMER}X", position.opened_ns + HOLD_NS)]


@pytest.mark.parametrize(("hold_ns", "allowed"), [(HOLD_MAX_NS, True), (HOLD_MAX_NS + 1, False), (-1, False)])
def test_holding_time_out_of_range_is_no_plan(hold_ns: int, allowed: bool) -> None:
    core = Core()
    core.submit(core.intent(Action.OPEN, 1, 100, plan=ExitPlan(max_hold_ns=hold_ns)))
    assert [event.code for event in core.all(IntentRefused)] == ([] if allowed else [RefusalCode.INVALID_PLAN])


# -- the end of the session -----------------------------------------------------------------------------------

LEAD_NS = 900
DAY_PLAN = ExitPlan(end_of_day=True)
END_NS = 100_000


def _session(core: Core, day: str = "2026-01-05", end_ns: int = END_NS) -> None:
    calendar = core.state.book.instruments["X"].calendar
    core.feed(SetSession(core.tick(), calendar, day, end_ns - 50_000, end_ns))


def _leading(lead_ns: int = LEAD_NS) -> Core:
    return Core(profile(limits=Limits(allow_negative_cash=True, eod_lead_ns=lead_ns)))


def _timers(core: Core) -> list[int]:
    return [timer.at_ns for timer in core.all(SetTimer) if timer.name == f"{EOD_TIMER}X"]


def test_position_for_the_day_leaves_before_its_session_ends() -> None:
    core = _leading()
    _session(core)
    core.hold(plan=DAY_PLAN)
    assert _timers(core) == [END_NS - LEAD_NS]
    core.feed(TimerFired(END_NS - LEAD_NS, f"{EOD_TIMER}X"))
    assert core.only(ExitTriggered).reason == ExitReason.END_OF_DAY
    assert core.only(OrderCreated).request.order_qty == 100


def test_position_for_the_day_is_woken_by_the_session_it_is_in() -> None:
    core = _leading()
    _session(core)
    core.hold(plan=DAY_PLAN)
    _session(core, "2026-01-06", 2 * END_NS)
    assert _timers(core) == [2 * END_NS - LEAD_NS]
    core.feed(TimerFired(END_NS - LEAD_NS, f"{EOD_TIMER}X"))  # yesterday's
    assert core.events == []
    core.feed(RecoverOrders(core.tick()))
    assert _timers(core) == [2 * END_NS - LEAD_NS]


@pytest.mark.parametrize(("lead_ns", "plan"), [(0, DAY_PLAN), (LEAD_NS, ExitPlan(stop_px=900))])
def test_position_without_a_lead_or_for_longer_than_the_day_is_not_woken(lead_ns: int, plan: ExitPlan) -> None:
    core = _leading(lead_ns)
    _session(core)
    core.hold(plan=plan)
    assert _timers(core) == []
    core.feed(TimerFired(END_NS, f"{EOD_TIMER}X"))
    assert core.events == []
