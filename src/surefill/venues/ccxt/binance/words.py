"""Binance's payloads as surefill's reports, orders and quotes. Pure: no clock, no connection.

Sources: binance-spot-api-docs, rest-api.md and user-data-stream.md; USDⓈ-M futures, "User data streams" and "Trade".
Averages and cumulated values are never used: what was traded is the sum of the trades.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from surefill.domain.market import Quote
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.rules.codes import OrdType, Side
from surefill.units import MONEY_MAX, NS_PER_MS, QTY_MAX, to_quanta
from surefill.venues.ccxt.listing import Listing
from surefill.venues.protocol import OpenOrder

#: Orders that Binance makes itself when it liquidates, deleverages or settles.
VENUE_PREFIXES = ("autoclose-", "adl_autoclose", "settlement_autoclose-")
#: What an order's state in an answer or a query comes to. PENDING_CANCEL is not used today, by the documentation.
STATES = {
    "NEW": ExecType.STATUS,
    "PENDING_NEW": ExecType.STATUS,
    "PARTIALLY_FILLED": ExecType.STATUS,
    "PENDING_CANCEL": ExecType.STATUS,
    "FILLED": ExecType.STATUS,
    "CANCELED": ExecType.CANCELED,
    "REJECTED": ExecType.REJECTED,
    "EXPIRED": ExecType.EXPIRED,
    "EXPIRED_IN_MATCH": ExecType.EXPIRED,
}
#: What happened, in a report of the stream. CALCULATED: a liquidation's fill. TRADE_PREVENTION only takes quantity
#: away; the end of the order is a report of its own.
HAPPENED = {
    "NEW": ExecType.NEW,
    "TRADE": ExecType.TRADE,
    "CALCULATED": ExecType.TRADE,
    "CANCELED": ExecType.CANCELED,
    "EXPIRED": ExecType.EXPIRED,
    "REJECTED": ExecType.REJECTED,
    "REPLACED": ExecType.STATUS,
    "AMENDMENT": ExecType.STATUS,
    "TRADE_PREVENTION": ExecType.STATUS,
}
ALGO_STATES = {
    "NEW": ExecType.STATUS,
    "TRIGGERING": ExecType.STATUS,
    "TRIGGERED": ExecType.TRIGGERED,
    "FINISHED": ExecType.TRIGGERED,
    "CANCELED": ExecType.CANCELED,
    "REJECTED": ExecType.REJECTED,
    "EXPIRED": ExecType.EXPIRED,
}
_STOPS = {"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"}
_TYPES = {
    "MARKET": OrdType.MARKET,
    "LIMIT": OrdType.LIMIT,
    "LIMIT_MAKER": OrdType.LIMIT,
    "STOP_LOSS": OrdType.STOP,
    "STOP_MARKET": OrdType.STOP,
    "TAKE_PROFIT": OrdType.STOP,
    "TAKE_PROFIT_MARKET": OrdType.STOP,
    "TRAILING_STOP_MARKET": OrdType.STOP,
    "LIQUIDATION": OrdType.MARKET,
    "STOP_LOSS_LIMIT": OrdType.STOP_LIMIT,
    "STOP": OrdType.STOP_LIMIT,
    "TAKE_PROFIT_LIMIT": OrdType.STOP_LIMIT,
}
ALGO_ID = "algo-"


class Money(msgspec.Struct, frozen=True):
    """What fees in the account's own money are counted in."""

    currency: str
    decimals: int


class Fee(NamedTuple):
    """A commission: in money quanta, or in quantity quanta of the thing traded, or as `amount` of another `asset`."""

    money: int = 0
    qty: int = 0
    asset: str = ""
    amount: str = ""


def fee_of(listing: Listing, money: Money, amount: Any, asset: Any) -> Fee:
    """A commission, exactly; one that is finer than what it would be counted in is kept as an amount of its asset."""
    if not asset or not amount or not Decimal(str(amount)):
        return Fee()
    try:
        if asset == listing.base and not listing.perpetual:
            text = f"{Decimal(str(amount)).normalize():f}"
            return Fee(qty=to_quanta(text, listing.qty_decimals, field="commission", max_quanta=QTY_MAX))
        if asset == money.currency:
            fee = to_quanta(amount, money.decimals, field="commission", max_quanta=MONEY_MAX, allow_negative=True)
            return Fee(fee)
    except InputError:
        pass
    return Fee(asset=str(asset), amount=str(amount))


def raw_of(row: Any) -> str:
    """A payload as text."""
    return json.dumps(row, separators=(",", ":"))


def bucket_of(side: Any) -> str:
    """The position side; BOTH, the only one in one-way mode, is none."""
    return "" if side in (None, "", "BOTH") else str(side)


