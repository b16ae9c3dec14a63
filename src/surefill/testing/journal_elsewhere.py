"""Checks of what a journal tells of executions, orders and moves that no order of ours made.

The figures are reckoned again from the rules; see `testing.journal_checks`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from surefill.domain import events as e
from surefill.domain.account import CAPITAL, CLOSING, AccountMove, MoveKind
from surefill.domain.position import position_key
from surefill.rules.position import apply_fill
from surefill.testing.journal_audit import Audit, Findings


def _traded(audit: Audit, seq: int, event: e.ExternalTraded) -> Findings:
    execution = (event.instrument_id, event.exec_id)
    if execution in audit.execs:
        yield 6, f"execution {event.exec_id} of {event.instrument_id}, made elsewhere, counts a second time"
    audit.execs.add(execution)
    if any(order.order_id == event.order_id != "" for order in audit.orders.values()):
        yield 6, f"execution {event.exec_id} is booked as made elsewhere, and {event.order_id} is an order of ours"
    report = audit.report[1]
    if report is None or report.exec_id != event.exec_id or event.causation_seq != audit.report[0]:
        yield 7, f"execution {event.exec_id} of {event.instrument_id} was booked and not reported"
    key = position_key(event.instrument_id, event.bucket)
    scale, side = audit.instruments[event.instrument_id].money_per_notional, event.side
    qty, cost, realised = apply_fill(audit.qty[key], audit.cost[key], side, event.last_px, event.net_qty)
    cash = audit.cash - side * event.last_px * event.net_qty * scale - event.fee
    said = (event.position, event.position_qty, event.position_cost, event.realised, event.cash)
    if said != (key, qty, cost, realised * scale, cash):
        yield 7, f"{event.exec_id}: the execution says {said}, it should be {(key, qty, cost, realised * scale, cash)}"
    audit.fees += event.fee
    audit.hold(key, event.position_qty, event.position_cost, event.cash, event.realised)


def _moved(audit: Audit, _seq: int, event: e.AccountMoved) -> Findings:
    move = event.move
    if (move.kind, move.move_id) in audit.moves:
        yield 6, f"move {move.move_id} of kind {move.kind} counts a second time"  # it may be of a kind that is none
    audit.moves.add((move.kind, move.move_id))
    if event.refused:
        return
    key = event.position
    scale = audit.instruments[move.instrument_id].money_per_notional if key else 0
    before, worth = audit.qty[key], audit.cost[key] * scale
    if move.kind in CLOSING and move.qty and (before * move.qty >= 0 or before * event.position_qty < 0):
        yield 7, f"{MoveKind(move.kind).name} {move.move_id} does more than close: {before} to {event.position_qty}"
    if event.position_qty != before + move.qty:
        yield 7, f"{move.move_id}: {before} and {move.qty} make {event.position_qty}"
    made = audit.cash + worth + event.outside + event.realised
    if event.cash + event.position_cost * scale != made:
        yield 7, f"{MoveKind(move.kind).name} {move.move_id} made or lost money"
    if event.cash != audit.cash + _paid(move) * scale + move.amount:
        yield 7, f"{MoveKind(move.kind).name} {move.move_id} moved other cash than it says"
    if event.realised and (move.kind in CAPITAL and not move.qty):
        yield 7, f"{MoveKind(move.kind).name} {move.move_id} counts as profit"
    audit.outside += event.outside
    if key:
        audit.hold(key, event.position_qty, event.position_cost, event.cash, event.realised)
    else:
        audit.cash = event.cash


def _paid(move: AccountMove) -> int:
    """What the holdings that it moves are paid for with, in notional quanta."""
    return -move.qty * move.px if move.kind in CLOSING else 0


def _seen(audit: Audit, _seq: int, event: e.ExternalOrdersSeen) -> Findings:
    now = {order.order_id for order in event.orders}
    if len(now) < len(event.orders):
        yield 8, "an order made elsewhere counts twice"
    ours = {order.order_id for order in audit.orders.values() if order.live and order.order_id}
    for order_id in sorted(now & ours):
        yield 8, f"{order_id} is an order of ours and counts as made elsewhere as well"


ELSEWHERE: dict[type[e.Event], Callable[[Audit, int, Any], Findings]] = {
    e.ExternalTraded: _traded,
    e.ExternalOrdersSeen: _seen,
    e.AccountMoved: _moved,
}
