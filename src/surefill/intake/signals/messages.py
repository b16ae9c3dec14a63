"""What goes through this door: names and fields are the contract's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass
class ExecutionContext:
    """What belongs to a signal beside its word.

    `product` is MIS, NRML or CNC. `fixed_qty` None takes `trading.default_quantity`. `sl_price`, `tp_price`: the stop
    and the target of the position that the signal opens or adds to. `trailing`: None as configured, True and False for
    this position, a number the distance in price. `time_stop_bars`: None as configured, 0 none. `ladder`: partial
    exits in profit, (price, fraction of the position). `intent_id`: the idempotency key; the same key with the same
    content gives the first result again.
    """

    symbol: str
    logical_symbol: str
    product: str
    strategy_id: str
    mode: str
    timestamp: datetime
    timeframe: str
    exchange: str = "NFO"
    fixed_qty: int | None = None
    sl_price: float | None = None
    tp_price: float | None = None
    trailing: bool | float | None = None
    time_stop_bars: int | None = None
    ladder: Sequence[tuple[float, float]] = ()
    intent_id: str | None = None


@dataclass
class ExecutionResult:
    """What became of a signal.

    `status`: FILLED; REJECTED, with price 0.0 and a `reason` that begins with a code in lower case ("ltp_missing");
    or PLACED, when the order works or its outcome is not known (reason OUTCOME_UNKNOWN). `price` is the average price
    of what has traded. `side` is EXIT for an exit that found nothing to close.
    """

    order_id: str
    symbol: str
    side: str
    qty: int | float
    price: float
    status: str
    reason: str = ""
    timestamp: datetime | None = None
