"""Deciding on what venues say, and on what they do not say.

A report is journaled as it came, then compared with what we know, then applied. Unknown is not rejected: an order
whose answer did not come is UNKNOWN until a report, a query, the horizon rule or a named operator says more.
"""

from __future__ import annotations

from collections.abc import Callable

from surefill.domain.decide import breakers, dust, elsewhere, exits, fills, resting
from surefill.domain.decide.cancels import cancel
from surefill.domain.decide.elsewhere import park
from surefill.domain.decide.retries import resend_later, take_up_rest, untradable_rest
from surefill.domain.decide.step import Step
from surefill.domain.effects import Notify, QueryOrder, SetTimer
from surefill.domain.events import (
    AnomalyNoted,
    CancelRefused,
    OrderAbsent,
    OrderAccepted,
    OrderCanceled,
    OrderEndReported,
    OrderExpired,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderReplaced,
    OrdersRetired,
    OrderTriggered,
    ReplaceRefused,
    VenueReported,
)
from surefill.domain.evolve import NEVER_ARRIVED, STILL_WORKING, UNKNOWN_UNRESOLVED, UNREFUSED
from surefill.domain.inputs import (
    CompareExecutions,
    OrderQueried,
    OutcomeUnknown,
    QueryFailed,
    SendLapsed,
    VenueReports,
)
from surefill.domain.orders import Order
from surefill.domain.reports import ExecType, VenueReport
from surefill.rules.codes import Anomaly, ExitReason, OrdEvent, OrdStatus
from surefill.rules.transitions import next_status
from surefill.units import NS_PER_S

_FILLED = OrdStatus.FILLED
_UNHEARD = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)
DONE_MAX = 512
QUERY_TIMER = "query:"


def apply_all(this: Step, item: VenueReports) -> None:
    """Take reports in the order in which they came."""
    for report in item.reports:
        _take(this, report)
    _retire(this)
    breakers.watch(this)


def _take(this: Step, report: VenueReport) -> None:
    report, order = elsewhere.matched(this.state, report)
    this.correlation_id = order.correlation_id if order is not None else ""
    this.emit(VenueReported(this.ts_ns, this.correlation_id, 0, report))
    this.cause = this.book.seq
    if order is None:
        elsewhere.take(this, report)
        return
    _APPLY[report.exec_type](this, order, report)


def recover_executions(this: Step, item: CompareExecutions) -> None:
    """The venue's history of executions: what has not been heard of is booked now, all the rest is passed over."""
    for report in item.reports:
        found, order = elsewhere.matched(this.state, report)
        if report.exec_id in this.state.executions.get(found.instrument_id, ()):
            continue
        if order is None:
            if not elsewhere.why_not_adopted(this.state, found):
                _take(this, found)
        elif found.exec_id not in order.exec_ids:
            _take(this, found)
            text = f"{found.cl_ord_id}: execution {found.exec_id} was in the venue's history and had not been reported"
            this.ask(Notify("FILL_RECOVERED", text))
    _retire(this)
    breakers.watch(this)


def _accepted(this: Step, order: Order, report: VenueReport) -> None:
    if next_status(order.status, OrdEvent.ACCEPT) > 0:
        turns_up = order.presumed_gone
        this.emit(OrderAccepted(this.ts_ns, this.correlation_id, this.cause, report.cl_ord_id, report.order_id))
        if turns_up:
            _anomaly(this, order, "STOP_TURNED_UP", "it was presumed gone, and works: it is taken back")
            cancel(this, order, "its place is taken")
    if order.rests:
        resting.keep(this, order.position)
    if report.cum_qty > order.cum_qty:
        # The venue has filled more than has reached us: ask for the executions, never invent them.
        _ask_for(this, order, answered=report.exec_type == ExecType.STATUS)
    live = order.status < OrdStatus.FILLED
    if live and order.cancel_ns and not order.cancel_pending and report.exec_type == ExecType.STATUS:
        _cancel_again(this, order)


