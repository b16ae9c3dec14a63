"""A stop kept at the venue: placed, moved, taken back before anything else closes, and never more than is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.domain.core import Core, profile

from surefill.domain import codec
from surefill.domain.account import AccountMove, MoveKind
from surefill.domain.decide.resting import NAKED_TIMER
from surefill.domain.effects import AmendOrder, CancelOrder, Notify, QueryOrder, SetTimer, SubmitOrder
from surefill.domain.events import AnomalyNoted, ExitTriggered, OrderCreated, OrderReleased, ReplaceRequested, StopMoved
from surefill.domain.inputs import (
    ComparePositions,
    MoveAccount,
    OutcomeUnknown,
    RecoverOrders,
    RequestCancel,
    SetProfile,
    TimerFired,
    VenueReports,
)
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.reports import ExecType, VenueReport
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


# -- what changes the position and is no trade of ours ---------------------------------------------------------


def _by_hand(core: Core) -> None:
    core.feed(
        VenueReports(core.tick(), (VenueReport("", ExecType.TRADE, "H1", "h1", 1_000, 40, instrument_id="X", side=1),))
    )


def _moved_in(core: Core) -> None:
    move = AccountMove(MoveKind.TRANSFER, "m", "X", qty=40, px=1_000)
    core.feed(MoveAccount(core.tick(), (move,)))


def _corrected(core: Core) -> None:
    core.feed(ComparePositions(core.tick(), {"X": 140}))


@pytest.mark.parametrize("grow", [_by_hand, _moved_in, _corrected])
def test_stop_follows_a_position_that_grows_without_a_trade_of_ours(grow: Callable[[Core], None]) -> None:
    core = _core(drift_bands_ppb=(0, 0, 0, 10**9))
    _guarded(core)
    grow(core)
    assert core.only(AmendOrder).request.order_qty == core.position.qty == 140
    _sound(core)
