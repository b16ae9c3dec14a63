"""The trade intent: what a strategy wants done, as upstream writes it and as the intents door takes it."""

from __future__ import annotations

import enum
import math
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from surefill.errors import InputError
from surefill.plain import plain_number, shown


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


#: The fields of an intent that are text.
TEXTS: Final = ("id", "workspace_id", "symbol", "correlation_id", "strategy_entity_id", "timeframe", "reason")
_NUMBERS: Final = ("quantity", "price", "stop_loss", "take_profit", "signal_strength")
_NEEDED: Final = ("quantity", "signal_strength")


class TradeIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One intent. Prices and quantities are in units, and a float stands for its shortest decimal text.

    `id` is the idempotency key; `correlation_id` names the evaluation that made it (empty: the intent's own id).
    `signal_strength` is 0 to 1. Whether quantity and price can be traded is the door's to say; here they are only
    finite. `metadata` is the caller's, except for what the runner writes there (see `surefill.strategy.runner`).
    Raises ValueError when built with a value of another kind, msgspec.ValidationError when decoded.
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
        self.check()

    def check(self) -> None:
        """Raise ValueError where a field does not hold what its type says."""
        for name in TEXTS:
            value = getattr(self, name)
            if type(value) is not str:
                self._set(name, _text(name, value))
        for name in ("id", "workspace_id", "symbol"):
            if not getattr(self, name):
                raise ValueError(f"{name} of an intent must not be empty")
        if type(self.action) is not TradeAction:
            self._set("action", TradeAction(_text("action", self.action)))
        for name in _NUMBERS:
            value = getattr(self, name)
            if type(value) is float and math.isfinite(value):
                continue
            if value is not None or name in _NEEDED:
                self._set(name, _finite(name, value))
        if not 0 <= self.signal_strength <= 1:
            raise ValueError(f"signal_strength of an intent must be 0 to 1 (got {shown(self.signal_strength)})")
        if not isinstance(self.created_at, datetime | None):
            raise ValueError(f"created_at of an intent must be a datetime (got {shown(self.created_at)})")
        if self.created_at is not None and self.created_at.tzinfo is None:
            raise ValueError(f"created_at of an intent must have a time zone (got {self.created_at.isoformat()})")
        if not isinstance(self.metadata, dict):
            raise ValueError(f"metadata of an intent must be a dict (got {shown(self.metadata)})")
        if not self.correlation_id:
            self._set("correlation_id", self.id)

    def _set(self, name: str, value: object) -> None:
        """Nobody has seen the intent yet: what came in as another class's text or number becomes Python's own."""
        msgspec.structs.force_setattr(self, name, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} of an intent must be text (got {shown(value)})")
    return str.__str__(value)


def _finite(name: str, value: object) -> int | float | Decimal:
    try:
        number = plain_number(value, name)
        if math.isfinite(number):
            return number
    except InputError:
        raise ValueError(f"{name} of an intent must be a number (got {shown(value)})") from None
    except (OverflowError, ValueError):  # beyond what a float can say; a NaN that signals
        pass
    raise ValueError(f"{name} of an intent must be a finite number (got {shown(value)})")
