"""What the terminal returns, as far as we read it: field names as documented, times as the server counts them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from surefill.errors import VenueOutcomeUnknown

R = TypeVar("R")


class SymbolRecord(msgspec.Struct, frozen=True):
    """Of `symbol_info` and `symbols_get`."""

    name: str
    digits: int
    trade_mode: int
    trade_exemode: int
    filling_mode: int
    trade_calc_mode: int
    trade_contract_size: float
    trade_tick_size: float
    volume_min: float
    volume_max: float
    volume_step: float
    currency_profit: str
    currency_base: str
    expiration_mode: int
    visible: bool = True
    trade_tick_value: float = 0.0
    trade_stops_level: int = 0
    trade_freeze_level: int = 0
    point: float = 0.0
    bid: float = 0.0
    ask: float = 0.0


class TickRecord(msgspec.Struct, frozen=True):
    """Of `symbol_info_tick`."""

    time_msc: int
    bid: float
    ask: float
    last: float = 0.0


class OrderRecord(msgspec.Struct, frozen=True):
    """Of `orders_get` and `history_orders_get`."""

    ticket: int
    time_setup: int
    time_setup_msc: int
    time_done_msc: int
    type: int
    state: int
    magic: int
    position_id: int
    volume_initial: float
    volume_current: float
    price_open: float
    price_stoplimit: float
    symbol: str
    comment: str
    reason: int = 0


class DealRecord(msgspec.Struct, frozen=True):
    """Of `history_deals_get`."""

    ticket: int
    order: int
    time: int
    time_msc: int
    type: int
    entry: int
    magic: int
    position_id: int
    volume: float
    price: float
    commission: float
    swap: float
    profit: float
    fee: float
    symbol: str
    comment: str
    reason: int = 0


class PositionRecord(msgspec.Struct, frozen=True):
    """Of `positions_get`."""

    ticket: int
    time_msc: int
    type: int
    magic: int
    identifier: int
    volume: float
    price_open: float
    symbol: str
    comment: str
    sl: float = 0.0
    tp: float = 0.0


class AccountRecord(msgspec.Struct, frozen=True):
    """Of `account_info`."""

    balance: float
    equity: float
    margin_free: float
    margin_mode: int
    trade_allowed: bool
    trade_expert: bool
    currency: str = ""
    login: int = 0
    trade_mode: int = 0
    credit: float = 0.0


class TerminalRecord(msgspec.Struct, frozen=True):
    """Of `terminal_info`."""

    connected: bool
    trade_allowed: bool
    tradeapi_disabled: bool = False


class SendRecord(msgspec.Struct, frozen=True):
    """Of `order_send`."""

    retcode: int
    deal: int = 0
    order: int = 0
    volume: float = 0.0
    price: float = 0.0
    comment: str = ""
    request_id: int = 0


def read(kind: type[R], payload: object) -> R:
    """One record. Raises VenueOutcomeUnknown where the payload is not one."""
    try:
        return msgspec.convert(payload, kind, strict=False)
    except msgspec.ValidationError as error:
        raise VenueOutcomeUnknown(f"the terminal's answer cannot be read as {kind.__name__}: {error}") from error


def read_all(kind: type[R], payload: object) -> list[R]:
    """A list of records."""
    if not isinstance(payload, list | tuple):
        raise VenueOutcomeUnknown(f"the terminal's answer is no list of {kind.__name__}")
    return [read(kind, each) for each in payload]


def plain(value: Any) -> Any:
    """Named tuples as mappings, all the way down: what JSON can carry."""
    if hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def raw(payload: object) -> str:
    """A payload as it is journaled."""
    return msgspec.json.encode(msgspec.to_builtins(payload)).decode()
