"""Market data: REST answers and stream messages made of the one price that each symbol has."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from surefill.testing.emulators.binance.spot_words import eight
from surefill.testing.emulators.binance.usdm_words import plain
from surefill.testing.emulators.groundwork.records import Execution, Quote

#: What is shown where any quantity trades.
PLENTY = Decimal(1000)


def _qty(qty: Decimal | None) -> Decimal:
    return PLENTY if qty is None else qty


def book_ticker(quote: Quote, scope: str, now_ms: int) -> dict[str, Any]:
    """GET ticker/bookTicker."""
    write = eight if scope == "spot" else plain
    said: dict[str, Any] = {
        "symbol": quote.symbol,
        "bidPrice": write(quote.bid),
        "bidQty": write(_qty(quote.bid_qty)),
        "askPrice": write(quote.ask),
        "askQty": write(_qty(quote.ask_qty)),
    }
    return said if scope == "spot" else said | {"time": now_ms, "lastUpdateId": now_ms}


def depth(quote: Quote | None, scope: str, now_ms: int) -> dict[str, Any]:
    """GET depth: one level each side."""
    write = eight if scope == "spot" else plain
    said: dict[str, Any] = {"lastUpdateId": now_ms}
    if scope != "spot":
        said |= {"E": now_ms, "T": now_ms}
    bids = [] if quote is None else [[write(quote.bid), write(_qty(quote.bid_qty))]]
    asks = [] if quote is None else [[write(quote.ask), write(_qty(quote.ask_qty))]]
    return said | {"bids": bids, "asks": asks}


def last_price(quote: Quote, scope: str, now_ms: int) -> dict[str, Any]:
    """GET ticker/price."""
    if scope == "spot":
        return {"symbol": quote.symbol, "price": eight(quote.last)}
    return {"symbol": quote.symbol, "price": plain(quote.last), "time": now_ms}


def stream_book_ticker(quote: Quote, scope: str, now_ms: int) -> dict[str, Any]:
    """<symbol>@bookTicker."""
    write = eight if scope == "spot" else plain
    said = {
        "u": now_ms,
        "s": quote.symbol,
        "b": write(quote.bid),
        "B": write(_qty(quote.bid_qty)),
        "a": write(quote.ask),
        "A": write(_qty(quote.ask_qty)),
    }
    return said if scope == "spot" else {"e": "bookTicker", **said, "T": now_ms, "E": now_ms}


def stream_trade(execution: Execution, now_ms: int) -> dict[str, Any]:
    """<symbol>@trade."""
    scope = "spot" if execution.scope == "spot" else "usdm"
    write = eight if scope == "spot" else plain
    said = {
        "e": "trade",
        "E": now_ms,
        "s": execution.symbol,
        "t": execution.number,
        "p": write(execution.px),
        "q": write(execution.qty),
        "T": execution.ts_ms,
    }
    buyer_made = execution.maker == (execution.side > 0)
    return said | ({"m": buyer_made, "M": True} if scope == "spot" else {"X": "MARKET", "m": buyer_made})


def stream_agg_trade(execution: Execution, now_ms: int) -> dict[str, Any]:
    """<symbol>@aggTrade."""
    scope = "spot" if execution.scope == "spot" else "usdm"
    write = eight if scope == "spot" else plain
    said = {
        "e": "aggTrade",
        "E": now_ms,
        "s": execution.symbol,
        "a": execution.number,
        "p": write(execution.px),
        "q": write(execution.qty),
        "f": execution.number,
        "l": execution.number,
        "T": execution.ts_ms,
        "m": execution.maker == (execution.side > 0),
    }
    return said | {"M": True} if scope == "spot" else said
