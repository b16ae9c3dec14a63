"""Folding what happens to intents and orders, up to their end; what a fill does is told in `positions`."""

from __future__ import annotations

import msgspec

from surefill.domain import events as e
from surefill.domain.evolve import resting
from surefill.domain.orders import Order
from surefill.domain.position import position_key
from surefill.domain.state import State
from surefill.rules.codes import ExitReason, OrdStatus, OrdType

PARKED_MAX = 1_000
UNKNOWN_UNRESOLVED = "UNKNOWN_UNRESOLVED"
TIMEOUT = "timeout"  # who cancels what has not filled in time
STILL_WORKING = "still working"  # who asks again for a cancel that did not succeed
NEVER_ARRIVED = "NEVER_ARRIVED"  # the end of an order by the horizon rule
RESOLVED = "RESOLVED_BY_OPERATOR"
#: An end without the venue's having refused anything: a stop that ends so is placed anew.
UNREFUSED = frozenset((NEVER_ARRIVED, RESOLVED))


def intent_accepted(state: State, event: e.IntentAccepted) -> None:
    """The number is used up, and what later intents are compared with is remembered."""
    book = state.book
    book.number = event.number
    window_ns = book.profile.limits.duplicate_window_ns
    if window_ns:
        recent = book.recent_intents
        for key in [key for key, ts_ns in recent.items() if ts_ns <= event.ts_ns - window_ns]:
            del recent[key]
        recent[event.intent.likeness()] = event.ts_ns
    basket_id, baskets = event.intent.basket_id, book.day.baskets
    if basket_id:
        baskets[basket_id] = baskets.get(basket_id, 0) + event.value


def intent_refused(state: State, event: e.IntentRefused) -> None:
    """The number is used up; nothing else."""
    state.book.number = event.number


def order_created(state: State, event: e.OrderCreated) -> None:
    """The order lives, and counts as sent."""
    book, request = state.book, event.request
    book.number = event.number
    key = event.position or position_key(request.instrument_id, request.bucket)
    book.orders[request.cl_ord_id] = Order(
        request,
        key,
        event.intent_id,
        event.correlation_id,
        event.strategy_id,
        event.ts_ns,
        plan=event.plan,
        exit_reason=event.exit_reason,
        parent=event.parent,
        arrival_spread=event.arrival_spread,
        timeout_ns=event.timeout_ns,
        attempts=event.attempt,
        withheld=event.withheld,
    )
    state.count_message(event.ts_ns, is_order=True)
    if request.reduce_only:
        state.reducing.setdefault(key, []).append(request.cl_ord_id)
    else:
        book.flow.last_entry_ns = event.ts_ns
    if event.exit_reason:
        protection = book.positions[key].protection
        if protection is not None and request.ord_type == OrdType.STOP:
            protection.stop_cl_ord_id = request.cl_ord_id
        elif protection is not None:
            protection.exit_cl_ord_id = request.cl_ord_id
            if event.exit_reason == ExitReason.PARTIAL:
                protection.due = None


def resend_scheduled(state: State, event: e.OrderResendScheduled) -> None:
    """It waits, proven not to be at the venue."""
    order = state.book.orders[event.cl_ord_id]
    order.attempts, order.resend_ns = event.attempt, event.at_ns
    order.code, order.text = event.code, event.text


def resent(state: State, event: e.OrderResent) -> None:
    """The wait is over: the same order, a new deadline."""
    order = state.book.orders[event.cl_ord_id]
    order.request = msgspec.structs.replace(order.request, send_by_ns=event.send_by_ns)
    order.resend_ns, order.code, order.text = 0, "", ""
    state.count_message(event.ts_ns, is_order=True)


def order_accepted(state: State, event: e.OrderAccepted) -> None:
    """The venue works it: a row of rejections ends."""
    state.book.streaks.rejects = 0
    order = state.book.orders[event.cl_ord_id]
    order.status = OrdStatus.NEW if order.cum_qty == 0 else OrdStatus.PARTIALLY_FILLED
    order.resend_ns, order.withheld = 0, False
    order.order_id = event.order_id
    resting.turned_up(state, order)
    if order.rests:
        resting.confirmed(state, order)


def order_triggered(state: State, event: e.OrderTriggered) -> None:
    """Its trigger was reached."""
    state.book.orders[event.cl_ord_id].triggered = True


def order_unknown(state: State, event: e.OrderOutcomeUnknown) -> None:
    """UNKNOWN, since now."""
    order = state.book.orders[event.cl_ord_id]
    order.status = OrdStatus.UNKNOWN
    order.unknown_ns, order.resend_ns, order.withheld = event.ts_ns, 0, False
    order.text = event.reason


