"""Deciding to try again: the same order after proof that it never arrived, or a new one for what did not fill.

1. The same order is sent again, under the same client order id, only after proof that the venue never had it (the
   connection was refused, it was told to come later). After an unknown outcome nothing is ever sent again.
2. What an entry left unfilled is taken up by a further order, where the profile says so; its quantity is the rest. A
   rest that the venue would not take ends with the first order, whose end says why.
3. Both are bounded by `attempts_max`. A kill switch or a tripped breaker ends them.
"""

from __future__ import annotations

import hashlib

import msgspec

from surefill.domain import ids
from surefill.domain.decide import breakers
from surefill.domain.decide.sending import create_order
from surefill.domain.decide.step import Step
from surefill.domain.effects import SetTimer, SubmitOrder
from surefill.domain.events import OrderCreated, OrderResendScheduled, OrderResent
from surefill.domain.limits import Limits
from surefill.domain.orders import Order
from surefill.domain.reports import VenueReport
from surefill.rules.codes import OrdStatus, PartialFill
from surefill.units import PPB, quanta_text

RESEND_TIMER = "resend:"


def resend_later(this: Step, order: Order, report: VenueReport) -> bool:
    """Plan to send the same order again; false where that is not to be: then the rejection stands."""
    if report.undelivered and order.resend_ns:
        return True  # the same proof once more
    limits = this.book.profile.limits
    fresh = order.status == OrdStatus.SUBMITTED and not order.cancel_pending
    if not report.undelivered or not fresh or order.attempts >= limits.attempts_max or not _allowed(this, order):
        return False
    cl_ord_id = order.request.cl_ord_id
    at_ns = this.ts_ns + max(wait_ns(limits, cl_ord_id, order.attempts), report.retry_after_ns)
    this.emit(
        OrderResendScheduled(
            this.ts_ns, order.correlation_id, this.cause, cl_ord_id, order.attempts + 1, at_ns, report.code, report.text
        )
    )
    this.ask(SetTimer(RESEND_TIMER + cl_ord_id, at_ns))
    return True


def wait_ns(limits: Limits, cl_ord_id: str, attempt: int) -> int:
    """How long after its `attempt`-th submission an order waits; the jitter derives from its id."""
    wait = min(limits.retry_base_ns, limits.retry_max_ns)
    for _ in range(attempt - 1):
        wait = min(wait * limits.retry_factor, limits.retry_max_ns)
    chance = hashlib.sha256(f"{cl_ord_id}|{attempt}".encode()).digest()
    within = int.from_bytes(chance[:8]) % (2 * PPB + 1) - PPB  # -1 to 1, in parts per billion
    return wait + wait * limits.retry_jitter_ppb // PPB * within // PPB


def resend(this: Step, order: Order) -> None:
    """Its wait is over: decide to send it, with a deadline of its own."""
    if not order.resend_ns or this.ts_ns < order.resend_ns:
        return
    send_by_ns = this.ts_ns + this.book.profile.limits.send_by_ns
    this.emit(OrderResent(this.ts_ns, order.correlation_id, 0, order.request.cl_ord_id, send_by_ns))
    this.ask(SubmitOrder(order.request))


def untradable_rest(this: Step, order: Order) -> str:
    """Why the rest that would be taken up is no order; "": it is one, or nothing is to be taken up."""
    rest = _rest_wanted(this, order)
    if not rest:
        return ""
    instrument = this.book.instruments[order.request.instrument_id]
    terms = instrument.terms_at(this.ts_ns)

    def text(qty: int) -> str:
        return quanta_text(qty, instrument.qty_decimals)

    if rest % terms.lot:
        return f"the rest of {text(rest)} is no multiple of the lot {text(terms.lot)}: it is not taken up"
    if not terms.min_qty <= rest <= terms.max_qty:
        bounds = f"{text(terms.min_qty)} to {text(terms.max_qty)}"
        return f"the rest of {text(rest)} is outside {bounds} of one order: it is not taken up"
    return ""


def _rest_wanted(this: Step, order: Order) -> int:
    """What an entry has left unfilled and the profile wants taken up; 0: nothing."""
    limits, request = this.book.profile.limits, order.request
    by_itself = order.timed_out or not order.cancel_ns  # nobody wanted it gone
    wanted = limits.partial_fill == PartialFill.RETRY and order.cum_qty > 0 and by_itself
    if not wanted or request.reduce_only or order.attempts >= limits.attempts_max:
        return 0
    return max(0, request.order_qty - order.cum_qty)


def take_up_rest(this: Step, order: Order) -> None:
    """An entry has ended half filled: a further order for the rest, where the profile wants one."""
    book, limits, request = this.book, this.book.profile.limits, order.request
    rest = _rest_wanted(this, order)
    if not rest or untradable_rest(this, order):
        return
    breakers.watch(this)  # the fill before its end may have tripped one
    if not _allowed(this, order):
        return
    number, parent = book.number + 1, order.parent or request.cl_ord_id
    again = msgspec.structs.replace(
        request,
        cl_ord_id=ids.cl_ord_id(book.workspace_id, f"rest|{parent}", number),
        order_ref=ids.order_ref(book.profile.id_style, book.profile.id_prefix, book.workspace_id, this.ts_ns, number),
        order_qty=rest,
        transact_ns=this.ts_ns,
        send_by_ns=this.ts_ns + limits.send_by_ns,
    )
    create_order(
        this,
        OrderCreated(
            this.ts_ns,
            order.correlation_id,
            book.seq,
            again,
            number,
            order.intent_id,
            order.strategy_id,
            plan=order.plan,
            parent=parent,
            arrival_spread=order.arrival_spread,
            timeout_ns=order.timeout_ns,
            attempt=order.attempts + 1,
        ),
    )


def _allowed(this: Step, order: Order) -> bool:
    """Whether nothing has been thrown or has tripped that keeps entries back. Exits are always tried again."""
    book, request = this.book, order.request
    return request.reduce_only or not (book.tripped or book.suspended_by(request.instrument_id, order.strategy_id))