def side_of(row: Mapping[str, Any]) -> int:
    """+1 or -1, from the names that orders and trades use; 0 where none is told."""
    for name in ("side", "S"):
        if name in row:
            return Side.BUY if row[name] == "BUY" else Side.SELL
    for name in ("isBuyer", "buyer"):
        if name in row:
            return Side.BUY if row[name] else Side.SELL
    return 0


def state_report(listing: Listing, row: Mapping[str, Any], cl_ord_id: str, raw: str = "") -> VenueReport:
    """The state of an order as an answer or a query tells it."""
    status = str(row.get("status", "NEW"))
    exec_type = STATES.get(status, ExecType.STATUS)
    triggered = row.get("type") in _STOPS and row.get("isWorking") is True
    if exec_type is ExecType.STATUS and triggered:
        exec_type = ExecType.TRIGGERED
    return VenueReport(
        cl_ord_id,
        exec_type,
        str(row["orderId"]),
        cum_qty=listing.qty(row.get("executedQty")),
        transact_ns=_ns(row, "updateTime", "transactTime", "time"),
        code=status if exec_type in (ExecType.REJECTED, ExecType.EXPIRED) else "",
        text=_venue_text(cl_ord_id) or status,
        raw=raw or raw_of(row),
        instrument_id=listing.instrument_id,
        bucket=bucket_of(row.get("positionSide")),
        side=side_of(row),
    )


def new_report(listing: Listing, row: Mapping[str, Any], cl_ord_id: str, raw: str) -> VenueReport:
    """That an order was taken."""
    return VenueReport(
        cl_ord_id,
        ExecType.NEW,
        str(row["orderId"]),
        transact_ns=_ns(row, "transactTime", "updateTime"),
        raw=raw,
        instrument_id=listing.instrument_id,
        bucket=bucket_of(row.get("positionSide")),
        side=side_of(row),
    )


def trade_report(listing: Listing, money: Money, row: Mapping[str, Any], cl_ord_id: str) -> VenueReport:
    """One trade of myTrades or userTrades."""
    fee = fee_of(listing, money, row.get("commission"), row.get("commissionAsset"))
    return VenueReport(
        cl_ord_id,
        ExecType.TRADE,
        str(row["orderId"]),
        str(row["id"]),
        listing.px(row["price"]),
        listing.qty(row["qty"]),
        fee.money,
        transact_ns=_ns(row, "time"),
        text=_venue_text(cl_ord_id),
        raw=raw_of(row),
        instrument_id=listing.instrument_id,
        bucket=bucket_of(row.get("positionSide")),
        side=side_of(row),
        fee_asset=fee.asset,
        fee_amount=fee.amount,
        fee_qty=fee.qty,
    )


def fill_reports(listing: Listing, money: Money, row: Mapping[str, Any], cl_ord_id: str) -> list[VenueReport]:
    """The trades that the answer to a new spot order carries (newOrderRespType=FULL)."""
    shared = {"orderId": row["orderId"], "time": row.get("transactTime", 0), "side": row["side"]}
    trades = [{**fill, **shared, "id": fill["tradeId"]} for fill in row.get("fills") or ()]
    return [trade_report(listing, money, each, cl_ord_id) for each in trades]


def stream_report(listing: Listing, money: Money, row: Mapping[str, Any], raw: str, cl_ord_id: str) -> VenueReport:
    """An executionReport (spot), or the `o` of an ORDER_TRADE_UPDATE (USD-M): the fields have the same names."""
    exec_type = HAPPENED.get(str(row["x"]), ExecType.STATUS)
    if exec_type is ExecType.NEW and row.get("o") in _STOPS and row.get("w") is True:
        exec_type = ExecType.TRIGGERED
    if exec_type is ExecType.STATUS and row.get("X") == "EXPIRED_IN_MATCH":
        exec_type = ExecType.EXPIRED
    traded = exec_type is ExecType.TRADE
    fee = fee_of(listing, money, row.get("n"), row.get("N")) if traded else Fee()
    reason = str(row.get("r", ""))
    return VenueReport(
        cl_ord_id,
        exec_type,
        str(row["i"]),
        str(row["t"]) if traded else "",
        listing.px(row["L"]) if traded else 0,
        listing.qty(row["l"]) if traded else 0,
        fee.money,
        -1 if traded else listing.qty(row.get("z")),
        _ns(row, "T"),
        reason if exec_type is ExecType.REJECTED else "",
        _venue_text(cl_ord_id) or ("" if reason == "NONE" else reason),
        raw,
        instrument_id=listing.instrument_id,
        bucket=bucket_of(row.get("ps")),
        side=side_of(row),
        fee_asset=fee.asset,
        fee_amount=fee.amount,
        fee_qty=fee.qty,
    )


def stream_id(row: Mapping[str, Any]) -> str:
    """Our client order id in a report of the stream: after a cancel `c` is the cancel's own, and `C` the order's."""
    was = str(row.get("C") or "")
    return was if was not in ("", "null") else str(row.get("c", ""))


