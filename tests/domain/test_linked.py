"""A stop and a target linked at the venue: one order here, which fills at either price and is never doubled."""

from __future__ import annotations

from typing import Any

import pytest
from tests.domain.core import Core, profile

from surefill.domain import codec
from surefill.domain.decide.resting import NAKED_TIMER
from surefill.domain.effects import AmendOrder, CancelOrder, Notify, QueryOrder, SetTimer, SubmitOrder
from surefill.domain.events import ExitTriggered, OrderCreated, ReplaceRequested
from surefill.domain.inputs import RecoverOrders
from surefill.domain.intent import Action, ExitPlan, LadderStep
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.reports import ExecType
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Batch
from surefill.rules.codes import ExitReason, OrdStatus, OrdType
from surefill.testing.invariants import check_journal
from surefill.units import NS_PER_S

PLAN = ExitPlan(stop_px=950, target_px=1_100)


def _core(**limits: Any) -> Core:
    known = {"allow_negative_cash": True, "stops_at_venue": True, "targets_at_venue": True}
    return Core(profile(limits=Limits(**{**known, **limits})))


def _pair(core: Core) -> Order:
    (order,) = [order for order in core.live if order.rests]
    return order


def _guarded(core: Core, side: int = 1, qty: int = 100, plan: ExitPlan = PLAN) -> Order:
    core.hold(side, qty, plan=plan)
    pair = _pair(core)
    core.accept(pair)
    return pair


def _naked_ns(core: Core) -> int:
    assert core.position.protection is not None
    return core.position.protection.naked_ns


def _sound(core: Core) -> None:
    journal = MemoryJournal()
    payloads = [codec.encode(event) for event in core.journal]
    assert journal.append([Batch(journal.open_stream("w"), payloads, [])]) == [None]
    assert check_journal(journal, "w") == []


@pytest.mark.parametrize(("side", "stop_px", "target_px"), [(1, 950, 1_100), (-1, 1_050, 900)])
def test_first_fill_places_stop_and_target_as_one_order_over_what_is_held(
    side: int, stop_px: int, target_px: int
) -> None:
    core = _core()
    core.hold(side, 100, plan=ExitPlan(stop_px=stop_px, target_px=target_px))
    request = core.only(SubmitOrder).request
    assert (request.ord_type, request.side, request.order_qty) == (OrdType.STOP, -side, 100)
    assert (request.stop_px, request.target_px, request.reduce_only) == (stop_px, target_px, True)
    _sound(core)


def test_target_stays_with_the_engine_where_the_profile_does_not_link_it() -> None:
    core = _core(targets_at_venue=False)
    core.hold(plan=PLAN)
    assert core.only(SubmitOrder).request.target_px == 0
    core.accept(_pair(core))
    core.quote(1_101)
    assert core.only(ExitTriggered).reason == ExitReason.TARGET


@pytest.mark.parametrize("px", [949, 1_101])
def test_venue_has_its_time_at_either_price_before_the_position_leaves_from_here(px: int) -> None:
    core = _core(stop_grace_ns=3 * NS_PER_S)
    pair = _guarded(core)
    core.quote(px)
    assert core.effects == []
    core.quote(1_000)  # back: the time begins anew
    core.tick(3 * NS_PER_S)
    core.quote(px)
    assert core.effects == []
    core.tick(3 * NS_PER_S)
    core.quote(px)
    assert core.only(ExitTriggered).reason == (ExitReason.STOP if px < 1_000 else ExitReason.TARGET)
    assert core.only(CancelOrder).request.cl_ord_id == pair.request.cl_ord_id
    core.canceled(pair)
    assert core.only(SubmitOrder).request.ord_type == OrdType.MARKET
    _sound(core)


@pytest.mark.parametrize(("px", "reason"), [(1_100, ExitReason.TARGET), (948, ExitReason.STOP)])
def test_fill_at_either_price_closes_the_position_and_says_which(px: int, reason: ExitReason) -> None:
    core = _core()
    pair = _guarded(core)
    core.fill(pair, 100, px)
    assert (core.position.qty, core.live, core.effects) == (0, [], [])
    assert pair.request.reason_at(px, pair.exit_reason) == reason
    _sound(core)


def test_target_that_fills_in_part_has_lost_its_stop_so_the_rest_is_taken_back_and_guarded_anew() -> None:
    core = _core(naked_page_ns=2 * NS_PER_S)
    pair = _guarded(core)
    core.fill(pair, 30, 1_100)
    assert core.only(CancelOrder).request.cl_ord_id == pair.request.cl_ord_id
    assert _naked_ns(core) == core.now_ns
    assert core.only(SetTimer).name == NAKED_TIMER + "X"
    core.fill(pair, 20, 1_100)
    assert core.all(CancelOrder) == [], "it is asked once"
    core.canceled(pair, 50)
    request = core.only(SubmitOrder).request
    assert (request.order_qty, request.stop_px, request.target_px) == (50, 950, 1_100)
    core.accept(_pair(core))
    assert _naked_ns(core) == 0
    _sound(core)


