"""OKX, V5: spot in cash mode. Source: www.okx.com/docs-v5 (order book trading, error code), 2026."""

from __future__ import annotations

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
        "50001": Meaning.UNKNOWN,  # service temporarily unavailable
        "50004": Meaning.UNKNOWN,  # endpoint request timeout: "does not mean that the request was successful or failed"
        "50013": Meaning.UNKNOWN,  # systems are busy
        "50026": Meaning.UNKNOWN,  # system error
        "51149": Meaning.UNKNOWN,  # order timed out
        "50102": Meaning.CLOCK,
        "50011": Meaning.TURNED_AWAY,  # rate limit
        "50061": Meaning.TURNED_AWAY,  # rate limit of the sub-account
        "51016": Meaning.DUPLICATE,  # client order ID already exists
        **dict.fromkeys(("51400", "51401", "51402", "51410", "51603"), Meaning.ABSENT),
        **dict.fromkeys(
            (
                *("50000", "50002", "50005", "50006", "50014", "50100", "50101", "50103", "50104", "50105", "50106"),
                *("50107", "50110", "50111", "50112", "50113", "50114", "50119", "50120"),
                *("51000", "51001", "51003", "51004", "51005", "51006", "51008", "51010", "51011", "51014", "51020"),
                *("51119", "51120", "51121", "51127", "51131", "51136", "51137", "51138"),
            ),
            Meaning.REFUSED,
        ),
    }
)
_STATES = MappingProxyType(
    {
        "live": ExecType.STATUS,
        "partially_filled": ExecType.STATUS,
        "filled": ExecType.STATUS,
        "canceled": ExecType.CANCELED,
        "mmp_canceled": ExecType.CANCELED,
    }
)
_LIMITS = {
    TimeInForce.DAY: "limit",
    TimeInForce.GTC: "limit",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
}


def judge(answer: Answer) -> Verdict | None:
    """By status, then by the row's sCode where the answer as a whole says only that something failed (1, 2)."""
    turned_away = refused_at_the_door(answer)
    if turned_away is not None:
        return turned_away
    if answer.status >= 500 or not isinstance(answer.data, dict) or "code" not in answer.data:
        return unclear(answer, "", "")
    code, text = str(answer.data["code"]), str(answer.data.get("msg", ""))
    rows = answer.data.get("data")
    if code in ("1", "2") and isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict):
        code, text = str(rows[0].get("sCode", code)), str(rows[0].get("sMsg", text))
    if code == "0" and answer.status == 200:
        return None
    return by_table(answer, code, text, CODES)


def _submit(settings: CcxtSettings, listing: Listing, request: OrderRequest) -> Call:
    params: dict[str, Any] = {
        "instId": listing.name,
        "tdMode": "cash",
        "clOrdId": request.cl_ord_id,
        "side": "buy" if request.side == Side.BUY else "sell",
        "sz": listing.qty_text(request.order_qty),
    }
    if request.ord_type == OrdType.LIMIT:
        params |= {"ordType": _LIMITS[TimeInForce(request.time_in_force)], "px": listing.px_text(request.px)}
    else:
        params |= {"ordType": "market", "tgtCcy": "base_ccy"}  # a purchase would be counted in the quote currency
    return ("private", "POST", "trade/order"), params


def _cancel(settings: CcxtSettings, listing: Listing, request: OrderRequest, order_id: str) -> Call:
    by = {"ordId": order_id} if order_id else {"clOrdId": request.cl_ord_id}
    return ("private", "POST", "trade/cancel-order"), {"instId": listing.name, **by}


def _looks(settings: CcxtSettings, listing: Listing, request: OrderRequest) -> tuple[Call, ...]:
    """One endpoint knows open orders and those of the last days; canceled ones without a fill for two hours."""
    order = ("private", "GET", "trade/order"), {"instId": listing.name, "clOrdId": request.cl_ord_id}
    history = ("private", "GET", "trade/orders-history"), {"instType": "SPOT", "instId": listing.name}
    return order, history


OKX = Dialect(
    client_id=r"[A-Za-z0-9]{1,32}",
    client_id_max=32,
    window_ms=30_000,  # a time stamp is refused 30 s after (50102)
    ord_types=frozenset({OrdType.MARKET, OrdType.LIMIT}),
    judge=judge,
    names=OrderNames(
        "ordId", "clOrdId", "state", "accFillSz", "sz", "px", "slTriggerPx", "ordType", "uTime", "instId", _STATES
    ),
    trade_names=TradeNames("tradeId", "ordId", "fillPx", "fillSz", "fee", "feeCcy", "ts", "instId", fee_sign=-1),
    order_rows=lambda data: data["data"],
    trade_rows=lambda data: data["data"],
    new_order_id=lambda data: str(data["data"][0]["ordId"]),
    submit=_submit,
    cancel=_cancel,
    looks=_looks,
    fills=lambda settings, listing, order_id: (
        ("private", "GET", "trade/fills"),
        {"instType": "SPOT", "instId": listing.name, "ordId": order_id},
    ),
    open_orders=lambda settings: (("private", "GET", "trade/orders-pending"), {"instType": "SPOT"}),
    executions=lambda settings, since_ms: (
        ("private", "GET", "trade/fills-history"),
        {"instType": "SPOT", "begin": since_ms, "limit": 100},
    ),
    balances=lambda settings: (("private", "GET", "account/balance"), {}),
    balances_of=lambda data: [
        (row["ccy"], row["cashBal"], row["availBal"]) for account in data["data"] for row in account["details"]
    ],
    clock=(("public", "GET", "public/time"), {}),
    clock_of=lambda data: int(data["data"][0]["ts"]),
    permissions=(("private", "GET", "account/config"), {}),
    permissions_of=lambda data: (
        "trade" in data["data"][0]["perm"].split(","),
        "withdraw" in data["data"][0]["perm"].split(","),
    ),
)