def _cancel_again(this: Step, order: Order) -> None:
    """A cancel was decided and did not succeed, and the order works on: the wish stands, once a pause."""
    if this.ts_ns - order.cancel_ns >= this.book.profile.limits.query_spacing_ns:
        cancel(this, order, STILL_WORKING)
    else:
        _ask_again(this, order)


def _triggered(this: Step, order: Order, report: VenueReport) -> None:
    _accepted(this, order, report)
    if order.status < OrdStatus.FILLED and not order.triggered:
        this.emit(OrderTriggered(this.ts_ns, this.correlation_id, this.cause, report.cl_ord_id))


def _rejected(this: Step, order: Order, report: VenueReport) -> None:
    status = next_status(order.status, OrdEvent.REJECT)
    if status == OrdStatus.REJECTED:
        if not resend_later(this, order, report):
            _reject(this, order, report.code, report.text)
    elif status == Anomaly.ILLEGAL and not _agrees(order, report):
        _anomaly(this, order, "ILLEGAL_REJECT", f"rejected while {OrdStatus(order.status).name}: {report.text}")


def _agrees(order: Order, report: VenueReport) -> bool:
    """Whether the order, taken back while it waited to be sent again, is told once more that it never arrived."""
    return report.undelivered and order.status > OrdStatus.FILLED and not order.cum_qty


def _reject(this: Step, order: Order, code: str, text: str) -> None:
    this.emit(OrderRejected(this.ts_ns, order.correlation_id, this.cause, order.request.cl_ord_id, code, text))
    if order.request.reduce_only:
        this.ask(Notify("EXIT_REJECTED", f"{order.request.instrument_id}: {code} {text}", page=True))
    refused = order.rests and code not in UNREFUSED
    if refused and not order.request.target_px and this.book.profile.limits.refused_stop_flattens:
        exits.leave(this, order.position, ExitReason.UNPROTECTED)
    _after_end(this, order)


def _ended(this: Step, order: Order, report: VenueReport) -> None:
    """A cancel or an expiry: final once every fill that the venue counts has arrived."""
    event = OrdEvent.CANCEL if report.exec_type == ExecType.CANCELED else OrdEvent.EXPIRE
    status = next_status(order.status, event)
    may_be_larger = order.doubted is not None and order.doubted.order_qty > order.request.order_qty
    if status == Anomaly.ILLEGAL and not may_be_larger:
        _anomaly(this, order, "ILLEGAL_END", f"ended by the venue while {OrdStatus(order.status).name}")
    if status < 0:
        return  # already over: reports are repeated and reordered as a matter of course
    # The venue's count only grows: what an older report says that comes later takes nothing back.
    end_qty = max(report.cum_qty, order.end_qty) if order.end_status else report.cum_qty
    if end_qty > order.cum_qty:
        known = order.end_status == status and order.end_qty == end_qty
        if not known:
            this.emit(OrderEndReported(this.ts_ns, this.correlation_id, this.cause, report.cl_ord_id, status, end_qty))
        _ask_for(this, order, answered=known)
        return
    end(this, order, status, report.text, end_qty)


def end(this: Step, order: Order, status: int, text: str, end_qty: int) -> None:
    """The order is over, with what it filled: `end_qty` by the venue's count (-1: it does not say)."""
    kind = OrderCanceled if status == OrdStatus.CANCELED else OrderExpired
    told = "; ".join(filter(None, (text, untradable_rest(this, order))))
    this.emit(kind(this.ts_ns, order.correlation_id, this.cause, order.request.cl_ord_id, told))
    _beyond_end(this, order, end_qty)
    take_up_rest(this, order)
    _after_end(this, order)


def _beyond_end(this: Step, order: Order, end_qty: int) -> None:
    if 0 <= end_qty < order.cum_qty:
        detail = f"{order.cum_qty} filled of an order that its venue ended at {end_qty}"
        fills.alarm(this, order, "FILLS_BEYOND_END", detail)


