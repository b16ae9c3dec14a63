from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kiteconnect import KiteConnect, KiteTicker
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from surefill.testing.emulators import Fault
from surefill.testing.emulators.kite import API_KEY
from surefill.testing.emulators.thread import EmulatorThread

INFY, NIFTY_50, FUTURE, USDINR = 408065, 256265, 0xE00102, 0xE00103
Say = Callable[..., None]


@pytest.fixture
def socket(kite: EmulatorThread, client: KiteConnect) -> Iterator[ClientConnection]:
    url = f"{kite.ws_url}?api_key={API_KEY}&access_token={client.access_token}"
    with connect(url, open_timeout=5) as socket:
        yield socket


def say(socket: ClientConnection, action: str, value: object) -> None:
    socket.send(json.dumps({"a": action, "v": value}))


def ticks(socket: ClientConnection) -> list[dict[str, Any]]:
    """The next prices, as the client library's own parser reads them."""
    while True:
        got = socket.recv(timeout=5)
        if isinstance(got, bytes) and len(got) > 1:
            return list(KiteTicker("", "")._parse_binary(got))


def text(socket: ClientConnection) -> dict[str, Any]:
    while True:
        got = socket.recv(timeout=5)
        if isinstance(got, str):
            return dict(json.loads(got))


def test_subscription_begins_with_a_quote(kite: EmulatorThread, socket: ClientConnection) -> None:
    kite.price("NSE:INFY", last=1501.05, bid=1501, ask=1501.1, qty=40)
    say(socket, "subscribe", [INFY])
    (tick,) = ticks(socket)
    assert (tick["mode"], tick["instrument_token"], tick["last_price"]) == ("quote", INFY, 1501.05)
    assert (tick["total_buy_quantity"], tick["ohlc"]["close"], tick["tradable"]) == (40, 1500, True)


def test_modes_differ_by_what_they_tell(kite: EmulatorThread, socket: ClientConnection) -> None:
    say(socket, "mode", ["ltp", [INFY]])
    assert set(ticks(socket)[0]) == {"tradable", "mode", "instrument_token", "last_price"}
    say(socket, "mode", ["full", [INFY]])
    ticks(socket)
    kite.price("NSE:INFY", last=1502, bid=1501.95, ask=1502.05, qty=9)
    (tick,) = ticks(socket)
    assert tick["mode"] == "full"
    assert tick["depth"]["buy"][0] == {"quantity": 9, "price": 1501.95, "orders": 1}
    assert tick["depth"]["sell"][0] == {"quantity": 9, "price": 1502.05, "orders": 1}
    assert len(tick["depth"]["sell"]) == 5


@pytest.mark.parametrize("mode", ["quote", "full"])
def test_index_has_packets_of_its_own(kite: EmulatorThread, socket: ClientConnection, mode: str) -> None:
    say(socket, "mode", [mode, [NIFTY_50]])
    ticks(socket)
    kite.price("NSE:NIFTY 50", 24_120.5)
    (tick,) = ticks(socket)
    assert (tick["mode"], tick["tradable"], tick["last_price"]) == (mode, False, 24_120.5)
    assert tick["ohlc"] == {"high": 24_120.5, "low": 24_000, "open": 24_000, "close": 24_000}
    assert ("exchange_timestamp" in tick) == (mode == "full")


def test_currency_has_finer_prices(kite: EmulatorThread, socket: ClientConnection) -> None:
    kite.price("CDS:USDINR26DECFUT", 84.0025)
    say(socket, "subscribe", [USDINR])
    assert ticks(socket)[0]["last_price"] == 84.0025


def test_several_instruments_come_in_one_message(socket: ClientConnection) -> None:
    say(socket, "subscribe", [INFY, FUTURE, 1])
    assert [tick["instrument_token"] for tick in ticks(socket)] == [INFY, FUTURE]


def test_unsubscribed_instrument_is_silent(kite: EmulatorThread, socket: ClientConnection) -> None:
    say(socket, "subscribe", [INFY, FUTURE])
    ticks(socket)
    say(socket, "unsubscribe", [INFY])
    say(socket, "mode", ["ltp", [FUTURE]])  # its answer comes after the other was taken
    ticks(socket)
    kite.price("NSE:INFY", 1502)
    kite.price("NFO:NIFTY26DECFUT", 24_200)
    assert ticks(socket)[0]["instrument_token"] == FUTURE


def test_heartbeat_is_one_byte(kite: EmulatorThread, client: KiteConnect) -> None:
    kite.control("kite_rules", heartbeat_ms=20)
    url = f"{kite.ws_url}?api_key={API_KEY}&access_token={client.access_token}"
    with connect(url) as socket:
        assert [socket.recv(timeout=5) for _ in range(3)] == [b"\x00"] * 3


