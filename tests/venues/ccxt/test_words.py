"""Binance's payloads as reports: what a wrong reading would break."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from tests.venues.ccxt.orders import USDM, order, settings
from tests.venues.ccxt.raw_server import http, raw_server

from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.venues.ccxt import BinanceVenue
from surefill.venues.ccxt.binance import words
from surefill.venues.ccxt.filters import Filters
from surefill.venues.ccxt.listing import Listing

BTC = Listing("BTC/USDT", "BTCUSDT", "BTC", "USDT", 2, 5, Filters())
FINE = Listing("BTC/USDT", "BTCUSDT", "BTC", "USDT", 2, 8, Filters())
MONEY = words.Money("USDT", 8)
EVENT: dict[str, Any] = {
    "s": "BTCUSDT",
    "c": "ours",
    "C": "",
    "S": "SELL",
    "o": "LIMIT",
    "x": "NEW",
    "X": "NEW",
    "i": 4,
    "l": "0.00000000",
    "z": "0.00000000",
    "L": "0.00000000",
    "n": "0",
    "N": None,
    "T": 5,
    "t": -1,
    "w": True,
    "r": "NONE",
}


@pytest.mark.parametrize(
    ("changed", "exec_type", "cl_ord_id", "cum_qty"),
    [
        ({}, ExecType.NEW, "ours", 0),
        ({"c": "cancel-7", "C": "ours", "x": "CANCELED", "X": "CANCELED"}, ExecType.CANCELED, "ours", 0),
        ({"C": "null"}, ExecType.NEW, "ours", 0),
        ({"x": "TRADE", "X": "FILLED", "l": "0.01", "z": "0.01", "L": "1.5", "t": 3}, ExecType.TRADE, "ours", -1),
        ({"x": "CALCULATED", "X": "FILLED", "l": "0.01", "L": "1.5", "t": 3}, ExecType.TRADE, "ours", -1),
        ({"x": "EXPIRED", "X": "EXPIRED", "z": "0.01"}, ExecType.EXPIRED, "ours", 1_000),
        ({"x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH", "z": "0.01"}, ExecType.EXPIRED, "ours", 1_000),
        ({"x": "TRADE_PREVENTION", "X": "NEW"}, ExecType.STATUS, "ours", 0),
        ({"x": "REPLACED", "X": "NEW", "c": "ours", "C": "ours"}, ExecType.STATUS, "ours", 0),
        ({"x": "AMENDMENT", "X": "NEW"}, ExecType.STATUS, "ours", 0),
        ({"x": "REJECTED", "X": "REJECTED", "r": "INSUFFICIENT"}, ExecType.REJECTED, "ours", 0),
        ({"o": "STOP_LOSS", "w": True}, ExecType.TRIGGERED, "ours", 0),
        ({"o": "STOP_LOSS", "w": False}, ExecType.NEW, "ours", 0),
        ({"x": "SOMETHING_NEW"}, ExecType.STATUS, "ours", 0),
    ],
)
def test_report_of_the_stream_is_what_happened(
    changed: dict[str, Any], exec_type: ExecType, cl_ord_id: str, cum_qty: int
) -> None:
    row = EVENT | changed

    report = words.stream_report(BTC, MONEY, row, "raw", words.stream_id(row))

    assert (report.exec_type, report.cl_ord_id, report.cum_qty) == (exec_type, cl_ord_id, cum_qty)
    assert (report.order_id, report.side, report.raw) == ("4", -1, "raw")


@pytest.mark.parametrize(
    ("listing", "amount", "asset", "told"),
    [
        (BTC, "0.5", "USDT", (50_000_000, 0, "", "")),
        (BTC, "-0.5", "USDT", (-50_000_000, 0, "", "")),
        (BTC, "0.5", "BNB", (0, 0, "BNB", "0.5")),
        (BTC, "0.123456789", "USDT", (0, 0, "USDT", "0.123456789")),
        (BTC, "0", None, (0, 0, "", "")),
        (BTC, "0.00000000", "USDT", (0, 0, "", "")),
        (BTC, "0.00002000", "BTC", (0, 2, "", "")),
        (BTC, "0.00000123", "BTC", (0, 0, "BTC", "0.00000123")),
        (BTC, "-0.00002", "BTC", (0, 0, "BTC", "-0.00002")),
        (FINE, "0.00000123", "BTC", (0, 123, "", "")),
        (msgspec.structs.replace(FINE, perpetual=True), "0.00000123", "BTC", (0, 0, "BTC", "0.00000123")),
    ],
)
def test_commission_is_counted_in_what_it_was_taken_out_of(
    listing: Listing, amount: str, asset: str | None, told: tuple[int, int, str, str]
) -> None:
    assert words.fee_of(listing, MONEY, amount, asset) == told


@pytest.mark.parametrize(
    ("status", "exec_type"),
    [
        ("NEW", ExecType.STATUS),
        ("FILLED", ExecType.STATUS),
        ("CANCELED", ExecType.CANCELED),
        ("EXPIRED", ExecType.EXPIRED),
        ("EXPIRED_IN_MATCH", ExecType.EXPIRED),
        ("REJECTED", ExecType.REJECTED),
        ("A_STATE_OF_TOMORROW", ExecType.STATUS),
    ],
)
def test_state_of_an_order_ends_it_only_where_it_says_so(status: str, exec_type: ExecType) -> None:
    row = {"orderId": 4, "status": status, "executedQty": "0.00100000", "side": "BUY", "type": "LIMIT"}

    report = words.state_report(BTC, row, "ours")

    assert (report.exec_type, report.cum_qty) == (exec_type, 100)


def test_price_finer_than_the_instrument_is_refused_and_not_rounded() -> None:
    with pytest.raises(VenueOutcomeUnknown, match="finer"):
        BTC.px("1.001")
    assert BTC.px("1.01000000") == 101


@pytest.mark.parametrize("prefix", words.VENUE_PREFIXES)
def test_orders_that_the_venue_makes_are_named_so(prefix: str) -> None:
    row = EVENT | {"c": f"{prefix}123"}

    assert words.stream_report(BTC, MONEY, row, "", words.stream_id(row)).text == "made by the venue"


def test_triggered_order_under_an_id_of_its_own_is_told_under_ours() -> None:
    """What a conditional order becomes has a number, and may have a client id, that we have never seen."""
    told: list[VenueReport] = []

    async def story() -> None:
        async with raw_server() as raw:
            raw.answers["GET /fapi/v1/algoOrder"] = http(200, {"algoId": 1, "actualOrderId": "555"})
            venue = BinanceVenue(settings("binanceusdm", raw.url))
            streams = venue._streams
            streams._sink = told.append
            try:
                listing = await venue._lookup.listing(USDM)
                streams.expect(listing, order("stop").cl_ord_id)
                fill = {"x": "TRADE", "X": "FILLED", "l": "0.01", "L": "1.5", "t": 3, "c": "theirs", "i": 555}
                for row in (EVENT | {"c": "theirs", "i": 555}, EVENT | fill):
                    streams._take(json.dumps({"e": "ORDER_TRADE_UPDATE", "o": row}))
                assert told == []
                await asyncio.gather(*venue._tasks)
            finally:
                await venue.close()

    asyncio.run(story())
    assert [(each.cl_ord_id, each.exec_type) for each in told] == [("stop", ExecType.NEW), ("stop", ExecType.TRADE)]
