"""Deciding to cancel: journaled before it is asked, and asked once at a time."""

from __future__ import annotations

from surefill.domain.decide.step import Step
from surefill.domain.effects import CancelOrder
from surefill.domain.events import CancelRequested, OrderCanceled, OrderExpired
from surefill.domain.evolve import TIMEOUT
from surefill.domain.orders import Order


def cancel(this: Step, order: Order, by: str) -> None:
    """Ask the venue to cancel a live order, unless that has been asked and not been answered yet.

    One that waits to be sent, or to be sent again, is not there: it ends at once.
    """
    if order.waits and by == TIMEOUT:
        text = "its time was up before it was sent again"
        this.emit(OrderExpired(this.ts_ns, order.correlation_id, this.book.seq, order.request.cl_ord_id, text))
    elif order.waits:
        text = f"taken back before it was sent{'' if order.withheld else ' again'} ({by})"
        this.emit(OrderCanceled(this.ts_ns, order.correlation_id, this.book.seq, order.request.cl_ord_id, text))
    elif not order.cancel_pending:
        this.emit(CancelRequested(this.ts_ns, order.correlation_id, this.book.seq, order.request.cl_ord_id, by))
        this.ask(CancelOrder(order.request, order.order_id))
    elif order.timed_out and by != TIMEOUT:
        # Asked already, for its time is up. Now somebody wants it gone: what it leaves unfilled is not taken up.
        this.emit(CancelRequested(this.ts_ns, order.correlation_id, this.book.seq, order.request.cl_ord_id, by))


def cancel_entries(this: Step, by: str, instrument_id: str = "", strategy_id: str = "") -> None:
    """Cancel every live order that could enlarge a position; of one instrument or one strategy if named."""
    for order in list(this.book.orders.values()):
        named = instrument_id in ("", order.request.instrument_id) and strategy_id in ("", order.strategy_id)
        if named and not order.request.reduce_only:
            cancel(this, order, by)
