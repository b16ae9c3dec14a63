"""Deciding on what was made elsewhere: by hand, by another program, or by the venue itself. It is EXTERNAL.

1. An execution that no order of ours made moves the account all the same: it is booked once, and what protects the
   position shrinks with it in the same step. Policy decides only whether entries go on.
2. An order made elsewhere that works counts in the exposure until the venue no longer lists it.
3. A report that may be about an order of ours is never booked for somebody else: one under an id of our form, one
   without an id while an order of ours has not been named by the venue yet, one older than what is remembered.
"""

from __future__ import annotations

import msgspec

from surefill.domain import ids
from surefill.domain.account import WorkingOrder
from surefill.domain.decide import dust, resting
from surefill.domain.decide.fills import net_of_fee, trim_reductions
from surefill.domain.decide.kills import halt
from surefill.domain.decide.step import Step
from surefill.domain.effects import Notify, QueryOrder
from surefill.domain.events import ExternalOrdersSeen, ExternalTraded, ReportParked
from surefill.domain.inputs import CompareOrders, Halt
from surefill.domain.orders import Order
from surefill.domain.position import position_key
from surefill.domain.reports import ExecType, VenueReport
from surefill.domain.state import State
from surefill.rules.codes import OrdStatus
from surefill.rules.position import apply_fill, position_effect
from surefill.units import quanta_text

BOOKED = "the execution is booked already"
#: The history is asked again when that order has a name, so nobody is called.
IN_DOUBT = "it may be of an order of ours that the venue has not named yet"
UNUSABLE = "a trade without an execution id, a price or a quantity, or with a fee that leaves nothing of it"
_UNHEARD = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)


def matched(state: State, report: VenueReport) -> tuple[VenueReport, Order | None]:
    """The report with the client order id and the instrument of our order that it is about, and that order."""
    order = state.order(report.cl_ord_id) if report.cl_ord_id else _by_order_id(state, report.order_id)
    if order is None:
        return report, None
    request = order.request
    if not report.cl_ord_id:
        report = msgspec.structs.replace(report, cl_ord_id=request.cl_ord_id)
    if report.instrument_id and report.instrument_id != request.instrument_id:
        return report, None  # the same id at the same venue, for something else: none of ours
    return report, order


def _by_order_id(state: State, order_id: str) -> Order | None:
    if order_id:
        for order in (*state.book.orders.values(), *state.book.done.values()):
            if order.order_id == order_id:
                return order
    return None


def park(this: Step, report: VenueReport, reason: str) -> None:
    """Keep a report that is not applied."""
    this.emit(ReportParked(this.ts_ns, this.correlation_id, this.cause, report, reason))


def take(this: Step, report: VenueReport) -> None:
    """A report about no order of ours: book an execution, keep everything else."""
    why_not = why_not_adopted(this.state, report)
    if why_not == BOOKED:
        return  # applied once; the raw report is in the journal
    if why_not:
        park(this, report, why_not)
        if why_not != IN_DOUBT and _pages(report):
            text = f"{report.cl_ord_id or report.order_id}: {report.text or why_not}"
            this.ask(Notify("UNCORRELATED_REPORT", text, page=True))
    else:
        _book(this, report)


def _pages(report: VenueReport) -> bool:
    """Reports on the life of an order made elsewhere call nobody: the next list of open orders tells of it."""
    return report.exec_type == ExecType.TRADE or not report.instrument_id or ids.of_our_form(report.cl_ord_id)


def why_not_adopted(state: State, report: VenueReport) -> str:
    """Why this report is not booked as an execution made elsewhere; "": it is."""
    if not report.instrument_id or not report.side or ids.of_our_form(report.cl_ord_id):
        return "no such order here: made elsewhere, or retired"
    if report.exec_type != ExecType.TRADE:
        return "of an order made elsewhere"
    if not report.has_trade:
        return UNUSABLE
    if report.instrument_id not in state.book.instruments:
        return f"{report.instrument_id} was traded elsewhere and is not an instrument of this workspace"
    if report.exec_id in state.executions.get(report.instrument_id, ()):
        return BOOKED
    booked = state.book.external_execs.get(report.instrument_id)
    if booked is not None and 0 < report.transact_ns <= booked.floor_ns:
        return "older than the executions that are remembered: it may be booked already"
    if not report.cl_ord_id and _unnamed(state, report.instrument_id, report.side):
        return IN_DOUBT
    return ""


