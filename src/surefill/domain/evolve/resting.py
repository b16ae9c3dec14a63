"""Folding what happens to the stops that are kept at the venue, and to what waits for them."""

from __future__ import annotations

import msgspec

from surefill.domain import events as e
from surefill.domain.orders import Order
from surefill.domain.position import Protection
from surefill.domain.reports import OUTCOME_UNKNOWN
from surefill.domain.state import State


def released(state: State, event: e.OrderReleased) -> None:
    """Nothing stands in its way any more: it is to be sent, with a new deadline."""
    order = state.book.orders[event.cl_ord_id]
    order.request = msgspec.structs.replace(order.request, send_by_ns=event.send_by_ns)
    order.withheld = False


def presumed_gone(state: State, event: e.StopPresumedGone) -> None:
    """It guards nothing any more, and reduces nothing, as far as anybody can see."""
    order = state.book.orders[event.cl_ord_id]
    order.presumed_gone = True
    state.reduce_with(order.position)
    protection = state.book.positions[order.position].protection
    if protection is not None and protection.stop_cl_ord_id == event.cl_ord_id:
        protection.stop_cl_ord_id = ""
        count_naked(state, protection, event.ts_ns)


def turned_up(state: State, order: Order) -> None:
    """It was there all the while: it counts again."""
    if order.presumed_gone:
        order.presumed_gone = False
        state.reduce_with(order.position)


def replace_requested(state: State, event: e.ReplaceRequested) -> None:
    """The terms that were asked for wait beside those that hold."""
    order = state.book.orders[event.cl_ord_id]
    order.replacing = msgspec.structs.replace(
        order.request, stop_px=event.stop_px, order_qty=event.order_qty, target_px=event.target_px
    )
    state.count_message(event.ts_ns)


def replaced(state: State, event: e.OrderReplaced) -> None:
    """They hold."""
    order = state.order(event.cl_ord_id)
    assert order is not None
    asked = order.replacing or order.doubted
    assert asked is not None  # it was asked for
    order.request, order.replacing, order.doubted = asked, None, None


def replace_refused(state: State, event: e.ReplaceRefused) -> None:
    """They do not, as far as is known."""
    order = state.order(event.cl_ord_id)
    if order is not None:
        order.doubted = order.replacing if event.code == OUTCOME_UNKNOWN else None
        order.replacing = None


def confirmed(state: State, order: Order) -> None:
    """The venue has the stop: the position is naked no longer."""
    protection = state.book.positions[order.position].protection
    if protection is not None and protection.stop_cl_ord_id == order.request.cl_ord_id:
        protection.naked_ns = 0


def begun(state: State, order: Order, ts_ns: int) -> None:
    """Its target has begun to fill, and the stop that was linked to it is gone: naked from here on."""
    protection = state.book.positions[order.position].protection
    if protection is not None and protection.stop_cl_ord_id == order.request.cl_ord_id and not protection.naked_ns:
        protection.naked_ns = ts_ns


def count_naked(state: State, protection: Protection, ts_ns: int) -> None:
    """Since when a stop that should be at the venue has no order there."""
    if not protection.belongs_at_venue or not state.book.profile.limits.stops_at_venue:
        protection.naked_ns = 0
    elif not protection.stop_cl_ord_id and not protection.naked_ns:
        protection.naked_ns = ts_ns


def follow_profile(state: State, ts_ns: int) -> None:
    """The profile may want stops at the venue now, or no longer."""
    for position in state.book.positions.values():
        if position.protection is not None:
            count_naked(state, position.protection, ts_ns)
