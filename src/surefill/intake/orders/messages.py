"""What goes through this door: names and fields are the contract's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class OrderIntent:
    """One order that upstream wants.

    `side` BUY or SELL; `order_type` MARKET, LIMIT (needs `price`), SL (stop-limit: `trigger_price` and `price`) or
    SL-M (stop: `trigger_price`); `product` MIS, NRML or CNC; `validity` DAY or IOC. `metadata` with `reduce_only` True
    makes an order that can only make a position smaller. `intent_id`: the idempotency key; the same key with the same
    content gives the first result again.
    """

    symbol: str
    strategy_code: str
    side: str
    qty: int
    order_type: str = "MARKET"
    product: str = "MIS"
    validity: str = "DAY"
    price: float | None = None
    trigger_price: float | None = None
    tag: str | None = None
    reason: str = ""
    confidence: float = 0.0
    metadata: dict[str, Any] = field(default_factory=dict)
    intent_id: str | None = None


@dataclass
class ExecutionResult:
    """What became of an order.

    `status`: PLACED (it works, or its outcome is not known: the message begins with OUTCOME_UNKNOWN), FILLED, PARTIAL
    (some of it traded; the message says whether the rest still works), CANCELLED or REJECTED (the message begins with
    a code). `qty` is what has traded once something has, else what was asked; `avg_price` is None until then. `raw` has
    the engine's own figures, `timestamp` is ISO 8601, UTC.
    """

    order_id: str | None
    status: str
    symbol: str
    side: str
    qty: int | float
    avg_price: float | None = None
    message: str | None = None
    raw: dict[str, Any] | None = None
    timestamp: str | None = None