def test_cancel_of_a_target_that_has_begun_to_fill_is_asked_again_after_a_pause_and_not_in_a_loop() -> None:
    core = _core()
    pair = _guarded(core)
    core.fill(pair, 30, 1_100)
    core.report(pair, ExecType.CANCEL_REJECTED, code="NO")
    core.only(QueryOrder)
    core.report(pair, ExecType.STATUS, cum_qty=30)
    assert core.all(CancelOrder) == []
    core.tick(NS_PER_S)
    core.report(pair, ExecType.STATUS, cum_qty=30)
    core.only(CancelOrder)
    core.fill(pair, 70, 1_100)
    assert (core.position.qty, core.live) == (0, [])
    _sound(core)


def test_stop_of_a_pair_that_was_triggered_and_fills_in_parts_is_left_alone() -> None:
    core = _core()
    pair = _guarded(core)
    core.report(pair, ExecType.TRIGGERED)
    core.fill(pair, 30, 949)
    assert (core.all(CancelOrder), _naked_ns(core)) == ([], 0)
    core.fill(pair, 70, 948)
    assert core.position.qty == 0
    _sound(core)


def test_trailing_replaces_the_pair_and_keeps_its_target() -> None:
    core = _core()
    pair = _guarded(core, plan=ExitPlan(stop_px=950, target_px=1_100, trail_distance=50))
    core.quote(1_040)
    assert (core.only(ReplaceRequested).stop_px, core.only(AmendOrder).request.target_px) == (990, 1_100)
    core.report(pair, ExecType.REPLACE_REJECTED, code="NOT_SUPPORTED")
    core.only(CancelOrder)
    core.canceled(pair)
    request = core.only(SubmitOrder).request
    assert (request.stop_px, request.target_px) == (990, 1_100)
    _sound(core)


def test_target_that_an_addition_brings_is_linked_to_the_stop_that_rests() -> None:
    core = _core()
    pair = _guarded(core, plan=ExitPlan(stop_px=950))
    assert pair.request.target_px == 0
    core.hold(qty=50, plan=PLAN)
    asked = core.all(ReplaceRequested)[-1]
    assert (asked.target_px, asked.order_qty) == (1_100, 150)
    core.report(pair, ExecType.REPLACED)
    assert pair.request.target_px == 1_100
    _sound(core)


def test_refused_pair_leaves_the_stop_to_go_alone_and_the_target_to_be_watched_from_here() -> None:
    core = _core(refused_stop_flattens=True)
    core.hold(plan=ExitPlan(stop_px=950, target_px=1_100, trail_distance=50))
    core.rejected(_pair(core))
    assert [notice.code for notice in core.all(Notify)] == ["EXIT_REJECTED"]
    alone = core.only(SubmitOrder).request
    assert (alone.ord_type, alone.stop_px, alone.target_px) == (OrdType.STOP, 950, 0)
    core.accept(_pair(core))
    assert _naked_ns(core) == 0
    core.quote(1_040)  # another stop: the venue may take the two together now
    assert core.only(ReplaceRequested).target_px == 1_100
    core.report(_pair(core), ExecType.REPLACE_REJECTED, code="NOT_SUPPORTED")
    core.canceled(_pair(core))
    core.rejected(_pair(core))
    core.accept(_pair(core))
    core.quote(1_101)  # at once: no target at the venue has a time to wait for
    assert core.only(ExitTriggered).reason == ExitReason.TARGET
    _sound(core)


def test_stop_alone_that_is_refused_too_is_left_as_the_profile_says() -> None:
    core = _core(refused_stop_flattens=True)
    core.hold(plan=PLAN)
    core.rejected(_pair(core))
    core.rejected(_pair(core))
    assert core.only(ExitTriggered).reason == ExitReason.UNPROTECTED
    assert core.only(SubmitOrder).request.ord_type == OrdType.MARKET
    _sound(core)


@pytest.mark.parametrize("how", ["close", "ladder"])
def test_whatever_else_closes_waits_until_the_pair_is_gone(how: str) -> None:
    core = _core()
    plan = PLAN if how == "close" else ExitPlan(stop_px=950, target_px=1_100, ladder=(LadderStep(1_050, 500_000_000),))
    pair = _guarded(core, plan=plan)
    if how == "close":
        core.order(-1, 0, action=Action.CLOSE)
    else:
        core.quote(1_060)
    core.only(CancelOrder)
    assert core.all(SubmitOrder) == []
    core.canceled(pair)
    leaving = core.only(SubmitOrder).request
    assert (leaving.order_qty, leaving.target_px) == (100 if how == "close" else 50, 0)
    _sound(core)


def test_start_asks_for_the_pair_and_places_no_other() -> None:
    core = _core()
    core.hold(plan=PLAN)
    pair = _pair(core)
    core.feed(RecoverOrders(core.tick()))
    assert core.only(QueryOrder).request == pair.request
    assert core.all(SubmitOrder) == []
    assert pair.status == OrdStatus.UNKNOWN
    assert core.all(OrderCreated) == []
