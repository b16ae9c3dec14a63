"""Recorded payloads of Kite parse completely: every status, line and packet has its defined meaning."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from tests.recorded.recordings import recorded

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Quote, Source
from surefill.secret import Secret
from surefill.units import NS_PER_S, ns_from_iso, to_quanta
from surefill.venues.kite.codes import ENDED, LIVE
from surefill.venues.kite.listing import listing_of
from surefill.venues.kite.packets import Level, Tick, quote_of, tick_of
from surefill.venues.kite.portfolio import HoldingRow, Margins, PositionsData, balances_of, net_positions
from surefill.venues.kite.postbacks import hinted_order
from surefill.venues.kite.reports import trade_report
from surefill.venues.kite.rows import OrderRow, TradeRow, ns_from_stamp
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.kite.triggers import GttId, GttRow, gtt_of
from surefill.venues.kite.venue import _Placed, _Profile
from surefill.venues.kite.wire import Answer, data_of

MOCKS = "kite/mocks"
SETTINGS = KiteSettings(api_key="k", access_token=Secret("t"))
INFY = Instrument("NSE:INFY", "INR", 2, 0, 100, (Terms(tick=5),))


def data(name: str, kind: Any) -> Any:
    return data_of(Answer(recorded(f"{MOCKS}/{name}").read_text()), kind)


@pytest.mark.parametrize("name", ["orders.json", "order_info.json"])
def test_recorded_order_has_a_status_with_a_meaning(name: str) -> None:
    rows = data(name, list[OrderRow])
    assert rows
    for row in rows:
        assert row.status in LIVE | ENDED.keys()
        assert row.side in (1, -1)
        assert ns_from_stamp(row.order_timestamp) > 0


def test_recorded_order_book_is_read_field_by_field() -> None:
    rows = data("orders.json", list[OrderRow])
    leg = next(row for row in rows if row.variety == "iceberg")
    assert (leg.quantity, leg.whole_qty, leg.labels) == (200, 1_000, frozenset({"icebergord"}))
    assert "Insufficient funds" in (leg.status_message or "")
    told = json.loads(recorded(f"{MOCKS}/orders.json").read_text())["data"]
    for row, line in zip(rows, told, strict=True):
        for field in OrderRow.__struct_fields__:
            if field in line:
                shown = getattr(row, field)
                assert shown == line[field] or float(shown) == line[field], field


@pytest.mark.parametrize("name", ["trades.json", "order_trades.json"])
def test_recorded_trade_is_an_execution(name: str) -> None:
    for trade in data(name, list[TradeRow]):
        report = trade_report(trade, "", 4, "")
        assert report.last_px == to_quanta(trade.average_price, 4, field="px")
        assert (report.last_qty, report.side) == (trade.quantity, 1)
        assert trade.trade_id in report.exec_id
        assert report.transact_ns > 0


def test_recorded_portfolio_is_counted_by_product() -> None:
    positions, holdings = data("positions.json", PositionsData), data("holdings.json", list[HoldingRow])
    held = net_positions(positions, holdings, SETTINGS)
    assert held == {"MCX:LEADMINI17DECFUT|NRML": 1, "NSE:AARON|CNC": 1, "NSE:AARON|MTF": 1_000, "BSE:SBIN|CNC": 16}


def test_recorded_margins_are_what_is_in_use_and_what_is_free() -> None:
    equity, commodity = balances_of(data("margins.json", dict[str, Margins]))
    assert (equity.asset, float(equity.total), float(equity.available)) == ("INR", 245431.6, 99725.05000000002)
    assert (commodity.asset, float(commodity.available)) == ("INR.COMMODITY", 100661.7)


@pytest.mark.parametrize("name", ["profile.json", "full_profile.json"])
def test_recorded_profile_tells_who_it_is(name: str) -> None:
    assert data(name, _Profile).user_id == "AB1234"


def test_recorded_answers_to_orders_tell_their_ids() -> None:
    assert data("order_response.json", _Placed).order_id == "151220000000000"
    assert data("order_modify.json", _Placed).order_id
    assert data("order_cancel.json", _Placed).order_id
    sliced = data("autoslice_response.json", _Placed)
    assert [bool(child.order_id) for child in sliced.children] == [True, True, False, True]


@pytest.mark.parametrize("name", ["gtt_place_order.json", "gtt_modify_order.json", "gtt_delete_order.json"])
def test_recorded_answers_to_triggers_tell_their_ids(name: str) -> None:
    assert data(name, GttId).trigger_id == 123


def test_recorded_triggers_are_read_with_what_became_of_them() -> None:
    single, pair = (gtt_of(row, 2, SETTINGS) for row in data("gtt_get_orders.json", list[GttRow]))
    assert (single.status, single.legs[0].trigger_px, single.legs[0].px) == ("active", 70_200, 70_250)
    assert [leg.trigger_px for leg in pair.legs] == [10_200, 10_370]
    assert pair.results[0] == ""
    assert pair.results[1].startswith("failed Your order price is lower")
    assert gtt_of(data("gtt_get_order.json", GttRow), 2, SETTINGS).trigger_id == 123


def test_recorded_postback_needs_the_secret_it_was_made_with() -> None:
    body = recorded(f"{MOCKS}/postback.json").read_bytes()
    assert hinted_order(body, Secret("not the one")) == ""


@pytest.mark.parametrize("name", ["instruments_all.csv", "instruments_nse.csv"])
def test_recorded_dump_lists_every_line(name: str) -> None:
    text = recorded(f"{MOCKS}/{name}").read_text()
    listing = listing_of(text, SETTINGS)
    assert len(listing) == len(text.strip().splitlines()) - 1
    for listed in listing.values():
        assert listed.instrument.terms[0].tick > 0
        assert listed.token & 0xFF in range(1, 13)


def tick(name: str) -> Tick:
    return tick_of(base64.b64decode(recorded(f"{MOCKS}/{name}").read_bytes()))


SCALARS = {
    "last_price": "last", "last_quantity": "last_qty", "average_price": "average", "volume": "volume",
    "buy_quantity": "buy_qty", "sell_quantity": "sell_qty", "oi": "oi", "oi_day_high": "oi_day_high",
    "oi_day_low": "oi_day_low",
}  # fmt: skip
PRICES = frozenset({"last_price", "average_price"})


@pytest.mark.parametrize("mode", ["quote", "full"])
def test_recorded_packet_says_what_the_recorded_tick_says(mode: str) -> None:
    found, told = tick(f"ticker_{mode}.packet"), json.loads(recorded(f"{MOCKS}/ticker_{mode}.json").read_text())
    assert (found.mode, found.token, found.tradable) == (told["mode"], told["instrument_token"], told["tradable"])
    for name, field in SCALARS.items():
        if name in told:
            wanted = to_quanta(told[name], 2, field=name) if name in PRICES else told[name]
            assert getattr(found, field) == wanted, name
    for name, px in told["ohlc"].items():
        assert getattr(found, name) == to_quanta(px, 2, field=name)
    if mode == "full":
        assert found.exchange_s * NS_PER_S == ns_from_iso(told["timestamp"])
        assert found.last_trade_s * NS_PER_S == ns_from_iso(told["last_trade_time"])
        for side, levels in (("buy", found.bids), ("sell", found.asks)):
            wanted_levels = [
                Level(each["quantity"], to_quanta(each["price"], 2, field="px"), each["orders"])
                for each in told["depth"][side]
            ]
            assert list(levels) == wanted_levels


def test_recorded_full_packet_is_a_quote_of_both_sides() -> None:
    found = tick("ticker_full.packet")
    quote = quote_of(found, INFY, 0)
    assert quote == Quote("NSE:INFY", found.exchange_s * NS_PER_S, 157_370, 157_340, 157_370, 5, 172, Source.QUOTE)
    assert quote_of(msgspec.structs.replace(found, exchange_s=0), INFY, 7).ts_ns == 7
