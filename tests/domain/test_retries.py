"""Trying again: only after proof that nothing arrived, bounded, spaced, and never past a kill or a tripped breaker."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.domain.core import ALL_GATES, Core, instrument, profile

from surefill.domain.decide.retries import RESEND_TIMER, wait_ns
from surefill.domain.decide.sending import TIMEOUT_TIMER
from surefill.domain.effects import CancelOrder, QueryOrder, SetTimer, SubmitOrder
from surefill.domain.events import (
    AnomalyNoted,
    BreakerTripped,
    CancelRequested,
    OrderCanceled,
    OrderCreated,
    OrderExpired,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderResendScheduled,
    OrderResent,
)
from surefill.domain.inputs import (
    DefineInstrument,
    Halt,
    OutcomeUnknown,
    RecoverOrders,
    RequestCancel,
    Resume,
    TimerFired,
    VenueReports,
)
from surefill.domain.instrument import Terms
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.reports import ExecType, VenueReport
from surefill.domain.state import State
from surefill.rules.codes import OrdStatus, PartialFill
from surefill.units import NS_PER_S, PPB

S = NS_PER_S
FOUR = Limits(allow_negative_cash=True, attempts_max=4)


def _core(**limits: Any) -> Core:
    return Core(profile(limits=Limits(**{"allow_negative_cash": True, "attempts_max": 4, **limits})))


def _undelivered(core: Core, order: Order, retry_after_ns: int = 0) -> list[Any]:
    return core.report(
        order,
        ExecType.REJECTED,
        code="ECONNREFUSED",
        text="connection refused",
        undelivered=True,
        retry_after_ns=retry_after_ns,
    )


def _fire(core: Core, order: Order) -> None:
    """Let the order's wait be over."""
    core.now_ns = max(core.now_ns, order.resend_ns)
    core.feed(TimerFired(core.now_ns, RESEND_TIMER + order.request.cl_ord_id))


# -- the same order again -------------------------------------------------------------------------------------


def test_order_proved_undelivered_is_sent_again_under_its_id_until_its_attempts_are_used() -> None:
    core = _core()
    order = core.order()
    cl_ord_id, request = order.request.cl_ord_id, order.request
    for attempt in (2, 3, 4):
        _undelivered(core, order)
        planned = core.only(OrderResendScheduled)
        assert (planned.cl_ord_id, planned.attempt, planned.code) == (cl_ord_id, attempt, "ECONNREFUSED")
        assert core.only(SetTimer) == SetTimer(RESEND_TIMER + cl_ord_id, planned.at_ns)
        assert core.all(SubmitOrder) == []
        _fire(core, order)
        sent = core.only(SubmitOrder).request
        assert core.only(OrderResent).send_by_ns == sent.send_by_ns == core.now_ns + 5 * S
        assert {**_fields(sent), "send_by_ns": 0} == {**_fields(request), "send_by_ns": 0}, "only its deadline is new"
    _undelivered(core, order)
    assert core.only(OrderRejected).code == "ECONNREFUSED"
    assert core.effects == []
    assert core.live == []


def _fields(request: Any) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__struct_fields__}


def test_order_sent_again_is_an_order_like_any_other() -> None:
    core = _core()
    order = core.order(qty=100)
    _undelivered(core, order)
    _fire(core, order)
    core.fill(order, 100)
    assert (core.position.qty, core.live) == (100, [])


@pytest.mark.parametrize(
    ("what", "attempts_max"),
    [
        ({"code": "NO", "text": "insufficient balance"}, 4),  # the venue has had it
        ({"code": "ECONNREFUSED", "undelivered": True}, 1),  # one attempt is all
    ],
)
def test_rejection_without_proof_or_attempts_stands(what: dict[str, Any], attempts_max: int) -> None:
    core = _core(attempts_max=attempts_max)
    core.report(core.order(), ExecType.REJECTED, **what)
    core.only(OrderRejected)
    assert core.effects == []


def test_order_of_unknown_outcome_is_never_sent_again() -> None:
    core = _core()
    order = core.order()
    core.feed(OutcomeUnknown(core.tick(), order.request.cl_ord_id, "timed out"))
    _undelivered(core, order)  # an answer to something else, for all we know: it ends the order, and nothing is sent
    core.only(OrderRejected)
    assert core.all(SetTimer) == []


def test_order_whose_outcome_becomes_unknown_while_it_waits_is_not_sent_when_its_wait_is_over() -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    at_ns = order.resend_ns
    core.feed(OutcomeUnknown(core.tick(), order.request.cl_ord_id, "and now nobody knows"))
    core.only(OrderOutcomeUnknown)
    core.now_ns = at_ns
    core.feed(TimerFired(at_ns, RESEND_TIMER + order.request.cl_ord_id))
    assert (core.events, core.effects) == ([], [])


