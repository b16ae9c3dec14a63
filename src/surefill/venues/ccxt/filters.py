"""What a venue demands of an order's terms, held against the order before it is sent.

A breach is certain where the venue's figures are certain (ticks, lots, smallest and largest). The band around the
market price is the venue's own average, which we do not have: it is held against the price of the decision, and never
against an order that reduces a position, because a doubtful check must not stand between us and an exit.
"""

from __future__ import annotations

import msgspec

from surefill.domain.orders import OrderRequest
from surefill.rules.codes import OrdType, Side
from surefill.units import PPB, quanta_text

_MARKET = (OrdType.MARKET, OrdType.STOP)


class Filters(msgspec.Struct, frozen=True):
    """Bounds in quanta; 0: no such bound. The names are those of Binance's filters.

    `min_notional` and `max_notional` in price quanta x quantity quanta. `up_ppb` and `down_ppb`: how much of the
    market price a buy may be at most and a sale must be at least, and for one side only where the venue has that.
    """

    price_decimals: int = 0
    qty_decimals: int = 0
    tick: int = 0
    min_px: int = 0
    max_px: int = 0
    lot: int = 0
    min_qty: int = 0
    max_qty: int = 0
    market_lot: int = 0
    market_min_qty: int = 0
    market_max_qty: int = 0
    min_notional: int = 0
    min_notional_market: bool = True
    min_notional_reduces: bool = True
    max_notional: int = 0
    max_notional_market: bool = False
    buy_up_ppb: int = 0
    buy_down_ppb: int = 0
    sell_up_ppb: int = 0
    sell_down_ppb: int = 0


class Breach(msgspec.Struct, frozen=True):
    """A filter that the order does not pass, with the figures."""

    name: str
    text: str


def breach_of(filters: Filters, request: OrderRequest) -> Breach | None:
    """The first filter that the order does not pass."""
    for check in (_price, _quantity, _notional, _band):
        breach = check(filters, request)
        if breach is not None:
            return breach
    return None


def _price(filters: Filters, request: OrderRequest) -> Breach | None:
    prices = [request.px] if request.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT) else []
    prices += [request.stop_px] if request.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT) else []
    for px in prices:
        shown = quanta_text(px, filters.price_decimals)
        if filters.tick and px % filters.tick:
            return Breach("PRICE_FILTER", f"{shown} is no multiple of {_px(filters, filters.tick)}")
        if px < max(filters.min_px, 1):
            return Breach("PRICE_FILTER", f"{shown} is below {_px(filters, max(filters.min_px, 1))}")
        if filters.max_px and px > filters.max_px:
            return Breach("PRICE_FILTER", f"{shown} is above {_px(filters, filters.max_px)}")
    return None


def _quantity(filters: Filters, request: OrderRequest) -> Breach | None:
    bounds = [("LOT_SIZE", filters.lot, filters.min_qty, filters.max_qty)]
    if request.ord_type in _MARKET:
        bounds.append(("MARKET_LOT_SIZE", filters.market_lot, filters.market_min_qty, filters.market_max_qty))
    shown = _qty(filters, request.order_qty)
    for name, lot, least, most in bounds:
        if lot and request.order_qty % lot:
            return Breach(name, f"{shown} is no multiple of {_qty(filters, lot)}")
        if request.order_qty < max(least, 1):
            return Breach(name, f"{shown} is below {_qty(filters, max(least, 1))}")
        if most and request.order_qty > most:
            return Breach(name, f"{shown} is above {_qty(filters, most)}")
    return None


def _notional(filters: Filters, request: OrderRequest) -> Breach | None:
    at_market = request.ord_type in _MARKET
    px = request.arrival_px if request.ord_type == OrdType.MARKET else request.px or request.stop_px
    if px <= 0:
        return None
    notional, decimals = px * request.order_qty, filters.price_decimals + filters.qty_decimals
    shown = quanta_text(notional, decimals)
    least_holds = filters.min_notional_market or not at_market
    if request.reduce_only and not filters.min_notional_reduces:
        least_holds = False
    if least_holds and notional < filters.min_notional:
        return Breach("NOTIONAL", f"{shown} is below {quanta_text(filters.min_notional, decimals)}")
    most_holds = filters.max_notional_market or not at_market
    if most_holds and filters.max_notional and notional > filters.max_notional:
        return Breach("NOTIONAL", f"{shown} is above {quanta_text(filters.max_notional, decimals)}")
    return None


def _band(filters: Filters, request: OrderRequest) -> Breach | None:
    if request.reduce_only or request.arrival_px <= 0 or request.ord_type != OrdType.LIMIT:
        return None
    buys = request.side == Side.BUY
    up_ppb = filters.buy_up_ppb if buys else filters.sell_up_ppb
    down_ppb = filters.buy_down_ppb if buys else filters.sell_down_ppb
    shown = f"{_px(filters, request.px)} against a market of {_px(filters, request.arrival_px)}"
    if up_ppb and request.px * PPB > request.arrival_px * up_ppb:
        return Breach("PERCENT_PRICE", f"{shown}: more than {quanta_text(up_ppb, 9)} of it")
    if request.px * PPB < request.arrival_px * down_ppb:
        return Breach("PERCENT_PRICE", f"{shown}: less than {quanta_text(down_ppb, 9)} of it")
    return None


def _px(filters: Filters, px: int) -> str:
    return quanta_text(px, filters.price_decimals)


def _qty(filters: Filters, qty: int) -> str:
    return quanta_text(qty, filters.qty_decimals)
