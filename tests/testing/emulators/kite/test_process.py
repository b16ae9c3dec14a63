from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from kiteconnect import KiteConnect

from surefill.testing.emulators import EmulatorProcess, Fault
from surefill.testing.emulators.kite import API_KEY


def test_truth_and_session_outlive_a_killed_process(tmp_path: Path) -> None:
    with EmulatorProcess("kite", tmp_path / "kite.db") as kite:
        client = KiteConnect(API_KEY, root=kite.url, access_token=kite.control("session")["access_token"])
        place = ("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT")
        filled, resting = client.place_order(*place, 1500), client.place_order(*place, 1490)
        before = kite.truth(), kite.control("books")
        kite.kill()
        kite.start()
        client.reqsession.close()
        assert [order["order_id"] for order in client.orders()] == [filled, resting]
        assert (kite.truth().orders, kite.truth().executions) == (before[0].orders, before[0].executions)
        assert kite.control("books") == before[1]
        kite.price("NSE:INFY", 1489)
        assert [each["qty"] for each in kite.truth().positions] == ["20"]
        client.reqsession.close()


def test_process_that_dies_at_a_hop_goes_on_where_it_was(tmp_path: Path) -> None:
    with EmulatorProcess("kite", tmp_path / "kite.db") as kite:
        client = KiteConnect(API_KEY, root=kite.url, access_token=kite.control("session")["access_token"])
        for hop in ("received", "forwarded", "matched"):
            kite.arm(Fault.CRASH, op=hop)
            with pytest.raises(requests.exceptions.ConnectionError):
                client.place_order("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT", 1500)
            assert kite.wait() == 70
            kite.start()
            client.reqsession.close()
        orders = client.orders()
        assert [order["status"] for order in orders] == ["COMPLETE"] * 3
        assert len(client.trades()) == 3
        client.reqsession.close()


#: The hop at which the process dies, what was asked for, and how the order stands afterwards.
DYING: dict[str, tuple[Callable[[KiteConnect, str], object], tuple[str, int]]] = {
    "modified": (lambda client, order_id: client.modify_order("regular", order_id, price=1400), ("OPEN", 1490)),
    "canceling": (lambda client, order_id: client.cancel_order("regular", order_id), ("CANCELLED", 1490)),
}


@pytest.mark.parametrize("hop", DYING)
def test_change_that_dies_on_its_way_leaves_no_order_in_between(tmp_path: Path, hop: str) -> None:
    ask, after = DYING[hop]
    with EmulatorProcess("kite", tmp_path / "kite.db") as kite:
        client = KiteConnect(API_KEY, root=kite.url, access_token=kite.control("session")["access_token"])
        order_id = client.place_order("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT", 1490)
        kite.arm(Fault.CRASH, op=hop)
        with pytest.raises(requests.exceptions.ConnectionError):
            ask(client, order_id)
        kite.wait()
        kite.start()
        client.reqsession.close()
        order = client.orders()[0]
        assert (order["status"], order["price"]) == after
        client.reqsession.close()


#: What comes after a full order, and its first part's terms.
FOLLOWING: dict[str, tuple[dict[str, object], int, str]] = {
    "the next leg of an iceberg": ({"variety": "iceberg", "iceberg_legs": 2, "iceberg_quantity": 5}, 5, "COMPLETE"),
    "the stop of a cover order": ({"variety": "co", "trigger_price": 1480}, 10, "TRIGGER PENDING"),
}


@pytest.mark.parametrize("case", FOLLOWING)
def test_process_that_dies_at_a_fill_still_places_what_follows(tmp_path: Path, case: str) -> None:
    terms, quantity, status = FOLLOWING[case]
    with EmulatorProcess("kite", tmp_path / "kite.db") as kite:
        token = kite.control("session")["access_token"]
        client = KiteConnect(API_KEY, root=kite.url, access_token=token)
        kite.arm(Fault.CRASH, op="matched")
        form = {"exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": 10, **terms}
        with pytest.raises(requests.exceptions.ConnectionError):
            client.place_order(**form, product="MIS", order_type="LIMIT", price=1500)
        kite.wait()
        kite.start()
        client.reqsession.close()
        first, second = client.orders()
        assert first["status"] == "COMPLETE"
        assert (second["quantity"], second["status"]) == (quantity, status)
        client.reqsession.close()
