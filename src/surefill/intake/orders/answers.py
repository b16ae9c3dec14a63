"""From the engine's receipt, an order's state, or a failure, to the result that the contract promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

from surefill.domain.instrument import Instrument
from surefill.domain.orders import Order
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import SurefillError
from surefill.intake.door_failures import OUTCOME_UNKNOWN, failure_from
from surefill.intake.orders.messages import ExecutionResult
from surefill.rules.codes import OrdStatus
from surefill.units import iso_from_ns, quanta_float
from surefill.views.wording import avg_px, side_word, status_word

_OVER: Final = frozenset({OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED})


class _Standing(NamedTuple):
    """Where an order stands, whoever tells it."""

    order_ref: str
    side: int
    order_qty: int
    status: int
    cum_qty: int
    cum_notional: int
    code: str
    text: str
    ts_ns: int
    raw: dict[str, Any]


def result_of(receipt: Receipt, symbol: str, instrument: Instrument | None) -> ExecutionResult:
    """The result of an intent that the engine has answered."""
    refused = receipt.verdict in (Verdict.REFUSED, Verdict.CONFLICT)
    status = OrdStatus.REJECTED if refused else receipt.status
    cum_qty, cum_notional = (0, 0) if refused else (receipt.cum_qty, receipt.cum_notional)
    raw = {"verdict": Verdict(receipt.verdict).name, "correlation_id": receipt.correlation_id}
    return _result(
        _Standing(
            receipt.order_ref,
            receipt.side,
            receipt.order_qty,
            status,
            cum_qty,
            cum_notional,
            receipt.code,
            receipt.reason,
            receipt.ts_ns,
            raw | {"cl_ord_id": receipt.cl_ord_id},
        ),
        symbol,
        instrument,
    )


def result_of_order(order: Order, instrument: Instrument) -> ExecutionResult:
    """Where an order stands now."""
    request = order.request
    return _result(
        _Standing(
            request.order_ref,
            request.side,
            request.order_qty,
            order.status,
            order.cum_qty,
            order.cum_notional,
            order.code,
            order.text,
            order.closed_ns or order.created_ns,
            {
                "correlation_id": order.correlation_id,
                "cl_ord_id": request.cl_ord_id,
                "venue_order_id": order.order_id,
            },
        ),
        request.instrument_id,
        instrument,
    )


def failure_of(error: SurefillError, symbol: str, side: str, qty: Any, now_ns: int) -> ExecutionResult:
    """The result of an intent whose answer never came."""
    unknown, code, reason = failure_from(error)
    status = "PLACED" if unknown else "REJECTED"
    return ExecutionResult(None, status, symbol, side, qty, message=f"{code}: {reason}", timestamp=iso_from_ns(now_ns))


def rehearsed(result: ExecutionResult) -> ExecutionResult:
    """What a dry run answers of an order that passed: PLACED, for nothing was sent.

    What the simulated market did with it is in the message and in `raw`; `order_status` follows it.
    """
    if result.status == "REJECTED":
        return result
    told = f"dry run, nothing was sent; simulated: {result.status}"
    if result.avg_price is not None:
        told += f" {result.qty} at {result.avg_price}"
    raw = (result.raw or {}) | {"simulated_status": result.status, "simulated_avg_price": result.avg_price}
    qty = raw["order_qty"]
    return replace(result, status="PLACED", qty=qty, avg_price=None, message=told, raw=raw)


def _result(standing: _Standing, symbol: str, instrument: Instrument | None) -> ExecutionResult:
    price_decimals, qty_decimals = (instrument.price_decimals, instrument.qty_decimals) if instrument else (0, 0)
    asked, filled = standing.order_qty, standing.cum_qty
    raw = {"order_qty": _quantity(asked, qty_decimals), "cum_qty": _quantity(filled, qty_decimals)}
    return ExecutionResult(
        order_id=standing.order_ref or None,
        status=status_word(standing.status, filled, asked),
        symbol=symbol,
        side=side_word(standing.side),
        qty=_quantity(filled or asked, qty_decimals),
        avg_price=avg_px(standing.cum_notional, filled, price_decimals) if filled else None,
        message=_message(standing, qty_decimals),
        raw=standing.raw | raw | {"ord_status": OrdStatus(standing.status).name},
        timestamp=iso_from_ns(standing.ts_ns),
    )


def _message(standing: _Standing, qty_decimals: int) -> str | None:
    told = ": ".join(part for part in (standing.code, standing.text) if part)
    if standing.status == OrdStatus.UNKNOWN:
        return f"{OUTCOME_UNKNOWN}: {told or 'the venue has not answered'}"
    if 0 < standing.cum_qty < standing.order_qty:
        rest = _quantity(standing.order_qty - standing.cum_qty, qty_decimals)
        how = f"the rest is gone{f' ({told})' if told else ''}" if standing.status in _OVER else "the rest works"
        return f"{rest} of {_quantity(standing.order_qty, qty_decimals)} did not trade: {how}"
    return told or None


def _quantity(qty: int, decimals: int) -> int | float:
    return quanta_float(qty, decimals) if decimals else qty
