"""Bybit, OKX and Coinbase through ccxt's real clients, against a server that gives their documented answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from tests.venues.ccxt.orders import SPOT
from tests.venues.ccxt.orders import order as order_of
from tests.venues.ccxt.raw_server import RESET, RawServer, http, raw_server

from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import Side
from surefill.secret import Secret
from surefill.venues.ccxt import CcxtSettings, ExchangeVenue, Keys
from surefill.venues.ccxt.filters import Filters
from surefill.venues.ccxt.listing import Listing
from surefill.venues.protocol import Accepted, Outcome, Rejected, Unknown

T = TypeVar("T")
NAMES = {"bybit": "BTCUSDT", "okx": "BTC-USDT", "coinbase": "BTC-USDT"}
SUBMIT = {
    "bybit": "POST /v5/order/create",
    "okx": "POST /api/v5/trade/order",
    "coinbase": "POST /api/v3/brokerage/orders",
}
CLOCK = {
    "bybit": ("GET /v5/market/time", {"retCode": 0, "result": {}, "time": 1_700_000_000_000}),
    "okx": ("GET /api/v5/public/time", {"code": "0", "data": [{"ts": "1700000000000"}]}),
    "coinbase": ("GET /api/v3/brokerage/time", {"epochMillis": "1700000000000"}),
}


def order(cl_ord_id: str, **terms: Any) -> OrderRequest:
    """A hundredth of a bitcoin, as these exchanges count it: in steps."""
    return order_of(cl_ord_id, **{"qty": 1_000, **terms})


def bybit(code: int, text: str = "") -> bytes:
    return http(200, {"retCode": code, "retMsg": text, "result": {"orderId": "77", "orderLinkId": "a"}})


def okx(code: str, text: str = "") -> bytes:
    row = {"ordId": "77", "clOrdId": "a", "sCode": code, "sMsg": text}
    return http(200, {"code": "0" if code == "0" else "1", "msg": "", "data": [row]})


def coinbase(error: str = "") -> bytes:
    if error:
        return http(200, {"success": False, "error_response": {"error": error, "message": "no"}})
    return http(200, {"success": True, "success_response": {"order_id": "77", "client_order_id": "a"}})


async def at(exchange: str, answers: dict[str, bytes], story: Callable[[ExchangeVenue, RawServer], Awaitable[T]]) -> T:
    async with raw_server() as raw:
        path, told = CLOCK[exchange]
        raw.answers = {path: http(200, told), **answers}
        keys = Keys(Secret("key"), Secret(ec_key() if exchange == "coinbase" else "secret"), Secret("word"))
        venue = ExchangeVenue(CcxtSettings(exchange, keys=keys, rest_url=raw.url, timeout_s=1.0))
        filters = Filters(price_decimals=2, qty_decimals=5, tick=1, lot=1)
        listing = Listing(SPOT, NAMES[exchange], "BTC", "USDT", 2, 5, filters)
        venue._listings, venue._by_name = {SPOT: listing}, {listing.name: listing}
        try:
            return await story(venue, raw)
        finally:
            await venue.close()


def ec_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


ROWS: list[tuple[str, bytes, type[Outcome], str, bool]] = [
    ("bybit", bybit(0), Accepted, "", False),
    ("bybit", bybit(10_000), Unknown, "10000", False),
    ("bybit", bybit(170_146), Unknown, "170146", False),
    ("bybit", bybit(170_141), Unknown, "170141", False),
    ("bybit", bybit(110_072), Unknown, "110072", False),
    ("bybit", bybit(123_456), Unknown, "123456", False),
    ("bybit", bybit(170_131), Rejected, "170131", False),
    ("bybit", bybit(10_006), Rejected, "10006", True),
    ("bybit", bybit(10_002), Rejected, "10002", True),
    ("okx", okx("0"), Accepted, "", False),
    ("okx", okx("51008"), Rejected, "51008", False),
    ("okx", okx("51016"), Unknown, "51016", False),
    ("okx", okx("99999"), Unknown, "99999", False),
    ("okx", http(200, {"code": "50004", "msg": "timeout", "data": []}), Unknown, "50004", False),
    ("okx", http(429, {"code": "50011", "msg": "Rate limit reached", "data": []}), Rejected, "HTTP_429", True),
    ("okx", http(503, {"code": "50001", "msg": "Service temporarily unavailable"}), Unknown, "503", False),
    ("coinbase", coinbase(), Accepted, "", False),
    ("coinbase", coinbase("INSUFFICIENT_FUND"), Rejected, "INSUFFICIENT_FUND", False),
    ("coinbase", coinbase("UNKNOWN_FAILURE_REASON"), Unknown, "UNKNOWN_FAILURE_REASON", False),
    ("coinbase", coinbase("SOMETHING_NEW"), Unknown, "SOMETHING_NEW", False),
    ("coinbase", http(500, "oops"), Unknown, "500", False),
    *[(exchange, RESET, Unknown, "NO_ANSWER", False) for exchange in NAMES],
]


@pytest.mark.parametrize(("exchange", "answer", "kind", "code", "undelivered"), ROWS)
def test_order_is_judged_by_the_raw_code_and_sent_once(
    exchange: str, answer: bytes, kind: type[Outcome], code: str, undelivered: bool
) -> None:
    async def story(venue: ExchangeVenue, raw: RawServer) -> tuple[Outcome, int]:
        return await venue.submit(order("a", px=50_000)), raw.count(SUBMIT[exchange])

    outcome, sent = asyncio.run(at(exchange, {SUBMIT[exchange]: answer}, story))

    assert isinstance(outcome, kind), outcome
    assert sent == 1
    if isinstance(outcome, Rejected):
        assert (outcome.code, outcome.undelivered) == (code, undelivered)
    if isinstance(outcome, Unknown):
        assert code in outcome.reason
    if isinstance(outcome, Accepted):
        assert [(each.order_id, each.exec_type) for each in outcome.reports] == [("77", ExecType.NEW)]


LOOKS: dict[str, dict[str, bytes]] = {
    "bybit": {
        "GET /v5/order/realtime": http(200, {"retCode": 0, "result": {"list": []}}),
        "GET /v5/order/history": http(
            200,
            {
                "retCode": 0,
                "result": {
                    "list": [
                        {
                            "orderId": "77",
                            "orderLinkId": "a",
                            "symbol": "BTCUSDT",
                            "side": "Buy",
                            "orderStatus": "PartiallyFilledCanceled",
                            "cumExecQty": "0.004",
                            "qty": "0.01",
                            "price": "50000",
                            "updatedTime": "1700000000001",
                        }
                    ]
                },
            },
        ),
        "GET /v5/execution/list": http(
            200,
            {
                "retCode": 0,
                "result": {
                    "list": [
                        {
                            "execId": "e1",
                            "orderId": "77",
                            "orderLinkId": "a",
                            "symbol": "BTCUSDT",
                            "side": "Buy",
                            "execPrice": "50000",
                            "execQty": "0.004",
                            "execFee": "0.2",
                            "feeCurrency": "USDT",
                            "execTime": "1700000000001",
                            "execType": "Trade",
                        }
                    ]
                },
            },
        ),
    },
    "okx": {
        "GET /api/v5/trade/order": http(
            200,
            {
                "code": "0",
                "data": [
                    {
                        "ordId": "77",
                        "clOrdId": "a",
                        "instId": "BTC-USDT",
                        "side": "buy",
                        "state": "canceled",
                        "accFillSz": "0.004",
                        "sz": "0.01",
                        "px": "50000",
                        "uTime": "1700000000001",
                    }
                ],
            },
        ),
        "GET /api/v5/trade/fills": http(
            200,
            {
                "code": "0",
                "data": [
                    {
                        "tradeId": "e1",
                        "ordId": "77",
                        "clOrdId": "a",
                        "instId": "BTC-USDT",
                        "side": "buy",
                        "fillPx": "50000",
                        "fillSz": "0.004",
                        "fee": "-0.2",
                        "feeCcy": "USDT",
                        "ts": "1700000000001",
                    }
                ],
            },
        ),
    },
    "coinbase": {
        "GET /api/v3/brokerage/orders/historical/batch": http(
            200,
            {
                "orders": [
                    {
                        "order_id": "77",
                        "client_order_id": "a",
                        "product_id": "BTC-USDT",
                        "side": "BUY",
                        "status": "CANCELLED",
                        "filled_size": "0.004",
                        "created_time": "2023-11-14T22:13:20.001Z",
                        "order_configuration": {"limit_limit_gtc": {"base_size": "0.01", "limit_price": "50000"}},
                    }
                ]
            },
        ),
        "GET /api/v3/brokerage/orders/historical/fills": http(
            200,
            {
                "fills": [
                    {
                        "trade_id": "e1",
                        "order_id": "77",
                        "product_id": "BTC-USDT",
                        "side": "BUY",
                        "price": "50000",
                        "size": "0.004",
                        "commission": "0.2",
                        "trade_time": "2023-11-14T22:13:20.001Z",
                    }
                ]
            },
        ),
    },
}


@pytest.mark.parametrize("exchange", list(LOOKS))
def test_query_tells_trades_then_the_end(exchange: str) -> None:
    async def story(venue: ExchangeVenue, raw: RawServer) -> None:
        told = await venue.query(order("a", px=50_000))

        assert told.found
        trade, end = told.reports
        assert (trade.exec_type, trade.exec_id, trade.last_px, trade.last_qty) == (ExecType.TRADE, "e1", 5_000_000, 400)
        assert (trade.fee, trade.fee_asset, trade.side) == (20_000_000, "", Side.BUY)
        assert (end.exec_type, end.cum_qty, end.order_id) == (ExecType.CANCELED, 400, "77")
        assert end.transact_ns == 1_700_000_000_001_000_000

    asyncio.run(at(exchange, LOOKS[exchange], story))


@pytest.mark.parametrize("exchange", list(LOOKS))
def test_look_that_fails_is_no_empty_answer(exchange: str) -> None:
    async def story(venue: ExchangeVenue, raw: RawServer) -> None:
        for look in (venue.open_orders, venue.balances, lambda: venue.query(order("a")), lambda: venue.executions(0)):
            with pytest.raises(VenueOutcomeUnknown):
                await look()

    broken = {
        path: http(200, {"retCode": 0, "code": "0"})
        for path in (
            *("GET /v5/order/realtime", "GET /v5/account/wallet-balance", "GET /v5/execution/list"),
            *("GET /api/v5/trade/orders-pending", "GET /api/v5/account/balance", "GET /api/v5/trade/order"),
            "GET /api/v5/trade/fills-history",
            *("GET /api/v3/brokerage/orders/historical/batch", "GET /api/v3/brokerage/accounts"),
            "GET /api/v3/brokerage/orders/historical/fills",
        )
    }
    asyncio.run(at(exchange, broken, story))


@pytest.mark.parametrize(
    ("exchange", "path", "answer"),
    [
        ("bybit", "POST /v5/order/cancel", bybit(110_001)),
        ("okx", "POST /api/v5/trade/cancel-order", okx("51400")),
        (
            "coinbase",
            "POST /api/v3/brokerage/orders/batch_cancel",
            http(200, {"results": [{"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": "77"}]}),
        ),
    ],
)
def test_cancel_of_what_is_over_tells_how_it_ended(exchange: str, path: str, answer: bytes) -> None:
    async def story(venue: ExchangeVenue, raw: RawServer) -> Outcome:
        return await venue.cancel(order("a", px=50_000), "77")

    outcome = asyncio.run(at(exchange, {path: answer, **LOOKS[exchange]}, story))

    assert isinstance(outcome, Accepted), outcome
    assert [ExecType(each.exec_type).name for each in outcome.reports] == ["TRADE", "CANCELED"]


@pytest.mark.parametrize("exchange", list(LOOKS))
def test_clock_of_the_exchange_is_measured(exchange: str) -> None:
    async def story(venue: ExchangeVenue, raw: RawServer) -> None:
        await venue.compare_clock()
        assert venue._wire.clock_ahead_ns < -(10**9)

    asyncio.run(at(exchange, {}, story))
