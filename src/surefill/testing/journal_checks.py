"""What each event of a journal must fulfil, given the books (`testing.journal_audit`) of the events before it.

A check takes the event in and yields what is wrong with it: (number of the invariant, text).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from surefill.domain import events as e
from surefill.rules.codes import OrdEvent, OrdStatus, OrdType
from surefill.rules.position import apply_fill
from surefill.testing.journal_audit import Audit, Audited, Findings, known
from surefill.testing.journal_decisions import DECISIONS
from surefill.testing.journal_elsewhere import ELSEWHERE


def _opened(audit: Audit, _seq: int, event: e.WorkspaceOpened) -> Findings:
    audit.workspace_id, audit.profile, audit.version = event.workspace_id, event.profile, 1
    audit.cash = event.starting_cash
    yield from ()


def _profile_set(audit: Audit, _seq: int, event: e.ProfileSet) -> Findings:
    if event.version != audit.version + 1:
        yield 9, f"limits version {event.version} after {audit.version}"
    audit.profile, audit.version = event.profile, event.version


def _defined(audit: Audit, _seq: int, event: e.InstrumentDefined) -> Findings:
    audit.instruments[event.instrument.instrument_id] = event.instrument
    yield from ()


def _reported(audit: Audit, seq: int, event: e.VenueReported) -> Findings:
    audit.report = seq, event.report
    yield from ()


def _names(audit: Audit, order: Audited, order_id: str) -> Findings:
    """One id; an order that waits for its trigger may have another from then on (Binance's conditional orders do)."""
    if order.order_id and order_id and order_id != order.order_id:
        renamed, order.renamed = order.renamed, order.request.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
        if order.renamed and not renamed:
            order.order_id = order_id
            return
        yield 2, f"{order.request.cl_ord_id} is {order.order_id} and {order_id} at its venue: two orders"
    order.order_id = order_id or order.order_id


@known
def _order_accepted(audit: Audit, order: Audited, event: e.OrderAccepted) -> Findings:
    yield from _left_unknown(audit, order, event)
    yield from _names(audit, order, event.order_id)
    yield from audit.move(order, OrdEvent.ACCEPT)
    order.presumed_gone = False


@known
def _order_unknown(audit: Audit, order: Audited, event: e.OrderOutcomeUnknown) -> Findings:
    order.unknown_ns = event.ts_ns
    yield from audit.move(order, OrdEvent.OUTCOME_UNKNOWN)


@known
def _order_absent(audit: Audit, order: Audited, event: e.OrderAbsent) -> Findings:
    if not order.absences <= event.count <= order.absences + 1:
        yield 3, f"{event.cl_ord_id} was absent {event.count} times after {order.absences}"
    order.absences = event.count


def _left_unknown(audit: Audit, order: Audited, event: e.Event) -> Findings:
    if order.status == OrdStatus.UNKNOWN and not audit.evidenced(order, event):
        yield 3, f"{order.request.cl_ord_id} was UNKNOWN and became something else without evidence"


@known
def _order_rejected(audit: Audit, order: Audited, event: e.OrderRejected) -> Findings:
    limits = audit.profile.limits
    if event.code == "NEVER_ARRIVED":
        horizon_ns = order.request.send_by_ns + limits.absence_horizon_ns
        if not limits.absence_horizon_ns or event.ts_ns <= horizon_ns or order.absences < limits.absence_queries:
            yield 3, f"{event.cl_ord_id} was given up before the horizon or after {order.absences} absences"
    elif event.code == "SEND_LAPSED":
        if event.ts_ns <= order.request.send_by_ns:
            yield 3, f"{event.cl_ord_id} lapsed before its deadline"
    elif event.code == "NOT_SENT":
        if not order.cancel_asked and not audit.evidenced(order, event):
            yield 3, f"{event.cl_ord_id} was withheld though nobody had taken it back"
    else:
        yield from _left_unknown(audit, order, event)
    yield from audit.move(order, OrdEvent.REJECT)


@known
def _order_canceled(audit: Audit, order: Audited, event: e.OrderCanceled) -> Findings:
    yield from _ended(audit, order, event, OrdEvent.CANCEL)


@known
def _order_expired(audit: Audit, order: Audited, event: e.OrderExpired) -> Findings:
    yield from _ended(audit, order, event, OrdEvent.EXPIRE)


def _ended(audit: Audit, order: Audited, event: e.OrderCanceled | e.OrderExpired, kind: int) -> Findings:
    if audit.evidenced(order, event):
        report = audit.report[1]
        reported = -1 if report is None else report.cum_qty
        if order.end_qty < 0:
            order.end_qty = reported
        if order.end_qty > order.cum_qty:
            yield 4, f"{event.cl_ord_id} ended with {order.cum_qty} filled, its venue counts {order.end_qty}"
        if 0 <= order.end_qty < order.cum_qty:
            audit.alarm_due = _alarm(order)
    elif order.status == OrdStatus.UNKNOWN:
        audit.unproved.append(event.cl_ord_id)  # fine if the workspace is being reset
    yield from audit.move(order, kind)


@known
def _order_end_reported(audit: Audit, order: Audited, event: e.OrderEndReported) -> Findings:
    if event.cum_qty <= order.cum_qty or not audit.evidenced(order, event):
        yield 4, f"{event.cl_ord_id} waits for {event.cum_qty} fills, it has {order.cum_qty}"
    order.end_qty = event.cum_qty


def _alarm(order: Audited) -> list[tuple[type[e.Event], str]]:
    """What must follow a fill beyond an order's end."""
    return [(e.AnomalyNoted, order.request.cl_ord_id), (e.Halted, order.request.instrument_id)]


@known
def _order_resolved(audit: Audit, order: Audited, event: e.OrderResolved) -> Findings:
    if not event.by or not event.evidence:
        yield 3, f"{event.cl_ord_id} was resolved by {event.by or 'nobody'} on no evidence"
    if order.status != OrdStatus.UNKNOWN and not order.absences and order.end_qty < 0:
        yield 3, f"{event.cl_ord_id} was resolved though its venue knows it"
    moves = {OrdStatus.CANCELED: OrdEvent.CANCEL, OrdStatus.EXPIRED: OrdEvent.EXPIRE}
    yield from audit.move(order, moves.get(OrdStatus(event.status), OrdEvent.REJECT))


@known
def _order_filled(audit: Audit, order: Audited, event: e.OrderFilled) -> Findings:
    request = order.request
    yield from _names(audit, order, event.order_id)
    yield from _left_unknown(audit, order, event)
    execution = (request.instrument_id, event.exec_id)
    if execution in audit.execs:
        yield 6, f"execution {event.exec_id} of {request.instrument_id} counts a second time"
    audit.execs.add(execution)
    if event.last_qty <= 0 or event.last_px <= 0 or event.cum_qty != order.cum_qty + event.last_qty:
        yield 5, f"{event.cl_ord_id}: {order.cum_qty} and a fill of {event.last_qty} make {event.cum_qty}"
    order.cum_qty = event.cum_qty
    full = order.cum_qty >= request.order_qty
    was_live, continued = order.live, order.status == OrdStatus.FILLED and order.cum_qty <= request.order_qty
    if was_live:
        yield from audit.move(order, OrdEvent.FILL_COMPLETE if full else OrdEvent.FILL)
    if event.late == was_live or (was_live and event.status != order.status):
        yield 4, f"{event.cl_ord_id}: a fill makes it {OrdStatus(event.status).name}{', late' if event.late else ''}"
    turned_up, order.presumed_gone = order.presumed_gone, False
    if order.cum_qty > request.order_qty or turned_up or not (was_live or continued):
        audit.alarm_due = _alarm(order)
    yield from _booked(audit, order, event)


def _booked(audit: Audit, order: Audited, event: e.OrderFilled) -> Findings:
    """The figures of a fill, reckoned again."""
    key, side = order.key, order.request.side
    scale = audit.instruments[order.request.instrument_id].money_per_notional
    qty, cost, realised = apply_fill(audit.qty[key], audit.cost[key], side, event.last_px, event.net_qty)
    cash = audit.cash - side * event.last_px * event.net_qty * scale - event.fee
    said = (event.position, event.side, event.position_qty, event.position_cost, event.realised, event.cash)
    if said != (key, side, qty, cost, realised * scale, cash):
        yield (
            7,
            f"{event.cl_ord_id}: the fill says {said}, it should be {(key, side, qty, cost, realised * scale, cash)}",
        )
    audit.fees += event.fee
    audit.hold(key, event.position_qty, event.position_cost, event.cash, event.realised)


@known
def _cancel_requested(audit: Audit, order: Audited, event: e.CancelRequested) -> Findings:
    order.cancel_asked = True  # the wish stands, whatever the venue answers
    yield from ()


def _retired(audit: Audit, _seq: int, event: e.OrdersRetired) -> Findings:
    for cl_ord_id in event.cl_ord_ids:
        order = audit.orders.pop(cl_ord_id, None)
        if order is None or order.live:
            yield 4, f"{cl_ord_id} was retired and is not over"


def _guarded(audit: Audit, _seq: int, event: Any) -> Findings:
    if not audit.qty[event.position]:
        yield 20, f"{type(event).__name__} of {event.position}, which is flat"
    if isinstance(event, e.ExitTriggered):
        audit.triggered.add(event.position)


def _dusted(audit: Audit, _seq: int, event: e.DustLeft) -> Findings:
    instrument = audit.instruments[event.position.split("|")[0]]
    terms, held = instrument.terms_at(event.ts_ns), audit.qty[event.position]
    if not held or held != event.qty or (terms.leaving_qty(abs(held)) and not terms.min_notional):
        yield 20, f"{event.position} holds {held} and is given up as dust of {event.qty}"
    audit.triggered.discard(event.position)


def _compared(audit: Audit, _seq: int, event: e.PositionsCompared) -> Findings:
    for key, (ours, theirs) in event.differences.items():
        if ours != audit.qty[key] or ours == theirs:
            yield 7, f"compared {ours} of {key} with the venue's {theirs}, the fills sum to {audit.qty[key]}"
    audit.drift = len(event.bands) < len(event.differences)


def _adjusted(audit: Audit, _seq: int, event: e.PositionAdjusted) -> Findings:
    key = event.position
    before, instrument = audit.qty[key], audit.instruments[key.split("|")[0]]
    if before * event.qty <= 0 or abs(event.cost * before - audit.cost[key] * event.qty) > abs(before):
        yield 7, f"{key} was adjusted from {before} to {event.qty} at another cost than its own"
    if event.realised != (event.cost - audit.cost[key]) * instrument.money_per_notional:
        yield 7, f"the adjustment of {key} made or lost money"
    audit.qty[key], audit.cost[key] = event.qty, event.cost
    audit.realised += event.realised
    if audit.exceeds(key):
        audit.shrunk.add(key)


def _reset(audit: Audit, _seq: int, event: e.WorkspaceReset) -> Findings:
    for cl_ord_id, order in audit.orders.items():
        if order.live:
            yield 4, f"{cl_ord_id} is live and forgotten by a reset"
    audit.orders.clear()
    audit.qty.clear()
    audit.cost.clear()
    audit.triggered.clear()
    audit.shrunk.clear()
    audit.tripped.clear()
    audit.families.clear()
    audit.cash, audit.realised, audit.fees, audit.outside = event.starting_cash, 0, 0, 0
    audit.moves.clear()


CHECKS: dict[type[e.Event], Callable[[Audit, int, Any], Findings]] = {
    **DECISIONS,
    **ELSEWHERE,
    e.WorkspaceOpened: _opened,
    e.ProfileSet: _profile_set,
    e.InstrumentDefined: _defined,
    e.VenueReported: _reported,
    e.OrderAccepted: _order_accepted,
    e.OrderOutcomeUnknown: _order_unknown,
    e.OrderAbsent: _order_absent,
    e.OrderRejected: _order_rejected,
    e.OrderCanceled: _order_canceled,
    e.OrderExpired: _order_expired,
    e.OrderResolved: _order_resolved,
    e.OrderFilled: _order_filled,
    e.OrderEndReported: _order_end_reported,
    e.CancelRequested: _cancel_requested,
    e.OrdersRetired: _retired,
    e.ProtectionSet: _guarded,
    e.StopMoved: _guarded,
    e.BarCounted: _guarded,
    e.ExitTriggered: _guarded,
    e.DustLeft: _dusted,
    e.PositionsCompared: _compared,
    e.PositionAdjusted: _adjusted,
    e.WorkspaceReset: _reset,
}
