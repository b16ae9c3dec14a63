"""Every fault of the catalogue, at the emulated Binance: what the client sees, and what really happened."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import ccxt
import pytest
from tests.testing.emulators.binance.clients import ask, limit, market, signed, talk
from websockets.sync.client import ClientConnection, connect

from surefill.testing.emulators import AnyFault, EmulatorProcess, Fault, WireFault
from surefill.testing.emulators.binance import API_KEY

ORDER, FUTURES_ORDER = "/api/v3/order", "/fapi/v1/order"
WAIT_S = 5

ANSWERED: list[tuple[AnyFault, int, int, bool]] = [
    # fault, status, code, whether the order is there
    (Fault.THROTTLED, 429, -1003, False),
    (WireFault.BANNED, 418, -1003, False),
    (WireFault.OVERLOADED, 503, -1008, False),
    (WireFault.UNAVAILABLE, 503, -1000, False),
    (WireFault.STATUS_UNKNOWN, 503, -1000, True),
    (Fault.SERVER_ERROR, 503, -1007, True),
    (WireFault.EXPIRE_TOKEN, 401, -2015, False),
]


@pytest.mark.parametrize(("fault", "status", "code", "there"), ANSWERED, ids=[row[0].name for row in ANSWERED])
def test_fault_that_answers_says_its_code_and_does_or_does_not(
    venue: EmulatorProcess, fault: AnyFault, status: int, code: int, there: bool
) -> None:
    venue.arm(fault, op="submit")
    said = ask(venue, "POST", ORDER, market())
    assert (said.status, said.code) == (status, code)
    assert ("retry-after" in said.headers) == (status in (418, 429))
    truth = venue.truth()
    assert truth.orders_per_client_id() == ({"one": 1} if there else {})
    assert truth.fired == {fault.name: 1}
    assert ask(venue, "POST", ORDER, market("two")).status == 200


@pytest.mark.parametrize(
    ("fault", "there"), [(Fault.DISCONNECT, False), (Fault.DISCONNECT_AFTER, True)], ids=["before", "after"]
)
def test_connection_that_breaks_leaves_no_answer(venue: EmulatorProcess, fault: Fault, there: bool) -> None:
    venue.arm(fault, op="submit")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(venue, "POST", ORDER, market())
    assert venue.truth().orders_per_client_id() == ({"one": 1} if there else {})


def test_garbled_answer_is_no_json_and_the_order_is_there(venue: EmulatorProcess) -> None:
    venue.arm(Fault.GARBLE_ANSWER, op="submit")
    with pytest.raises(json.JSONDecodeError):
        ask(venue, "POST", ORDER, market())
    assert venue.truth().orders_per_client_id() == {"one": 1}


SILENT = [
    (Fault.LOSE_REQUEST, 0),
    (Fault.LOSE_ANSWER, 1),
    (Fault.FILLED_UNSEEN, 1),
    (Fault.DELAY_ANSWER, 1),
]


@pytest.mark.parametrize(("fault", "there"), SILENT, ids=[row[0].name for row in SILENT])
def test_silence_is_a_time_out_for_the_client(venue: EmulatorProcess, fault: Fault, there: int) -> None:
    async def say(client: Any) -> None:
        client.timeout = 300
        with pytest.raises(ccxt.RequestTimeout):
            await client.create_order("BTC/USDT", "market", "buy", 0.01, None, {"newClientOrderId": "one"})

    venue.rules(delay_ms=1_000)
    venue.arm(fault, op="submit")
    talk(venue, "binance", say)
    assert venue.truth().orders_per_client_id()["one"] == there
    venue.rules(delay_ms=1_500)


def test_delayed_request_is_done_inside_its_receive_window_only(venue: EmulatorProcess) -> None:
    venue.rules(delay_ms=100)
    venue.arm(Fault.DELAY_REQUEST, op="submit", times=2)
    assert ask(venue, "POST", ORDER, market("late", recvWindow=50)).code == -1021
    assert ask(venue, "POST", ORDER, market("one")).status == 200
    venue.rules(delay_ms=1_500)
    assert venue.truth().orders_per_client_id() == {"one": 1}


@pytest.mark.parametrize(("path", "code"), [(ORDER, -2010), (FUTURES_ORDER, -2019)], ids=["spot", "usdm"])
def test_refused_order_is_nowhere_to_be_found(venue: EmulatorProcess, path: str, code: int) -> None:
    venue.arm(Fault.REFUSED, op="submit")
    assert ask(venue, "POST", path, market()).code == code
    assert [each["status"] for each in venue.truth().orders] == ["REJECTED"]
    assert ask(venue, "GET", path, {"symbol": "BTCUSDT", "origClientOrderId": "one"}).code == -2013


# -- reports ----------------------------------------------------------------------------------------------------


@pytest.fixture
def stream(venue: EmulatorProcess) -> Iterator[ClientConnection]:
    """The spot account's stream by listen key."""
    key = ask(venue, "POST", "/api/v3/userDataStream").body["listenKey"]
    with connect(f"{venue.ws_url}/ws/{key}") as socket:
        yield socket


