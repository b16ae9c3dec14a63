"""The one function that changes state: `evolve(state, event)`. It decides nothing: same events, same state.

It works in place for speed; whoever needs the old state has the journal. `EVOLVE_VERSION` names this fold: a
snapshot made by another version is not used, the events are folded again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from surefill.domain import events as e
from surefill.domain.orders import Order
from surefill.domain.position import ExitDue, Position, Protection, position_key
from surefill.domain.state import State
from surefill.rules.codes import ExitReason, OrdStatus

EVOLVE_VERSION = 1


def evolve(state: State, event: e.Event) -> None:
    """Fold one event into the state."""
    state.book.seq += 1
    _FOLDS[type(event)](state, event)


def _workspace_opened(state: State, event: e.WorkspaceOpened) -> None:
    book = state.book
    for name in (
        "workspace_id",
        "mode",
        "venue",
        "account",
        "currency",
        "money_decimals",
        "profile",
        "config_hash",
    ):
        setattr(book, name, getattr(event, name))
    book.starting_cash = book.cash = event.starting_cash
    book.limits_version = 1


def _profile_set(state: State, event: e.ProfileSet) -> None:
    state.book.profile = event.profile
    state.book.config_hash = event.config_hash
    state.book.limits_version = event.version


def _instrument_defined(state: State, event: e.InstrumentDefined) -> None:
    state.book.instruments[event.instrument.instrument_id] = event.instrument


def _intent_accepted(state: State, event: e.IntentAccepted) -> None:
    book = state.book
    book.number = event.number
    window_ns = book.profile.limits.duplicate_window_ns
    if window_ns:
        recent = book.recent_intents
        for key in [key for key, ts_ns in recent.items() if ts_ns <= event.ts_ns - window_ns]:
            del recent[key]
        recent[event.intent.likeness()] = event.ts_ns


def _intent_refused(state: State, event: e.IntentRefused) -> None:
    state.book.number = event.number


def _order_created(state: State, event: e.OrderCreated) -> None:
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
    )
    if request.reduce_only:
        state.reducing.setdefault(key, []).append(request.cl_ord_id)
    if event.exit_reason:
        protection = book.positions[key].protection
        if protection is not None:
            protection.exit_cl_ord_id = request.cl_ord_id
            if event.exit_reason == ExitReason.PARTIAL:
                protection.due = None


def _order_accepted(state: State, event: e.OrderAccepted) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.status = OrdStatus.NEW if order.cum_qty == 0 else OrdStatus.PARTIALLY_FILLED
    order.order_id = event.order_id


def _order_triggered(state: State, event: e.OrderTriggered) -> None:
    state.book.orders[event.cl_ord_id].triggered = True


def _order_unknown(state: State, event: e.OrderOutcomeUnknown) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.status = OrdStatus.UNKNOWN
    order.unknown_ns = event.ts_ns
    order.text = event.reason


def _order_absent(state: State, event: e.OrderAbsent) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.absent_count, order.absent_ns = event.count, event.ts_ns


def _order_filled(state: State, event: e.OrderFilled) -> None:
    book = state.book
    order = book.orders.get(event.cl_ord_id)
    if order is None:
        order = book.done[event.cl_ord_id]
    order.order_id = event.order_id
    order.cum_qty = event.cum_qty
    order.cum_notional += event.last_px * event.last_qty
    order.fees += event.fee
    order.exec_ids.append(event.exec_id)
    state.executions.setdefault(order.request.instrument_id, set()).add(event.exec_id)
    _book_fill(state, event, order)
    if event.status != order.status and not event.late:
        if event.status == OrdStatus.FILLED:
            _finish(state, order, OrdStatus.FILLED, event.ts_ns)
        else:
            order.status = event.status


def _book_fill(state: State, event: e.OrderFilled, order: Order) -> None:
    book = state.book
    book.cash = event.cash
    book.realised += event.realised
    book.fees += event.fee
    position = book.positions.get(event.position)
    if position is None:
        request = order.request
        position = book.positions[event.position] = Position(request.instrument_id, request.bucket)
        state.keys_of.setdefault(request.instrument_id, []).append(event.position)
    before = position.qty
    position.qty = event.position_qty
    position.cost = event.position_cost
    position.realised += event.realised
    position.fees += event.fee
    # Protection dies with the position it guards: at flat, and when the sign turns.
    if (before > 0) != (position.qty > 0) or (before < 0) != (position.qty < 0):
        position.protection = None
        position.strategy_id = order.strategy_id if position.qty else ""
        position.correlation_id = order.correlation_id if position.qty else ""
        position.opened_ns = event.ts_ns if position.qty else 0


def _finish(state: State, order: Order, status: int, ts_ns: int) -> None:
    """A terminal status: the order leaves the live ones, and frees what waited for it."""
    book, cl_ord_id = state.book, order.request.cl_ord_id
    order.status = status
    order.closed_ns = ts_ns
    order.cancel_pending = False
    book.done[cl_ord_id] = book.orders.pop(cl_ord_id)
    if order.request.reduce_only:
        state.reducing[order.position].remove(cl_ord_id)
        position = book.positions.get(order.position)
        if position is not None and position.protection is not None:
            protection = position.protection
            if protection.exit_cl_ord_id == cl_ord_id:
                protection.exit_cl_ord_id = ""


def _order_rejected(state: State, event: e.OrderRejected) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.code, order.text = event.code, event.text
    _finish(state, order, OrdStatus.REJECTED, event.ts_ns)


def _order_canceled(state: State, event: e.OrderCanceled) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.text = event.text
    _finish(state, order, OrdStatus.CANCELED, event.ts_ns)


def _order_expired(state: State, event: e.OrderExpired) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.text = event.text
    _finish(state, order, OrdStatus.EXPIRED, event.ts_ns)


def _order_resolved(state: State, event: e.OrderResolved) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.code, order.text = "RESOLVED_BY_OPERATOR", f"{event.by}: {event.evidence}"
    _finish(state, order, event.status, event.ts_ns)


def _order_end_reported(state: State, event: e.OrderEndReported) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.end_status, order.end_qty, order.unknown_ns = event.status, event.cum_qty, event.ts_ns


def _cancel_requested(state: State, event: e.CancelRequested) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.cancel_pending, order.cancel_ns = True, event.ts_ns


def _cancel_refused(state: State, event: e.CancelRefused) -> None:
    order = state.book.orders.get(event.cl_ord_id)
    if order is not None:
        order.cancel_pending = False


def _orders_retired(state: State, event: e.OrdersRetired) -> None:
    for cl_ord_id in event.cl_ord_ids:
        order = state.book.done.pop(cl_ord_id)
        state.executions.get(order.request.instrument_id, set()).difference_update(order.exec_ids)


def _report_parked(state: State, event: e.ReportParked) -> None:
    parked = state.book.parked
    parked.append(event.report)
    del parked[:-PARKED_MAX]


def _protection_set(state: State, event: e.ProtectionSet) -> None:
    position = state.book.positions[event.position]
    before = position.protection
    position.protection = Protection(
        stop_px=event.stop_px,
        target_px=event.target_px,
        initial_risk=event.initial_risk,
        trail_distance=event.trail_distance,
        stop_partial_ppb=event.stop_partial_ppb,
        ladder=event.ladder,
        time_stop_bars=event.time_stop_bars,
        end_of_day=event.end_of_day,
        exit_cl_ord_id=before.exit_cl_ord_id if before is not None else "",
        due=before.due if before is not None else None,
    )


def _protection(state: State, key: str) -> Protection:
    protection = state.book.positions[key].protection
    assert protection is not None  # the event exists only for a guarded position
    return protection


def _stop_moved(state: State, event: e.StopMoved) -> None:
    protection = _protection(state, event.position)
    protection.stop_px = event.stop_px
    protection.trailed = True


def _bar_counted(state: State, event: e.BarCounted) -> None:
    _protection(state, event.position).bars_held = event.bars_held


def _exit_triggered(state: State, event: e.ExitTriggered) -> None:
    protection = _protection(state, event.position)
    protection.due = ExitDue(event.reason, event.px, event.source, event.px_ns, event.qty)
    protection.ladder = event.ladder_left
    if event.stop_partial_used:
        protection.stop_partial_ppb = 0


def _halted(state: State, event: e.Halted) -> None:
    if event.instrument_id:
        state.book.halted_instruments[event.instrument_id] = f"{event.code}: {event.reason}"
    elif event.strategy_id:
        state.book.halted_strategies[event.strategy_id] = f"{event.code}: {event.reason}"
    else:
        state.book.halted_code, state.book.halted_reason = event.code, event.reason


def _resumed(state: State, event: e.Resumed) -> None:
    if event.instrument_id:
        state.book.halted_instruments.pop(event.instrument_id, None)
    elif event.strategy_id:
        state.book.halted_strategies.pop(event.strategy_id, None)
    else:
        state.book.halted_code = state.book.halted_reason = ""


def _anomaly_noted(state: State, event: e.AnomalyNoted) -> None:
    order = state.book.orders.get(event.cl_ord_id)
    if order is not None and event.kind == UNKNOWN_UNRESOLVED:
        order.paged = True


def _nothing(state: State, event: e.Event) -> None:
    """Kept as proof; moves nothing."""


def _workspace_reset(state: State, event: e.WorkspaceReset) -> None:
    book = state.book
    book.starting_cash = book.cash = event.starting_cash
    book.realised = book.fees = 0
    for holding in (book.positions, book.orders, book.done, state.keys_of, state.reducing, state.executions):
        holding.clear()


PARKED_MAX = 1_000
UNKNOWN_UNRESOLVED = "UNKNOWN_UNRESOLVED"

_FOLDS: dict[type[e.Event], Callable[[State, Any], None]] = {
    e.WorkspaceOpened: _workspace_opened,
    e.ProfileSet: _profile_set,
    e.InstrumentDefined: _instrument_defined,
    e.IntentAccepted: _intent_accepted,
    e.IntentRefused: _intent_refused,
    e.OrderCreated: _order_created,
    e.VenueReported: _nothing,
    e.ReportParked: _report_parked,
    e.OrderAccepted: _order_accepted,
    e.OrderTriggered: _order_triggered,
    e.OrderRejected: _order_rejected,
    e.OrderOutcomeUnknown: _order_unknown,
    e.OrderAbsent: _order_absent,
    e.OrderFilled: _order_filled,
    e.OrderEndReported: _order_end_reported,
    e.OrderCanceled: _order_canceled,
    e.OrderExpired: _order_expired,
    e.CancelRequested: _cancel_requested,
    e.CancelRefused: _cancel_refused,
    e.OrdersRetired: _orders_retired,
    e.ProtectionSet: _protection_set,
    e.StopMoved: _stop_moved,
    e.BarCounted: _bar_counted,
    e.ExitTriggered: _exit_triggered,
    e.Halted: _halted,
    e.Resumed: _resumed,
    e.AnomalyNoted: _anomaly_noted,
    e.PositionsCompared: _nothing,
    e.OrderResolved: _order_resolved,
    e.WorkspaceReset: _workspace_reset,
}
