"""A trade intent on its way in: what this door allows, and the engine's intent and price that it becomes."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.market import Quote, Source
from surefill.errors import InputError
from surefill.intake.caller_values import failure_text
from surefill.plain import plain_text, shown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.strategy.intents import TEXTS, TradeAction, TradeIntent
from surefill.strategy.translate import REGIME, to_intent
from surefill.units import observed_quanta, to_quanta

Price = str | int | float | Decimal

LONG_ONLY: Final = "paper_long_only"
FULL: Final = "paper_full"
#: What each profile of this door takes.
ACTIONS: Final = {
    LONG_ONLY: frozenset({TradeAction.OPEN_LONG, TradeAction.CLOSE_LONG}),
    FULL: frozenset(TradeAction),
}
MODE: Final = "paper"

_ORD_TYPES: Final = {"MARKET": OrdType.MARKET, "LIMIT": OrdType.LIMIT}
_LENGTHS: Final = {"id": 200, "correlation_id": 200, "workspace_id": 100, "symbol": 64, "reason": 2_000}
_METADATA_MAX: Final = 8_192
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")

_CODE_OF_FIELD: Final = {
    "quantity": "INVALID_QUANTITY",
    "fill_price": "INVALID_FILL_PRICE",
    "price": "INVALID_PRICE",
    "stop_loss": "INVALID_PLAN",
    "take_profit": "INVALID_PLAN",
    "trail_distance": "INVALID_PLAN",
    "time_stop_bars": "INVALID_PLAN",
    REGIME: "INVALID_FIGURE",
}


class Order(NamedTuple):
    """What the engine is asked: the intent, and the caller's price as a market price (None: the simulator's own)."""

    intent: Intent
    quote: Quote | None


def check_request(trade: object, mode: object) -> None:
    """It is an intent; its mode, texts and their sizes are those of this door. Raises InputError."""
    if not (isinstance(mode, str) and mode == MODE):
        raise InputError(f"mode {shown(mode)} is not supported here: only {MODE!r} is", code="UNSUPPORTED_MODE")
    if not isinstance(trade, TradeIntent):
        raise InputError(f"{shown(trade)} is not a TradeIntent", code="INVALID_REQUEST")
    try:
        trade.check()  # it was, when it was built; nothing in Python holds anybody to that
    except ValueError as error:
        raise InputError(str(error), code="INVALID_REQUEST") from error
    for name in TEXTS:
        plain_text(getattr(trade, name), name)
    for name, most in _LENGTHS.items():
        if len(getattr(trade, name)) > most:
            raise InputError(f"{name} is longer than {most} characters", code="INVALID_REQUEST", field=name)
    if "|" in trade.symbol or not trade.symbol.isprintable():
        raise InputError(f"{trade.symbol!r} is not a symbol", code="INVALID_SYMBOL", field="symbol")


def check_action(trade: TradeIntent, profile: str) -> None:
    """The profile takes the action. Raises InputError."""
    if trade.action not in ACTIONS[profile]:
        allowed = ", ".join(sorted(ACTIONS[profile]))
        raise InputError(
            f"action {trade.action} is not supported by profile {profile}: use one of {allowed}",
            code="UNSUPPORTED_ACTION",
        )


def translate(trade: TradeIntent, fill_price: Price | None, profile: str, instrument: Instrument, now_ns: int) -> Order:
    """The intent and the price in the instrument's quanta. Raises InputError with this door's codes."""
    try:
        quote = _quote(fill_price, profile, instrument, now_ns)
        intent = _intent(trade, instrument)
    except InputError as error:
        code = _CODE_OF_FIELD.get(str(error.values.get("field")), error.code)
        raise InputError(error.message, code=code, **error.values) from error
    if intent.order_qty <= 0:
        raise InputError(f"quantity must be above 0 (got {trade.quantity})", code="INVALID_QUANTITY")
    return Order(intent, quote)


def _quote(fill_price: Price | None, profile: str, instrument: Instrument, now_ns: int) -> Quote | None:
    if fill_price is None:
        if profile == LONG_ONLY:
            raise InputError(f"fill_price is required by profile {profile}", code="INVALID_FILL_PRICE")
        return None
    px = observed_quanta(fill_price, instrument.price_decimals, field="fill_price")
    return Quote(instrument.instrument_id, now_ns, last_px=px, source=Source.CALLER)


def _intent(trade: TradeIntent, instrument: Instrument) -> Intent:
    labels = _labels(trade)  # first: from here on the metadata is known to be nothing but JSON
    ord_type, px = _order_terms(trade, instrument)
    intent = to_intent(trade, instrument, ord_type=ord_type, px=px)
    return msgspec.structs.replace(intent, time_in_force=_time_in_force(trade), context={**intent.context, **labels})


def _order_terms(trade: TradeIntent, instrument: Instrument) -> tuple[int, int]:
    """MARKET, unless the metadata says LIMIT: then `price` is the limit. Otherwise `price` is what upstream saw."""
    said = trade.metadata.get("order_type", "MARKET")
    if not isinstance(said, str) or said not in _ORD_TYPES:
        raise InputError(
            f"metadata.order_type {shown(said)} is not one of {', '.join(_ORD_TYPES)}", code="UNSUPPORTED_ORDER_TYPE"
        )
    if said == "MARKET":
        return OrdType.MARKET, 0
    if trade.price is None:
        raise InputError("a LIMIT order needs a price", code="INVALID_PRICE")
    return OrdType.LIMIT, to_quanta(trade.price, instrument.price_decimals, field="price")


def _time_in_force(trade: TradeIntent) -> int:
    said = trade.metadata.get("time_in_force", "DAY")
    if not isinstance(said, str) or said not in TimeInForce.__members__:
        raise InputError(
            f"metadata.time_in_force {shown(said)} is not one of {', '.join(TimeInForce.__members__)}",
            code="UNSUPPORTED_TIME_IN_FORCE",
        )
    return TimeInForce[said]


def _labels(trade: TradeIntent) -> dict[str, str]:
    """What upstream said and the engine does not need: journaled with the intent, and part of its content."""
    labels = {"action": str(trade.action), "signal_strength": repr(trade.signal_strength)}
    if trade.price is not None:
        labels["price"] = repr(trade.price)
    if trade.metadata:
        labels["metadata"] = _metadata_text(trade.metadata)
    return labels


def _metadata_text(metadata: dict[str, object]) -> str:
    try:
        text = _ENCODER.encode(metadata).decode()
    except Exception as error:  # msgspec's own, or what an object in there raises
        raise InputError(
            f"metadata is not JSON: {failure_text(error)}", code="INVALID_REQUEST", field="metadata"
        ) from error
    if len(text) > _METADATA_MAX:
        raise InputError(
            f"metadata is {len(text)} characters of JSON, at most {_METADATA_MAX} are kept",
            code="INVALID_REQUEST",
            field="metadata",
        )
    return text
