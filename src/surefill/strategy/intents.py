"""The trade intent: what a strategy wants done, as upstream writes it and as the intents door takes it."""

from __future__ import annotations

import enum
import math
from datetime import datetime
from typing import Annotated

import msgspec


class TradeAction(enum.StrEnum):
    """What an intent may ask for."""

    OPEN_LONG = "OPEN_LONG"
    CLOSE_LONG = "CLOSE_LONG"
    OPEN_SHORT = "OPEN_SHORT"
    CLOSE_SHORT = "CLOSE_SHORT"
    SCALE_IN = "SCALE_IN"
    SCALE_OUT = "SCALE_OUT"
    CANCEL_ORDER = "CANCEL_ORDER"


OPENING = frozenset({TradeAction.OPEN_LONG, TradeAction.OPEN_SHORT, TradeAction.SCALE_IN})
CLOSING = frozenset({TradeAction.CLOSE_LONG, TradeAction.CLOSE_SHORT})


class TradeIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One intent. Prices and quantities are in units, and a float stands for its shortest decimal text.

    `id` is the idempotency key; `correlation_id` names the evaluation that made it (empty: the intent's own id).
    `signal_strength` is 0 to 1. Whether quantity and price can be traded is the door's to say; here they are only
    finite. `metadata` is the caller's, except for what the runner writes there (see `surefill.strategy.runner`).
    Raises ValueError when built, msgspec.ValidationError when decoded.
    """

    id: str
    workspace_id: str
    action: TradeAction
    symbol: str
    quantity: float
    correlation_id: str = ""
    strategy_entity_id: str = ""
    timeframe: str = "1d"
    price: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    signal_strength: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    reason: str = ""
    created_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    metadata: dict[str, object] = {}

    def __post_init__(self) -> None:
        for name in ("id", "workspace_id", "symbol"):
            if not getattr(self, name):
                raise ValueError(f"{name} of an intent must not be empty")
        for name in ("quantity", "price", "stop_loss", "take_profit"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} of an intent must be a finite number (got {value})")
        if not 0 <= self.signal_strength <= 1:
            raise ValueError(f"signal_strength of an intent must be 0 to 1 (got {self.signal_strength})")
        if self.created_at is not None and self.created_at.tzinfo is None:
            raise ValueError(f"created_at of an intent must have a time zone (got {self.created_at.isoformat()})")
        if not self.correlation_id:
            msgspec.structs.force_setattr(self, "correlation_id", self.id)
