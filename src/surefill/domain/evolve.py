"""The one function that changes state: `evolve(state, event)`. It decides nothing: same events, same state.

It works in place for speed; whoever needs the old state has the journal. `EVOLVE_VERSION` names this fold: a
snapshot made by another version is not used, the events are folded again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from surefill.domain import events as e
from surefill.domain.alerts import Alert
from surefill.domain.inputs import Halt, Resume
from surefill.domain.limits import REARM_DAY
from surefill.domain.orders import Order
from surefill.domain.position import ExitDue, Position, Protection, position_key
from surefill.domain.risk import STRATEGY, SYMBOL, WORKSPACE, Day, Flow, Kill, Session, Streaks, Trip, fills_key
from surefill.domain.state import Book, State
from surefill.rules.codes import ExitReason, OrdStatus, OrdType
from surefill.units import NS_PER_S, PPB

EVOLVE_VERSION = 2


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
    book.streaks.peak_equity = event.starting_cash
    book.limits_version = 1
    state.derive()


def _profile_set(state: State, event: e.ProfileSet) -> None:
    state.book.profile = event.profile
    state.book.config_hash = event.config_hash
    state.book.limits_version = event.version
    for position in state.book.positions.values():
        if position.protection is not None and not event.profile.limits.stops_at_venue:
            position.protection.naked_ns = 0
        elif position.protection is not None:
            _count_naked(state, position.protection, event.ts_ns)
    state.derive()


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
    basket_id, baskets = event.intent.basket_id, book.day.baskets
    if basket_id:
        baskets[basket_id] = baskets.get(basket_id, 0) + event.value


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
        parent=event.parent,
        arrival_spread=event.arrival_spread,
        timeout_ns=event.timeout_ns,
        attempts=event.attempt,
        withheld=event.withheld,
    )
    if state.counts_messages:
        _sent(book.flow.messages, event.ts_ns)
        _sent(book.flow.orders, event.ts_ns)
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


def _sent(times: list[int], ts_ns: int) -> None:
    """A message went out: remember it, and forget what no window of a second asks for any more."""
    while times and times[0] <= ts_ns - NS_PER_S:
        del times[0]
    times.append(ts_ns)


def _resend_scheduled(state: State, event: e.OrderResendScheduled) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.attempts, order.resend_ns = event.attempt, event.at_ns
    order.code, order.text = event.code, event.text


def _resent(state: State, event: e.OrderResent) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.request = msgspec.structs.replace(order.request, send_by_ns=event.send_by_ns)
    order.resend_ns, order.code, order.text = 0, "", ""
    if state.counts_messages:
        _sent(state.book.flow.messages, event.ts_ns)
        _sent(state.book.flow.orders, event.ts_ns)


def _order_released(state: State, event: e.OrderReleased) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.request = msgspec.structs.replace(order.request, send_by_ns=event.send_by_ns)
    order.withheld = False


def _replace_requested(state: State, event: e.ReplaceRequested) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.replacing = msgspec.structs.replace(order.request, stop_px=event.stop_px, order_qty=event.order_qty)
    if state.counts_messages:
        _sent(state.book.flow.messages, event.ts_ns)


def _order_replaced(state: State, event: e.OrderReplaced) -> None:
    order = state.book.orders[event.cl_ord_id]
    assert order.replacing is not None  # it was asked for
    order.request, order.replacing = order.replacing, None


def _replace_refused(state: State, event: e.ReplaceRefused) -> None:
    order = state.order(event.cl_ord_id)
    if order is not None:
        order.replacing = None


def _order_accepted(state: State, event: e.OrderAccepted) -> None:
    state.book.streaks.rejects = 0
    order = state.book.orders[event.cl_ord_id]
    if order.rests:
        protection = state.book.positions[order.position].protection
        if protection is not None and protection.stop_cl_ord_id == event.cl_ord_id:
            protection.naked_ns = 0
    order.status = OrdStatus.NEW if order.cum_qty == 0 else OrdStatus.PARTIALLY_FILLED
    order.resend_ns, order.withheld = 0, False
    order.order_id = event.order_id


def _order_triggered(state: State, event: e.OrderTriggered) -> None:
    state.book.orders[event.cl_ord_id].triggered = True


def _order_unknown(state: State, event: e.OrderOutcomeUnknown) -> None:
    order = state.book.orders[event.cl_ord_id]
    order.status = OrdStatus.UNKNOWN
    order.unknown_ns, order.resend_ns, order.withheld = event.ts_ns, 0, False
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
    order.resend_ns, order.withheld = 0, False
    order.cum_qty = event.cum_qty
    order.cum_notional += event.last_px * event.last_qty
    order.fees += event.fee
    if not order.exec_ids:
        _count_trade(state, order)
    if not order.request.reduce_only:
        _count_fill(state, event, order)
    order.exec_ids.append(event.exec_id)
    state.executions.setdefault(order.request.instrument_id, set()).add(event.exec_id)
    _book_fill(state, event, order)
    if event.status != order.status and not event.late:
        if event.status == OrdStatus.FILLED:
            _finish(state, order, OrdStatus.FILLED, event.ts_ns)
        else:
            order.status = event.status


def _count_trade(state: State, order: Order) -> None:
    """A trade is an intent that led to at least one fill: its first one counts."""
    book = state.book
    book.streaks.rejects = 0
    if order.exit_reason or order.parent:
        return
    day, symbol, strategy = book.day, order.request.instrument_id, order.strategy_id
    day.trades += 1
    day.trades_by_symbol[symbol] = day.trades_by_symbol.get(symbol, 0) + 1
    day.trades_by_strategy[strategy] = day.trades_by_strategy.get(strategy, 0) + 1


def _count_fill(state: State, event: e.OrderFilled, order: Order) -> None:
    """Entries are watched: how many fills lately, and how far from the price they were decided at."""
    request, streaks = order.request, state.book.streaks
    decided_px = request.stop_px or request.arrival_px  # how far off a trigger is, is no slippage
    if decided_px:
        worse = (event.last_px - decided_px) * event.side * PPB // decided_px
        streaks.worst_slippage_ppb = max(streaks.worst_slippage_ppb, worse)
    window_ns = state.fills_window_ns
    if window_ns:
        times = state.book.flow.fills.setdefault(fills_key(order.strategy_id, request.instrument_id), [])
        while times and times[0] <= event.ts_ns - window_ns:
            del times[0]
        times.append(event.ts_ns)


def _book_fill(state: State, event: e.OrderFilled, order: Order) -> None:
    book = state.book
    book.cash = event.cash
    book.realised += event.realised
    book.fees += event.fee
    book.day.realised += event.realised - event.fee
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
        if before:
            result = position.realised - position.fees - position.result_before
            if result:
                book.streaks.losses = book.streaks.losses + 1 if result < 0 else 0
            position.result_before += result
        position.strategy_id = order.strategy_id if position.qty else ""
        position.correlation_id = order.correlation_id if position.qty else ""
        position.opened_ns = event.ts_ns if position.qty else 0


def _finish(state: State, order: Order, status: int, ts_ns: int) -> None:
    """A terminal status: the order leaves the live ones, and frees what waited for it."""
    book, cl_ord_id = state.book, order.request.cl_ord_id
    order.status = status
    order.closed_ns = ts_ns
    order.cancel_pending, order.resend_ns, order.withheld, order.replacing = False, 0, False, None
    book.done[cl_ord_id] = book.orders.pop(cl_ord_id)
    if order.request.reduce_only:
        state.reducing[order.position].remove(cl_ord_id)
        position = book.positions.get(order.position)
        if position is not None and position.protection is not None:
            protection = position.protection
            if protection.exit_cl_ord_id == cl_ord_id:
                protection.exit_cl_ord_id = ""
            if protection.stop_cl_ord_id == cl_ord_id:
                protection.stop_cl_ord_id, protection.stop_refused = "", status == OrdStatus.REJECTED
                _count_naked(state, protection, ts_ns)


def _order_rejected(state: State, event: e.OrderRejected) -> None:
    if event.causation_seq:  # by a report of the venue; what was not sent it has not refused
        state.book.streaks.rejects += 1
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
    if state.counts_messages and not order.cancel_pending:
        _sent(state.book.flow.messages, event.ts_ns)
    if event.by == TIMEOUT:
        order.timed_out = order.timed_out or not order.cancel_ns
    elif event.by != STILL_WORKING:
        order.timed_out = False
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
        max_hold_ns=event.max_hold_ns,
        bars_held=event.bars_held,
        trailed=event.trailed,
        exit_cl_ord_id=before.exit_cl_ord_id if before is not None else "",
        due=before.due if before is not None else None,
        stop_cl_ord_id=before.stop_cl_ord_id if before is not None else "",
        naked_ns=before.naked_ns if before is not None else 0,
    )
    _count_naked(state, position.protection, event.ts_ns)


def _count_naked(state: State, protection: Protection, ts_ns: int) -> None:
    """A stop that should be at the venue and has no order there yet."""
    unguarded = protection.stop_px and not protection.stop_cl_ord_id and not protection.naked_ns
    if unguarded and state.book.profile.limits.stops_at_venue:
        protection.naked_ns = ts_ns


def _protection(state: State, key: str) -> Protection:
    protection = state.book.positions[key].protection
    assert protection is not None  # the event exists only for a guarded position
    return protection


def _stop_moved(state: State, event: e.StopMoved) -> None:
    protection = _protection(state, event.position)
    protection.stop_px = event.stop_px
    protection.trailed = True
    protection.stop_refused = False
    _count_naked(state, protection, event.ts_ns)


def _bar_counted(state: State, event: e.BarCounted) -> None:
    _protection(state, event.position).bars_held = event.bars_held


def _exit_triggered(state: State, event: e.ExitTriggered) -> None:
    protection = _protection(state, event.position)
    protection.due = ExitDue(event.reason, event.px, event.source, event.px_ns, event.qty)
    protection.ladder = event.ladder_left
    if event.stop_partial_used:
        protection.stop_partial_ppb = 0


def _halted(state: State, event: e.Halted) -> None:
    kill = Kill(event.level, event.code, event.reason, event.by, event.ts_ns)
    state.book.kills[kill_scope(event)] = kill


def _resumed(state: State, event: e.Resumed) -> None:
    scope, kills = kill_scope(event), state.book.kills
    before = kills.pop(scope)
    if event.level:
        kills[scope] = Kill(event.level, before.code, before.reason, event.by, event.ts_ns)


def kill_scope(event: e.Halted | e.Resumed | Halt | Resume) -> str:
    """The key of the switch in `Book.kills`."""
    if event.instrument_id:
        return SYMBOL + event.instrument_id
    if event.strategy_id:
        return STRATEGY + event.strategy_id
    return event.scope or WORKSPACE


def _session_set(state: State, event: e.SessionSet) -> None:
    book = state.book
    book.sessions[event.calendar] = Session(event.day, event.open_ns, event.end_ns)
    if event.calendar != book.profile.calendar or event.day == book.day.day:
        return
    book.day = Day(event.day, event.end_ns, event.equity, event.equity)
    book.streaks.loss_floor = 0
    for breaker in [name for name, trip in book.tripped.items() if trip.until_ns == REARM_DAY]:
        _rearm(book, breaker, event.equity)
    oldest_ns = event.ts_ns - state.fills_window_ns
    book.flow.fills = {key: times for key, times in book.flow.fills.items() if times[-1] > oldest_ns}


def _equity_marked(state: State, event: e.EquityMarked) -> None:
    day, streaks = state.book.day, state.book.streaks
    if day.start_equity is None:
        day.start_equity = event.equity
    day.high_equity = event.equity if day.high_equity is None else max(day.high_equity, event.equity)
    peak = streaks.peak_equity
    streaks.peak_equity = event.equity if peak is None else max(peak, event.equity)


def _position_adjusted(state: State, event: e.PositionAdjusted) -> None:
    book, position = state.book, state.book.positions[event.position]
    position.qty, position.cost = event.qty, event.cost
    position.realised += event.realised
    book.realised += event.realised
    book.day.realised += event.realised


def _breaker_tripped(state: State, event: e.BreakerTripped) -> None:
    state.book.tripped[event.breaker] = Trip(event.code, event.reason, event.ts_ns, event.until_ns)


def _breaker_rearmed(state: State, event: e.BreakerRearmed) -> None:
    _rearm(state.book, event.breaker, event.equity)


def _rearm(book: Book, breaker: str, equity: int | None) -> None:
    """Armed again: what it counted counts from here on."""
    del book.tripped[breaker]
    if breaker == "daily_loss":
        book.streaks.loss_floor = min(book.day.realised, 0)
    elif breaker == "daily_drawdown":
        book.day.high_equity = equity
    elif breaker == "equity_drop":
        book.day.start_equity = equity
    elif breaker == "drawdown":
        book.streaks.peak_equity = equity
    elif breaker == "loss_streak":
        book.streaks.losses = 0
    elif breaker == "reject_streak":
        book.streaks.rejects = 0
    elif breaker == "slippage":
        book.streaks.worst_slippage_ppb = 0


def _alert_raised(state: State, event: e.AlertRaised) -> None:
    known = state.book.alerts.get(event.key)
    if known is None:
        state.book.alerts[event.key] = Alert(event.code, event.text, event.ts_ns, event.ts_ns)
    else:
        known.text, known.raised_ns, known.count = event.text, event.ts_ns, known.count + 1


def _alert_delivered(state: State, event: e.AlertDelivered) -> None:
    state.book.alerts[event.key].delivered_ns = event.ts_ns


def _alert_acknowledged(state: State, event: e.AlertAcknowledged) -> None:
    del state.book.alerts[event.key]


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
    book.tripped.clear()
    book.day = Day(book.day.day, book.day.end_ns, event.starting_cash, event.starting_cash)
    book.flow, book.streaks = Flow(), Streaks(peak_equity=event.starting_cash)


PARKED_MAX = 1_000
UNKNOWN_UNRESOLVED = "UNKNOWN_UNRESOLVED"
TIMEOUT = "timeout"  # who cancels what has not filled in time
STILL_WORKING = "still working"  # who asks again for a cancel that did not succeed

_FOLDS: dict[type[e.Event], Callable[[State, Any], None]] = {
    e.WorkspaceOpened: _workspace_opened,
    e.ProfileSet: _profile_set,
    e.InstrumentDefined: _instrument_defined,
    e.IntentAccepted: _intent_accepted,
    e.IntentRefused: _intent_refused,
    e.IntentEvaluated: _nothing,
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
    e.SessionSet: _session_set,
    e.EquityMarked: _equity_marked,
    e.BreakerTripped: _breaker_tripped,
    e.BreakerRearmed: _breaker_rearmed,
    e.OrderResendScheduled: _resend_scheduled,
    e.OrderResent: _resent,
    e.OrderReleased: _order_released,
    e.ReplaceRequested: _replace_requested,
    e.OrderReplaced: _order_replaced,
    e.ReplaceRefused: _replace_refused,
    e.AlertRaised: _alert_raised,
    e.AlertDelivered: _alert_delivered,
    e.AlertAcknowledged: _alert_acknowledged,
    e.AnomalyNoted: _anomaly_noted,
    e.PositionsCompared: _nothing,
    e.PositionAdjusted: _position_adjusted,
    e.OrderResolved: _order_resolved,
    e.WorkspaceReset: _workspace_reset,
}