def _reports(stream: ClientConnection, count: int) -> list[str]:
    """The next execution reports, as `execution type/status`."""
    told: list[str] = []
    while len(told) < count:
        message = json.loads(stream.recv(timeout=WAIT_S))
        if message["e"] == "executionReport":
            told.append(f"{message['x']}/{message['X']}")
    return told


REPORTS = [
    (None, ["NEW/NEW", "TRADE/FILLED"]),
    (Fault.DUPLICATE_REPORT, ["NEW/NEW", "NEW/NEW", "TRADE/FILLED", "TRADE/FILLED"]),
    (Fault.REORDER_REPORTS, ["TRADE/FILLED", "NEW/NEW"]),
    (Fault.LOSE_REPORT, ["TRADE/FILLED"]),
]


@pytest.mark.parametrize(("fault", "expected"), REPORTS)
def test_reports_of_an_order_that_fills(
    venue: EmulatorProcess, stream: ClientConnection, fault: Fault | None, expected: list[str]
) -> None:
    if fault:
        venue.arm(fault, op="stream")
    ask(venue, "POST", ORDER, market())
    assert _reports(stream, len(expected)) == expected


def test_cancel_that_loses_its_race_is_refused_and_the_order_filled(
    venue: EmulatorProcess, stream: ClientConnection
) -> None:
    ask(venue, "POST", ORDER, limit())
    venue.arm(Fault.CANCEL_FILL_RACE, op="cancel")
    assert ask(venue, "DELETE", ORDER, {"symbol": "BTCUSDT", "origClientOrderId": "one"}).code == -2011
    assert _reports(stream, 2) == ["NEW/NEW", "TRADE/FILLED"]


def test_end_is_told_before_the_fill_that_it_counts(venue: EmulatorProcess, stream: ClientConnection) -> None:
    ask(venue, "POST", ORDER, limit())
    venue.arm(Fault.END_BEFORE_FILLS, op="cancel")
    said = ask(venue, "DELETE", ORDER, {"symbol": "BTCUSDT", "origClientOrderId": "one"})
    assert (said.body["status"], said.body["executedQty"]) == ("CANCELED", "0.00500000")
    assert _reports(stream, 3) == ["NEW/NEW", "CANCELED/CANCELED", "TRADE/PARTIALLY_FILLED"]


def test_late_fill_comes_after_the_cancel_was_confirmed(venue: EmulatorProcess, stream: ClientConnection) -> None:
    ask(venue, "POST", ORDER, limit())
    venue.arm(Fault.LATE_FILL, op="cancel")
    said = ask(venue, "DELETE", ORDER, {"symbol": "BTCUSDT", "origClientOrderId": "one"})
    assert (said.body["status"], said.body["executedQty"]) == ("CANCELED", "0.00000000")
    assert _reports(stream, 3) == ["NEW/NEW", "CANCELED/CANCELED", "TRADE/CANCELED"]
    assert [each["qty"] for each in venue.truth().executions] == ["0.00500"]


def test_nothing_of_a_waiting_algo_order_fills_after_its_cancel_and_one_that_fills_has_triggered(
    venue: EmulatorProcess,
) -> None:
    algo = "/fapi/v1/algoOrder"
    for fault in (Fault.LATE_FILL, Fault.END_BEFORE_FILLS, Fault.CANCEL_FILL_RACE):
        terms = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "BUY", "type": "STOP_MARKET"}
        name = fault.name.lower()
        ask(venue, "POST", algo, {**terms, "quantity": "0.01", "triggerPrice": "61000", "clientAlgoId": name})
        venue.arm(fault, op="cancel")
        ask(venue, "DELETE", algo, {"clientAlgoId": name})
    truth = venue.truth()
    assert truth.fired == {"CANCEL_FILL_RACE": 1}
    filled = [(each["client_id"], each["status"]) for each in truth.orders if float(each["cum_qty"])]
    assert filled == [("cancel_fill_race", "FILLED")]
    told = ask(venue, "GET", algo, {"clientAlgoId": "cancel_fill_race"}).body
    assert (told["algoStatus"], told["actualOrderId"] != "") == ("FINISHED", True)


