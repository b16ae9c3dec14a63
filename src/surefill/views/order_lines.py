"""What an event says about an order, as one line of an order log: fills, placements, ends and rejections alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from surefill.domain import events as e
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action
from surefill.domain.orders import Order
from surefill.domain.position import position_key
from surefill.domain.refusals import RefusalCode
from surefill.rules.codes import OrdStatus
from surefill.views.fold import Fold, Labels
from surefill.views.wording import exit_word, status_word


class OrderLine(NamedTuple):
    """One step in an order's life. Prices and quantities in the instrument's quanta.

    `px` and `qty` are the execution's for a fill; else the order's own price (0: none) and what the line is about:
    all of it, or the remainder that will not trade. `cum_qty` and `cum_notional` are the order's after this step.
    `status` is the documents' word, `message` the venue's or the gate's, `reason` upstream's or the exit plan's.
    """

    ts_ns: int
    order_ref: str
    instrument_id: str
    instrument: Instrument | None
    strategy_id: str
    side: int
    ord_type: int
    order_qty: int
    qty: int
    px: int
    cum_qty: int
    cum_notional: int
    status: str
    message: str
    reason: str
    labels: Labels


def order_line(fold: Fold, event: e.Event) -> OrderLine | None:
    """The line of an event that has just been applied to `fold`; None for one that moves no order."""
    make = _LINES.get(type(event))
    return None if make is None else make(fold, event)


def created_line(fold: Fold, event: e.OrderCreated) -> OrderLine | None:
    """The line of an order that has just been created; the logs wait for what becomes of it."""
    order = fold.order(event.request.cl_ord_id)
    return None if order is None else _line(fold, event, order, order.request.order_qty, _own_px(order))


def _refused(fold: Fold, event: e.IntentRefused) -> OrderLine:
    intent = event.intent
    held = fold.book.positions.get(position_key(intent.instrument_id, intent.bucket))
    held_qty = 0 if held is None else held.qty
    # A close may name neither side nor quantity: it means what would have flattened.
    side = intent.side or (-1 if held_qty > 0 else 1 if held_qty else 0)
    qty = intent.order_qty or (abs(held_qty) if intent.action == Action.CLOSE else 0)
    return OrderLine(
        event.ts_ns,
        event.order_ref,
        intent.instrument_id,
        fold.instrument(intent.instrument_id),
        intent.strategy_id,
        side,
        intent.ord_type,
        qty,
        qty,
        0,
        0,
        0,
        "REJECTED",
        f"{RefusalCode(event.code).name}: {event.reason}",
        intent.reason,
        Labels(intent.strategy_id, intent.reason, intent.context),
    )


def _line(fold: Fold, event: Any, order: Order, qty: int, px: int, message: str = "") -> OrderLine:
    request = order.request
    labels = fold.labels_of(order.correlation_id)
    return OrderLine(
        event.ts_ns,
        request.order_ref,
        request.instrument_id,
        fold.instrument(request.instrument_id),
        order.strategy_id,
        request.side,
        request.ord_type,
        request.order_qty,
        qty,
        px,
        order.cum_qty,
        order.cum_notional,
        status_word(order.status, order.cum_qty, request.order_qty),
        message,
        exit_word(order.exit_reason) or labels.reason,
        labels,
    )


def _own_px(order: Order) -> int:
    return order.request.px or order.request.stop_px


def _filled(fold: Fold, event: e.OrderFilled) -> OrderLine | None:
    order = fold.order(event.cl_ord_id)
    if order is None:
        return None
    return _line(fold, event, order, event.last_qty, event.last_px, "LATE_FILL" if event.late else "")


def _placed(fold: Fold, event: e.OrderAccepted) -> OrderLine | None:
    order = fold.order(event.cl_ord_id)
    return None if order is None else _line(fold, event, order, order.request.order_qty, _own_px(order))


def _unknown(fold: Fold, event: e.OrderOutcomeUnknown) -> OrderLine | None:
    order = fold.order(event.cl_ord_id)
    if order is None:
        return None
    return _line(fold, event, order, order.request.order_qty, _own_px(order), f"OUTCOME_UNKNOWN: {event.reason}")


def _over(fold: Fold, event: e.OrderCanceled | e.OrderExpired | e.OrderRejected | e.OrderResolved) -> OrderLine | None:
    """The end of an order: its remainder, never its fills, which have lines of their own."""
    order = fold.order(event.cl_ord_id)
    if order is None:
        return None
    rejected = order.status == OrdStatus.REJECTED
    line = _line(fold, event, order, order.request.order_qty - order.cum_qty, 0 if rejected else _own_px(order))
    message = ": ".join(part for part in (order.code, order.text) if part)
    return line._replace(status="REJECTED" if rejected else "CANCELLED", message=message)


_LINES: dict[type[e.Event], Callable[[Fold, Any], OrderLine | None]] = {
    e.IntentRefused: _refused,
    e.OrderFilled: _filled,
    e.OrderAccepted: _placed,
    e.OrderOutcomeUnknown: _unknown,
    e.OrderCanceled: _over,
    e.OrderExpired: _over,
    e.OrderRejected: _over,
    e.OrderResolved: _over,
}
