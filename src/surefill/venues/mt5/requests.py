"""Orders as trade requests of MT5.

1. A market order is a deal at the price that the terminal shows now, with the deviation of the settings, and a filling
   policy from the symbol's flags: FOK where the order says so; else IOC, else FOK, else RETURN where it is allowed
   (not in Market execution, and not where the order says IOC: what RETURN leaves over goes on).
2. Limit, stop and stop-limit orders are pending orders with RETURN, for the day or until canceled. IOC and FOK are not
   kept by a pending order, so they are refused here.
3. On a hedging account a pending order opens another position, it cannot close one: a resting order that is to reduce
   is refused here. Stops are the engine's there. (A position's own stop loss has no id and no comment of ours, so an
   order that becomes one could not be told from a stop that a person sets.)
"""

from __future__ import annotations

from typing import Any

import msgspec

from surefill.domain.orders import OrderRequest
from surefill.rules.codes import OrdType, TimeInForce
from surefill.venues.mt5.comments import comment_of
from surefill.venues.mt5.records import TickRecord
from surefill.venues.mt5.settings import Mt5Settings
from surefill.venues.mt5.symbols import Scale

DEAL, PENDING, MODIFY, REMOVE = 1, 5, 7, 8
FOK, IOC, RETURN = 0, 1, 2
_FLAG_FOK, _FLAG_IOC = 1, 2
_MARKET_EXECUTION = 2
_GTC, _DAY = 0, 1
_TYPES = {OrdType.MARKET: 0, OrdType.LIMIT: 2, OrdType.STOP: 4, OrdType.STOP_LIMIT: 6}

TradeRequest = dict[str, Any]


class Withheld(msgspec.Struct, frozen=True):
    """An order that MT5 has no request for: it is not sent, and that is proof."""

    code: str
    text: str


def deal(
    request: OrderRequest, scale: Scale, tick: TickRecord, settings: Mt5Settings, position: int = 0
) -> TradeRequest | Withheld:
    """A market order. `position`: the ticket that it closes."""
    filling = _filling(request, scale)
    if filling is None:
        return Withheld("FILLING_UNSUPPORTED", f"{scale.symbol.name} has no filling policy for this time in force")
    price = tick.ask if request.side > 0 else tick.bid
    if price <= 0:
        return Withheld("NO_PRICE", f"the terminal shows no price of {scale.symbol.name}")
    made = _stem(request, scale, settings)
    made.update(action=DEAL, price=price, deviation=settings.deviation_points, type_filling=filling, type_time=_GTC)
    if position:
        made["position"] = position
    return made


def pending(request: OrderRequest, scale: Scale, settings: Mt5Settings, *, hedging: bool) -> TradeRequest | Withheld:
    """A limit, stop or stop-limit order."""
    if hedging and (request.reduce_only or request.bucket):
        return Withheld("PENDING_CANNOT_CLOSE", "on a hedging account a pending order opens another position")
    if request.time_in_force not in (TimeInForce.DAY, TimeInForce.GTC):
        return Withheld(
            "TIME_IN_FORCE_UNSUPPORTED", "a pending order of MT5 rests: it is for the day or until canceled"
        )
    time = _DAY if request.time_in_force == TimeInForce.DAY else _GTC
    if not scale.symbol.expiration_mode >> time & 1:
        return Withheld("TIME_IN_FORCE_UNSUPPORTED", f"{scale.symbol.name} has no orders of that duration")
    made = _stem(request, scale, settings)
    made.update(action=PENDING, type_filling=RETURN, type_time=time, deviation=settings.deviation_points)
    made.update(_prices(request, scale))
    return made


def changed(request: OrderRequest, scale: Scale, ticket: int, time: int) -> TradeRequest:
    """A pending order's new prices. Its volume cannot be changed."""
    return {
        "action": MODIFY,
        "order": ticket,
        "symbol": scale.symbol.name,
        "type_time": time,
        **_prices(request, scale),
    }


def removal(symbol: str, ticket: int) -> TradeRequest:
    """The end of a pending order."""
    return {"action": REMOVE, "order": ticket, "symbol": symbol}


def _stem(request: OrderRequest, scale: Scale, settings: Mt5Settings) -> TradeRequest:
    return {
        "symbol": scale.symbol.name,
        "volume": scale.lots(request.order_qty),
        "type": _TYPES[OrdType(request.ord_type)] + (0 if request.side > 0 else 1),
        "magic": settings.magic,
        "comment": comment_of(request.cl_ord_id),
    }


def _prices(request: OrderRequest, scale: Scale) -> dict[str, float]:
    if request.ord_type == OrdType.LIMIT:
        return {"price": scale.price(request.px)}
    prices = {"price": scale.price(request.stop_px)}
    if request.ord_type == OrdType.STOP_LIMIT:
        prices["stoplimit"] = scale.price(request.px)
    return prices


def _filling(request: OrderRequest, scale: Scale) -> int | None:
    flags = scale.symbol.filling_mode
    if request.time_in_force == TimeInForce.FOK:
        return FOK if flags & _FLAG_FOK else None
    if flags & _FLAG_IOC:
        return IOC
    if flags & _FLAG_FOK:
        return FOK
    rests = request.time_in_force != TimeInForce.IOC
    return RETURN if rests and scale.symbol.trade_exemode != _MARKET_EXECUTION else None