@pytest.mark.parametrize("word", [ExecType.NEW, ExecType.TRADE])
def test_order_that_turns_out_to_have_arrived_is_not_sent_again(word: ExecType) -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    at_ns = order.resend_ns
    core.report(order, word, exec_id="e", last_px=1000, last_qty=50)
    core.now_ns = at_ns
    core.feed(TimerFired(at_ns, RESEND_TIMER + order.request.cl_ord_id))
    assert (core.events, core.effects) == ([], [])


def test_proof_that_is_repeated_after_the_order_was_taken_back_is_no_contradiction() -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "me"))
    _undelivered(core, order)
    assert (core.names(), core.effects) == (["VenueReported"], [])


def test_proof_of_never_having_arrived_contradicts_an_order_that_has_filled() -> None:
    core = _core()
    order = core.order(qty=100)
    core.fill(order, 100)
    _undelivered(core, order)
    assert core.only(AnomalyNoted).kind == "ILLEGAL_REJECT"


def test_proof_that_is_repeated_while_the_order_waits_uses_up_no_attempt() -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    at_ns, attempts = order.resend_ns, order.attempts
    _undelivered(core, order)
    assert (order.resend_ns, order.attempts, core.all(SetTimer)) == (at_ns, attempts, [])


def test_timer_that_fires_too_early_or_twice_sends_nothing() -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    core.feed(TimerFired(core.tick(), RESEND_TIMER + order.request.cl_ord_id))
    assert core.effects == []
    _fire(core, order)
    core.feed(TimerFired(core.tick(), RESEND_TIMER + order.request.cl_ord_id))
    assert core.effects == []


# -- how long it waits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "middle_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30), (100, 30)]
)
def test_wait_doubles_up_to_its_most_and_varies_by_a_quarter(attempt: int, middle_s: int) -> None:
    waits = [wait_ns(FOUR, f"order {n}", attempt) for n in range(200)]
    assert middle_s * S * 3 // 4 <= min(waits) < middle_s * S * 4 // 5
    assert middle_s * S * 6 // 5 < max(waits) <= middle_s * S * 5 // 4
    assert waits == [wait_ns(FOUR, f"order {n}", attempt) for n in range(200)], "the same order waits the same time"


def test_wait_without_jitter_is_exact_and_its_most_holds_for_the_first_one_too() -> None:
    plain = Limits(retry_jitter_ppb=0, retry_base_ns=3 * S, retry_factor=3, retry_max_ns=20 * S)
    assert [wait_ns(plain, "a", n) for n in (1, 2, 3, 4)] == [3 * S, 9 * S, 20 * S, 20 * S]
    assert wait_ns(Limits(retry_jitter_ppb=0, retry_base_ns=3 * S, retry_max_ns=2 * S), "a", 1) == 2 * S


def test_wait_of_the_whole_jitter_is_never_below_nothing() -> None:
    whole = Limits(retry_jitter_ppb=PPB)
    assert all(0 <= wait_ns(whole, f"order {n}", 1) <= 2 * S for n in range(200))


@pytest.mark.parametrize(("asked_s", "waited_s"), [(0, 1), (1, 1), (7, 7)])
def test_wait_asked_for_by_the_venue_is_kept(asked_s: int, waited_s: int) -> None:
    core = _core(retry_jitter_ppb=0)
    order = core.order()
    _undelivered(core, order, retry_after_ns=asked_s * S)
    assert core.only(SetTimer).at_ns == core.now_ns + waited_s * S


# -- what ends the wait ---------------------------------------------------------------------------------------


def test_cancel_while_it_waits_ends_the_order_at_once() -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))
    assert core.only(OrderCanceled).text == "taken back before it was sent again (ada)"
    assert core.all(CancelOrder) == [], "it is not at the venue"
    core.feed(TimerFired(order.resend_ns or core.tick(10**12), RESEND_TIMER + order.request.cl_ord_id))
    assert core.effects == []


@pytest.mark.parametrize("halt", [{}, {"instrument_id": "X"}, {"strategy_id": "s"}, {"scope": "engine"}])
def test_kill_while_it_waits_ends_an_entry(halt: dict[str, Any]) -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada", **halt))
    core.only(OrderCanceled)
    assert core.live == []


