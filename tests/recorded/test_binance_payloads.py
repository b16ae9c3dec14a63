"""Binance's documented payloads and codes, and exchangeInfo and streams as recorded, through the adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.recorded.recordings import recorded

from surefill.domain.reports import ExecType
from surefill.venues.ccxt.binance import words
from surefill.venues.ccxt.binance.codes import SPOT, judge_spot
from surefill.venues.ccxt.binance.instruments import listings_of
from surefill.venues.ccxt.filters import Filters
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.verdict import Meaning
from surefill.venues.ccxt.wire import Answer

MONEY = words.Money("USDT", 8)
EIGHT = Listing("X/Y", "X", "X", "Y", 8, 8, Filters())
#: SAFETY: a 5xx or one of these proves nothing.
UNPROVEN = {"-1000", "-1001", "-1006", "-1007"}


def documented(*files: str) -> list[dict[str, Any]]:
    found = json.loads(recorded("binance/spot_docs_examples.json").read_text())["examples"]
    return [each for each in found if each["file"] in files]


def told(name: str) -> Any:
    return json.loads(recorded("binance/spot_error_codes.json").read_text())[name]


def test_every_documented_code_has_a_meaning() -> None:
    codes = told("codes")

    assert len(codes) == 102
    assert set(codes) <= set(SPOT)


@pytest.mark.parametrize("code", sorted(UNPROVEN))
def test_documented_code_of_an_unknown_outcome_proves_nothing(code: str) -> None:
    for text in told("codes")[code]["messages"]:
        data = {"code": int(code), "msg": text}
        verdict = judge_spot(Answer(400, json.dumps(data), data))
        assert verdict is not None
        assert verdict.meaning is Meaning.UNKNOWN


def test_every_documented_rejection_of_an_order_is_proof_but_the_duplicate() -> None:
    meanings = {}
    for text in told("order_rejections"):
        data = {"code": -2010, "msg": text}
        verdict = judge_spot(Answer(400, json.dumps(data), data))
        assert verdict is not None
        meanings[text] = verdict.meaning

    assert {text for text, meaning in meanings.items() if meaning is not Meaning.REFUSED} == {"Duplicate order sent."}
    assert len(meanings) > 50


def test_every_documented_error_payload_is_judged_as_an_error() -> None:
    found = [each["payload"] for each in documented("rest-api.md") if str(each["payload"]).startswith("{'code': -")]

    assert len(found) > 5
    for payload in found:
        assert judge_spot(Answer(400, json.dumps(payload), payload)) is not None


def test_documented_answers_to_a_new_order_are_read() -> None:
    found = [each["payload"] for each in documented("rest-api.md") if each["section"] == "New order (TRADE)"]
    full = next(each for each in found if "fills" in each)

    for payload in found:
        assert words.new_report(EIGHT, payload, "a", "").order_id == str(payload["orderId"])
    fills = words.fill_reports(EIGHT, MONEY, full, "a")
    assert [each.exec_id for each in fills] == ["56", "57", "58", "59", "60"]
    assert sum(each.last_qty for each in fills) == EIGHT.qty(full["executedQty"])
    assert [each.fee for each in fills][:2] == [4 * 10**8, 1_999_500_000]


def test_documented_orders_and_trades_are_read() -> None:
    rows = {each["section"]: each["payload"] for each in documented("rest-api.md")}

    order = words.state_report(EIGHT, rows["Query order (USER_DATA)"], "myOrder1")
    assert (order.exec_type, order.order_id, order.cum_qty, order.side) == (ExecType.STATUS, "1", 0, 1)
    trade = words.trade_report(EIGHT, MONEY, rows["Account trade list (USER_DATA)"][0], "a")
    assert (trade.exec_id, trade.last_px, trade.last_qty) == ("28457", 400_000_100, 1_200_000_000)
    assert (trade.fee, trade.fee_asset, trade.fee_amount) == (0, "BNB", "10.10000000")


def test_documented_report_of_the_stream_is_read() -> None:
    events = [each["payload"].get("event", {}) for each in documented("user-data-stream.md")]
    [event] = [each for each in events if each.get("e") == "executionReport"]

    report = words.stream_report(EIGHT, MONEY, event, "", words.stream_id(event))

    assert (report.cl_ord_id, report.exec_type, report.order_id) == ("mUvoqJxFIILMdfAW5iGSOW", ExecType.NEW, "4293153")
    assert report.transact_ns == 1_499_405_658_657_000_000


def http_lines(name: str) -> list[tuple[str, Any]]:
    found = []
    for line in recorded(f"binance/cryptofeed_recorded/{name}").read_text().splitlines():
        asked, arrow, rest = line.partition(" -> ")
        if arrow:
            found.append((asked, json.loads(rest.partition(": ")[2])))
    return found


@pytest.mark.parametrize(
    ("name", "host", "count", "known"),
    [
        (
            "BINANCE.0",
            "https://api.binance.com",
            1_000,
            ("BTC/USDT", 2, 8, 1_000),
        ),  # counted as finely as commissions are
        ("BINANCE_FUTURES.0", "https://fapi.binance.com", 100, ("BTC/USDT:USDT", 2, 3, 1)),
    ],
)
def test_recorded_exchange_info_becomes_listings(
    name: str, host: str, count: int, known: tuple[str, int, int, int]
) -> None:
    [info] = [body for asked, body in http_lines(name) if asked.startswith(host) and "exchangeInfo" in asked]

    found = listings_of(info)

    assert len(found) == len(info["symbols"]) > count
    btc = found[known[0]]
    assert (btc.price_decimals, btc.qty_decimals, btc.filters.lot) == known[1:]
    assert btc.filters.tick == 1
    assert btc.filters.min_notional > 0
    assert btc.filters.max_qty > btc.filters.min_qty > 0
    for listing in found.values():
        assert (listing.filters.tick > 0) or not listing.tradable
        instrument = listing.instrument(8)
        assert instrument is None or instrument.money_per_notional >= 1


def _told(text: str) -> words.BookTicker:
    row = words.told_by(text).data
    assert row is not None
    return row


@pytest.mark.parametrize("name", ["BINANCE.ws.1.0", "BINANCE_FUTURES.ws.1.0"])
def test_recorded_book_tickers_become_quotes(name: str) -> None:
    quotes = []
    for line in Path(recorded(f"binance/cryptofeed_recorded/{name}")).read_text().splitlines():
        _, _, text = line.partition(": ")
        if "@bookTicker" in text and text.startswith("{"):
            quotes.append(words.quote_of(EIGHT, _told(text), 1))

    assert len(quotes) > 50
    assert all(0 < quote.bid_px < quote.ask_px for quote in quotes)
    assert all(quote.ts_ns > 0 < quote.bid_qty for quote in quotes)
