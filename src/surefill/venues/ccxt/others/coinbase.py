"""Coinbase Advanced: spot. Source: docs.cdp.coinbase.com, Advanced Trade API (orders, fills, errors), 2026.

A new order under a client order id that is taken returns the order that is there: the exchange sees to it itself.
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Any

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType
from surefill.rules.codes import OrdType, Side, TimeInForce
from surefill.units import NS_PER_MS, iso_from_ns, ns_from_iso
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.others.dialect import Call, Dialect, OrderNames, TradeNames
from surefill.venues.ccxt.settings import CcxtSettings
from surefill.venues.ccxt.verdict import Meaning, Verdict, by_table, refused_at_the_door, unclear
from surefill.venues.ccxt.wire import Answer

CODES = MappingProxyType(
    {
        "UNKNOWN_FAILURE_REASON": Meaning.UNKNOWN,
        "COMMANDER_REJECTED_NEW_ORDER": Meaning.REFUSED,
        "UNKNOWN_CANCEL_ORDER": Meaning.ABSENT,
        "COMMANDER_REJECTED_CANCEL_ORDER": Meaning.ABSENT,
        "DUPLICATE_CANCEL_REQUEST": Meaning.ABSENT,
        **dict.fromkeys(
            (
                *("UNSUPPORTED_ORDER_CONFIGURATION", "INVALID_SIDE", "INVALID_PRODUCT_ID", "INVALID_SIZE_PRECISION"),
                *("INVALID_PRICE_PRECISION", "INSUFFICIENT_FUND", "INVALID_LEDGER_BALANCE", "ORDER_ENTRY_DISABLED"),
                *("INELIGIBLE_PAIR", "INVALID_LIMIT_PRICE_POST_ONLY", "INVALID_LIMIT_PRICE", "INVALID_NO_LIQUIDITY"),
                *("INVALID_REQUEST", "INSUFFICIENT_FUNDS", "INVALID_ARGUMENT", "PERMISSION_DENIED", "UNAUTHENTICATED"),
                *("Unauthorized", "PREVIEW_INSUFFICIENT_FUND"),
            ),
            Meaning.REFUSED,
        ),
        "NOT_FOUND": Meaning.ABSENT,
    }
)
_STATES = MappingProxyType(
    {
        "PENDING": ExecType.STATUS,
        "QUEUED": ExecType.STATUS,
        "OPEN": ExecType.STATUS,
        "CANCEL_QUEUED": ExecType.STATUS,
        "EDIT_QUEUED": ExecType.STATUS,
        "FILLED": ExecType.STATUS,
        "CANCELLED": ExecType.CANCELED,
        "EXPIRED": ExecType.EXPIRED,
        "FAILED": ExecType.REJECTED,
    }
)
_LIMITS = {
    TimeInForce.DAY: "limit_limit_gtc",
    TimeInForce.GTC: "limit_limit_gtc",
    TimeInForce.IOC: "sor_limit_ioc",
    TimeInForce.FOK: "limit_limit_fok",
}
_PRIVATE = "v3.private"


def judge(answer: Answer) -> Verdict | None:
    """By status, then by the error's name, which comes with a 200 for orders that are refused."""
    turned_away = refused_at_the_door(answer)
    if turned_away is not None:
        return turned_away
    data = answer.data
    if answer.status >= 500 or not isinstance(data, dict):
        return unclear(answer, "", "")
    results = data.get("results")
    if isinstance(results, list) and len(results) == 1 and results[0].get("success") is False:
        return by_table(answer, str(results[0].get("failure_reason", "")), "", CODES)
    error = data.get("error_response")
    if data.get("success") is False and isinstance(error, dict):
        return by_table(answer, str(error.get("error", "")), str(error.get("message", "")), CODES)
    if answer.status != 200:
        return by_table(answer, str(data.get("error", "")), str(data.get("message", "")), CODES)
    return None


