from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from kiteconnect import KiteConnect
from kiteconnect.exceptions import DataException, KiteException, NetworkException, OrderException, TokenException

from surefill.testing.emulators import Fault, WireFault
from surefill.testing.emulators.kite.errors import DOUBTS
from surefill.testing.emulators.thread import EmulatorThread

LOST: tuple[type[Exception], ...] = (requests.exceptions.Timeout, requests.exceptions.ConnectionError)


def place(client: KiteConnect, price: float = 1490, quantity: int = 10) -> str:
    return str(client.place_order("regular", "NSE", "INFY", "BUY", quantity, "MIS", "LIMIT", price, tag="t1"))


@contextmanager
def impatient(client: KiteConnect) -> Iterator[None]:
    """The client gives up soon."""
    patience, client.timeout = client.timeout, 0.2
    try:
        yield
    finally:
        client.timeout = patience


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what comes a moment later, by itself or because this machine is busy."""
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


#: What a client sees of a fault while placing an order, and whether the order was there when it saw it.
SEEN = {
    Fault.LOSE_REQUEST: (LOST, False),
    Fault.DELAY_REQUEST: (LOST, False),
    Fault.LOSE_ANSWER: (LOST, True),
    Fault.DELAY_ANSWER: (LOST, True),
    Fault.GARBLE_ANSWER: ((DataException,), True),
    Fault.SERVER_ERROR: ((NetworkException,), True),
    Fault.THROTTLED: ((NetworkException,), False),
    Fault.REFUSED: ((KiteException,), False),
    Fault.DISCONNECT: (LOST, False),
    Fault.DISCONNECT_AFTER: (LOST, True),
}


@pytest.mark.parametrize("fault", SEEN, ids=lambda fault: fault.name)
def test_fault_while_placing_strikes_once(kite: EmulatorThread, client: KiteConnect, fault: Fault) -> None:
    seen, done = SEEN[fault]
    kite.arm(fault, op="submit")
    with pytest.raises(seen), impatient(client):
        place(client)
    eventually(lambda: len(kite.truth().orders) == done)
    truth = kite.truth()
    assert truth.fired == {fault.name: 1}
    assert place(client)


def test_delayed_request_arrives_after_the_client_gave_up(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.rules(delay_ms=500)
    kite.arm(Fault.DELAY_REQUEST, op="submit")
    with pytest.raises(LOST), impatient(client):
        place(client)
    eventually(lambda: [order["tag"] for order in client.orders()] == ["t1"])


@pytest.mark.parametrize("doubt", DOUBTS)
def test_server_error_has_the_type_and_status_set(kite: EmulatorThread, client: KiteConnect, doubt: str) -> None:
    kite.control("kite_rules", doubt=doubt)
    kite.arm(Fault.SERVER_ERROR, op="submit")
    with pytest.raises(KiteException) as error:
        place(client)
    assert (error.value.code, type(error.value).__name__) == (DOUBTS[doubt].status, DOUBTS[doubt].error_type)
    assert len(client.orders()) == 1


def test_rate_strikes_about_as_often_as_it_says(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("chance", seed=7)
    kite.arm(Fault.THROTTLED, rate_ppm=500_000, op="profile")
    struck = 0
    for _ in range(40):
        try:
            client.profile()
        except NetworkException:
            struck += 1
    assert 10 <= struck <= 30
    kite.heal()
    assert all(client.profile() for _ in range(5))


def test_order_that_fills_unseen_is_in_the_truth(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.arm(Fault.FILLED_UNSEEN, op="submit")
    with pytest.raises(LOST), impatient(client):
        place(client, 1500)
    assert [each["qty"] for each in kite.truth().positions] == ["10"]


def test_cancel_that_comes_too_late_finds_a_fill(kite: EmulatorThread, client: KiteConnect) -> None:
    order_id = place(client)
    kite.arm(Fault.CANCEL_FILL_RACE)
    with pytest.raises(OrderException, match="processed"):
        client.cancel_order("regular", order_id)
    assert client.orders()[0]["status"] == "COMPLETE"


def test_end_is_told_before_the_fills_that_it_counts(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.rules(short_ms=1000)
    order_id = place(client)
    kite.arm(Fault.END_BEFORE_FILLS)
    client.cancel_order("regular", order_id)
    order = client.orders()[0]
    assert (order["status"], order["filled_quantity"], order["cancelled_quantity"]) == ("CANCELLED", 5, 5)
    assert client.trades() == []
    eventually(lambda: [trade["quantity"] for trade in client.trades()] == [5])


def test_late_fill_comes_after_a_confirmed_cancellation(kite: EmulatorThread, client: KiteConnect) -> None:
    order_id = place(client)
    kite.arm(Fault.LATE_FILL)
    client.cancel_order("regular", order_id)
    eventually(lambda: [trade["quantity"] for trade in client.trades()] == [5])
    order = client.orders()[0]
    assert (order["status"], order["filled_quantity"], order["cancelled_quantity"]) == ("CANCELLED", 5, 5)


def _filled(orders: Any) -> list[int]:
    return [order["filled_quantity"] for order in orders]


def test_snapshots_can_be_empty_stale_or_an_error(kite: EmulatorThread, client: KiteConnect) -> None:
    place(client, 1500)
    kite.arm(Fault.EMPTY_SNAPSHOT, op="orders")
    assert client.orders() == []
    kite.arm(Fault.STALE_SNAPSHOT, op="orders")
    assert _filled(client.orders()) == [0]
    kite.arm(Fault.STALE_SNAPSHOT, op="positions")
    assert client.positions() == {"net": [], "day": []}
    kite.arm(Fault.STALE_SNAPSHOT, op="trades")
    assert client.trades() == []
    kite.arm(Fault.QUERY_ERROR, op="positions")
    with pytest.raises(NetworkException):
        client.positions()
    assert _filled(client.orders()) == [10]
    assert client.positions()["net"][0]["quantity"] == 10


def test_unknown_route_and_command_are_refused(kite: EmulatorThread, client: KiteConnect) -> None:
    with pytest.raises(RuntimeError, match="KeyError"):
        kite.control("nonsense")
    with pytest.raises(RuntimeError, match="not listed"):
        kite.price("NSE:NOBODY", 1)
    with pytest.raises(KiteException, match="not found") as error:
        client.trigger_range("BUY", "NSE:INFY")
    assert error.value.code == 404


def test_token_expires_with_the_order_undone(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.arm(WireFault.EXPIRE_TOKEN, op="submit")
    with pytest.raises(TokenException):
        place(client)
    assert kite.truth().orders == []
    with pytest.raises(TokenException):
        client.orders()


@pytest.mark.parametrize(
    ("fault", "done"),
    [(WireFault.UNAVAILABLE, 0), (WireFault.OVERLOADED, 0), (WireFault.BANNED, 0), (WireFault.STATUS_UNKNOWN, 1)],
    ids=lambda value: getattr(value, "name", value),
)
def test_same_words_tell_of_what_is_done_and_what_is_not(
    kite: EmulatorThread, client: KiteConnect, fault: WireFault, done: int
) -> None:
    kite.arm(fault, op="submit")
    with pytest.raises(NetworkException):
        place(client)
    assert len(kite.truth().orders) == done


def test_truth_counts_orders_by_tag_and_leaves_out_the_refused(kite: EmulatorThread, client: KiteConnect) -> None:
    place(client)
    place(client, 1500)
    kite.arm(Fault.REFUSED, op="exchange")
    place(client)
    truth = kite.truth()
    assert truth.orders_per_client_id() == {"t1": 2}
    assert [(order["status"], order["cum_qty"]) for order in truth.orders] == [
        ("NEW", "0"),
        ("FILLED", "10"),
        ("REJECTED", "0"),
    ]
    assert [(each["px"], each["qty"], each["bucket"]) for each in truth.executions] == [("1500", "10", "MIS")]


def test_reset_leaves_nothing_but_the_listing(kite: EmulatorThread, client: KiteConnect) -> None:
    place(client, 1500)
    kite.reset()
    assert (kite.truth().orders, kite.truth().positions) == ([], [])
    client.set_access_token(kite.control("session")["access_token"])
    assert client.orders() == []
    assert client.instruments()
    assert place(client)


def test_seed_gives_cash_and_shares(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.seed(cash=5_000, holdings=[{"key": "NSE:INFY", "qty": 3, "px": 1400.5}])
    assert client.margins("equity")["available"]["cash"] == 5_000
    assert [(each["quantity"], each["average_price"]) for each in client.holdings()] == [(3, 1400.5)]
