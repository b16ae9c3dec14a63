"""Deciding to send an order, and how long it may take to fill."""

from __future__ import annotations

from surefill.domain.decide import resting
from surefill.domain.decide.step import Step
from surefill.domain.effects import SetTimer, SubmitOrder
from surefill.domain.events import OrderCreated
from surefill.domain.orders import Order

TIMEOUT_TIMER = "timeout:"


def create_order(this: Step, created: OrderCreated) -> None:
    """Decide to send an order: the event first, the wire after it is durable. A withheld one waits for the stop."""
    this.emit(created)
    order = this.book.orders[created.request.cl_ord_id]
    if order.withheld:
        resting.take_back(this, order.position)
    else:
        this.ask(SubmitOrder(created.request))
    set_timeout(this, order)


def set_timeout(this: Step, order: Order) -> None:
    """An entry that has not filled by its deadline is canceled. An exit has none: it stays until it is out."""
    if order.timeout_ns and not order.request.reduce_only:
        this.ask(SetTimer(TIMEOUT_TIMER + order.request.cl_ord_id, order.created_ns + order.timeout_ns))
