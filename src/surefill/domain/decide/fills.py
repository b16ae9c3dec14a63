"""Booking executions: order, position and cash in one event; no fill that opens leaves its position unprotected."""

from __future__ import annotations

from surefill.domain.decide import resting
from surefill.domain.decide.cancels import cancel, cancel_entries
from surefill.domain.decide.guarding import protect
from surefill.domain.decide.step import Step
from surefill.domain.effects import Notify
from surefill.domain.events import AnomalyNoted, Halted, OrderFilled, OrderReplaced
from surefill.domain.orders import Order
from surefill.domain.reports import VenueReport
from surefill.domain.risk import SYMBOL
from surefill.rules.codes import KillLevel, OrdEvent, OrdStatus
from surefill.rules.position import apply_fill, position_effect
from surefill.rules.transitions import next_status

_FILL, _FILL_COMPLETE = OrdEvent.FILL, OrdEvent.FILL_COMPLETE


def book(this: Step, order: Order, report: VenueReport) -> None:
    """Book one execution that has not been booked before. Late and excess ones too, with an alarm and a halt."""
    cum_qty = order.cum_qty + report.last_qty
    _changed_after_all(this, order, cum_qty)
    request = order.request
    event = _FILL_COMPLETE if cum_qty >= request.order_qty else _FILL
    status = next_status(order.status, event)
    late = status < 0
    first, turns_up = order.cum_qty == 0, order.presumed_gone
    _emit_fill(this, order, report, cum_qty, order.status if late else status, late=late)
    continued = order.status == OrdStatus.FILLED and cum_qty <= request.order_qty
    if cum_qty > request.order_qty or turns_up or (late and not continued):
        detail = f"{cum_qty} filled of {request.order_qty} after {OrdStatus(order.status).name}"
        alarm(this, order, "STOP_TURNED_UP" if turns_up else "LATE_FILL" if late else "OVERFILL", detail)
    if order.plan is not None:
        protect(this, order, report.last_px, first=first)
    trim_reductions(this, order.position)
    resting.keep(this, order.position)


def _changed_after_all(this: Step, order: Order, cum_qty: int) -> None:
    """More has traded than the terms that are known allow, and no more than those that were asked for: those hold.

    An order that was full by its old quantity goes on then.
    """
    asked = order.replacing or order.doubted
    if asked is not None and order.request.order_qty < cum_qty <= asked.order_qty:
        this.emit(OrderReplaced(this.ts_ns, order.correlation_id, this.cause, order.request.cl_ord_id))


def _emit_fill(this: Step, order: Order, report: VenueReport, cum_qty: int, status: int, *, late: bool) -> None:
    request, ledger = order.request, this.book
    held = ledger.positions.get(order.position)
    qty, cost = (held.qty, held.cost) if held is not None else (0, 0)
    last_px, last_qty, side = report.last_px, report.last_qty, request.side
    per_notional = ledger.instruments[request.instrument_id].money_per_notional
    net_qty, fee = net_of_fee(report, side, per_notional)
    new_qty, new_cost, realised = apply_fill(qty, cost, side, last_px, net_qty)
    opened_from = 0 if held is not None and held.dust else qty
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
            fee,
            cum_qty,
            status,
            order.position,
            position_effect(opened_from, new_qty),
            new_qty,
            new_cost,
            realised * per_notional,
            ledger.cash - side * last_px * net_qty * per_notional - fee,
            late,
            report.fee_qty,
        )
    )


def net_of_fee(report: VenueReport, side: int, per_notional: int) -> tuple[int, int]:
    """What the position changes by, and the whole fee in money.

    A fee in the traded thing itself counts as sold at the price of the trade, to pay the fee: the position is smaller
    by it, its worth is among the fees, and cash is what it would be without it.
    """
    return report.last_qty - side * report.fee_qty, report.fee + report.last_px * report.fee_qty * per_notional


def alarm(this: Step, order: Order, kind: str, detail: str) -> None:
    """Fills that should not be: they are booked, the symbol takes no more entries, somebody is called."""
    request = order.request
    detail = f"{detail}: booked, symbol halted"
    this.emit(AnomalyNoted(this.ts_ns, order.correlation_id, this.cause, request.cl_ord_id, kind, detail))
    before = this.book.kills.get(SYMBOL + request.instrument_id)
    level = int(KillLevel.SUSPEND) if before is None else max(before.level, int(KillLevel.SUSPEND))
    this.emit(
        Halted(
            this.ts_ns, order.correlation_id, this.cause, kind, detail, "surefill", request.instrument_id, level=level
        )
    )
    this.ask(Notify(kind, f"{request.instrument_id} {request.cl_ord_id}: {detail}", page=True))
    cancel_entries(this, kind, request.instrument_id)


def trim_reductions(this: Step, key: str) -> None:
    """The position has shrunk or turned: reducing orders that could now carry it through zero are taken back."""
    working = this.state.reducing.get(key)
    if not working:
        return
    orders, qty = this.book.orders, this.book.positions[key].qty
    same_way = any(orders[cl_ord_id].request.side * qty > 0 for cl_ord_id in working)
    if same_way or this.state.reducing_qty(key) > abs(qty):
        for cl_ord_id in tuple(working):  # one that waits to be sent again is gone at once
            cancel(this, orders[cl_ord_id], "position shrank")
