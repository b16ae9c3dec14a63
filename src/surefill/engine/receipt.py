"""What a caller gets back for an intent: a copy of where its order stood when that became durable."""

from __future__ import annotations

import enum

import msgspec

from surefill.domain.orders import Order


class Verdict(enum.IntEnum):
    """What became of the intent itself."""

    ACCEPTED = 1
    REFUSED = 2
    DUPLICATE = 3  # same key, same content: the receipt tells of the first one
    CONFLICT = 4  # same key, other content: nothing was done


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Prices and quantities in quanta, money in money quanta.

    For a DUPLICATE or CONFLICT, `correlation_id` and the order's figures are those of the first intent.
    `code` and `reason` say why it was refused, or what the venue said; `rule` is the rule of policy that said no.
    """

    verdict: int
    intent_id: str
    correlation_id: str
    ts_ns: int
    order_ref: str = ""
    cl_ord_id: str = ""
    side: int = 0
    order_qty: int = 0
    status: int = 0
    cum_qty: int = 0
    cum_notional: int = 0
    fees: int = 0
    code: str = ""
    reason: str = ""
    rule: str = ""


def receipt_of(verdict: int, intent_id: str, ts_ns: int, order: Order) -> Receipt:
    """The receipt of an intent that became `order`."""
    request = order.request
    return Receipt(
        verdict,
        intent_id,
        order.correlation_id,
        ts_ns,
        request.order_ref,
        request.cl_ord_id,
        request.side,
        request.order_qty,
        order.status,
        order.cum_qty,
        order.cum_notional,
        order.fees,
        order.code,
        order.text,
    )