def _unnamed(state: State, instrument_id: str, side: int) -> bool:
    """Whether an order of ours in it has no name at the venue yet, and nobody has been called about that."""
    return any(
        not (order.order_id or order.waits)
        and not order.paged  # the position must not wait any longer
        and (order.request.instrument_id, order.request.side) == (instrument_id, side)
        for order in state.book.orders.values()
    )


def _book(this: Step, report: VenueReport) -> None:
    ledger, key = this.book, position_key(report.instrument_id, report.bucket)
    held = ledger.positions.get(key)
    qty, cost = (held.qty, held.cost) if held is not None else (0, 0)
    side, last_px, last_qty = report.side, report.last_px, report.last_qty
    instrument = ledger.instruments[report.instrument_id]
    per_notional = instrument.money_per_notional
    net_qty, fee = net_of_fee(report, side, per_notional)
    new_qty, new_cost, realised = apply_fill(qty, cost, side, last_px, net_qty)
    this.emit(
        ExternalTraded(
            this.ts_ns,
            f"external {report.order_id or report.exec_id}",
            this.cause,
            report.instrument_id,
            report.bucket,
            report.order_id,
            report.cl_ord_id,
            report.exec_id,
            side,
            last_px,
            last_qty,
            fee,
            key,
            position_effect(qty, new_qty),
            new_qty,
            new_cost,
            realised * per_notional,
            ledger.cash - side * last_px * net_qty * per_notional - fee,
            report.transact_ns,
            report.fee_qty,
        )
    )
    trim_reductions(this, key)
    dust.settle(this, key)
    resting.keep(this, key)
    traded = quanta_text(last_qty, instrument.qty_decimals)
    text = f"{'bought' if side > 0 else 'sold'} {traded} {key} elsewhere (order {report.order_id or 'without an id'})"
    this.ask(Notify("EXTERNAL_TRADE", f"{text}: booked", page=True))
    if ledger.profile.limits.external_halts:
        halt(this, Halt(this.ts_ns, "EXTERNAL_TRADE", text, "surefill"))


# -- open orders ----------------------------------------------------------------------------------------------


def compare_orders(this: Step, item: CompareOrders) -> None:
    """Lay the venue's list of open orders beside ours: ask about what differs, count what is not ours.

    A list is never proof of an end: an order that should be on it and is not gets asked for.
    """
    book = this.book
    by_order_id = {order.order_id: order for order in book.orders.values() if order.order_id}
    listed: set[str] = set()
    elsewhere: dict[str, WorkingOrder] = {}
    for theirs in item.orders:
        ours = book.orders.get(theirs.cl_ord_id) or by_order_id.get(theirs.order_id)
        if ours is not None:
            listed.add(ours.request.cl_ord_id)
            if theirs.cum_qty > ours.cum_qty or ours.status in _UNHEARD:
                this.ask(QueryOrder(ours.request))
        elif not _just_over(this.state, theirs, item.asked_ns) and not _may_be_new(this.state, theirs):
            elsewhere[theirs.order_id] = theirs
    for cl_ord_id, order in book.orders.items():
        expected = order.status not in _UNHEARD and order.created_ns < item.asked_ns and not order.paged
        if expected and cl_ord_id not in listed:
            this.ask(QueryOrder(order.request))
    _see(this, elsewhere)


def _just_over(state: State, theirs: WorkingOrder, asked_ns: int) -> bool:
    """Whether it is an order of ours that ended while the list was made, or a little before."""
    order = state.book.done.get(theirs.cl_ord_id) or _by_order_id(state, theirs.order_id)
    spacing_ns = state.book.profile.limits.unknown_page_ns
    return order is not None and order.closed_ns + spacing_ns > asked_ns


def _may_be_new(state: State, theirs: WorkingOrder) -> bool:
    """Whether it may be an order of ours that the venue has not named yet: that one counts already."""
    return not theirs.cl_ord_id and _unnamed(state, theirs.instrument_id, theirs.side)


def _see(this: Step, elsewhere: dict[str, WorkingOrder]) -> None:
    before = this.book.external_orders
    if elsewhere == before:
        return
    fresh = [order for order_id, order in elsewhere.items() if order_id not in before]
    this.emit(ExternalOrdersSeen(this.ts_ns, "", 0, tuple(elsewhere.values())))
    if fresh:
        names = ", ".join(f"{order.order_id} in {order.instrument_id}" for order in fresh)
        this.ask(
            Notify("EXTERNAL_ORDER", f"made elsewhere, works at the venue and counts as exposure: {names}", page=True)
        )