def _traded(this: Step, order: Order, report: VenueReport) -> None:
    if not report.has_trade:
        park(this, report, elsewhere.UNUSABLE)
        _anomaly(this, order, "UNUSABLE_TRADE", f"{elsewhere.UNUSABLE}: not booked")
        return
    if report.exec_id in order.exec_ids:
        return  # applied once; the raw report is in the journal
    if report.exec_id in this.state.executions.get(order.request.instrument_id, ()):
        park(this, report, "the execution is booked for another order")
        _anomaly(this, order, "EXECUTION_OF_ANOTHER", f"execution {report.exec_id} is booked for another order already")
        return
    ending = order.status < _FILLED and order.end_status
    fills.book(this, order, report)
    if ending and order.cum_qty >= order.end_qty:
        if order.status < OrdStatus.FILLED:
            end(this, order, order.end_status, "all fills of the ended order have arrived", order.end_qty)
            return
        _beyond_end(this, order, order.end_qty)
    if order.status >= _FILLED:
        _after_end(this, order)


def _after_end(this: Step, order: Order) -> None:
    """What waited for this order to be over: an exit that is due. One that came to nothing waits for a price."""
    if order.exit_reason and order.status != OrdStatus.FILLED and not order.rests:
        return
    if order.rests and order.triggered and order.status != OrdStatus.FILLED:
        exits.leave(this, order.position, order.exit_reason)  # its price is reached: the next stop would end likewise
    if order.request.reduce_only:
        _go_on(this, order.position)
    dust.settle(this, order.position)


def _go_on(this: Step, key: str) -> None:
    """Something that reduced the position is out of the way: what waited for that, and its stop."""
    position = this.book.positions.get(key)
    if position is not None:
        exits.pursue(this, key, position)
        resting.release(this, key)
        resting.keep(this, key)


def _cancel_refused(this: Step, order: Order, report: VenueReport) -> None:
    this.emit(CancelRefused(this.ts_ns, this.correlation_id, this.cause, report.cl_ord_id, report.code, report.text))
    if order.status < OrdStatus.FILLED:
        # Often it has filled: the venue knows.
        this.ask(QueryOrder(order.request))


def _replaced(this: Step, order: Order, report: VenueReport) -> None:
    if order.replacing is not None:
        this.emit(OrderReplaced(this.ts_ns, order.correlation_id, this.cause, report.cl_ord_id))
        resting.keep(this, order.position)


def _replace_refused(this: Step, order: Order, report: VenueReport) -> None:
    """Not changed, or nobody knows: what stands there is taken back, and a new one takes its place."""
    if order.replacing is not None:
        cl_ord_id = report.cl_ord_id
        this.emit(ReplaceRefused(this.ts_ns, order.correlation_id, this.cause, cl_ord_id, report.code, report.text))
        cancel(this, order, "its terms could not be changed")


def _anomaly(this: Step, order: Order, kind: str, detail: str) -> None:
    cl_ord_id = order.request.cl_ord_id
    this.emit(AnomalyNoted(this.ts_ns, order.correlation_id, this.cause, cl_ord_id, kind, detail))
    this.ask(Notify(kind, f"{cl_ord_id}: {detail}", page=True))


_APPLY: dict[int, Callable[[Step, Order, VenueReport], None]] = {
    ExecType.NEW: _accepted,
    ExecType.STATUS: _accepted,
    ExecType.TRIGGERED: _triggered,
    ExecType.TRADE: _traded,
    ExecType.CANCELED: _ended,
    ExecType.EXPIRED: _ended,
    ExecType.REJECTED: _rejected,
    ExecType.CANCEL_REJECTED: _cancel_refused,
    ExecType.REPLACED: _replaced,
    ExecType.REPLACE_REJECTED: _replace_refused,
}


def outcome_unknown(this: Step, item: OutcomeUnknown) -> None:
    """No answer, or none that can be read: the order is UNKNOWN and gets asked for."""
    order = this.book.orders.get(item.cl_ord_id)
    if order is None or next_status(order.status, OrdEvent.OUTCOME_UNKNOWN) != OrdStatus.UNKNOWN:
        return  # a report was faster than the lost answer
    this.emit(OrderOutcomeUnknown(this.ts_ns, order.correlation_id, 0, item.cl_ord_id, item.reason))
    _ask_again(this, order)


