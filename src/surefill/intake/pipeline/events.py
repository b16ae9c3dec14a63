"""What travels on the event bus: names and fields are the contract's, and nothing in them can be changed.

Prices, quantities and money are in units, as floats: nothing is computed from them. Every event has, by keyword,
`timestamp` (UTC; None on a signal that does not say) and `correlation_id`, which all events of one signal share.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that cannot be changed, so that an event that holds one can be shared; it can be copied and pickled."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("an event cannot be changed: make another")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


@dataclass(frozen=True)
class PipelineEvent:
    """What all events have."""

    timestamp: datetime | None = field(default=None, kw_only=True)
    correlation_id: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class TradingSignalGenerated(PipelineEvent):
    """The decision engine wants a position.

    `side` BUY or SELL. `stop_loss` None takes the default stop; `position_size_pct` is percent of the balance, None
    the default. `intent_id` is the idempotency key: the same key with the same content gives the first result again.
    """

    symbol: str
    side: str
    signal_strength: float
    confluence_score: float
    entry_price: float
    stop_loss: float | None = None
    take_profit: float | None = None
    position_size_pct: float | None = 2.0
    primary_signals: Sequence[str] = ()
    filter_scores: Mapping[str, float] = field(default_factory=FrozenDict)
    exchange: str = "binance"
    market_type: str = "spot"
    timeframe: str = "1m"
    intent_id: str | None = None

    def __post_init__(self) -> None:
        """Keep copies that nobody else can change."""
        signals = (self.primary_signals,) if isinstance(self.primary_signals, str) else self.primary_signals
        object.__setattr__(self, "primary_signals", tuple(signals or ()))
        object.__setattr__(self, "filter_scores", FrozenDict(self.filter_scores or {}))


@dataclass(frozen=True)
class OrderPlaced(PipelineEvent):
    """The venue has the order. `price` is its own limit (None: a market order). Exits are orders too."""

    client_order_id: str
    exchange_order_id: str
    symbol: str
    side: str
    order_type: str
    quantity: float
    price: float | None = None
    exchange: str = ""
    reduce_only: bool = False


@dataclass(frozen=True)
class OrderFilled(PipelineEvent):
    """One execution. `quantity` and `price` are its own; the order's total and what is left stand beside them."""

    client_order_id: str
    exchange_order_id: str
    symbol: str
    side: str
    quantity: float
    price: float
    commission: float
    commission_asset: str
    filled_quantity: float = 0.0
    remaining_quantity: float = 0.0
    average_price: float = 0.0
    exchange: str = ""


@dataclass(frozen=True)
class OrderFailed(PipelineEvent):
    """Proof that the order, or what was left of the signal, did not take effect.

    `retry_count`: submissions after the first. `is_retriable`: the reason was a passing one (nothing had reached the
    venue), so that the same wish may be sent again as a new signal.
    """

    client_order_id: str
    symbol: str
    side: str
    error_code: str
    error_message: str
    retry_count: int = 0
    is_retriable: bool = False
    exchange: str = ""


@dataclass(frozen=True)
class OrderCancelled(PipelineEvent):
    """What was left of the order is gone; `filled_quantity` of it had traded."""

    client_order_id: str
    exchange_order_id: str
    symbol: str
    side: str
    reason: str
    filled_quantity: float = 0.0
    remaining_quantity: float = 0.0
    exchange: str = ""


@dataclass(frozen=True)
class PositionOpened(PipelineEvent):
    """A fill has opened a position; more fills of its order may add to it. `side` LONG or SHORT."""

    symbol: str
    side: str
    quantity: float
    entry_price: float
    stop_loss: float | None = None
    take_profit: float | None = None
    exchange: str = ""


@dataclass(frozen=True)
class PositionClosed(PipelineEvent):
    """A position is flat again. Money in the workspace's currency.

    `realized_pnl` is net of the fees of all its fills, `realized_pnl_pct` is percent of what was paid for it.
    """

    symbol: str
    side: str
    quantity: float
    entry_price: float
    exit_price: float
    exit_reason: str
    realized_pnl: float
    realized_pnl_pct: float
    hold_duration_seconds: float
    exchange: str = ""


@dataclass(frozen=True)
class SystemError(PipelineEvent):
    """Something is wrong beyond one order. `traceback` holds type and message only: no stack leaves the process."""

    component: str
    error_type: str
    error_message: str
    traceback: str = ""
    is_critical: bool = False


EVENT_TYPES: dict[str, type[PipelineEvent]] = {
    kind.__name__: kind
    for kind in (
        TradingSignalGenerated,
        OrderPlaced,
        OrderFilled,
        OrderFailed,
        OrderCancelled,
        PositionOpened,
        PositionClosed,
        SystemError,
    )
}