@pytest.mark.parametrize(
    ("halt", "again"),
    [
        ({}, False),
        ({"instrument_id": "X"}, False),
        ({"strategy_id": "s"}, False),
        ({"scope": "venue"}, False),
        ({"instrument_id": "Y"}, True),  # somebody else's
        ({"strategy_id": "other"}, True),
    ],
)
def test_proof_that_comes_after_a_kill_plans_nothing(halt: dict[str, Any], again: bool) -> None:
    core = _core()
    order = core.order()
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada", **halt))
    _undelivered(core, order)
    assert bool(core.all(OrderResendScheduled)) is again
    assert bool(core.all(OrderRejected)) is not again


def test_exit_is_sent_again_through_a_kill() -> None:
    core = _core()
    core.hold()
    closing = core.order(0, 0, action=Action.CLOSE)
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada"))
    _undelivered(core, closing)
    _fire(core, closing)
    assert core.only(SubmitOrder).request.cl_ord_id == closing.request.cl_ord_id


def test_breaker_that_trips_while_it_waits_ends_an_entry_and_no_exit() -> None:
    core = Core(profile(*ALL_GATES, "reject_streak", limits=msgspec.structs.replace(FOUR, reject_streak_max=1)))
    core.hold()
    closing, waiting, other = core.order(0, 0, action=Action.CLOSE), core.order(), core.order()
    _undelivered(core, closing)
    _undelivered(core, waiting)
    core.rejected(other)
    core.only(BreakerTripped)
    assert [order.request.cl_ord_id for order in core.live] == [closing.request.cl_ord_id]


def test_exit_plan_takes_back_a_reduction_that_waits_and_leaves_at_once() -> None:
    core = _core()
    core.hold(plan=ExitPlan(stop_px=900))
    closing = core.order(0, 40, action=Action.CLOSE, px=1100)
    _undelivered(core, closing)
    core.quote(900)
    core.only(OrderCanceled)
    assert core.only(SubmitOrder).request.order_qty == 100


def test_reductions_of_a_position_that_shrinks_are_all_taken_back_whether_they_wait_or_work() -> None:
    core = _core()
    selling = core.order(-1, 150, px=1050)
    core.hold(qty=100)
    waiting, working = (core.order(0, qty, action=Action.CLOSE, px=1100) for qty in (30, 40))
    _undelivered(core, waiting)
    core.fill(selling, 80, 1050)
    assert core.only(OrderCanceled).cl_ord_id == waiting.request.cl_ord_id
    assert core.only(CancelRequested).cl_ord_id == working.request.cl_ord_id


# -- a restart ------------------------------------------------------------------------------------------------


def _restarted(core: Core) -> None:
    core.state = State.restore(core.state.snapshot())
    core.feed(RecoverOrders(core.tick()))


def test_restart_keeps_an_order_waiting_and_asks_nobody_about_it() -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    at_ns = order.resend_ns
    _restarted(core)
    assert core.effects == [SetTimer(RESEND_TIMER + order.request.cl_ord_id, at_ns)]
    _fire(core, core.live[0])
    assert core.only(SubmitOrder).request.cl_ord_id == order.request.cl_ord_id


def test_restart_after_the_decision_to_send_again_asks_and_never_sends() -> None:
    core = _core()
    order = core.order()
    _undelivered(core, order)
    _fire(core, order)
    _restarted(core)
    core.only(OrderOutcomeUnknown)
    core.only(QueryOrder)
    assert core.all(SubmitOrder) == []


# -- time is up -----------------------------------------------------------------------------------------------


def _time_out(core: Core, order: Order) -> None:
    core.now_ns = max(core.now_ns, order.created_ns + order.timeout_ns)
    core.feed(TimerFired(core.now_ns, TIMEOUT_TIMER + order.request.cl_ord_id))


@pytest.mark.parametrize(("own_s", "profile_s", "due_s"), [(0, 10, 10), (3, 10, 3), (3, 0, 3)])
def test_order_that_does_not_fill_in_time_is_canceled(own_s: int, profile_s: int, due_s: int) -> None:
    core = _core(order_timeout_ns=profile_s * S)
    order = core.order(px=900, timeout_ns=own_s * S)
    core.accept(order)
    assert order.timeout_ns == due_s * S
    _time_out(core, order)
    assert core.only(CancelRequested).by == "timeout"
    core.only(CancelOrder)
    core.canceled(order, cum_qty=0)
    assert core.all(OrderCreated) == [], "nothing of it filled: there is no rest to take up"


def test_timeout_is_set_with_the_order_and_again_after_a_restart() -> None:
    core = _core(order_timeout_ns=10 * S)
    order = core.order(px=900)
    timer = SetTimer(TIMEOUT_TIMER + order.request.cl_ord_id, order.created_ns + 10 * S)
    assert core.only(SetTimer) == timer
    _restarted(core)
    assert timer in core.effects