def test_fill_is_told_before_the_answer(venue: EmulatorProcess, stream: ClientConnection) -> None:
    venue.rules(short_ms=1_000)
    venue.arm(Fault.FILL_BEFORE_ACK, op="submit")
    connection = http.client.HTTPConnection("127.0.0.1", venue.port, timeout=WAIT_S)
    try:
        connection.request("POST", f"{ORDER}?{signed(market())}", headers={"X-MBX-APIKEY": API_KEY})
        assert _reports(stream, 2) == ["NEW/NEW", "TRADE/FILLED"]
        connection.sock.setblocking(False)
        with pytest.raises(BlockingIOError):  # nothing of the answer is there yet
            connection.sock.recv(1)
        connection.sock.setblocking(True)
        assert connection.getresponse().status == 200
    finally:
        connection.close()
        venue.rules(short_ms=30)


def test_stream_that_breaks_off_loses_what_it_had_to_tell(venue: EmulatorProcess, stream: ClientConnection) -> None:
    venue.arm(WireFault.STREAM_LOST, op="stream")
    ask(venue, "POST", ORDER, market())
    with pytest.raises(Exception, match="no close frame"):
        stream.recv(timeout=WAIT_S)


def test_listen_key_that_expires_is_told_and_opens_nothing_more(
    venue: EmulatorProcess, stream: ClientConnection
) -> None:
    assert venue.control("expire_listen_keys") == 1
    assert json.loads(stream.recv(timeout=WAIT_S))["e"] == "listenKeyExpired"
    said = ask(venue, "PUT", "/api/v3/userDataStream", {"listenKey": "0" * 64})
    assert said.body == {"code": -1125, "msg": "This listenKey does not exist."}


# -- looks ------------------------------------------------------------------------------------------------------

LOOKS = [
    ("/api/v3/openOrders", "open_orders", Fault.EMPTY_SNAPSHOT, []),
    ("/api/v3/openOrders", "open_orders", Fault.STALE_SNAPSHOT, ["one", "two"]),
    ("/api/v3/allOrders", "orders", Fault.EMPTY_SNAPSHOT, []),
    ("/api/v3/myTrades", "trades", Fault.STALE_SNAPSHOT, []),
]


@pytest.mark.parametrize(("path", "op", "fault", "expected"), LOOKS)
def test_look_that_lies_shows_what_is_not_so(
    venue: EmulatorProcess, path: str, op: str, fault: Fault, expected: list[str]
) -> None:
    ask(venue, "POST", ORDER, market("one"))
    ask(venue, "POST", ORDER, limit("two"))
    honest = ask(venue, "GET", path, {"symbol": "BTCUSDT"}).body
    venue.arm(fault, op=op)
    assert [each.get("clientOrderId") for each in ask(venue, "GET", path, {"symbol": "BTCUSDT"}).body] == expected
    assert ask(venue, "GET", path, {"symbol": "BTCUSDT"}).body == honest != []


def test_positions_may_be_empty_or_stale(venue: EmulatorProcess) -> None:
    ask(venue, "POST", FUTURES_ORDER, market("one"))
    ask(venue, "POST", FUTURES_ORDER, market("two"))
    held = []
    for fault in (Fault.EMPTY_SNAPSHOT, Fault.STALE_SNAPSHOT, None):
        if fault:
            venue.arm(fault, op="positions")
        held.append([each["positionAmt"] for each in ask(venue, "GET", "/fapi/v3/positionRisk").body])
    assert held == [[], ["0.010"], ["0.020"]]


def test_look_that_fails_says_so(venue: EmulatorProcess) -> None:
    venue.arm(Fault.QUERY_ERROR, op="order")
    said = ask(venue, "GET", ORDER, {"symbol": "BTCUSDT", "origClientOrderId": "one"})
    assert (said.status, said.code) == (503, -1001)


# -- the process ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hop", ["received", "matched"])
def test_venue_that_dies_between_two_steps_goes_on_where_it_was(tmp_path: Any, hop: str) -> None:
    with EmulatorProcess("binance", tmp_path / "truth") as process:
        process.price("BTCUSDT", 50000)
        process.arm(Fault.CRASH, op=hop)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            ask(process, "POST", ORDER, market())
        assert process.wait() == 70
        port = process.port
        process.start()
        assert process.port == port
        found = ask(process, "GET", ORDER, {"symbol": "BTCUSDT", "origClientOrderId": "one"}).body
        assert (found["status"], found["executedQty"]) == ("FILLED", "0.01000000")
        assert len(process.truth().executions) == 1


def test_killed_venue_keeps_orders_positions_and_listen_keys(tmp_path: Any) -> None:
    with EmulatorProcess("binance", tmp_path / "truth") as process:
        process.price("BTCUSDT", 50000)
        ask(process, "POST", FUTURES_ORDER, market())
        key = ask(process, "POST", "/fapi/v1/listenKey").body["listenKey"]
        before = process.truth()
        process.kill()
        process.start()
        after = process.truth()
        assert (after.orders, after.executions, after.positions) == (before.orders, before.executions, before.positions)
        assert ask(process, "POST", "/fapi/v1/listenKey").body["listenKey"] == key
