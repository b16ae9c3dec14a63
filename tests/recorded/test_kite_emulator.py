"""The emulated Kite's payloads against the official samples: the same fields, with the same kinds of values."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kiteconnect import KiteConnect, KiteTicker
from tests.recorded.recordings import recorded

from surefill.testing.emulators.kite import API_KEY
from surefill.testing.emulators.kite.account import Account
from surefill.testing.emulators.kite.instruments import LISTING, Instrument, dump
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.orders import Order
from surefill.testing.emulators.kite.packets import message, packet
from surefill.testing.emulators.kite.postbacks import postback
from surefill.testing.emulators.thread import EmulatorThread

MOCKS = "kite/mocks"


def sample(name: str) -> Any:
    return json.loads(recorded(f"{MOCKS}/{name}.json").read_text())


def shape(value: Any) -> Any:
    """The kinds of a value: fields of an object (the first of a list's), text, number, truth value, or nothing."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return {bool: "flag", int: "number", float: "number", str: "text"}.get(type(value), "none")


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where two shapes differ; what is nothing in one of them may be anything in the other."""
    if "none" in (ours, theirs):
        return []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        apart = [f"{at}/{name} is only on one side" for name in ours.keys() ^ theirs.keys()]
        return apart + [
            each
            for name in ours.keys() & theirs.keys()
            for each in differences(ours[name], theirs[name], f"{at}/{name}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list):
        return [each for a, b in zip(ours, theirs, strict=False) for each in differences(a, b, f"{at}[]")]
    return [] if ours == theirs else [f"{at}: {ours} is not {theirs}"]


@pytest.fixture(scope="module")
def wire() -> Iterator[Callable[..., Any]]:
    """Raw answers of an emulator in which things have happened."""
    with EmulatorThread("kite") as kite:
        kite.control("kite_rules", limits={"quotes_per_s": 0, "orders_per_s": 0, "others_per_s": 0})
        kite.control("hold", key="NSE:SBIN", qty=3, px=700.5)
        client = KiteConnect(API_KEY, root=kite.url, access_token=kite.control("session")["access_token"])
        place = ("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT")
        client.place_order(*place, 1500, tag="first")
        client.place_order(*place, 1490, validity="TTL", validity_ttl=2)
        leg = {"transaction_type": "SELL", "quantity": 5, "order_type": "LIMIT", "product": "CNC", "price": 1470}
        client.place_gtt("two-leg", "INFY", "NSE", [1480, 1530], 1500, [leg, leg])

        def ask(method: str, path: str, form: object = None) -> Any:
            answer = client.reqsession.request(
                method,
                kite.url + path,
                data=form,
                headers={"Authorization": f"token {client.api_key}:{client.access_token}"},
                timeout=5,
            )
            return answer.json()

        yield ask
        client.reqsession.close()


LOOKS = {
    "profile": "/user/profile",
    "margins": "/user/margins",
    "margins_equity": "/user/margins/equity",
    "margin_commodity": "/user/margins/commodity",
    "trades": "/trades",
    "positions": "/portfolio/positions",
    "holdings": "/portfolio/holdings",
    "quote": "/quote?i=NSE:INFY",
    "ohlc": "/quote/ohlc?i=NSE:INFY",
    "ltp": "/quote/ltp?i=NSE:INFY",
    "gtt_get_orders": "/gtt/triggers",
}


@pytest.mark.parametrize("name", LOOKS)
def test_look_has_the_fields_of_the_sample(wire: Callable[..., Any], name: str) -> None:
    assert differences(shape(wire("GET", LOOKS[name])), shape(sample(name))) == []


def test_orders_have_the_fields_of_the_sample(wire: Callable[..., Any]) -> None:
    tagged, limited = (shape(order) for order in wire("GET", "/orders")["data"])
    by_status = {order["order_id"]: order for order in sample("orders")["data"]}
    kinds = [shape(order) for order in by_status.values()]
    assert differences(tagged, next(kind for kind in kinds if "tags" in kind and "validity_ttl" not in kind)) == []
    plain = next(kind for kind in kinds if "tags" not in kind)
    assert differences(limited, {**plain, "validity_ttl": "number"}) == []


def test_history_has_the_fields_of_the_sample(wire: Callable[..., Any]) -> None:
    order_id = wire("GET", "/orders")["data"][0]["order_id"]
    ours, theirs = wire("GET", f"/orders/{order_id}")["data"], sample("order_info")["data"]
    assert differences(shape(ours), shape(theirs)) == []
    assert [step["status"] for step in ours[:4]] == [step["status"] for step in theirs[:4]]
    assert differences(shape(wire("GET", f"/orders/{order_id}/trades")), shape(sample("order_trades"))) == []


def test_answers_to_commands_have_the_fields_of_the_samples(wire: Callable[..., Any]) -> None:
    form = {"exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": "1", "product": "MIS"}
    placed = wire("POST", "/orders/regular", {**form, "order_type": "LIMIT", "price": "1490"})
    order_id = placed["data"]["order_id"]
    assert differences(shape(placed), shape(sample("order_response"))) == []
    changed = wire("PUT", f"/orders/regular/{order_id}", {"quantity": "2"})
    assert differences(shape(changed), shape(sample("order_modify"))) == []
    ended = wire("DELETE", f"/orders/regular/{order_id}")
    assert differences(shape(ended), shape(sample("order_cancel"))) == []
    convert = {**form, "position_type": "day", "old_product": "MIS", "new_product": "CNC"}
    assert wire("PUT", "/portfolio/positions", convert) == sample("convert_position")


def test_postback_has_the_fields_of_the_sample() -> None:
    terms: dict[str, Any] = {"exchange": "NSE", "tradingsymbol": "SBIN", "transaction_type": "BUY", "product": "CNC"}
    order = Order(order_id="1", instrument_token=779521, quantity=1, order_type="MARKET", order_ns=10**18, **terms)
    theirs = sample("postback")
    assert differences(shape(postback(order, "COMPLETE", Account())), shape(theirs)) == []


def test_instruments_have_the_columns_of_the_sample() -> None:
    theirs = recorded(f"{MOCKS}/instruments_nse.csv").read_text().splitlines()
    assert dump(list(LISTING)).splitlines()[0] == theirs[0]
    first = theirs[1].split(",")
    row = Instrument(instrument_token=int(first[0]), tradingsymbol=first[2], exchange="NSE", name=first[3]).row()
    assert row == first


def test_packets_have_the_length_and_places_of_the_sample() -> None:
    raw = base64.b64decode(recorded(f"{MOCKS}/ticker_full.packet").read_text())
    said = sample("ticker_full")
    as_paise = {name: round(said["ohlc"][name] * 100) * 100 for name in ("open", "high", "low", "close")}
    bid, ask = said["depth"]["buy"][0], said["depth"]["sell"][0]
    price = Price(
        last=15_737_000, bid=round(bid["price"] * 10_000), ask=round(ask["price"] * 10_000), bid_qty=bid["quantity"],
        ask_qty=ask["quantity"], volume=said["volume"], turnover=15_703_700 * said["volume"], last_qty=7, **as_paise,
    )  # fmt: skip
    infy = next(each for each in LISTING if each.instrument_token == said["instrument_token"])
    ours = packet(infy, price, "full")
    assert len(ours) == len(raw)
    (tick,) = KiteTicker("", "")._parse_binary(message([ours]))
    (their_tick,) = KiteTicker("", "")._parse_binary(message([raw]))
    for name in ("last_price", "last_traded_quantity", "average_traded_price", "volume_traded", "ohlc", "mode"):
        assert tick[name] == their_tick[name]
    assert tick["depth"]["buy"][0]["price"] == their_tick["depth"]["buy"][0]["price"]
    assert ours[:20] == raw[:20]  # what follows are totals over the whole depth