def test_timeout_of_an_order_that_is_over_does_nothing() -> None:
    core = _core(order_timeout_ns=10 * S)
    order = core.order()
    core.fill(order, 100)
    _time_out(core, order)
    assert (core.events, core.effects) == ([], [])


def test_order_without_a_timeout_has_no_timer() -> None:
    core = _core()
    core.order(px=900)
    assert core.all(SetTimer) == []


def test_timeout_of_an_order_that_waits_to_be_sent_again_ends_it_as_timed_out() -> None:
    core = _core(order_timeout_ns=S // 2)
    order = core.order()
    _undelivered(core, order)
    _time_out(core, order)
    assert core.only(OrderExpired).text == "its time was up before it was sent again"
    assert core.effects == []
    assert (order.status, order.timed_out) == (OrdStatus.EXPIRED, True)


@pytest.mark.parametrize("closing", [{"action": Action.CLOSE, "side": 0, "qty": 0}, {"side": -1, "qty": 40}])
@pytest.mark.parametrize("own_s", [0, 3])
def test_exit_is_never_timed_out(closing: dict[str, Any], own_s: int) -> None:
    core = _core(order_timeout_ns=10 * S)
    core.hold()
    order = core.order(**closing, timeout_ns=own_s * S)
    assert (order.timeout_ns, core.all(SetTimer)) == (0, [])


def test_exit_that_was_given_a_deadline_by_an_earlier_version_is_not_canceled_for_it() -> None:
    core = _core(order_timeout_ns=10 * S)
    core.hold()
    order = core.order(0, 0, action=Action.CLOSE)
    core.accept(order)
    order.timeout_ns = core.replayed.book.orders[order.request.cl_ord_id].timeout_ns = 10 * S
    _restarted(core)
    assert core.all(SetTimer) == []
    _time_out(core, order)
    assert (core.events, core.effects) == ([], [])


# -- the rest of an entry -------------------------------------------------------------------------------------

RETRY = {"partial_fill": int(PartialFill.RETRY), "order_timeout_ns": 10 * S}


def _half_filled(core: Core, **fields: Any) -> Order:
    order = core.order(qty=100, px=1000, **fields)
    core.accept(order)
    core.fill(order, 30)
    return order


@pytest.mark.parametrize("ending", ["timeout", "expired", "canceled by its venue"])
def test_rest_of_an_entry_is_taken_up_by_a_further_order(ending: str) -> None:
    core = _core(**RETRY)
    order = _half_filled(core, plan=ExitPlan(stop_px=900))
    if ending == "timeout":
        _time_out(core, order)
    core.report(order, ExecType.EXPIRED if ending == "expired" else ExecType.CANCELED, cum_qty=30)
    created = core.only(OrderCreated)
    first = order.request
    assert created.request.order_qty == 70
    assert (created.parent, created.attempt, created.plan) == (first.cl_ord_id, 2, order.plan)
    assert (created.intent_id, created.strategy_id) == (order.intent_id, order.strategy_id)
    assert created.request.cl_ord_id != first.cl_ord_id
    same = ("instrument_id", "bucket", "side", "ord_type", "px", "stop_px", "time_in_force", "arrival_px")
    assert all(getattr(created.request, name) == getattr(first, name) for name in same)
    assert core.only(SubmitOrder).request == created.request


def test_rest_of_an_entry_has_a_deadline_to_fill_by_like_the_first_order() -> None:
    core = _core(**RETRY)
    order = _half_filled(core)
    _time_out(core, order)
    core.canceled(order, cum_qty=30)
    rest = core.only(OrderCreated).request
    assert core.only(SetTimer) == SetTimer(TIMEOUT_TIMER + rest.cl_ord_id, core.now_ns + 10 * S)


def test_rest_of_a_rest_goes_on_until_the_attempts_are_used_and_never_beyond_the_intent() -> None:
    core = _core(**RETRY | {"attempts_max": 3})
    first = order = core.order(qty=100, px=1000)
    asked = []
    for filled in (30, 20, 10):
        core.fill(order, filled)
        core.canceled(order, cum_qty=filled)
        for created in core.all(OrderCreated):
            asked.append((created.request.order_qty, created.parent))
            order = core.state.book.orders[created.request.cl_ord_id]
    assert asked == [(70, first.request.cl_ord_id), (50, first.request.cl_ord_id)]
    assert (core.position.qty, core.live) == (60, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"partial_fill": int(PartialFill.ACCEPT)},
        {"attempts_max": 1},
    ],
)
def test_rest_is_left_where_the_profile_says_so(changes: dict[str, int]) -> None:
    core = _core(**RETRY | changes)
    order = _half_filled(core)
    core.canceled(order, cum_qty=30)
    assert core.all(OrderCreated) == []


