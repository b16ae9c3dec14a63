"""Keeping a position's stop at its venue, where the profile says so: there it guards while nobody here is awake.

1. One stop order rests for each guarded position, over all that is held and can leave. It is changed in place when the
   stop or the position moves, and where the venue cannot do that it is taken back and a new one placed.
2. Whatever else is to reduce the position waits until the stop is gone: the two never work together. What is left of
   the position afterwards gets a new one.
3. When its price is reached the stop has a little time to fill; then the position leaves from here.
4. A stop of unknown fate is asked for, and asked back, again and again. Where it holds an exit up, several queries have
   not found it and `exit_waits_ns` have passed, it is presumed gone, with a page: an exit must not wait for ever. That
   is no proof, and ends nothing. When it turns up it is taken back, and when it trades, that is an alarm. A venue that
   knows orders which only reduce (every exit is one) keeps the two from turning the position round.
5. A position is naked from its first fill until the venue has confirmed its stop, and again whenever that ends. The
   time is in the journal, and somebody is called when it grows long.
5. Where the profile says so the target goes to the venue too, linked to the stop: one order here, over the same
   quantity, that fills at either price. What begins to fill at its target has lost its stop at the venue: the rest is
   taken back, and what is left of the position gets a new pair. A pair that the venue refuses leaves the stop to go
   alone.
"""

from __future__ import annotations

import msgspec

from surefill.domain.decide import dust
from surefill.domain.decide.cancels import cancel
from surefill.domain.decide.leaving import leave_at_stop
from surefill.domain.decide.step import Step
from surefill.domain.effects import AmendOrder, Notify, SetTimer, SubmitOrder
from surefill.domain.events import AnomalyNoted, OrderReleased, ReplaceRequested, StopPresumedGone
from surefill.domain.orders import Order
from surefill.domain.position import Position, Protection
from surefill.rules.codes import ExitReason, OrdStatus
from surefill.units import NS_PER_MS, NS_PER_S

NAKED_TIMER = "naked:"
_WORKING = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)


def keep(this: Step, key: str) -> None:
    """Have the stop at the venue say what the plan says; nothing to do where all is as it should be."""
    if not this.book.profile.limits.stops_at_venue:
        return
    position = this.book.positions.get(key)
    protection = position.protection if position is not None and position.qty else None
    if position is None or protection is None or not protection.belongs_at_venue:
        return  # without a stop, or with one that sells a part first: that is watched from here
    if protection.naked_ns == this.ts_ns:
        watch_naked(this, key, protection)
    if protection.due is not None or protection.stop_refused:
        return  # it leaves, or its stop is watched from here
    order = this.book.orders.get(protection.stop_cl_ord_id)
    if order is not None:
        _adjust(this, order, position, protection)
    elif not this.state.reducing.get(key):
        qty = dust.leaving_qty(this, position, protection.stop_px)
        reason = ExitReason.TRAILING if protection.trailed else ExitReason.STOP
        if qty:
            leave_at_stop(this, key, position, protection.stop_px, _linked_px(this, protection), qty, reason)


def _linked_px(this: Step, protection: Protection) -> int:
    """The target that goes to the venue with the stop; 0: none does, or the venue would not have the two linked."""
    return protection.target_px if this.book.profile.limits.targets_at_venue and not protection.target_refused else 0


def watch_naked(this: Step, key: str, protection: Protection) -> None:
    """Have somebody called when it stays naked: once, and after a start again."""
    if protection.naked_ns:
        this.ask(SetTimer(NAKED_TIMER + key, protection.naked_ns + this.book.profile.limits.naked_page_ns))


def follow_profile(this: Step) -> None:
    """The profile may now want stops at the venue, or no longer."""
    for key, _position in list(this.state.open_positions()):
        keep(this, key)
        if not this.book.profile.limits.stops_at_venue and stands(this, key):
            take_back(this, key)


def _adjust(this: Step, order: Order, position: Position, protection: Protection) -> None:
    """What is on its way, or being answered, is looked at again when the venue has spoken; what is to go is left."""
    stop_px, leaving_qty = protection.stop_px, dust.leaving_qty(this, position, protection.stop_px)
    request, qty, target_px = order.request, order.cum_qty + leaving_qty, _linked_px(this, protection)
    if order.lost_stop:
        if not order.cancel_ns:
            cancel(this, order, "its target has begun to fill, and its stop is gone")
        return
    wanted = (stop_px, target_px, qty)
    if not leaving_qty or (request.stop_px, request.target_px, request.order_qty) == wanted or order.triggered:
        return
    if order.status in _WORKING and not order.cancel_ns and not order.end_status and order.replacing is None:
        cl_ord_id = request.cl_ord_id
        seq = this.book.seq
        this.emit(ReplaceRequested(this.ts_ns, order.correlation_id, seq, cl_ord_id, stop_px, qty, target_px))
        terms = msgspec.structs.replace(request, stop_px=stop_px, order_qty=qty, target_px=target_px)
        this.ask(AmendOrder(terms, order.order_id))


