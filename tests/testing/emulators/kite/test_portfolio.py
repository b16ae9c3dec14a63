from __future__ import annotations

from typing import Any

import pytest
from kiteconnect import KiteConnect
from kiteconnect.exceptions import InputException

from surefill.testing.emulators.thread import EmulatorThread


def buy(client: KiteConnect, quantity: int, price: float, *, product: str = "MIS", side: str = "BUY") -> str:
    return str(client.place_order("regular", "NSE", "INFY", side, quantity, product, "LIMIT", price))


def net(client: KiteConnect) -> dict[str, dict[str, Any]]:
    return {line["product"]: line for line in client.positions()["net"]}


def test_position_counts_what_was_bought_and_sold(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.price("NSE:INFY", 1500)
    buy(client, 10, 1500)
    kite.price("NSE:INFY", 1510)
    buy(client, 4, 1510, side="SELL")
    line = net(client)["MIS"]
    assert (line["quantity"], line["average_price"], line["value"]) == (6, 1500, 4 * 1510 - 10 * 1500)
    assert (line["pnl"], line["m2m"], line["day_sell_quantity"]) == (100, 100, 4)


def test_positions_are_carried_over_night_and_shares_go_to_holdings(kite: EmulatorThread, client: KiteConnect) -> None:
    buy(client, 5, 1500, product="CNC")
    client.place_order("regular", "NFO", "NIFTY26DECFUT", "BUY", 75, "NRML", "MARKET", market_protection=-1)
    kite.price("NSE:INFY", 1520)
    kite.control("next_day")
    assert client.orders() == []
    assert client.trades() == []
    positions = client.positions()
    assert [(line["product"], line["overnight_quantity"]) for line in positions["net"]] == [("NRML", 75)]
    assert positions["day"] == []
    held = client.holdings()[0]
    assert (held["quantity"], held["average_price"], held["close_price"], held["pnl"]) == (5, 1500, 1520, 100)
    buy(client, 2, 1520, product="CNC", side="SELL")
    held = client.holdings()[0]
    assert (held["quantity"], held["used_quantity"]) == (3, 2)
    assert net(client)["CNC"]["quantity"] == -2


def test_day_that_ends_cancels_what_rests(kite: EmulatorThread, client: KiteConnect) -> None:
    buy(client, 1, 1490)
    kite.control("next_day")
    assert [order["status"] for order in kite.control("books")["orders"]] == ["CANCELLED"]


def test_conversion_moves_a_position_to_another_product(client: KiteConnect) -> None:
    buy(client, 10, 1500)
    assert client.convert_position("NSE", "INFY", "BUY", "day", 4, "MIS", "CNC") is True
    assert {product: line["quantity"] for product, line in net(client).items()} == {"MIS": 6, "CNC": 4}
    assert net(client)["CNC"]["average_price"] == 1500
    with pytest.raises(InputException, match="new_product"):
        client.convert_position("NSE", "INFY", "BUY", "day", 1, "MIS", "BO")
    with pytest.raises(InputException, match="quantity"):
        client.convert_position("NSE", "INFY", "BUY", "day", "some", "MIS", "CNC")
    with pytest.raises(InputException, match="no such position"):
        client.convert_position("NSE", "INFY", "BUY", "day", 7, "MIS", "CNC")


def test_square_off_closes_what_is_intraday_only(kite: EmulatorThread, client: KiteConnect) -> None:
    buy(client, 10, 1500)
    buy(client, 3, 1500, product="CNC")
    resting = buy(client, 1, 1490)
    assert len(kite.control("square_off")) == 1
    left = [(each["symbol"], each["bucket"], each["qty"]) for each in kite.truth().positions]
    assert left == [("NSE:INFY", "CNC", "3")]
    by_id = {order["order_id"]: order for order in client.orders()}
    assert by_id[resting]["status"] == "CANCELLED"
    closing = client.orders()[-1]
    assert (closing["transaction_type"], closing["quantity"], closing["status"]) == ("SELL", 10, "COMPLETE")
    assert closing["placed_by"] != by_id[resting]["placed_by"]


def test_margins_tell_what_is_left(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("kite_rules", cash=100_000)
    buy(client, 10, 1500, product="CNC")
    equity = client.margins("equity")
    assert (equity["available"]["cash"], equity["net"]) == (100_000, 85_000)
    with pytest.raises(InputException, match="segment"):
        client.margins("bonds")


def test_order_margins_tell_what_an_order_needs(client: KiteConnect) -> None:
    order = {
        "exchange": "NSE",
        "tradingsymbol": "INFY",
        "transaction_type": "BUY",
        "variety": "regular",
        "product": "CNC",
        "order_type": "MARKET",
        "quantity": 2,
        "price": 0,
        "trigger_price": 0,
    }
    assert [line["total"] for line in client.order_margins([order, {**order, "product": "MIS"}])] == [3000, 600]


def test_quotes_tell_of_what_is_known_and_leave_out_the_rest(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.price("NSE:INFY", last=1500.5, bid=1500, ask=1501, qty=7)
    assert client.ltp("NSE:INFY", "NSE:NOBODY") == {"NSE:INFY": {"instrument_token": 408065, "last_price": 1500.5}}
    assert client.ohlc("NSE:INFY")["NSE:INFY"]["ohlc"] == {"open": 1500, "high": 1500.5, "low": 1500, "close": 1500}
    quote = client.quote("NSE:INFY")["NSE:INFY"]
    assert quote["depth"]["buy"][0] == {"price": 1500, "quantity": 7, "orders": 1}
    assert quote["depth"]["sell"][0] == {"price": 1501, "quantity": 7, "orders": 1}
    assert (quote["lower_circuit_limit"], quote["upper_circuit_limit"]) == (1200, 1800)


def test_instruments_are_listed_by_exchange(client: KiteConnect) -> None:
    everything, currency = client.instruments(), client.instruments("CDS")
    assert {row["exchange"] for row in everything} == {"NSE", "BSE", "NFO", "CDS", "MCX"}
    assert [(row["tradingsymbol"], row["tick_size"], row["lot_size"]) for row in currency] == [
        ("USDINR26DECFUT", 0.0025, 1)
    ]