def test_order_updates_come_as_text(kite: EmulatorThread, client: KiteConnect, socket: ClientConnection) -> None:
    order_id = client.place_order("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT", 1490, tag="t1")
    kite.price("NSE:INFY", 1490, qty=3)
    kite.price("NSE:INFY", 1490)
    updates = [text(socket) for _ in range(3)]
    assert {update["type"] for update in updates} == {"order"}
    assert {update["data"]["order_id"] for update in updates} == {order_id}
    assert [(each["data"]["status"], each["data"]["filled_quantity"]) for each in updates] == [
        ("OPEN", 0),
        ("UPDATE", 3),
        ("COMPLETE", 10),
    ]
    assert {update["data"]["checksum"] for update in updates} == {""}


STREAM = {
    Fault.DUPLICATE_REPORT: ["OPEN", "OPEN", "COMPLETE", "COMPLETE"],
    Fault.REORDER_REPORTS: ["COMPLETE", "OPEN"],
    Fault.LOSE_REPORT: ["COMPLETE"],
}


@pytest.mark.parametrize("fault", STREAM, ids=lambda fault: fault.name)
def test_stream_can_repeat_reorder_and_lose(
    kite: EmulatorThread, client: KiteConnect, socket: ClientConnection, fault: Fault
) -> None:
    kite.arm(fault)
    client.place_order("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT", 1500)
    assert [text(socket)["data"]["status"] for _ in STREAM[fault]] == STREAM[fault]


def test_fill_before_the_acknowledgement_is_streamed_first(
    kite: EmulatorThread, client: KiteConnect, socket: ClientConnection
) -> None:
    kite.rules(short_ms=60_000)
    kite.arm(Fault.FILL_BEFORE_ACK, op="submit")
    client.timeout = 0.2
    with pytest.raises(Exception, match="timed out"):
        client.place_order("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT", 1500)
    assert [text(socket)["data"]["status"] for _ in range(2)] == ["OPEN", "COMPLETE"]


WRONG = {
    "no json": "hello",
    "no value": '{"a": "subscribe"}',
    "no such action": '{"a": "dance", "v": []}',
    "no such mode": '{"a": "mode", "v": ["fast", [408065]]}',
    "no tokens": '{"a": "subscribe", "v": ["INFY"]}',
}


@pytest.mark.parametrize("case", WRONG)
def test_request_that_makes_no_sense_is_answered_with_an_error(socket: ClientConnection, case: str) -> None:
    socket.send(WRONG[case])
    assert text(socket)["type"] == "error"


def test_too_many_instruments_are_refused(kite: EmulatorThread, socket: ClientConnection) -> None:
    kite.control("kite_rules", limits={"tokens_per_socket": 2})
    say(socket, "subscribe", [1, 2, 3])
    assert "At most 2" in text(socket)["data"]


def test_too_many_connections_are_refused(kite: EmulatorThread, client: KiteConnect, socket: ClientConnection) -> None:
    kite.control("kite_rules", limits={"sockets_max": 1})
    url = f"{kite.ws_url}?api_key={API_KEY}&access_token={client.access_token}"
    with connect(url) as second:
        assert "Too many connections" in text(second)["data"]


def test_wrong_token_ends_the_handshake(kite: EmulatorThread) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"{kite.ws_url}?api_key=x&access_token=y")
    assert refusal.value.response.status_code == 403


def test_connection_can_be_broken_at_any_time(kite: EmulatorThread, socket: ClientConnection) -> None:
    say(socket, "subscribe", [INFY])
    ticks(socket)
    assert kite.control("disconnect") == 1
    with pytest.raises(ConnectionClosed):
        ticks(socket)


def test_connection_breaks_at_a_tick_when_that_fault_is_armed(kite: EmulatorThread, socket: ClientConnection) -> None:
    say(socket, "subscribe", [INFY])
    ticks(socket)
    kite.arm(Fault.DISCONNECT, op="ticker")
    kite.price("NSE:INFY", 1502)
    with pytest.raises(ConnectionClosed):
        ticks(socket)


def test_library_s_own_ticker_hears_prices_and_order_updates(kite: EmulatorThread, client: KiteConnect) -> None:
    arguments = [kite.ws_url, API_KEY, client.access_token, str(INFY), "4"]
    program = [sys.executable, str(Path(__file__).with_name("ticker_client.py")), *arguments]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout is not None
        heard = [json.loads(listening.stdout.readline()) for _ in range(2)]
        client.place_order("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT", 1490)
        kite.price("NSE:INFY", 1499.5)
        heard += [json.loads(listening.stdout.readline()) for _ in range(2)]
        assert listening.wait(20) == 0
    assert [kind for kind, _ in heard] == ["ticks", "ticks", "order", "ticks"]
    assert [ticks[0]["mode"] for kind, ticks in heard if kind == "ticks"] == ["quote", "full", "full"]
    assert heard[2][1]["status"] == "OPEN"
    assert heard[3][1][0]["last_price"] == 1499.5