def algo_report(listing: Listing, row: Mapping[str, Any], cl_ord_id: str, raw: str = "") -> VenueReport:
    """A conditional order of USD-M, from a query or (long names) from the stream: see `algo_named`.

    Once it has been triggered its number is that of the order which it became.
    """
    status = str(row.get("algoStatus", "NEW"))
    actual = str(row.get("actualOrderId") or "")
    exec_type = ALGO_STATES.get(status, ExecType.STATUS)
    return VenueReport(
        cl_ord_id,
        exec_type,
        actual or f"{ALGO_ID}{row['algoId']}",
        cum_qty=0 if exec_type in (ExecType.CANCELED, ExecType.EXPIRED) else -1,
        transact_ns=_ns(row, "updateTime", "createTime"),
        code=status if exec_type in (ExecType.REJECTED, ExecType.EXPIRED) else "",
        text=str(row.get("rm") or status),
        raw=raw or raw_of(row),
        instrument_id=listing.instrument_id,
        bucket=bucket_of(row.get("positionSide")),
        side=side_of(row),
    )


_ALGO_NAMES = {
    "caid": "clientAlgoId",
    "aid": "algoId",
    "o": "orderType",
    "s": "symbol",
    "S": "side",
    "ps": "positionSide",
    "q": "quantity",
    "X": "algoStatus",
    "ai": "actualOrderId",
    "tp": "triggerPrice",
    "p": "price",
}


def algo_named(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event ALGO_UPDATE with the names that queries use."""
    row = event["o"]
    return {
        **row,
        **{name: row[short] for short, name in _ALGO_NAMES.items() if short in row},
        "updateTime": event["T"],
    }


def open_order(listing: Listing, row: Mapping[str, Any]) -> OpenOrder:
    """An entry of openOrders."""
    return OpenOrder(
        str(row["orderId"]),
        str(row.get("clientOrderId", "")),
        listing.instrument_id,
        bucket_of(row.get("positionSide")),
        side_of(row),
        _TYPES.get(str(row["type"]), OrdType.LIMIT),
        listing.qty(row["origQty"]),
        listing.qty(row["executedQty"]),
        listing.px(row.get("price")),
        listing.px(row.get("stopPrice")),
        raw_of(row),
    )


def open_algo(listing: Listing, row: Mapping[str, Any]) -> OpenOrder:
    """An entry of openAlgoOrders."""
    return OpenOrder(
        f"{ALGO_ID}{row['algoId']}",
        str(row.get("clientAlgoId", "")),
        listing.instrument_id,
        bucket_of(row.get("positionSide")),
        side_of(row),
        _TYPES.get(str(row["orderType"]), OrdType.STOP),
        listing.qty(row["quantity"]),
        0,
        listing.px(row.get("price")),
        listing.px(row.get("triggerPrice")),
        raw_of(row),
    )


class BookTicker(msgspec.Struct, gc=False):
    """Best bid and ask as the stream names them; spot tells no time."""

    s: str = ""
    b: str = ""
    a: str = ""
    B: str = ""
    A: str = ""
    T: int = 0
    E: int = 0


class Told(msgspec.Struct, gc=False):
    """A message of a combined stream. One without `data` answers a request."""

    data: BookTicker | None = None


#: Prices come by the thousand: what is not asked for is not made into anything.
told_by: Callable[[str], Told] = msgspec.json.Decoder(Told).decode


def quote_of(listing: Listing, row: BookTicker, now_ns: int) -> Quote:
    """A bookTicker event. Spot's tells no time: it is dated when it comes."""
    return Quote(
        listing.instrument_id,
        (row.T or row.E) * NS_PER_MS or now_ns,
        bid_px=listing.px(row.b),
        ask_px=listing.px(row.a),
        bid_qty=listing.size(row.B),
        ask_qty=listing.size(row.A),
    )


def best_of(listing: Listing, row: Mapping[str, Any], now_ns: int) -> Quote:
    """What ticker/bookTicker answers."""
    name, bid, ask, bid_qty, ask_qty = (
        str(row[name]) for name in ("symbol", "bidPrice", "askPrice", "bidQty", "askQty")
    )
    return quote_of(listing, BookTicker(name, bid, ask, bid_qty, ask_qty, int(row.get("time") or 0)), now_ns)


def _venue_text(cl_ord_id: str) -> str:
    return "made by the venue" if cl_ord_id.startswith(VENUE_PREFIXES) else ""


def _ns(row: Mapping[str, Any], *names: str) -> int:
    return next((int(row[name]) * NS_PER_MS for name in names if row.get(name)), 0)


def decimal_of(text: str) -> Decimal:
    """An amount as it was told. Raises VenueOutcomeUnknown."""
    try:
        return Decimal(text)
    except ArithmeticError as error:
        raise VenueOutcomeUnknown(f"not an amount: {text!r}") from error
