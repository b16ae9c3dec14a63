from __future__ import annotations

from typing import Any

import pytest
from kiteconnect import KiteConnect
from kiteconnect.exceptions import InputException, KiteException, OrderException

from surefill.testing.emulators import Fault
from surefill.testing.emulators.thread import EmulatorThread

TERMS: dict[str, Any] = {
    "variety": "regular",
    "exchange": "NSE",
    "tradingsymbol": "INFY",
    "transaction_type": "BUY",
    "quantity": 10,
    "product": "MIS",
    "order_type": "LIMIT",
    "price": 1490,
}
NIFTY = {"exchange": "NFO", "tradingsymbol": "NIFTY26DECFUT", "product": "NRML", "price": 24_000}
MARKET = {"order_type": "MARKET", "price": None, "market_protection": 2}
RECEIVED = ["PUT ORDER REQ RECEIVED", "VALIDATION PENDING", "OPEN PENDING"]


def place(client: KiteConnect, **terms: Any) -> str:
    return str(client.place_order(**{**TERMS, **terms}))


def statuses(client: KiteConnect, order_id: str) -> list[str]:
    return [step["status"] for step in client.order_history(order_id)]


def line(client: KiteConnect, order_id: str) -> dict[str, Any]:
    return dict(next(order for order in client.orders() if order["order_id"] == order_id))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "auction": ({"variety": "auction"}, "auction"),
    "no such variety": ({"variety": "bo"}, "variety"),
    "amo in market hours": ({"variety": "amo"}, "AMO"),
    "no such instrument": ({"tradingsymbol": "NOBODY"}, "does not exist"),
    "an index": ({"tradingsymbol": "NIFTY 50"}, "does not exist"),
    "no such side": ({"transaction_type": "SHORT"}, "transaction_type"),
    "no such product": ({"product": "BO"}, "product"),
    "nrml of a share": ({"product": "NRML"}, "NRML"),
    "cnc of a future": ({**NIFTY, "product": "CNC", "quantity": 75}, "CNC"),
    "no such type": ({"order_type": "STOP"}, "order_type"),
    "no such validity": ({"validity": "GTC"}, "validity"),
    "ttl without minutes": ({"validity": "TTL"}, "validity_ttl"),
    "ttl too long": ({"validity": "TTL", "validity_ttl": 61}, "validity_ttl"),
    "nothing": ({"quantity": 0}, "quantity"),
    "part of a share": ({"quantity": 1.5}, "quantity"),
    "part of a lot": ({**NIFTY, "quantity": 74}, "lot size 75"),
    "limit without price": ({"price": None}, "price"),
    "off the tick": ({"price": 1490.03}, "Tick size"),
    "finer than money": ({"price": 1490.00001}, "price"),
    "below the band": ({"price": 1199.95}, "circuit"),
    "above the band": ({"price": 1800.05}, "circuit"),
    "stop without trigger": ({"order_type": "SL"}, "trigger_price"),
    "stop price before its trigger": ({"order_type": "SL", "trigger_price": 1510, "price": 1505}, "trigger"),
    "market without protection": ({"order_type": "MARKET"}, "market_protection"),
    "market with none": ({"order_type": "MARKET", "market_protection": 0}, "market_protection"),
    "market with too much": ({"order_type": "MARKET", "market_protection": 101}, "market_protection"),
    "stop-market without protection": ({"order_type": "SL-M", "trigger_price": 1510}, "market_protection"),
    "too little disclosed": ({"quantity": 100, "disclosed_quantity": 9}, "isclosed"),
    "long tag": ({"tag": "a" * 21}, "tag"),
    "odd tag": ({"tag": "a-b"}, "tag"),
    "over the freeze quantity": ({**NIFTY, "quantity": 1875}, "freeze quantity 1800"),
    "one leg": ({"variety": "iceberg", "iceberg_legs": 1, "iceberg_quantity": 10}, "iceberg_legs"),
    "legs too small": ({"variety": "iceberg", "iceberg_legs": 2, "iceberg_quantity": 4}, "iceberg_quantity"),
    "cover of a delivery": ({"variety": "co", "product": "CNC", "trigger_price": 1480}, "Cover"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_order_with_wrong_terms_is_refused_before_the_order_book(client: KiteConnect, case: str) -> None:
    terms, said = REFUSED[case]
    with pytest.raises(InputException, match=said) as refusal:
        place(client, **terms)
    assert refusal.value.code == 400
    assert client.orders() == []


@pytest.mark.parametrize("price", [1200, 1800])
def test_order_at_the_edge_of_the_band_is_taken(client: KiteConnect, price: int) -> None:
    assert line(client, place(client, price=price, transaction_type="SELL"))["price"] == price


def test_order_without_means_is_refused_by_kind(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("kite_rules", cash=2_999)
    place(client)
    with pytest.raises(KiteException, match=r"Required margin is 2980\.00 but available margin is 19\.00") as refusal:
        place(client)
    assert refusal.value.code == 400
    with pytest.raises(KiteException, match="holding"):
        place(client, product="CNC", transaction_type="SELL")


def test_limit_order_goes_through_every_status(kite: EmulatorThread, client: KiteConnect) -> None:
    order_id = place(client, tag="ab12")
    assert statuses(client, order_id) == [*RECEIVED, "OPEN"]
    kite.price("NSE:INFY", 1489.5, qty=4)
    half = line(client, order_id)
    assert (half["status"], half["filled_quantity"], half["pending_quantity"]) == ("OPEN", 4, 6)
    client.modify_order("regular", order_id, price=1491, quantity=12)
    kite.price("NSE:INFY", 1490.5)
    assert statuses(client, order_id) == [
        *[*RECEIVED, "OPEN", "OPEN", "MODIFY VALIDATION PENDING", "MODIFY PENDING", "MODIFIED", "OPEN", "COMPLETE"]
    ]
    done = line(client, order_id)
    assert (done["tag"], done["tags"], done["modified"], done["price"]) == ("ab12", ["ab12"], True, 1491)
    assert done["average_price"] == pytest.approx((4 * 1489.5 + 8 * 1490.5) / 12, abs=1e-4)
    assert [(trade["quantity"], trade["average_price"]) for trade in client.order_trades(order_id)] == [
        (4, 1489.5),
        (8, 1490.5),
    ]


def test_order_that_is_cancelled_keeps_its_pending_quantity(kite: EmulatorThread, client: KiteConnect) -> None:
    order_id = place(client)
    kite.price("NSE:INFY", 1490, qty=3)
    assert client.cancel_order("regular", order_id) == order_id
    assert statuses(client, order_id)[-2:] == ["CANCEL PENDING", "CANCELLED"]
    ended = line(client, order_id)
    assert [ended[f"{name}_quantity"] for name in ("filled", "cancelled", "pending")] == [3, 7, 7]
    with pytest.raises(OrderException, match="CANCELLED"):
        client.cancel_order("regular", order_id)


def test_same_tag_twice_is_two_orders(kite: EmulatorThread, client: KiteConnect) -> None:
    assert place(client, tag="same") != place(client, tag="same")
    assert len(kite.control("books")["orders"]) == 2


def test_market_order_trades_within_its_protection_and_rests_beyond(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.price("NSE:INFY", last=1500, bid=1499, ask=1530)
    at_edge = place(client, **MARKET)
    kite.price("NSE:INFY", last=1500, bid=1499, ask=1530.05)
    beyond = place(client, **MARKET)
    assert line(client, at_edge)["average_price"] == 1530
    assert line(client, beyond)["status"] == "OPEN"


def test_ioc_order_ends_with_what_traded_at_once(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.price("NSE:INFY", 1490, qty=4)
    ended = line(client, place(client, validity="IOC"))
    assert (ended["status"], ended["filled_quantity"], ended["cancelled_quantity"]) == ("CANCELLED", 4, 6)


def test_ttl_order_ends_when_its_minutes_are_over(kite: EmulatorThread, client: KiteConnect) -> None:
    order_id = place(client, validity="TTL", validity_ttl=2)
    kite.rules(skew_ms=119_000)
    assert line(client, order_id)["status"] == "OPEN"
    kite.rules(skew_ms=120_000)
    kite.price("NSE:INFY", 1489)
    ended = line(client, order_id)
    assert (ended["status"], ended["cancelled_quantity"], ended["validity_ttl"]) == ("CANCELLED", 10, 2)


STOPS = {
    "buy above": ("BUY", 1510, 1512, 1509.95, 1511, 1511),
    "sell below": ("SELL", 1490, 1488, 1490.05, 1490, 1490),
}


@pytest.mark.parametrize("case", STOPS)
@pytest.mark.parametrize("order_type", ["SL", "SL-M"])
def test_stop_waits_for_its_trigger(kite: EmulatorThread, client: KiteConnect, case: str, order_type: str) -> None:
    side, trigger, limit, short_of, beyond, average = STOPS[case]
    priced = {"price": limit} if order_type == "SL" else {"price": None, "market_protection": -1}
    order_id = place(client, transaction_type=side, order_type=order_type, trigger_price=trigger, **priced)
    kite.price("NSE:INFY", short_of)
    assert statuses(client, order_id) == [*RECEIVED, "TRIGGER PENDING"]
    kite.price("NSE:INFY", beyond)
    assert statuses(client, order_id)[-2:] == ["OPEN", "COMPLETE"]
    assert line(client, order_id)["average_price"] == average


def test_amo_waits_for_the_market_to_open(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("market", open=False)
    with pytest.raises(InputException, match="AMO"):
        place(client)
    kept, dropped = place(client, variety="amo"), place(client, variety="amo")
    client.modify_order("amo", kept, price=1495)
    client.cancel_order("amo", dropped)
    assert statuses(client, dropped) == ["AMO REQ RECEIVED", "CANCELLED AMO"]
    kite.control("market", open=True)
    assert statuses(client, kept) == ["AMO REQ RECEIVED", "MODIFY AMO REQ RECEIVED", "OPEN PENDING", "OPEN"]
    assert line(client, kept)["price"] == 1495


def test_iceberg_shows_one_leg_after_the_other(kite: EmulatorThread, client: KiteConnect) -> None:
    place(client, variety="iceberg", iceberg_legs=3, iceberg_quantity=4)
    assert [order["quantity"] for order in client.orders()] == [4]
    kite.price("NSE:INFY", 1489)
    legs = [(order["quantity"], order["meta"]["iceberg"]["leg"], order["status"]) for order in client.orders()]
    assert legs == [(4, 1, "COMPLETE"), (4, 2, "COMPLETE"), (2, 3, "COMPLETE")]


def test_cover_order_brings_its_stop_along(kite: EmulatorThread, client: KiteConnect) -> None:
    order_id = place(client, variety="co", trigger_price=1480)
    kite.price("NSE:INFY", 1490)
    stop = next(order for order in client.orders() if order["parent_order_id"] == order_id)
    assert (stop["status"], stop["transaction_type"], stop["trigger_price"]) == ("TRIGGER PENDING", "SELL", 1480)
    client.exit_order("co", stop["order_id"], parent_order_id=order_id)
    assert line(client, stop["order_id"])["status"] == "COMPLETE"
    assert kite.truth().positions == []


def test_autoslice_makes_orders_of_the_freeze_quantity(kite: EmulatorThread, client: KiteConnect) -> None:
    terms = {**TERMS, **NIFTY, "quantity": 4500}
    kite.control("kite_rules", cash=34_800_000)
    kite.arm(Fault.REFUSED, op="rms")
    answer = client.place_autoslice_order(**terms)
    ids = [answer["order_id"], *(child["order_id"] for child in answer["children"])]
    assert [line(client, each)["quantity"] for each in ids] == [1800, 1800, 900]
    assert [line(client, each)["status"] for each in ids] == ["REJECTED", "OPEN", "OPEN"]


def test_autoslice_tells_of_each_slice_that_failed(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("kite_rules", cash=9_000_000)
    answer = client.place_autoslice_order(**{**TERMS, **NIFTY, "quantity": 3600})
    assert [child["error"]["error_type"] for child in answer["children"]] == ["MarginException"]
    assert len(client.orders()) == 1


def test_modifications_end_at_twenty_five(client: KiteConnect) -> None:
    order_id = place(client)
    for _ in range(25):
        client.modify_order("regular", order_id, quantity=11)
    with pytest.raises(OrderException, match="modifications"):
        client.modify_order("regular", order_id, quantity=12)
    assert line(client, order_id)["quantity"] == 11


def test_modification_changes_the_type_of_a_stop(client: KiteConnect) -> None:
    order_id = place(client, order_type="SL", transaction_type="SELL", trigger_price=1480, price=1478)
    client.modify_order("regular", order_id, order_type="MARKET", market_protection=-1)
    done = line(client, order_id)
    assert (done["status"], done["order_type"], done["trigger_price"]) == ("COMPLETE", "MARKET", 0)


def test_order_rejected_after_its_acceptance_ends_rejected(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.arm(Fault.REFUSED, op="exchange")
    order_id = place(client)
    assert statuses(client, order_id) == [*RECEIVED, "REJECTED"]
    rejected = line(client, order_id)
    assert rejected["status_message"]
    assert rejected["pending_quantity"] == 0


def test_hung_order_executes_when_it_is_let_go(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.arm(Fault.DELAY_REQUEST, op="exchange")
    order_id = place(client)
    kite.price("NSE:INFY", 1489)
    assert statuses(client, order_id) == RECEIVED
    with pytest.raises(OrderException, match="OPEN PENDING"):
        client.cancel_order("regular", order_id)
    assert kite.control("release") == 1
    assert statuses(client, order_id) == [*RECEIVED, "OPEN", "COMPLETE"]
