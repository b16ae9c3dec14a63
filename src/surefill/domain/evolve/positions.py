"""Folding executions into order, position, cash and counters; and what guards a position."""

from __future__ import annotations

from surefill.domain import events as e
from surefill.domain.evolve import resting
from surefill.domain.evolve.orders import finish
from surefill.domain.orders import Order
from surefill.domain.position import ExitDue, Position, Protection
from surefill.domain.risk import fills_key
from surefill.domain.state import Book, State
from surefill.rules.codes import OrdStatus
from surefill.units import PPB

_FILLED = OrdStatus.FILLED


def order_filled(state: State, event: e.OrderFilled) -> None:
    """One execution moves order, counters, position and cash; the last one ends the order."""
    book = state.book
    order = book.orders.get(event.cl_ord_id)
    if order is None:
        order = book.done[event.cl_ord_id]
    order.order_id = event.order_id
    order.resend_ns, order.withheld = 0, False
    resting.turned_up(state, order)
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
        if event.status == _FILLED:
            finish(state, order, _FILLED, event.ts_ns)
        else:
            order.status = event.status
    if order.lost_stop and order.status < OrdStatus.FILLED:
        resting.begun(state, order, event.ts_ns)


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
    state.book.cash = event.cash
    request = order.request
    hold(state, event, request.instrument_id, request.bucket, event.fee, order.strategy_id)


def hold(
    state: State,
    event: e.OrderFilled | e.ExternalTraded | e.AccountMoved,
    instrument_id: str,
    bucket: str,
    fee: int,
    strategy_id: str = "",
) -> None:
    """The position as the event says that it is after it; its result goes into the books."""
    book = state.book
    book.realised += event.realised
    book.fees += fee
    book.day.realised += event.realised - fee
    position = book.positions.get(event.position)
    if position is None:
        position = book.positions[event.position] = Position(instrument_id, bucket)
        state.keys_of.setdefault(instrument_id, []).append(event.position)
    before = position.qty
    grown = position.dust and abs(event.position_qty) > abs(before)
    position.qty = event.position_qty
    position.cost = event.position_cost
    position.realised += event.realised
    position.fees += fee
    # Protection dies with the position it guards: at flat, and when the sign turns. On dust a new position begins.
    if grown or (before > 0) != (position.qty > 0) or (before < 0) != (position.qty < 0):
        position.protection = None
        if before and not position.dust:
            _count_result(book, position)
        position.dust = False
        position.strategy_id = strategy_id if position.qty else ""
        position.correlation_id = event.correlation_id if position.qty else ""
        position.opened_ns = event.ts_ns if position.qty else 0


def _count_result(book: Book, position: Position) -> None:
    """A holding is over: what it has made, less fees, begins or ends a row of losses."""
    result = position.realised - position.fees - position.result_before
    if result:
        book.streaks.losses = book.streaks.losses + 1 if result < 0 else 0
    position.result_before += result


def dust_left(state: State, event: e.DustLeft) -> None:
    """The trade is over, but for what cannot leave."""
    position = state.book.positions[event.position]
    _count_result(state.book, position)
    position.dust, position.protection = True, None
    position.strategy_id, position.correlation_id, position.opened_ns = "", "", 0


def position_adjusted(state: State, event: e.PositionAdjusted) -> None:
    """The books follow the venue's; the difference at cost is realised."""
    book, position = state.book, state.book.positions[event.position]
    position.qty, position.cost = event.qty, event.cost
    position.realised += event.realised
    book.realised += event.realised
    book.day.realised += event.realised


def protection_set(state: State, event: e.ProtectionSet) -> None:
    """A new guard; the exit that the old one had under way goes on."""
    position = state.book.positions[event.position]
    before = position.protection
    position.dust = False
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
    resting.count_naked(state, position.protection, event.ts_ns)


def _protection(state: State, key: str) -> Protection:
    protection = state.book.positions[key].protection
    assert protection is not None  # the event exists only for a guarded position
    return protection


def stop_moved(state: State, event: e.StopMoved) -> None:
    """The stop has trailed."""
    protection = _protection(state, event.position)
    protection.stop_px = event.stop_px
    protection.trailed = True
    protection.stop_refused = protection.target_refused = False
    resting.count_naked(state, protection, event.ts_ns)


def bar_counted(state: State, event: e.BarCounted) -> None:
    """One bar more."""
    _protection(state, event.position).bars_held = event.bars_held


def exit_triggered(state: State, event: e.ExitTriggered) -> None:
    """An exit is due, and the part of the plan that said so is used up."""
    protection = _protection(state, event.position)
    protection.due = ExitDue(event.reason, event.px, event.source, event.px_ns, event.qty)
    protection.ladder = event.ladder_left
    if event.stop_partial_used:
        protection.stop_partial_ppb = 0
        resting.count_naked(state, protection, event.ts_ns)