def test_rest_of_an_exit_is_not_an_entrys() -> None:
    core = _core(**RETRY)
    core.hold()
    closing = core.order(0, 100, action=Action.CLOSE, px=1000)
    core.fill(closing, 30)
    core.canceled(closing, cum_qty=30)
    assert core.all(OrderCreated) == []


def test_rest_is_not_taken_up_after_a_kill_or_a_tripped_breaker() -> None:
    core = _core(**RETRY)
    order = _half_filled(core)
    core.feed(Halt(core.tick(), "KILL", "a person said so", "ada"))
    core.canceled(order, cum_qty=30)
    assert core.all(OrderCreated) == []


def test_rest_is_not_taken_up_when_the_very_fill_before_it_trips_a_breaker() -> None:
    limits = msgspec.structs.replace(FOUR, slippage_max_ppb=0, **RETRY)
    core = Core(profile(*ALL_GATES, "slippage", limits=limits))
    order = core.order(qty=100, px=1005)
    name, ref = order.request.cl_ord_id, order.request.order_ref
    fill = VenueReport(name, ExecType.TRADE, ref, "e", 1005, 30)
    end = VenueReport(name, ExecType.EXPIRED, ref, cum_qty=30)
    core.feed(VenueReports(core.tick(), (fill, end)))
    core.only(BreakerTripped)
    assert (core.all(OrderCreated), core.all(SubmitOrder), core.live) == ([], [], [])


@pytest.mark.parametrize("by", ["a person", "a kill", "the exit plan"])
@pytest.mark.parametrize("first", ["timeout", "them"])
def test_rest_of_an_entry_that_somebody_wanted_gone_is_left_whoever_came_first(by: str, first: str) -> None:
    """Its time was up as well: that does not bring it back."""
    core = _core(**RETRY | {"query_spacing_ns": 0})
    order = _half_filled(core, plan=ExitPlan(stop_px=900))
    if first == "timeout":
        _time_out(core, order)
    if by == "a person":
        core.feed(RequestCancel(core.tick(), order.request.cl_ord_id, "ada"))
    elif by == "a kill":
        core.feed(Halt(core.tick(), "KILL", "a person said so", "ada"))
        core.feed(Resume(core.tick(), "ada"))
    else:
        core.quote(900)
    if first == "them":
        core.report(order, ExecType.CANCEL_REJECTED, code="BUSY")
        _time_out(core, order)
    core.canceled(order, cum_qty=30)
    assert [created for created in core.all(OrderCreated) if not created.exit_reason] == []


def test_rest_is_still_taken_up_when_the_cancel_of_a_timeout_has_to_be_asked_again() -> None:
    core = _core(**RETRY | {"query_spacing_ns": 0})
    order = _half_filled(core)
    _time_out(core, order)
    core.report(order, ExecType.CANCEL_REJECTED, code="BUSY")
    core.report(order, ExecType.STATUS, cum_qty=30)
    assert core.only(CancelRequested).by == "still working"
    core.canceled(order, cum_qty=30)
    assert core.only(OrderCreated).request.order_qty == 70


@pytest.mark.parametrize(
    ("terms", "filled", "why"),
    [
        (Terms(0, 5, 10), 35, "the rest of 65 is no multiple of the lot 10"),
        (Terms(0, 5, 10, min_qty=80, max_qty=100), 30, "the rest of 70 is outside 80 to 100 of one order"),
        (Terms(0, 5, 10, min_qty=70), 30, ""),
        (Terms(0, 5, 10, max_qty=70), 30, ""),
        (Terms(0, 5, 10, max_qty=60), 30, "the rest of 70 is outside 0 to 60 of one order"),
    ],
)
def test_rest_that_is_no_order_ends_with_its_reason(terms: Terms, filled: int, why: str) -> None:
    core = _core(**RETRY)
    order = core.order(qty=100, px=1000)
    core.fill(order, filled)
    core.feed(DefineInstrument(core.tick(), instrument("X", terms)))
    core.report(order, ExecType.EXPIRED, cum_qty=filled, text="the session ended")
    told = f"; {why}: it is not taken up" if why else ""
    assert core.only(OrderExpired).text == f"the session ended{told}"
    assert [created.request.order_qty for created in core.all(OrderCreated)] == ([] if why else [70])
