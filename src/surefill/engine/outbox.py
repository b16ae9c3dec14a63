"""The outbox: one durable effect becomes one call on the venue, and the call becomes an input again.

1. Nothing is sent twice, and nothing is sent again: what went wrong is for the core to decide on.
2. The last look is right before the wire: past its deadline, taken back since (by a halt, say), beyond the limit over
   all workspaces, or against one of the profile's rechecks, an order stays here.
3. Whatever an adapter raises has proved nothing: an unknown outcome, or a query that told nothing. Nor has an answer
   that does not come: nobody waits for it longer than the profile says.
4. What does not fit the venue's budget waits: an order no longer than its deadline, a cancel as long as it must.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, cast

from surefill.domain.effects import AmendOrder, CancelOrder, Effect, QueryOrder, SubmitOrder
from surefill.domain.gates import aggregate_now, first_objection
from surefill.domain.inputs import Input, OrderQueried, QueryFailed, SendLapsed
from surefill.domain.orders import Order, OrderRequest
from surefill.domain.refusals import Refusal
from surefill.engine.answers import CANNOT_AMEND, amend_answer, cancel_answer, submit_answer
from surefill.engine.budget import ORDER
from surefill.engine.clock import Clock
from surefill.engine.desk import Desk
from surefill.engine.patience import answered, look
from surefill.engine.reconciliation import told
from surefill.venues.protocol import LiveVenue, Outcome, Rejected, Unknown

BUDGET_SPENT = "BUDGET_SPENT"


async def run_errand(desk: Desk, effect: Effect, clock: Clock) -> Input | None:
    """Carry out one effect for the wire; the input that it ends in (None: the effect is not for the wire)."""
    venue = desk.writer.venue
    if isinstance(effect, SubmitOrder):
        withheld = await _no_room(desk, effect.request, clock) or await _not_ready(desk, effect.request, clock)
        withheld = withheld or _withheld(desk, effect.request, clock.now_ns())
        return withheld or submit_answer(effect, await _outcome(desk, venue.submit(effect.request)), clock.now_ns())
    if isinstance(effect, CancelOrder):
        await desk.budget.admit(ORDER, urgent=True)
        outcome = await _outcome(desk, venue.cancel(effect.request, effect.order_id))
        return cancel_answer(effect, outcome, clock.now_ns())
    if isinstance(effect, AmendOrder):
        return amend_answer(effect, await _amended(desk, effect), clock.now_ns())
    if isinstance(effect, QueryOrder):
        return await _query(desk, effect, clock)
    return None


async def _no_room(desk: Desk, request: OrderRequest, clock: Clock) -> SendLapsed | None:
    """Wait for room in the budget, an exit for the reserve too; what came of it where there is none in time."""
    within_ns = request.send_by_ns - clock.now_ns()
    if within_ns < 0 or await desk.budget.admit(ORDER, urgent=request.reduce_only, within_ns=within_ns):
        return None
    text = "not sent: the venue's budget of requests had no room for it before its deadline"
    return SendLapsed(clock.now_ns(), request.cl_ord_id, BUDGET_SPENT, text)


async def _not_ready(desk: Desk, request: OrderRequest, clock: Clock) -> SendLapsed | None:
    """An entry does not leave before the venue's dead man's switch runs, where one is wanted."""
    if desk.may_enter is None or request.reduce_only or await desk.may_enter(request.instrument_id):
        return None
    text = "not sent: the venue's dead man's switch could not be armed"
    return SendLapsed(clock.now_ns(), request.cl_ord_id, "DEAD_MAN", text)


def _withheld(desk: Desk, request: OrderRequest, now_ns: int) -> SendLapsed | None:
    if now_ns > request.send_by_ns:
        return SendLapsed(now_ns, request.cl_ord_id)
    order = desk.writer.state.book.orders.get(request.cl_ord_id)
    if desk.broken is not None or order is None or order.cancel_pending:
        return SendLapsed(now_ns, request.cl_ord_id, "NOT_SENT", "taken back before it was sent")
    kill = desk.control.holds_back(desk.writer.state.book.venue)
    if kill is not None and not request.reduce_only:
        return SendLapsed(now_ns, request.cl_ord_id, "NOT_SENT", f"halted before it was sent ({kill.text()})")
    if request.target_px and not desk.writer.venue.capabilities.links:
        return SendLapsed(now_ns, request.cl_ord_id, "NOT_LINKED", "this venue does not link a target to a stop")
    objection = _too_much(desk, order) or first_objection(desk.writer.state, order, now_ns)
    if objection is None:
        return None
    return SendLapsed(now_ns, request.cl_ord_id, objection.code.name, objection.reason)


def _too_much(desk: Desk, order: Order) -> Refusal | None:
    """All workspaces together stand in for more than they may: not with this order."""
    state = desk.writer.state
    elsewhere = None if order.request.reduce_only else desk.control.elsewhere(state)
    return None if elsewhere is None else aggregate_now(state, elsewhere)


async def _query(desk: Desk, effect: QueryOrder, clock: Clock) -> Input:
    cl_ord_id = effect.request.cl_ord_id
    try:
        found = await look(desk, lambda: desk.writer.venue.query(effect.request))
    except Exception as error:  # a failed query is not an answer, whatever failed
        return QueryFailed(clock.now_ns(), cl_ord_id, told(error))
    return OrderQueried(clock.now_ns(), cl_ord_id, found.found, found.reports)


async def _amended(desk: Desk, effect: AmendOrder) -> Outcome:
    venue = desk.writer.venue
    if not venue.capabilities.amends:
        return CANNOT_AMEND
    await desk.budget.admit(ORDER, urgent=True)
    return await _outcome(desk, cast(LiveVenue, venue).amend(effect.request, effect.order_id))


async def _outcome(desk: Desk, call: Coroutine[Any, Any, Outcome]) -> Outcome:
    try:
        outcome = await answered(desk, call)
    except Exception as error:  # an adapter that raises has proved nothing: unknown
        return Unknown(told(error))
    if isinstance(outcome, Rejected) and outcome.retry_after_ns:
        desk.budget.throttled(outcome.retry_after_ns)
    return outcome
