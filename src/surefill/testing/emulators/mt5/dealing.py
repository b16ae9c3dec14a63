"""What the terminal and its server check before they take a request: the return code that refuses it, or none.

Source: the MQL5 reference, "Trade server return codes", "Order properties", "Symbol properties".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from surefill.testing.emulators.groundwork.records import Quote
from surefill.testing.emulators.mt5.books import Ledger, quoted
from surefill.testing.emulators.mt5.constants import Constants as Mt5
from surefill.testing.emulators.mt5.results import SymbolInfo

Request = dict[str, Any]

#: What the terminal says with a code.
TEXTS = {
    Mt5.TRADE_RETCODE_REQUOTE: "Requote",
    Mt5.TRADE_RETCODE_REJECT: "Request rejected",
    Mt5.TRADE_RETCODE_CANCEL: "Request canceled by trader",
    Mt5.TRADE_RETCODE_PLACED: "Order placed",
    Mt5.TRADE_RETCODE_DONE: "Request executed",
    Mt5.TRADE_RETCODE_DONE_PARTIAL: "Request executed partially",
    Mt5.TRADE_RETCODE_ERROR: "Request processing error",
    Mt5.TRADE_RETCODE_TIMEOUT: "Request timeout",
    Mt5.TRADE_RETCODE_INVALID: "Invalid request",
    Mt5.TRADE_RETCODE_INVALID_VOLUME: "Invalid volume",
    Mt5.TRADE_RETCODE_INVALID_PRICE: "Invalid price",
    Mt5.TRADE_RETCODE_INVALID_STOPS: "Invalid stops",
    Mt5.TRADE_RETCODE_TRADE_DISABLED: "Trade disabled",
    Mt5.TRADE_RETCODE_MARKET_CLOSED: "Market closed",
    Mt5.TRADE_RETCODE_NO_MONEY: "No money",
    Mt5.TRADE_RETCODE_PRICE_CHANGED: "Prices changed",
    Mt5.TRADE_RETCODE_PRICE_OFF: "No quotes",
    Mt5.TRADE_RETCODE_INVALID_EXPIRATION: "Invalid expiration",
    Mt5.TRADE_RETCODE_ORDER_CHANGED: "Order changed",
    Mt5.TRADE_RETCODE_REJECT_CANCEL: "Request rejected and order canceled",
    Mt5.TRADE_RETCODE_TOO_MANY_REQUESTS: "Too many requests",
    Mt5.TRADE_RETCODE_NO_CHANGES: "No changes",
    Mt5.TRADE_RETCODE_SERVER_DISABLES_AT: "AutoTrading disabled by server",
    Mt5.TRADE_RETCODE_CLIENT_DISABLES_AT: "AutoTrading disabled by client",
    Mt5.TRADE_RETCODE_LOCKED: "Request locked",
    Mt5.TRADE_RETCODE_FROZEN: "Order or position frozen",
    Mt5.TRADE_RETCODE_INVALID_FILL: "Unsupported filling mode",
    Mt5.TRADE_RETCODE_CONNECTION: "No connection",
    Mt5.TRADE_RETCODE_LIMIT_ORDERS: "Orders limit reached",
    Mt5.TRADE_RETCODE_LIMIT_VOLUME: "Volume limit reached",
    Mt5.TRADE_RETCODE_INVALID_ORDER: "Invalid order",
    Mt5.TRADE_RETCODE_POSITION_CLOSED: "Position doesn't exist",
    Mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME: "Invalid close volume",
    Mt5.TRADE_RETCODE_LONG_ONLY: "Only long positions allowed",
    Mt5.TRADE_RETCODE_SHORT_ONLY: "Only short positions allowed",
    Mt5.TRADE_RETCODE_CLOSE_ONLY: "Only position closing allowed",
}
_FLAG_OF = {Mt5.ORDER_FILLING_FOK: 1, Mt5.ORDER_FILLING_IOC: 2, Mt5.ORDER_FILLING_BOC: 4}
_EXCHANGE = range(Mt5.SYMBOL_CALC_MODE_EXCH_STOCKS, Mt5.SYMBOL_CALC_MODE_EXCH_BONDS_MOEX + 1)
_CLOSED_TO = {
    Mt5.SYMBOL_TRADE_MODE_DISABLED: (Mt5.TRADE_RETCODE_TRADE_DISABLED, (1, -1)),
    Mt5.SYMBOL_TRADE_MODE_LONGONLY: (Mt5.TRADE_RETCODE_LONG_ONLY, (-1,)),
    Mt5.SYMBOL_TRADE_MODE_SHORTONLY: (Mt5.TRADE_RETCODE_SHORT_ONLY, (1,)),
    Mt5.SYMBOL_TRADE_MODE_CLOSEONLY: (Mt5.TRADE_RETCODE_CLOSE_ONLY, (1, -1)),
}


def side_of(request: Request) -> int:
    """+1 buys, -1 sells: even types buy."""
    return -1 if int(request.get("type", 0)) % 2 else 1


def decimal(request: Request, field: str) -> Decimal:
    """A number of a request, exactly as it was written."""
    return Decimal(repr(request.get(field) or 0))


def points(info: SymbolInfo, count: int) -> Decimal:
    """So many points of a symbol's price."""
    return count * Decimal(repr(info.point))


