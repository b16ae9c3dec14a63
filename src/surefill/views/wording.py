"""The words in which the documents speak of sides, states, order types and exits, and numbers as they write them."""

from __future__ import annotations

import re
from decimal import Decimal

from surefill.rules.codes import ExitReason, OrdStatus, OrdType, Side

#: Index underlyings of the Indian derivatives symbols, longest first: BANKNIFTY is not NIFTY.
UNDERLYINGS = ("MIDCPNIFTY", "BANKNIFTY", "FINNIFTY", "NIFTY")

_STATUS = {
    OrdStatus.SUBMITTED: "PLACED",
    OrdStatus.UNKNOWN: "PLACED",
    OrdStatus.NEW: "PLACED",
    OrdStatus.PARTIALLY_FILLED: "PARTIAL",
    OrdStatus.FILLED: "FILLED",
    OrdStatus.CANCELED: "CANCELLED",
    OrdStatus.REJECTED: "REJECTED",
    OrdStatus.EXPIRED: "CANCELLED",
}
_ORD_TYPE = {OrdType.MARKET: "MARKET", OrdType.LIMIT: "LIMIT", OrdType.STOP: "SL-M", OrdType.STOP_LIMIT: "SL"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """Text that somebody else wrote, without line breaks and other control characters."""
    return _CONTROL.sub(" ", text)


def side_word(side: int) -> str:
    """BUY or SELL; EXIT for a close that found nothing to close and so has no side."""
    return Side(side).name if side else "EXIT"


def status_word(status: int, cum_qty: int, order_qty: int) -> str:
    """PLACED, PARTIAL, FILLED, CANCELLED or REJECTED. PARTIAL: some of it traded, whatever became of the rest."""
    if 0 < cum_qty < order_qty:
        return "PARTIAL"
    return _STATUS[OrdStatus(status)]


def ord_type_word(ord_type: int) -> str:
    """MARKET, LIMIT, SL (stop-limit) or SL-M (stop)."""
    return _ORD_TYPE[OrdType(ord_type)]


def exit_word(reason: int) -> str:
    """The exit plan's reason in lower case ("stop", "time_stop"); "" for an order that upstream asked for."""
    return ExitReason(reason).name.lower() if reason else ""


def underlying_of(symbol: str) -> str:
    """The index that a symbol begins with, else the symbol."""
    return next((name for name in UNDERLYINGS if symbol.startswith(name)), symbol)


def avg_px(notional: int, qty: int, decimals: int) -> float:
    """The average price of `qty` quanta that cost `notional`, as the nearest float; 0.0 of nothing."""
    return notional / (qty * 10**decimals) if qty else 0.0


def float_text(value: float) -> str:
    """The shortest text that is this float again, never with an exponent, with at least one decimal."""
    text = format(Decimal(repr(value)), "f")
    return text if "." in text else f"{text}.0"
