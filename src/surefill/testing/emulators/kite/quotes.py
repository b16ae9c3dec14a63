"""Quotes as JSON; the price that stands is five levels deep in the first of them."""

from __future__ import annotations

from surefill.testing.emulators.kite.amounts import average, shown
from surefill.testing.emulators.kite.clock import stamp
from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.market import Price, band

DEPTH = 5
#: What is shown where any quantity trades.
PLENTY = 100_000


def ltp(instrument: Instrument, price: Price) -> dict[str, object]:
    """GET /quote/ltp."""
    return {"instrument_token": instrument.instrument_token, "last_price": shown(price.last)}


def ohlc(instrument: Instrument, price: Price) -> dict[str, object]:
    """GET /quote/ohlc."""
    return {**ltp(instrument, price), "ohlc": _ohlc(price)}


def quote(instrument: Instrument, price: Price) -> dict[str, object]:
    """GET /quote."""
    low, high = band(instrument, price)
    return {
        "instrument_token": instrument.instrument_token,
        "timestamp": stamp(price.ts_ns),
        "last_trade_time": stamp(price.trade_ns or price.ts_ns),
        "last_price": shown(price.last),
        "last_quantity": price.last_qty,
        "buy_quantity": depth_qty(price.bid_qty),
        "sell_quantity": depth_qty(price.ask_qty),
        "volume": price.volume,
        "average_price": average(price.turnover, price.volume),
        "oi": price.oi,
        "oi_day_high": price.oi,
        "oi_day_low": price.oi,
        "net_change": 0,
        "lower_circuit_limit": shown(low),
        "upper_circuit_limit": shown(high),
        "ohlc": _ohlc(price),
        "depth": {"buy": _side(price.bid, price.bid_qty), "sell": _side(price.ask, price.ask_qty)},
    }


def _ohlc(price: Price) -> dict[str, object]:
    return {
        "open": shown(price.open),
        "high": shown(price.high),
        "low": shown(price.low),
        "close": shown(price.close),
    }


def depth_qty(qty: int) -> int:
    """A quantity on offer, as shown."""
    return PLENTY if qty < 0 else qty


def _side(px: int, qty: int) -> list[dict[str, object]]:
    shown_qty = depth_qty(qty)
    empty: dict[str, object] = {"price": 0, "quantity": 0, "orders": 0}
    best: dict[str, object] = {"price": shown(px), "quantity": shown_qty, "orders": 1}
    return [best if shown_qty else empty, *(dict(empty) for _ in range(DEPTH - 1))]