def trigger_px(info: SymbolInfo, quote: Quote, side: int) -> Decimal:
    """What a stop of that side looks at: the ask to buy, the bid to sell; at an exchange that charts its last, that.

    Source: the help of MetaTrader 5, "Types of orders", and SYMBOL_CHART_MODE in the MQL5 reference.
    """
    exchange = info.trade_calc_mode in _EXCHANGE and info.chart_mode == Mt5.SYMBOL_CHART_MODE_LAST
    return quote.last if exchange else quote.px(side)


def permission(ledger: Ledger) -> int:
    """Whether anything may be traded at all."""
    if not ledger.setting("trade_allowed", True):
        return Mt5.TRADE_RETCODE_CLIENT_DISABLES_AT
    account = ledger.setting("account", {})
    if not account.get("trade_expert", True):
        return Mt5.TRADE_RETCODE_SERVER_DISABLES_AT
    if not account.get("trade_allowed", True):
        return Mt5.TRADE_RETCODE_TRADE_DISABLED
    return 0 if ledger.setting("connected", True) else Mt5.TRADE_RETCODE_CONNECTION


def objection(ledger: Ledger, request: Request, working: int) -> int:
    """Why an order is not taken (0: it is). `working`: how many orders work already."""
    info = ledger.symbol(str(request.get("symbol", "")))
    if info is None:
        return Mt5.TRADE_RETCODE_INVALID
    quote = quoted(ledger.store, info.name)
    if info.name in ledger.setting("closed", []):
        return Mt5.TRADE_RETCODE_MARKET_CLOSED
    if quote is None:
        return Mt5.TRADE_RETCODE_PRICE_OFF
    pending = request["action"] == Mt5.TRADE_ACTION_PENDING
    return (
        _volume(info, decimal(request, "volume"))
        or _position(ledger, request)
        or _mode(info, request)
        or (_pending(ledger, info, quote, request, working) if pending else _deal(info, quote, request))
        or stops(info, quote, side_of(request), decimal(request, "sl"), decimal(request, "tp"))
        or _margin(ledger, request)
    )


def _volume(info: SymbolInfo, volume: Decimal) -> int:
    step = Decimal(repr(info.volume_step))
    if not Decimal(repr(info.volume_min)) <= volume <= Decimal(repr(info.volume_max)) or volume % step:
        return Mt5.TRADE_RETCODE_INVALID_VOLUME
    return Mt5.TRADE_RETCODE_LIMIT_VOLUME if info.volume_limit and volume > info.volume_limit else 0


def _position(ledger: Ledger, request: Request) -> int:
    if not request.get("position"):
        return 0
    held = ledger.position(int(request["position"]))
    if held is None:
        return Mt5.TRADE_RETCODE_POSITION_CLOSED
    if held["symbol"] != request["symbol"]:
        return Mt5.TRADE_RETCODE_INVALID
    closing = int(held["side"]) != side_of(request)
    if ledger.hedging and (not closing or decimal(request, "volume") > Decimal(held["volume"])):
        return Mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME
    return 0


