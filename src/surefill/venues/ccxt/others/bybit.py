"""Bybit, V5: spot and linear contracts in one-way mode. Source: bybit-exchange.github.io/docs/v5 (order, error), 2026.

The answers to a new order and to a cancel are acknowledgements: what became of it is asked for.
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Any

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType
from surefill.rules.codes import OrdType, Side, TimeInForce
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.others.dialect import Call, Dialect, OrderNames, TradeNames
from surefill.venues.ccxt.settings import CcxtSettings
from surefill.venues.ccxt.verdict import Meaning, Verdict, by_table, refused_at_the_door, unclear
from surefill.venues.ccxt.wire import Answer

CODES = MappingProxyType(
    {
        "10000": Meaning.UNKNOWN,  # server timeout
        "10016": Meaning.UNKNOWN,  # server error
        "170007": Meaning.UNKNOWN,  # timeout waiting for response from backend server
        "170146": Meaning.UNKNOWN,  # order creation timeout
        "170147": Meaning.UNKNOWN,  # order cancellation timeout
        "10002": Meaning.CLOCK,
        "10006": Meaning.TURNED_AWAY,  # too many visits
        "10018": Meaning.TURNED_AWAY,  # too many visits of the address
        "170005": Meaning.TURNED_AWAY,  # too many new orders
        "110072": Meaning.DUPLICATE,  # OrderLinkedID is duplicate
        "170141": Meaning.DUPLICATE,  # duplicate clientOrderId
        **dict.fromkeys(("110001", "110008", "110010", "170139", "170142", "170143", "170213"), Meaning.ABSENT),
        **dict.fromkeys(
            (
                *("10001", "10003", "10004", "10005", "10007", "10008", "10009", "10010", "10024", "10027", "10029"),
                *("110003", "110004", "110007", "110009", "110012", "110017", "110094"),
                *("170121", "170124", "170130", "170131", "170132", "170133", "170134", "170135", "170136", "170137"),
                *("170140", "170210"),
            ),
            Meaning.REFUSED,
        ),
    }
)
_STATES = MappingProxyType(
    {
        "New": ExecType.STATUS,
        "PartiallyFilled": ExecType.STATUS,
        "Untriggered": ExecType.STATUS,
        "Triggered": ExecType.TRIGGERED,
        "Filled": ExecType.STATUS,
        "Cancelled": ExecType.CANCELED,
        "PartiallyFilledCanceled": ExecType.CANCELED,
        "Deactivated": ExecType.CANCELED,
        "Rejected": ExecType.REJECTED,
    }
)
_TIF = {TimeInForce.DAY: "GTC", TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}


def judge(answer: Answer) -> Verdict | None:
    """By status, then by retCode."""
    turned_away = refused_at_the_door(answer)
    if turned_away is not None:
        return turned_away
    if answer.status != 200 or not isinstance(answer.data, dict) or "retCode" not in answer.data:
        return unclear(answer, "", "")
    code, text = str(answer.data["retCode"]), str(answer.data.get("retMsg", ""))
    return None if code == "0" else by_table(answer, code, text, CODES)


def _submit(settings: CcxtSettings, listing: Listing, request: OrderRequest) -> Call:
    at_limit = request.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT)
    params: dict[str, Any] = {
        "category": settings.category,
        "symbol": listing.name,
        "side": "Buy" if request.side == Side.BUY else "Sell",
        "orderType": "Limit" if at_limit else "Market",
        "qty": listing.qty_text(request.order_qty),
        "orderLinkId": request.cl_ord_id,
    }
    if at_limit:
        params |= {"price": listing.px_text(request.px), "timeInForce": _TIF[TimeInForce(request.time_in_force)]}
    if request.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT):
        params["triggerPrice"] = listing.px_text(request.stop_px)
    if settings.category == "spot":
        params["marketUnit"] = "baseCoin"  # a purchase at market would be counted in the quote currency
        if "triggerPrice" in params:
            params["orderFilter"] = "StopOrder"
    else:
        params["positionIdx"] = 0
        if request.reduce_only:
            params["reduceOnly"] = True
        if "triggerPrice" in params:
            params["triggerDirection"] = 1 if request.side == Side.BUY else 2
    return ("private", "POST", "v5/order/create"), params


def _cancel(settings: CcxtSettings, listing: Listing, request: OrderRequest, order_id: str) -> Call:
    by = {"orderId": order_id} if order_id else {"orderLinkId": request.cl_ord_id}
    return ("private", "POST", "v5/order/cancel"), {"category": settings.category, "symbol": listing.name, **by}


def _looks(settings: CcxtSettings, listing: Listing, request: OrderRequest) -> tuple[Call, ...]:
    params = {"category": settings.category, "symbol": listing.name, "orderLinkId": request.cl_ord_id}
    return (("private", "GET", "v5/order/realtime"), params), (("private", "GET", "v5/order/history"), params)


def _fills(settings: CcxtSettings, listing: Listing, order_id: str) -> Call:
    params = {"category": settings.category, "symbol": listing.name, "orderId": order_id, "limit": 100}
    return ("private", "GET", "v5/execution/list"), params


def _balances_of(data: Any) -> list[tuple[str, str, str]]:
    coins = [coin for account in data["result"]["list"] for coin in account["coin"]]
    return [(coin["coin"], coin["walletBalance"], _free(coin)) for coin in coins]


def _free(coin: Any) -> str:
    """What is not locked by spot orders; a unified account tells no other figure by coin."""
    return str(Decimal(coin["walletBalance"]) - Decimal(coin.get("locked") or "0"))


def _permissions_of(data: Any) -> tuple[bool, bool | None]:
    told = data["result"]
    permissions = told.get("permissions", {})
    trades = told.get("readOnly") == 0 and bool(permissions.get("Spot") or permissions.get("ContractTrade"))
    return trades, "Withdraw" in permissions.get("Wallet", ())


BYBIT = Dialect(
    client_id=r"[A-Za-z0-9_-]{1,36}",
    client_id_max=36,
    window_ms=0,
    ord_types=frozenset(OrdType),
    judge=judge,
    names=OrderNames(
        "orderId",
        "orderLinkId",
        "orderStatus",
        "cumExecQty",
        "qty",
        "price",
        "triggerPrice",
        "orderType",
        "updatedTime",
        "symbol",
        _STATES,
    ),
    trade_names=TradeNames("execId", "orderId", "execPrice", "execQty", "execFee", "feeCurrency", "execTime", "symbol"),
    order_rows=lambda data: data["result"]["list"],
    trade_rows=lambda data: [row for row in data["result"]["list"] if row.get("execType", "Trade") == "Trade"],
    new_order_id=lambda data: str(data["result"]["orderId"]),
    submit=_submit,
    cancel=_cancel,
    looks=_looks,
    fills=_fills,
    open_orders=lambda settings: (
        ("private", "GET", "v5/order/realtime"),
        {"category": settings.category, "openOnly": 0, "limit": 50}
        | ({} if settings.category == "spot" else {"settleCoin": settings.currency}),
    ),
    executions=lambda settings, since_ms: (
        ("private", "GET", "v5/execution/list"),
        {"category": settings.category, "startTime": since_ms, "limit": 100},
    ),
    balances=lambda settings: (("private", "GET", "v5/account/wallet-balance"), {"accountType": "UNIFIED"}),
    balances_of=_balances_of,
    clock=(("public", "GET", "v5/market/time"), {}),
    clock_of=lambda data: int(data["time"]),
    permissions=(("private", "GET", "v5/user/query-api"), {}),
    permissions_of=_permissions_of,
)