def stands(this: Step, key: str) -> bool:
    """Whether a stop of the position rests at the venue, or may."""
    orders = this.book.orders
    return any(orders[cl_ord_id].rests for cl_ord_id in this.state.reducing.get(key, ()))


def take_back(this: Step, key: str) -> None:
    """The stop at the venue goes: something else is to reduce the position, or nobody wants it there any more."""
    for cl_ord_id in tuple(this.state.reducing[key]):
        order = this.book.orders[cl_ord_id]
        if order.rests:
            cancel(this, order, "its place is needed")
    release(this, key)  # one that waited to be sent again is gone at once


def release(this: Step, key: str) -> None:
    """The stop is gone: what waited for that is sent."""
    waiting = [this.book.orders[cl_ord_id] for cl_ord_id in this.state.reducing.get(key, ())]
    if any(order.rests for order in waiting):
        return
    send_by_ns = this.ts_ns + this.book.profile.limits.send_by_ns
    for order in waiting:
        if order.withheld:
            this.emit(
                OrderReleased(this.ts_ns, order.correlation_id, this.book.seq, order.request.cl_ord_id, send_by_ns)
            )
            this.ask(SubmitOrder(order.request))


def presumes_gone(this: Step, order: Order) -> bool:
    """Whether a stop that a query has just not found holds an exit up no longer; it is in the journal then."""
    limits, key = this.book.profile.limits, order.position
    looked = order.absent_count >= limits.absence_queries and order.status == OrdStatus.UNKNOWN
    if not (looked and order.rests and limits.exit_waits_ns) or order.presumed_gone:
        return False
    if this.ts_ns - order.unknown_ns < limits.exit_waits_ns or not _holds_up(this, key):
        return False
    cl_ord_id, count = order.request.cl_ord_id, order.absent_count
    this.emit(StopPresumedGone(this.ts_ns, order.correlation_id, this.book.seq, cl_ord_id, count))
    seconds = (this.ts_ns - order.unknown_ns) // NS_PER_S
    detail = f"{key}: its stop {cl_ord_id} is UNKNOWN for {seconds} s and in {count} queries was not found"
    this.ask(Notify("STOP_PRESUMED_GONE", f"{detail}: the exit goes beside it, look at the venue", page=True))
    return True


def _holds_up(this: Step, key: str) -> bool:
    position = this.book.positions[key]
    due = position.protection is not None and position.protection.due is not None
    waiting = (this.book.orders[cl_ord_id] for cl_ord_id in this.state.reducing.get(key, ()))
    return bool(position.qty) and (due or any(order.withheld for order in waiting))


def venue_leaves(this: Step, key: str, protection: Protection, reason: int) -> bool:
    """Whether the stop's or the linked target's price is reached and the venue still has time to do its work."""
    crossed = this.state.crossed_ns
    order = this.book.orders.get(protection.stop_cl_ord_id)
    linked = order is not None and order.request.target_px > 0 and reason == ExitReason.TARGET
    if reason != ExitReason.STOP and not linked:
        crossed.pop(key, None)
        return False
    if order is None or order.status not in _WORKING or order.cancel_pending:
        return False
    since_ns = crossed.setdefault(key, this.ts_ns)
    return this.ts_ns - since_ns < this.book.profile.limits.stop_grace_ns


def still_naked(this: Step, key: str) -> None:
    """A timer: call somebody, unless the position is guarded by now, flat, or on its way out."""
    position, limits = this.book.positions.get(key), this.book.profile.limits
    protection = position.protection if position is not None and position.qty else None
    if position is None or protection is None or not protection.naked_ns or protection.due is not None:
        return
    naked_ns = this.ts_ns - protection.naked_ns
    if naked_ns < limits.naked_page_ns:
        return  # naked once more since then: that has a timer of its own
    order = this.book.orders.get(protection.stop_cl_ord_id)
    why = "the venue refused it; it is watched from here"
    if order is not None and order.status not in _WORKING:
        why = "nobody knows whether the venue has it, and nothing leaves from here before somebody does"
    elif not protection.stop_refused:
        why = "the venue has not confirmed it; it is watched from here"
    detail = f"{key} has had no stop at its venue for {naked_ns // NS_PER_MS} ms: {why}"
    this.emit(AnomalyNoted(this.ts_ns, position.correlation_id, 0, protection.stop_cl_ord_id, "POSITION_NAKED", detail))
    this.ask(Notify("POSITION_NAKED", detail, page=True))