def _mode(info: SymbolInfo, request: Request) -> int:
    code, sides = _CLOSED_TO.get(info.trade_mode, (0, ()))
    closes = bool(request.get("position")) and info.trade_mode != Mt5.SYMBOL_TRADE_MODE_DISABLED
    return code if side_of(request) in sides and not closes else 0


def _deal(info: SymbolInfo, quote: Quote, request: Request) -> int:
    filling = int(request.get("type_filling", 0))
    market = info.trade_exemode == Mt5.SYMBOL_TRADE_EXECUTION_MARKET
    if int(request.get("type", 0)) > Mt5.ORDER_TYPE_SELL:
        return Mt5.TRADE_RETCODE_INVALID_ORDER
    if filling == Mt5.ORDER_FILLING_RETURN and market:
        return Mt5.TRADE_RETCODE_INVALID_FILL
    if filling != Mt5.ORDER_FILLING_RETURN and not info.filling_mode & _FLAG_OF.get(filling, 8):
        return Mt5.TRADE_RETCODE_INVALID_FILL
    if info.trade_exemode not in (Mt5.SYMBOL_TRADE_EXECUTION_REQUEST, Mt5.SYMBOL_TRADE_EXECUTION_INSTANT):
        return 0
    asked, px = decimal(request, "price"), quote.px(side_of(request))
    if not asked:
        return Mt5.TRADE_RETCODE_INVALID
    return Mt5.TRADE_RETCODE_REQUOTE if abs(asked - px) > points(info, int(request.get("deviation", 0))) else 0


def _pending(ledger: Ledger, info: SymbolInfo, quote: Quote, request: Request, working: int) -> int:
    kind, px, side = int(request.get("type", 0)), decimal(request, "price"), side_of(request)
    if kind < Mt5.ORDER_TYPE_BUY_LIMIT or kind > Mt5.ORDER_TYPE_SELL_STOP_LIMIT:
        return Mt5.TRADE_RETCODE_INVALID_ORDER
    if not px or px % Decimal(repr(info.trade_tick_size)):
        return Mt5.TRADE_RETCODE_INVALID_PRICE
    limit = kind in (Mt5.ORDER_TYPE_BUY_LIMIT, Mt5.ORDER_TYPE_SELL_LIMIT)
    now_px = quote.px(side) if limit else trigger_px(info, quote, side)
    distance = (now_px - px) * side * (1 if limit else -1)
    if distance <= 0 or distance < points(info, info.trade_stops_level):
        return Mt5.TRADE_RETCODE_INVALID_PRICE
    if kind >= Mt5.ORDER_TYPE_BUY_STOP_LIMIT and (px - decimal(request, "stoplimit")) * side < 0:
        return Mt5.TRADE_RETCODE_INVALID_PRICE
    if int(request.get("type_time", 0)) not in range(4) or not info.expiration_mode >> int(request["type_time"]) & 1:
        return Mt5.TRADE_RETCODE_INVALID_EXPIRATION
    return Mt5.TRADE_RETCODE_LIMIT_ORDERS if working >= ledger.account().limit_orders else 0


def stops(info: SymbolInfo, quote: Quote, side: int, sl: Decimal, tp: Decimal) -> int:
    """Whether a stop loss and a take profit (0: none) are on their sides and far enough away."""
    least, px = points(info, info.trade_stops_level), trigger_px(info, quote, -side)
    wrong = (sl and (px - sl) * side <= 0) or (tp and (tp - px) * side <= 0)
    close = (sl and (px - sl) * side < least) or (tp and (tp - px) * side < least)
    return Mt5.TRADE_RETCODE_INVALID_STOPS if wrong or close else 0


def _margin(ledger: Ledger, request: Request) -> int:
    if request.get("position"):
        return 0
    needed = ledger.margin(str(request["symbol"]), decimal(request, "volume"), None)
    return Mt5.TRADE_RETCODE_NO_MONEY if needed > Decimal(repr(ledger.account().margin_free)) else 0
