"""Deciding when time is up, and after a start, when timers are gone and nobody knows what reached the wire."""

from __future__ import annotations

from surefill.domain.decide import breakers, exits, reports, resting
from surefill.domain.decide.cancels import cancel
from surefill.domain.decide.holding import EOD_TIMER, HOLD_TIMER, set_hold_timer
from surefill.domain.decide.retries import RESEND_TIMER, resend
from surefill.domain.decide.sending import TIMEOUT_TIMER, set_timeout
from surefill.domain.decide.step import Step
from surefill.domain.effects import AmendOrder, CancelOrder, QueryOrder, SetTimer
from surefill.domain.events import OrderOutcomeUnknown
from surefill.domain.evolve import TIMEOUT
from surefill.domain.inputs import RecoverOrders, TimerFired
from surefill.rules.codes import OrdStatus


def fired(this: Step, item: TimerFired) -> None:
    """A timer that the core asked for: its name says what for."""
    kind, _, name = item.name.partition(":")
    if kind + ":" == breakers.REARM_TIMER:
        breakers.cooled_off(this, name)
        return
    if kind + ":" == HOLD_TIMER:
        exits.held_too_long(this, name)
        return
    if kind + ":" == resting.NAKED_TIMER:
        resting.still_naked(this, name)
        return
    if kind + ":" == EOD_TIMER:
        exits.session_ends(this, name)
        return
    order = this.book.orders.get(name)
    if order is None:
        return
    if kind + ":" == RESEND_TIMER:
        resend(this, order)
    elif kind + ":" == TIMEOUT_TIMER:
        if not order.request.reduce_only:
            cancel(this, order, TIMEOUT)
    else:
        reports.ask_what_became(this, order)


def recover(this: Step, _item: RecoverOrders) -> None:
    """After a start: an order that was to be sent may have been; ask for every order in flight."""
    for order in list(this.book.orders.values()):
        cl_ord_id = order.request.cl_ord_id
        set_timeout(this, order)
        if order.withheld:
            continue
        if order.resend_ns:  # it waits, with proof that it has not arrived
            this.ask(SetTimer(RESEND_TIMER + cl_ord_id, order.resend_ns))
            continue
        if order.status == OrdStatus.SUBMITTED:
            reason = "the engine stopped before the venue's answer"
            this.emit(OrderOutcomeUnknown(this.ts_ns, order.correlation_id, 0, cl_ord_id, reason))
        if order.replacing is not None:
            this.ask(AmendOrder(order.replacing, order.order_id))
        if order.cancel_pending:
            this.ask(CancelOrder(order.request, order.order_id))  # decided; nobody knows whether it was sent
        this.ask(QueryOrder(order.request))
    for key, position in list(this.state.open_positions()):
        exits.pursue(this, key, position)
        set_hold_timer(this, key, position)
        resting.release(this, key)
        resting.keep(this, key)
        if position.protection is not None:
            resting.watch_naked(this, key, position.protection)
    breakers.set_timers_again(this)
