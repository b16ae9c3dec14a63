"""Lines of an order book and of a trade book, for tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.venues.kite.rig import request_for

from surefill.venues.kite.rows import OrderRow, TradeRow
from surefill.venues.kite.tags import Ours

TAG = "0123456789abcdef0123"
STAMP = "2026-11-27 10:00:00"
STAMP_NS = 1_795_753_800 * 10**9


def row(order_id: str = "1", status: str = "OPEN", **changes: Any) -> OrderRow:
    told: dict[str, Any] = {
        "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "order_type": "LIMIT",
        "product": "MIS", "quantity": 10, "tag": TAG, "order_timestamp": STAMP,
    }  # fmt: skip
    return OrderRow(order_id, status, **{**told, **changes})


def trade(trade_id: str, order_id: str = "1", quantity: int = 10, px: str = "1500.05") -> TradeRow:
    return TradeRow(trade_id, order_id, "NSE", "INFY", "MIS", Decimal(px), quantity, "BUY", STAMP)


def ours(pieces_max_qty: int = 0, order_ids: tuple[str, ...] = (), *, told_all: bool = False, **changes: Any) -> Ours:
    request = request_for(TAG, **{"transact_ns": STAMP_NS, **changes})
    return Ours(request, "MIS", pieces_max_qty, order_ids, told_all)
