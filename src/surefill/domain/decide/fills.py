"""Booking executions: order, position and cash in one event; protection begins with the fill that opens."""

from __future__ import annotations

from surefill.domain.decide.step import Step
from surefill.domain.effects import CancelOrder, Notify
from surefill.domain.events import AnomalyNoted, CancelRequested, Halted, OrderFilled, ProtectionSet
from surefill.domain.orders import Order
from surefill.domain.reports import VenueReport
from surefill.rules.codes import OrdEvent, OrdStatus
from surefill.rules.exits import initial_risk, trail_distance_r
from surefill.rules.position import apply_fill, position_effect
from surefill.rules.transitions import next_status


def book(this: Step, order: Order, report: VenueReport) -> None:
    """Book one execution that has not been booked before. Late and excess ones too, with an alarm and a halt."""
    request = order.request
    cum_qty = order.cum_qty + report.last_qty
    event = OrdEvent.FILL_COMPLETE if cum_qty >= request.order_qty else OrdEvent.FILL
    status = next_status(order.status, event)
    late = status < 0
    first = order.cum_qty == 0
    _emit_fill(this, order, report, cum_qty, order.status if late else status, late=late)
    if late or cum_qty > request.order_qty:
        _alarm(this, order, "LATE_FILL" if late else "OVERFILL", cum_qty)
    if first and order.plan is not None:
        _protect(this, order, report.last_px)
    _trim_reductions(this, order)


def _emit_fill(this: Step, order: Order, report: VenueReport, cum_qty: int, status: int, *, late: bool) -> None:
    request, ledger = order.request, this.book
    held = ledger.positions.get(order.position)
    qty, cost = (held.qty, held.cost) if held is not None else (0, 0)
    last_px, last_qty, side = report.last_px, report.last_qty, request.side
    new_qty, new_cost, realised = apply_fill(qty, cost, side, last_px, last_qty)
    per_notional = ledger.instruments[request.instrument_id].money_per_notional
    this.emit(
        OrderFilled(
            this.ts_ns,
            order.correlation_id,
            this.cause,
            request.cl_ord_id,
            report.order_id or order.order_id,
            report.exec_id,
            side,
            last_px,
            last_qty,
            report.fee,
            cum_qty,
            status,
            order.position,
            position_effect(qty, new_qty),
            new_qty,
            new_cost,
            realised * per_notional,
            ledger.cash - side * last_px * last_qty * per_notional - report.fee,
            late,
        )
    )


def _alarm(this: Step, order: Order, kind: str, cum_qty: int) -> None:
    request = order.request
    detail = f"{cum_qty} filled of {request.order_qty} after {OrdStatus(order.status).name}: booked, symbol halted"
    this.emit(AnomalyNoted(this.ts_ns, order.correlation_id, this.cause, request.cl_ord_id, kind, detail))
    this.emit(Halted(this.ts_ns, order.correlation_id, this.cause, kind, detail, "surefill", request.instrument_id))
    this.ask(Notify(kind, f"{request.instrument_id} {request.cl_ord_id}: {detail}", page=True))


def _protect(this: Step, order: Order, entry_px: int) -> None:
    """Bind the order's plan to the position it has just opened or added to; R is fixed here."""
    plan = order.plan
    position = this.book.positions[order.position]
    if plan is None or plan.is_empty() or position.qty * order.request.side <= 0:
        return
    risk = initial_risk(order.request.side, entry_px, plan.stop_px) if plan.stop_px else 0
    trail = plan.trail_distance or trail_distance_r(risk, plan.trail_step_ppb)
    this.emit(
        ProtectionSet(
            this.ts_ns,
            order.correlation_id,
            this.book.seq,
            order.position,
            plan.stop_px,
            plan.target_px,
            risk,
            trail,
            plan.stop_partial_ppb,
            plan.ladder,
            plan.time_stop_bars,
            plan.end_of_day,
        )
    )


def _trim_reductions(this: Step, order: Order) -> None:
    """Another order has reduced the position: reducing orders that now exceed it must not turn it round."""
    working = this.state.reducing.get(order.position)
    if not working:
        return
    held = abs(this.book.positions[order.position].qty)
    if this.state.reducing_qty(order.position) <= held:
        return
    for cl_ord_id in working:
        other = this.book.orders[cl_ord_id]
        if not other.cancel_pending:
            this.emit(CancelRequested(this.ts_ns, other.correlation_id, this.book.seq, cl_ord_id, "position shrank"))
            this.ask(CancelOrder(other.request, other.order_id))