def order_absent(state: State, event: e.OrderAbsent) -> None:
    """One more query that did not find it."""
    order = state.book.orders[event.cl_ord_id]
    order.absent_count, order.absent_ns = event.count, event.ts_ns


def order_rejected(state: State, event: e.OrderRejected) -> None:
    """The end, without effect; what the venue itself refused counts for the streak."""
    if event.causation_seq:  # by a report of the venue; what was not sent it has not refused
        state.book.streaks.rejects += 1
    order = state.book.orders[event.cl_ord_id]
    order.code, order.text = event.code, event.text
    finish(state, order, OrdStatus.REJECTED, event.ts_ns)


def order_canceled(state: State, event: e.OrderCanceled) -> None:
    """The end, with what it had filled."""
    order = state.book.orders[event.cl_ord_id]
    order.text = event.text
    finish(state, order, OrdStatus.CANCELED, event.ts_ns)


def order_expired(state: State, event: e.OrderExpired) -> None:
    """The end, by its time in force; of one that waited to be sent again, by the time that it had to fill."""
    order = state.book.orders[event.cl_ord_id]
    order.timed_out = order.timed_out or order.resend_ns > 0
    order.text = event.text
    finish(state, order, OrdStatus.EXPIRED, event.ts_ns)


def order_resolved(state: State, event: e.OrderResolved) -> None:
    """The end, by the word of a named operator."""
    order = state.book.orders[event.cl_ord_id]
    order.code, order.text = RESOLVED, f"{event.by}: {event.evidence}"
    finish(state, order, event.status, event.ts_ns)


def finish(state: State, order: Order, status: int, ts_ns: int) -> None:
    """A terminal status: the order leaves the live ones, and frees what waited for it."""
    book, cl_ord_id = state.book, order.request.cl_ord_id
    order.status = status
    order.closed_ns = ts_ns
    order.cancel_pending, order.resend_ns, order.withheld = False, 0, False
    order.doubted = order.replacing or order.doubted
    order.replacing = None
    book.done[cl_ord_id] = book.orders.pop(cl_ord_id)
    if order.request.reduce_only:
        if not order.presumed_gone:
            state.reducing[order.position].remove(cl_ord_id)
        position = book.positions.get(order.position)
        if position is not None and position.protection is not None:
            protection = position.protection
            if protection.exit_cl_ord_id == cl_ord_id:
                protection.exit_cl_ord_id = ""
            if protection.stop_cl_ord_id == cl_ord_id:
                refused = status == OrdStatus.REJECTED and order.code not in UNREFUSED
                linked = order.request.target_px > 0
                protection.stop_cl_ord_id, protection.stop_refused = "", refused and not linked
                protection.target_refused = protection.target_refused or (refused and linked)
                resting.count_naked(state, protection, ts_ns)


def order_end_reported(state: State, event: e.OrderEndReported) -> None:
    """Over at the venue; open here until its fills have arrived."""
    order = state.book.orders[event.cl_ord_id]
    order.end_status, order.end_qty, order.unknown_ns = event.status, event.cum_qty, event.ts_ns


def cancel_requested(state: State, event: e.CancelRequested) -> None:
    """A cancel is on its way; who asked decides what becomes of the rest."""
    order = state.book.orders[event.cl_ord_id]
    if not order.cancel_pending:
        state.count_message(event.ts_ns)
    if event.by == TIMEOUT:
        order.timed_out = order.timed_out or not order.cancel_ns
    elif event.by != STILL_WORKING:
        order.timed_out = False
    order.cancel_pending, order.cancel_ns = True, event.ts_ns


def cancel_refused(state: State, event: e.CancelRefused) -> None:
    """That cancel is answered; the order works on."""
    order = state.book.orders.get(event.cl_ord_id)
    if order is not None:
        order.cancel_pending = False


def orders_retired(state: State, event: e.OrdersRetired) -> None:
    """The oldest finished orders are forgotten, with their executions."""
    for cl_ord_id in event.cl_ord_ids:
        order = state.book.done.pop(cl_ord_id)
        state.executions.get(order.request.instrument_id, set()).difference_update(order.exec_ids)


def report_parked(state: State, event: e.ReportParked) -> None:
    """Kept beside the books, the newest ones."""
    parked = state.book.parked
    parked.append(event.report)
    del parked[:-PARKED_MAX]


def anomaly_noted(state: State, event: e.AnomalyNoted) -> None:
    """Somebody has been called about this order."""
    order = state.book.orders.get(event.cl_ord_id)
    if order is not None and event.kind == UNKNOWN_UNRESOLVED:
        order.paged = True
