"""A stop kept at the venue: placed, moved, taken back before anything else closes, and never more than is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.domain.core import Core, profile

from surefill.domain import codec
from surefill.domain.decide.resting import NAKED_TIMER
from surefill.domain.effects import AmendOrder, CancelOrder, Notify, QueryOrder, SetTimer, SubmitOrder
from surefill.domain.events import (
    AnomalyNoted,
    ExitTriggered,
    Halted,
    OrderCreated,
    OrderReleased,
    ReplaceRequested,
    StopMoved,
    StopPresumedGone,
)
from surefill.domain.inputs import OutcomeUnknown, RecoverOrders, RequestCancel, ResolveOrder, SetProfile, TimerFired
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.reports import ExecType
from surefill.domain.state import State
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Batch
from surefill.rules.codes import ExitReason, OrdStatus, OrdType, TimeInForce
from surefill.testing.invariants import check_journal
from surefill.units import NS_PER_S

STOP = ExitPlan(stop_px=950)
TRAILING = ExitPlan(stop_px=950, trail_distance=50)


def _core(**limits: Any) -> Core:
    return Core(profile(limits=Limits(**{"allow_negative_cash": True, "stops_at_venue": True, **limits})))


def _stop(core: Core) -> Order:
    (order,) = [order for order in core.live if order.rests]
    return order


def _guarded(core: Core, side: int = 1, qty: int = 100, plan: ExitPlan = STOP) -> Order:
    """A position whose stop the venue has confirmed."""
    core.hold(side, qty, plan=plan)
    stop = _stop(core)
    core.accept(stop)
    return stop


def _sound(core: Core) -> None:
    """What has happened keeps every invariant that a journal can be asked about."""
    journal = MemoryJournal()
    payloads = [codec.encode(event) for event in core.journal]
    assert journal.append([Batch(journal.open_stream("w"), payloads, [])]) == [None]
    assert check_journal(journal, "w") == []


# -- placed, and measured ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "stop_px"), [(1, 950), (-1, 1_050)])
def test_first_fill_places_the_stop_in_the_same_step(side: int, stop_px: int) -> None:
    core = _core()
    core.hold(side, 100, plan=ExitPlan(stop_px=stop_px))
    request = core.only(SubmitOrder).request
    assert (request.ord_type, request.side, request.order_qty) == (OrdType.STOP, -side, 100)
    assert (request.stop_px, request.time_in_force, request.reduce_only) == (stop_px, TimeInForce.GTC, True)
    assert core.only(OrderCreated).exit_reason == ExitReason.STOP
    _sound(core)


def test_profile_that_keeps_no_stops_at_the_venue_places_none() -> None:
    core = Core()
    core.hold(plan=STOP)
    assert core.all(SubmitOrder) == []
    assert core.position.protection is not None
    assert core.position.protection.naked_ns == 0


@pytest.mark.parametrize("plan", [ExitPlan(target_px=1_100), ExitPlan(stop_px=950, stop_partial_ppb=500_000_000)])
def test_plan_without_a_stop_that_a_venue_can_keep_is_watched_from_here(plan: ExitPlan) -> None:
    core = _core()
    core.hold(plan=plan)
    assert core.all(SubmitOrder) == []


def test_stop_that_sells_a_part_first_is_watched_from_here_and_the_rest_goes_to_the_venue() -> None:
    core = _core()
    core.hold(plan=ExitPlan(stop_px=950, stop_partial_ppb=500_000_000))
    assert core.position.protection is not None
    assert core.position.protection.naked_ns == 0
    core.quote(949)
    part = core.exit_order()
    assert (part.request.order_qty, core.position.protection.naked_ns > 0) == (50, True)
    core.fill(part, 50, 949)
    assert core.only(SubmitOrder).request.ord_type == OrdType.STOP
    _sound(core)


def test_position_is_naked_until_the_venue_confirms_and_somebody_is_called_when_that_takes_long() -> None:
    core = _core(naked_page_ns=2 * NS_PER_S)
    core.hold(plan=STOP)
    protection = core.position.protection
    assert protection is not None
    since_ns = protection.naked_ns
    assert core.only(SetTimer) == SetTimer(NAKED_TIMER + "X", since_ns + 2 * NS_PER_S)
    core.feed(TimerFired(since_ns + 2 * NS_PER_S, NAKED_TIMER + "X"))
    assert core.only(AnomalyNoted).kind == "POSITION_NAKED"
    assert core.only(Notify).page
    core.accept(_stop(core))
    assert protection.naked_ns == 0
    core.feed(TimerFired(core.tick(9 * NS_PER_S), NAKED_TIMER + "X"))
    assert core.effects == []
    _sound(core)


def test_somebody_is_called_once_for_a_position_that_stays_naked_and_again_after_a_start() -> None:
    core = _core(naked_page_ns=2 * NS_PER_S)
    core.hold(plan=STOP)
    core.feed(TimerFired(core.tick(2 * NS_PER_S), NAKED_TIMER + "X"))
    core.only(Notify)
    core.hold(qty=50)  # its stop is still not confirmed
    assert core.all(SetTimer) == []
    core.feed(RecoverOrders(core.tick()))
    assert [timer.name for timer in core.all(SetTimer)] == [NAKED_TIMER + "X"]


def test_profile_that_comes_to_want_stops_at_the_venue_places_them_and_one_that_no_longer_does_takes_them_back() -> (
    None
):
    core = Core()
    core.hold(plan=STOP)
    rules = core.state.book.profile
    at_venue = msgspec.structs.replace(rules, limits=msgspec.structs.replace(rules.limits, stops_at_venue=True))
    core.feed(SetProfile(core.tick(), at_venue, "with"))
    assert core.only(SubmitOrder).request.stop_px == 950
    core.accept(_stop(core))
    core.feed(SetProfile(core.tick(), rules, "without"))
    core.only(CancelOrder)
    core.canceled(_stop(core))
    core.quote(949)
    assert core.only(ExitTriggered).reason == ExitReason.STOP
    _sound(core)


# -- moved ---------------------------------------------------------------------------------------------------


def test_trailing_moves_the_stop_at_the_venue_in_place() -> None:
    core = _core()
    stop = _guarded(core, plan=TRAILING)
    core.quote(1_040)
    assert core.only(StopMoved).stop_px == 990
    assert core.only(ReplaceRequested).stop_px == 990
    assert core.only(AmendOrder).request.stop_px == 990
    core.quote(1_060)  # moved again while the first change is being answered: one at a time
    assert core.all(AmendOrder) == []
    core.report(stop, ExecType.REPLACED)
    assert stop.request.stop_px == 990
    assert core.only(AmendOrder).request.stop_px == 1_010
    core.report(stop, ExecType.REPLACED)
    assert (stop.request.stop_px, core.effects) == (1_010, [])
    _sound(core)


def test_change_that_the_venue_refuses_becomes_a_cancel_and_a_new_order() -> None:
    core = _core()
    stop = _guarded(core, plan=TRAILING)
    core.quote(1_040)
    core.report(stop, ExecType.REPLACE_REJECTED, code="NOT_SUPPORTED", text="no")
    assert core.only(CancelOrder).request.cl_ord_id == stop.request.cl_ord_id
    core.canceled(stop)
    again = core.only(SubmitOrder).request
    assert (again.stop_px, again.order_qty) == (990, 100)
    assert again.cl_ord_id != stop.request.cl_ord_id
    assert core.only(OrderCreated).exit_reason == ExitReason.TRAILING
    _sound(core)


def test_addition_makes_the_stop_larger() -> None:
    core = _core()
    stop = _guarded(core)
    core.hold(qty=50)
    assert core.only(AmendOrder).request.order_qty == 150
    core.report(stop, ExecType.REPLACED)
    assert stop.leaves_qty == 150
    _sound(core)


def test_stop_that_is_to_go_is_not_changed_any_more() -> None:
    core = _core()
    stop = _guarded(core, plan=TRAILING)
    core.quote(1_040)
    core.report(stop, ExecType.REPLACE_REJECTED, code="OUTCOME_UNKNOWN", text="timed out")
    core.report(stop, ExecType.CANCEL_REJECTED, code="OUTCOME_UNKNOWN", text="timed out")
    core.quote(1_060)
    assert core.names() == ["StopMoved"]
    core.canceled(stop)
    assert core.only(SubmitOrder).request.stop_px == 1_010
    _sound(core)


@pytest.mark.parametrize("answer", ["", "OUTCOME_UNKNOWN"], ids=["on its way", "never came"])
@pytest.mark.parametrize("slices", [(150,), (100, 50), (100, 20, 30), (120, 30)])
def test_stop_that_was_enlarged_without_an_answer_fills_without_an_alarm(slices: tuple[int, ...], answer: str) -> None:
    core = _core()
    stop = _guarded(core)
    core.hold(qty=50)
    if answer:
        core.report(stop, ExecType.REPLACE_REJECTED, code=answer, text="timed out")
    for qty in slices:
        core.fill(stop, qty, 950)
        assert not {"AnomalyNoted", "Halted"} & set(core.names())
        assert core.all(Notify) == []
    assert (stop.cum_qty, stop.request.order_qty, core.position.qty) == (150, 150, 0)
    _sound(core)


def test_stop_that_may_be_larger_and_is_canceled_when_full_by_its_old_quantity_raises_no_alarm() -> None:
    core = _core()
    stop = _guarded(core)
    core.hold(qty=50)
    core.report(stop, ExecType.REPLACE_REJECTED, code="OUTCOME_UNKNOWN", text="timed out")
    core.fill(stop, 100, 950)
    core.canceled(stop, 100)
    assert core.names() == ["VenueReported"]
    assert core.position.qty == _stop(core).request.order_qty == 50
    _sound(core)


@pytest.mark.parametrize(("code", "qty"), [("NOT_SUPPORTED", 110), ("OUTCOME_UNKNOWN", 160)])
def test_stop_that_fills_beyond_all_that_was_asked_is_alarmed(code: str, qty: int) -> None:
    core = _core()
    stop = _guarded(core)
    core.hold(qty=50)
    core.report(stop, ExecType.REPLACE_REJECTED, code=code, text="no")
    core.fill(stop, qty, 950)
    assert [event.kind for event in core.all(AnomalyNoted)] == ["OVERFILL"]
    assert core.only(Halted).instrument_id == "X"
    _sound(core)


# -- what else closes ----------------------------------------------------------------------------------------


def test_close_waits_until_the_stop_is_gone() -> None:
    core = _core()
    stop = _guarded(core)
    close = core.order(-1, 0, action=Action.CLOSE)
    assert close.withheld
    assert core.all(SubmitOrder) == []
    assert core.only(CancelOrder).request.cl_ord_id == stop.request.cl_ord_id
    core.canceled(stop)
    core.only(OrderReleased)
    assert core.only(SubmitOrder).request.cl_ord_id == close.request.cl_ord_id
    core.fill(close, 100)
    assert (core.position.qty, core.live) == (0, [])
    _sound(core)


def test_close_goes_at_once_where_the_stop_waits_to_be_sent_again() -> None:
    core = _core(attempts_max=2)
    core.hold(plan=STOP)
    core.report(_stop(core), ExecType.REJECTED, code="THROTTLED", undelivered=True)
    close = core.order(-1, 0, action=Action.CLOSE)
    assert core.only(SubmitOrder).request.cl_ord_id == close.request.cl_ord_id
    assert core.live == [close]
    _sound(core)


def test_stop_that_fills_under_a_waiting_close_takes_the_close_with_it() -> None:
    core = _core()
    stop = _guarded(core)
    core.order(-1, 0, action=Action.CLOSE)
    core.fill(stop, 100, 950)
    assert (core.position.qty, core.live, core.all(SubmitOrder)) == (0, [], [])
    _sound(core)


def test_stop_that_fills_in_part_leaves_no_more_to_close_than_is_held() -> None:
    core = _core()
    stop = _guarded(core)
    core.order(-1, 0, action=Action.CLOSE)
    core.fill(stop, 40, 950)  # the close of 100 would be too much now
    core.canceled(stop, 40)
    assert core.position.qty == 60
    assert [order.leaves_qty for order in core.live] == [60]
    assert _stop(core).request.order_qty == 60
    _sound(core)


def test_rest_after_a_partial_close_is_guarded_anew() -> None:
    core = _core()
    stop = _guarded(core)
    close = core.order(-1, 30, action=Action.CLOSE)
    core.canceled(stop)
    core.fill(close, 30)
    again = core.only(SubmitOrder).request
    assert (again.ord_type, again.order_qty) == (OrdType.STOP, 70)
    _sound(core)


def test_two_closes_may_not_ask_for_more_than_is_held() -> None:
    core = _core()
    _guarded(core)
    core.order(-1, 60, action=Action.CLOSE)
    core.submit(core.intent(Action.CLOSE, -1, 60))
    assert core.names() == ["IntentRefused"]


def test_waiting_close_that_is_taken_back_leaves_the_stop_to_be_placed_anew() -> None:
    core = _core()
    stop = _guarded(core)
    close = core.order(-1, 0, action=Action.CLOSE)
    core.feed(RequestCancel(core.tick(), close.request.cl_ord_id, "me"))
    assert close.status == OrdStatus.CANCELED
    core.canceled(stop)
    assert core.only(SubmitOrder).request.order_qty == 100
    _sound(core)


def test_target_takes_the_stop_back_before_it_leaves() -> None:
    core = _core()
    stop = _guarded(core, plan=ExitPlan(stop_px=950, target_px=1_100))
    core.quote(1_100)
    assert core.only(ExitTriggered).reason == ExitReason.TARGET
    assert core.all(SubmitOrder) == []
    core.canceled(stop)
    leaving = core.only(SubmitOrder).request
    assert (leaving.ord_type, leaving.order_qty) == (OrdType.MARKET, 100)
    _sound(core)


# -- reached, refused, unknown -------------------------------------------------------------------------------


def test_stop_at_the_venue_has_its_time_before_the_position_leaves_from_here() -> None:
    core = _core(stop_grace_ns=3 * NS_PER_S)
    stop = _guarded(core)
    core.quote(949)
    assert core.effects == []
    core.quote(960)  # back: the time begins anew
    core.tick(3 * NS_PER_S)
    core.quote(948)
    assert core.effects == []
    core.tick(3 * NS_PER_S)
    core.quote(948)
    assert core.only(ExitTriggered).reason == ExitReason.STOP
    assert core.only(CancelOrder).request.cl_ord_id == stop.request.cl_ord_id
    _sound(core)


def test_fill_of_the_stop_closes_the_position_and_leaves_nothing_working() -> None:
    core = _core()
    stop = _guarded(core)
    core.quote(949)
    core.fill(stop, 100, 948)
    assert (core.position.qty, core.live, core.effects) == (0, [], [])
    _sound(core)


def test_stop_that_is_not_confirmed_does_not_hold_up_the_exit_from_here() -> None:
    core = _core()
    core.hold(plan=STOP)
    core.quote(949)
    assert core.only(ExitTriggered).reason == ExitReason.STOP
    core.only(CancelOrder)


def test_triggered_stop_that_ends_unfilled_is_not_placed_again_and_the_position_leaves_from_here() -> None:
    core = _core()
    stop = _guarded(core)
    core.report(stop, ExecType.TRIGGERED)
    core.fill(stop, 30, 950)
    core.canceled(stop, 30)
    assert core.only(ExitTriggered).reason == ExitReason.STOP
    leaving = core.only(SubmitOrder).request
    assert (leaving.ord_type, leaving.order_qty) == (OrdType.MARKET, 70)
    core.canceled(core.exit_order())
    assert core.effects == []  # it waits for a price
    _sound(core)


def test_refused_stop_pages_and_is_watched_from_here_until_it_moves() -> None:
    core = _core()
    core.hold(plan=TRAILING)
    core.rejected(_stop(core))
    assert core.only(Notify).code == "EXIT_REJECTED"
    assert core.live == []
    core.quote(1_000)
    assert core.effects == []
    core.quote(1_040)  # another stop: the venue may take this one
    assert core.only(SubmitOrder).request.stop_px == 990
    core.rejected(_stop(core))
    core.quote(985)
    assert core.only(SubmitOrder).request.ord_type == OrdType.MARKET
    _sound(core)


def test_refused_stop_flattens_where_the_profile_says_so() -> None:
    core = _core(refused_stop_flattens=True)
    core.hold(plan=STOP)
    core.rejected(_stop(core))
    assert core.only(ExitTriggered).reason == ExitReason.UNPROTECTED
    assert core.only(SubmitOrder).request.ord_type == OrdType.MARKET
    _sound(core)


def test_page_of_a_naked_position_says_who_guards_it() -> None:
    core = _core(naked_page_ns=1)
    core.hold(plan=STOP)
    stop = _stop(core)
    core.feed(OutcomeUnknown(core.tick(), stop.request.cl_ord_id, "timed out"))
    core.feed(TimerFired(core.tick(), f"{NAKED_TIMER}X"))
    assert "nothing leaves from here" in core.only(Notify).text
    core.quote(949)
    assert core.all(SubmitOrder) == [], "the stop may work there, and sell the same once more"
    refused = _core(naked_page_ns=1)
    refused.hold(plan=STOP)
    refused.rejected(_stop(refused))
    refused.feed(TimerFired(refused.tick(), f"{NAKED_TIMER}X"))
    assert "watched from here" in refused.only(Notify).text


@pytest.mark.parametrize("flattens", [False, True])
def test_stop_that_never_arrived_was_not_refused_and_is_placed_anew(flattens: bool) -> None:
    core = _core(absence_horizon_ns=1, absence_queries=1, refused_stop_flattens=flattens)
    core.hold(plan=STOP)
    stop = _stop(core)
    core.feed(OutcomeUnknown(core.tick(), stop.request.cl_ord_id, "timed out"))
    core.tick(10 * NS_PER_S)
    core.absent(stop)
    assert (stop.status, stop.code) == (OrdStatus.REJECTED, "NEVER_ARRIVED")
    again = core.only(SubmitOrder).request
    assert (again.ord_type, again.stop_px, again.order_qty) == (OrdType.STOP, 950, 100)
    assert again.cl_ord_id != stop.request.cl_ord_id
    _sound(core)


@pytest.mark.parametrize("status", [OrdStatus.REJECTED, OrdStatus.CANCELED])
def test_stop_that_a_person_ends_is_placed_anew(status: OrdStatus) -> None:
    core = _core()
    core.hold(plan=STOP)
    stop = _stop(core)
    core.feed(OutcomeUnknown(core.tick(), stop.request.cl_ord_id, "timed out"))
    core.feed(ResolveOrder(core.tick(), stop.request.cl_ord_id, status, "ann", "it is in no list"))
    assert core.only(SubmitOrder).request.ord_type == OrdType.STOP
    _sound(core)


def test_close_that_a_person_ends_leaves_the_position_to_be_guarded_anew() -> None:
    core = _core()
    stop = _guarded(core)
    close = core.order(-1, 0, action=Action.CLOSE)
    core.canceled(stop)
    core.feed(OutcomeUnknown(core.tick(), close.request.cl_ord_id, "timed out"))
    core.feed(ResolveOrder(core.tick(), close.request.cl_ord_id, OrdStatus.REJECTED, "ann", "it is in no list"))
    placed = core.only(SubmitOrder).request
    assert (placed.ord_type, placed.order_qty) == (OrdType.STOP, 100)
    _sound(core)


def test_stop_of_unknown_outcome_is_asked_for_and_never_doubled() -> None:
    core = _core()
    core.hold(plan=STOP)
    stop = _stop(core)
    core.feed(OutcomeUnknown(core.tick(), stop.request.cl_ord_id, "timed out"))
    core.quote(1_000)
    assert core.all(SubmitOrder) == []
    core.accept(stop)
    assert core.position.protection is not None
    assert core.position.protection.naked_ns == 0


def test_start_asks_again_for_a_change_that_may_not_have_been_sent() -> None:
    core = _core()
    stop = _guarded(core, plan=TRAILING)
    core.quote(1_040)
    core.feed(RecoverOrders(core.tick()))
    assert core.only(AmendOrder).request.stop_px == 990
    assert [query.request.cl_ord_id for query in core.all(QueryOrder)] == [stop.request.cl_ord_id]


def test_start_releases_a_close_whose_stop_is_gone_and_places_stops_that_are_missing() -> None:
    core = _core()
    stop = _guarded(core)
    core.order(-1, 0, action=Action.CLOSE)
    core.feed(RecoverOrders(core.tick()))
    assert core.all(SubmitOrder) == [], "the stop may still work"
    core.canceled(stop)
    core.only(SubmitOrder)


# -- a stop of unknown fate, and an exit ---------------------------------------------------------------------

WAIT = 10 * NS_PER_S


def _in_the_dark(**limits: Any) -> tuple[Core, Order]:
    """A position whose stop is UNKNOWN at a venue without a horizon."""
    core = _core(**{"exit_waits_ns": WAIT, "absence_queries": 3, **limits})
    core.hold(plan=STOP)
    stop = _stop(core)
    core.feed(OutcomeUnknown(core.tick(), stop.request.cl_ord_id, "timed out"))
    return core, stop


def _absent(core: Core, stop: Order, seconds: int) -> None:
    """So many queries that do not find it, one a second; the last of them is what the core shows."""
    for _ in range(seconds):
        core.tick(NS_PER_S)
        core.absent(stop)


def _close(core: Core) -> Order:
    return core.order(-1, 0, action=Action.CLOSE)


def _breach(core: Core) -> None:
    core.quote(949)


@pytest.mark.parametrize("leave", [_close, _breach], ids=["a close", "the plan"])
def test_exit_waits_for_a_stop_of_unknown_fate_only_so_long(leave: Callable[[Core], object]) -> None:
    core, stop = _in_the_dark()
    leave(core)
    _absent(core, stop, 9)
    assert core.all(SubmitOrder) == []
    _absent(core, stop, 1)
    assert core.only(StopPresumedGone).cl_ord_id == stop.request.cl_ord_id
    exit_request = core.only(SubmitOrder).request
    assert (exit_request.order_qty, exit_request.reduce_only, exit_request.ord_type) == (100, True, OrdType.MARKET)
    assert [notice.code for notice in core.all(Notify)] == ["STOP_PRESUMED_GONE"]
    core.fill(core.state.book.orders[exit_request.cl_ord_id], 100)
    assert (core.position.qty, core.live, stop.status) == (0, [stop], OrdStatus.UNKNOWN)
    _sound(core)


def test_stop_of_unknown_fate_that_holds_nothing_up_goes_on_being_waited_for() -> None:
    core, stop = _in_the_dark()
    _absent(core, stop, 30)
    assert (core.names(), core.all(SubmitOrder), core.state.reducing["X"]) == (
        ["OrderAbsent"],
        [],
        [stop.request.cl_ord_id],
    )
    _breach(core)
    _absent(core, stop, 1)
    core.only(StopPresumedGone)
    _sound(core)


def test_exit_waits_as_long_as_nobody_looks_or_the_profile_says_for_ever() -> None:
    core, stop = _in_the_dark()
    _breach(core)
    core.tick(10 * WAIT)
    _absent(core, stop, 2)
    assert core.all(SubmitOrder) == [], "two queries are not enough"
    core, stop = _in_the_dark(exit_waits_ns=0)
    _breach(core)
    _absent(core, stop, 100)
    assert core.all(SubmitOrder) == []


def _presumed_gone() -> tuple[Core, Order]:
    core, stop = _in_the_dark()
    _breach(core)
    _absent(core, stop, 10)
    core.only(StopPresumedGone)
    return core, stop


@pytest.mark.parametrize("exec_type", [ExecType.NEW, ExecType.STATUS])
def test_stop_that_was_presumed_gone_and_works_is_taken_back_and_somebody_is_called(exec_type: ExecType) -> None:
    core, stop = _presumed_gone()
    core.report(stop, ExecType.CANCEL_REJECTED, code="OUTCOME_UNKNOWN")
    core.report(stop, exec_type)
    assert core.only(CancelOrder).request.cl_ord_id == stop.request.cl_ord_id
    assert core.only(Notify).code == "STOP_TURNED_UP"
    assert stop.request.cl_ord_id in core.state.reducing["X"]
    core.canceled(stop)
    core.fill(core.exit_order(), 100)
    assert (core.position.qty, core.live) == (0, [])
    _sound(core)


def test_stop_that_was_presumed_gone_and_trades_is_booked_alarmed_and_halts_the_symbol() -> None:
    core, stop = _presumed_gone()
    core.fill(next(order for order in core.live if order is not stop), 100)
    core.fill(stop, 100, 950)
    assert core.position.qty == -100
    assert [event.kind for event in core.all(AnomalyNoted)] == ["STOP_TURNED_UP"]
    assert core.only(Halted).instrument_id == "X"
    _sound(core)


def test_state_of_a_snapshot_knows_that_a_stop_is_presumed_gone() -> None:
    core, _ = _presumed_gone()
    restored = State.restore(core.state.snapshot())
    assert restored.reducing == {key: ids for key, ids in core.state.reducing.items() if ids}


def test_operator_who_ends_a_stop_of_unknown_fate_lets_the_close_out() -> None:
    core, stop = _in_the_dark()
    close = _close(core)
    evidence = "the venue's own books"
    core.feed(ResolveOrder(core.tick(), stop.request.cl_ord_id, OrdStatus.REJECTED, "ann", evidence))
    assert core.only(SubmitOrder).request.cl_ord_id == close.request.cl_ord_id
    _sound(core)