def _submit(settings: CcxtSettings, listing: Listing, request: OrderRequest) -> Call:
    size: dict[str, Any] = {"base_size": listing.qty_text(request.order_qty)}
    if request.ord_type == OrdType.LIMIT:
        kind = _LIMITS[TimeInForce(request.time_in_force)]
        size["limit_price"] = listing.px_text(request.px)
    elif request.ord_type == OrdType.STOP_LIMIT:
        kind = "stop_limit_stop_limit_gtc"
        direction = "STOP_DIRECTION_STOP_UP" if request.side == Side.BUY else "STOP_DIRECTION_STOP_DOWN"
        size |= {
            "limit_price": listing.px_text(request.px),
            "stop_price": listing.px_text(request.stop_px),
            "stop_direction": direction,
        }
    else:
        kind = "market_market_ioc"
    return (_PRIVATE, "POST", "brokerage/orders"), {
        "client_order_id": request.cl_ord_id,
        "product_id": listing.name,
        "side": "BUY" if request.side == Side.BUY else "SELL",
        "order_configuration": {kind: size},
    }


def _cancel(settings: CcxtSettings, listing: Listing, request: OrderRequest, order_id: str) -> Call:
    return (_PRIVATE, "POST", "brokerage/orders/batch_cancel"), {"order_ids": [order_id]}


def _looks(settings: CcxtSettings, listing: Listing, request: OrderRequest) -> tuple[Call, ...]:
    """No endpoint takes a client order id: the product's orders are read through."""
    batch = (_PRIVATE, "GET", "brokerage/orders/historical/batch")
    known = {"product_id": listing.name}
    return (batch, {**known, "order_status": "OPEN"}), (batch, {**known, "limit": 250})


def _ms(text: str) -> int:
    return ns_from_iso(text) // NS_PER_MS


def _rows(data: Any) -> list[Any]:
    """Orders in one shape: the terms lie in a part named after the order's kind, times are text."""
    return [_order_row(row) for row in data["orders"]]


def _order_row(row: Any) -> dict[str, Any]:
    terms: dict[str, Any] = next(iter(row.get("order_configuration", {}).values()), {}) or {}
    updated = row.get("last_fill_time") or row.get("created_time")
    return {**row, **terms, "updated_ms": _ms(updated) if updated else 0}


def _fill_rows(data: Any) -> list[Any]:
    """A commission is in the quote currency, the last part of the product's name."""
    return [
        {**row, "ts_ms": _ms(row["trade_time"]), "fee_asset": row["product_id"].rpartition("-")[2]}
        for row in data["fills"]
    ]


def _total(row: Any) -> str:
    return str(Decimal(row["available_balance"]["value"]) + Decimal(row["hold"]["value"]))


COINBASE = Dialect(
    client_id=r"[A-Za-z0-9_-]{1,36}",
    client_id_max=36,
    window_ms=120_000,  # a token is good for two minutes
    ord_types=frozenset({OrdType.MARKET, OrdType.LIMIT, OrdType.STOP_LIMIT}),
    judge=judge,
    names=OrderNames(
        "order_id",
        "client_order_id",
        "status",
        "filled_size",
        "base_size",
        "limit_price",
        "stop_price",
        "order_type",
        "updated_ms",
        "product_id",
        _STATES,
    ),
    trade_names=TradeNames("trade_id", "order_id", "price", "size", "commission", "fee_asset", "ts_ms", "product_id"),
    order_rows=_rows,
    trade_rows=_fill_rows,
    new_order_id=lambda data: str(data["success_response"]["order_id"]),
    submit=_submit,
    cancel=_cancel,
    looks=_looks,
    fills=lambda settings, listing, order_id: (
        (_PRIVATE, "GET", "brokerage/orders/historical/fills"),
        {"order_ids": order_id},
    ),
    open_orders=lambda settings: (
        (_PRIVATE, "GET", "brokerage/orders/historical/batch"),
        {"order_status": "OPEN", "limit": 250},
    ),
    executions=lambda settings, since_ms: (
        (_PRIVATE, "GET", "brokerage/orders/historical/fills"),
        {"start_sequence_timestamp": iso_from_ns(since_ms * NS_PER_MS)},
    ),
    balances=lambda settings: ((_PRIVATE, "GET", "brokerage/accounts"), {"limit": 250}),
    balances_of=lambda data: [
        (row["currency"], _total(row), row["available_balance"]["value"]) for row in data["accounts"]
    ],
    clock=(("v3.public", "GET", "brokerage/time"), {}),
    clock_of=lambda data: int(data["epochMillis"]),
    permissions=((_PRIVATE, "GET", "brokerage/key_permissions"), {}),
    permissions_of=lambda data: (data.get("can_trade") is True, data.get("can_transfer")),
)
