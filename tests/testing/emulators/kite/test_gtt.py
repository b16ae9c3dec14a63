from __future__ import annotations

from typing import Any

import pytest
from kiteconnect import KiteConnect
from kiteconnect.exceptions import InputException

from surefill.testing.emulators import Fault
from surefill.testing.emulators.thread import EmulatorThread


def leg(price: float, quantity: int = 5, side: str = "SELL") -> dict[str, Any]:
    return {
        "transaction_type": side, "quantity": quantity, "order_type": "LIMIT", "product": "CNC", "price": price,
    }  # fmt: skip


def place(client: KiteConnect, values: list[float], legs: list[dict[str, Any]], kind: str = "two-leg") -> int:
    return int(client.place_gtt(kind, "INFY", "NSE", values, 1500, legs)["trigger_id"])


@pytest.mark.parametrize(("last", "leg_struck"), [(1480, 0), (1530, 1)])
def test_two_legs_place_the_order_of_the_one_that_is_reached(
    kite: EmulatorThread, client: KiteConnect, last: float, leg_struck: int
) -> None:
    kite.control("hold", key="NSE:INFY", qty=5, px=1400)
    trigger_id = place(client, [1480, 1530], [leg(1470), leg(1525)])
    for near in (1480.05, 1529.95):
        kite.price("NSE:INFY", near)
    assert client.get_gtt(trigger_id)["status"] == "active"
    kite.price("NSE:INFY", last)
    trigger = client.get_gtt(trigger_id)
    assert trigger["status"] == "triggered"
    assert [order["result"] is not None for order in trigger["orders"]] == [leg_struck == 0, leg_struck == 1]
    result = trigger["orders"][leg_struck]["result"]["order_result"]
    assert result["status"] == "success"
    assert [order["order_id"] for order in client.orders()] == [result["order_id"]]
    kite.price("NSE:INFY", 1480)
    assert len(client.orders()) == 1


def test_trigger_whose_order_is_refused_tells_why(kite: EmulatorThread, client: KiteConnect) -> None:
    trigger_id = place(client, [1510], [leg(1510, side="BUY")], "single")
    kite.arm(Fault.REFUSED, op="gtt")
    kite.price("NSE:INFY", 1510)
    result = client.get_gtt(trigger_id)["orders"][0]["result"]["order_result"]
    assert (result["status"], result["order_id"]) == ("failed", "")
    assert result["rejection_reason"]
    assert client.orders() == []


def test_trigger_can_be_changed_and_deleted(kite: EmulatorThread, client: KiteConnect) -> None:
    trigger_id = place(client, [1480], [leg(1470)], "single")
    client.modify_gtt(trigger_id, "single", "INFY", "NSE", [1470], 1500, [leg(1460)])
    kite.price("NSE:INFY", 1475)
    assert [trigger["condition"]["trigger_values"] for trigger in client.get_gtts()] == [[1470]]
    client.delete_gtt(trigger_id)
    kite.price("NSE:INFY", 1460)
    assert client.get_gtts() == []
    assert client.orders() == []
    with pytest.raises(InputException, match="not active"):
        client.delete_gtt(trigger_id)


def test_trigger_that_the_market_is_at_already_is_kept_and_disabled(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.price("NSE:INFY", 1481)
    trigger_id = place(client, [1480], [leg(1470)], "single")
    assert client.get_gtt(trigger_id)["status"] == "disabled"
    kite.price("NSE:INFY", 1470)
    assert client.orders() == []


def test_more_triggers_than_an_account_may_have_are_refused(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("kite_rules", limits={"triggers_max": 1})
    first = place(client, [1480], [leg(1470)], "single")
    with pytest.raises(InputException, match="Maximum number"):
        place(client, [1480], [leg(1470)], "single")
    client.delete_gtt(first)
    place(client, [1480], [leg(1470)], "single")


@pytest.mark.parametrize("product", ["MIS", "CO"])
def test_trigger_for_the_day_is_refused(client: KiteConnect, product: str) -> None:
    with pytest.raises(InputException, match="CNC, NRML"):
        place(client, [1480], [leg(1470) | {"product": product}], "single")


WRONG: dict[str, tuple[list[float], list[dict[str, Any]], str, str]] = {
    "already there": ([1500], [leg(1470)], "single", "already met"),
    "both above": ([1510, 1520], [leg(1470), leg(1525)], "two-leg", "enclose"),
    "off the tick": ([1480.03], [leg(1470)], "single", "tick"),
    "two orders of one": ([1480], [leg(1470), leg(1470)], "single", "two-leg"),
}


@pytest.mark.parametrize("case", WRONG)
def test_trigger_that_makes_no_sense_is_refused(client: KiteConnect, case: str) -> None:
    values, legs, kind, said = WRONG[case]
    with pytest.raises(InputException, match=said):
        place(client, values, legs, kind)