def _ask_for(this: Step, order: Order, *, answered: bool) -> None:
    """Query now; after an answer that told nothing new, after a pause."""
    if answered:
        _ask_again(this, order)
    else:
        this.ask(QueryOrder(order.request))


def _ask_again(this: Step, order: Order) -> None:
    """Query after a pause: the venue may not know yet what it will know in a moment."""
    spacing_ns = this.book.profile.limits.query_spacing_ns
    this.ask(SetTimer(QUERY_TIMER + order.request.cl_ord_id, this.ts_ns + spacing_ns))


def ask_what_became(this: Step, order: Order) -> None:
    """The pause is over: query; page once when an order stays unresolved for too long."""
    this.ask(QueryOrder(order.request))
    if order.paged or not (order.end_status or order.status in _UNHEARD):
        return
    waited_ns = this.ts_ns - (order.unknown_ns or order.created_ns)
    if waited_ns >= this.book.profile.limits.unknown_page_ns:
        _anomaly(this, order, UNKNOWN_UNRESOLVED, f"no evidence of its fate for {waited_ns // NS_PER_S} s")


def queried(this: Step, item: OrderQueried) -> None:
    """A successful query: apply what it found; count an absence, and believe it only past the horizon."""
    if item.found:
        apply_all(this, VenueReports(item.ts_ns, item.reports))
        return
    order = this.book.orders.get(item.cl_ord_id)
    if order is None:
        return
    if order.status not in _UNHEARD:
        _lost(this, order)
        return
    limits = this.book.profile.limits
    horizon_ns = order.request.send_by_ns + limits.absence_horizon_ns
    past = limits.absence_horizon_ns > 0 and this.ts_ns > horizon_ns
    count = order.absent_count
    if (past or not limits.absence_horizon_ns) and this.ts_ns - order.absent_ns >= limits.query_spacing_ns:
        count += 1  # before the horizon, and in a burst of queries, absence says nothing
    this.emit(OrderAbsent(this.ts_ns, order.correlation_id, 0, item.cl_ord_id, count))
    if past and count >= limits.absence_queries:
        _reject(this, order, NEVER_ARRIVED, f"absent in {count} queries past the venue's horizon")
        this.ask(Notify(NEVER_ARRIVED, f"{item.cl_ord_id} never reached the venue", page=True))
    else:
        _ask_again(this, order)
        if resting.presumes_gone(this, order):
            _go_on(this, order.position)


def _lost(this: Step, order: Order) -> None:
    """The venue had this order and does not find it now. That ends nothing: somebody must look."""
    this.emit(OrderAbsent(this.ts_ns, order.correlation_id, 0, order.request.cl_ord_id, order.absent_count + 1))
    if not order.paged:
        status = OrdStatus(order.status).name
        _anomaly(this, order, UNKNOWN_UNRESOLVED, f"{status} here, and its venue does not find it: resolve it by hand")


def query_failed(this: Step, item: QueryFailed) -> None:
    """A failed query is no answer: ask again."""
    order = this.book.orders.get(item.cl_ord_id)
    if order is not None:
        _ask_again(this, order)


def send_lapsed(this: Step, item: SendLapsed) -> None:
    """The outbox looked again before the wire and did not write a byte: that is proof."""
    order = this.book.orders.get(item.cl_ord_id)
    if order is not None and order.status in _UNHEARD:
        _reject(this, order, item.code, item.text)
        breakers.watch(this)


def _retire(this: Step) -> None:
    """Keep the newest finished orders for late reports, let the older ones leave the state."""
    done = this.book.done
    if len(done) > DONE_MAX:
        oldest = tuple(done)[: len(done) - DONE_MAX // 2]
        this.emit(OrdersRetired(this.ts_ns, "", 0, oldest))
