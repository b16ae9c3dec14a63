"""Raw WebSockets: market streams, combined streams, account streams, spot's WebSocket API."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from tests.testing.emulators.binance.clients import ask, market
from websockets.exceptions import InvalidMessage
from websockets.sync.client import ClientConnection, connect

from surefill.testing.emulators import EmulatorProcess, Fault
from surefill.testing.emulators.binance import API_KEY, SECRET

WAIT_S = 5


def _next(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=WAIT_S))


def _asked(socket: ClientConnection, method: str, params: object = None) -> Any:
    """Ask on a socket; the answer to it."""
    socket.send(json.dumps({"method": method, "params": params, "id": 7}))
    return _next(socket)


@pytest.mark.parametrize("base", ["/ws/0", "/fstream/public/ws/0", "/fstream/ws"])
def test_stream_is_heard_between_subscribe_and_unsubscribe(venue: EmulatorProcess, base: str) -> None:
    with connect(f"{venue.ws_url}{base}") as socket:
        assert _asked(socket, "SUBSCRIBE", ["btcusdt@bookTicker"]) == {"result": None, "id": 7}
        venue.price("BTCUSDT", None, bid=50001, ask=50002, bid_qty=3)
        told = _next(socket)
        assert {each: float(told[each]) for each in "bBaA"} == {"b": 50001, "B": 3, "a": 50002, "A": 1000}
        assert _asked(socket, "LIST_SUBSCRIPTIONS")["result"] == ["btcusdt@bookTicker"]
        assert _asked(socket, "UNSUBSCRIBE", ["btcusdt@bookTicker"]) == {"result": None, "id": 7}
        venue.price("BTCUSDT", 50003)
        assert _asked(socket, "LIST_SUBSCRIPTIONS")["result"] == []


def test_combined_stream_says_which_stream_it_is(venue: EmulatorProcess) -> None:
    with connect(f"{venue.ws_url}/stream?streams=btcusdt@trade/btcusdt@aggTrade") as socket:
        ask(venue, "POST", "/api/v3/order", market())
        told = [_next(socket) for _ in range(2)]
        assert [(each["stream"], each["data"]["e"]) for each in told] == [
            ("btcusdt@trade", "trade"),
            ("btcusdt@aggtrade", "aggTrade"),
        ]


def _subscription(secret: str = SECRET) -> dict[str, object]:
    params: dict[str, object] = {"apiKey": API_KEY, "timestamp": int(time.time() * 1000)}
    signed = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return {**params, "signature": hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()}


def test_websocket_api_opens_the_account_stream_to_who_signs(venue: EmulatorProcess) -> None:
    with connect(f"{venue.ws_url}/ws-api/v3") as socket:
        refused = _asked(socket, "userDataStream.subscribe.signature", _subscription("wrong"))
        assert (refused["status"], refused["error"]["code"]) == (400, -1022)
        opened = _asked(socket, "userDataStream.subscribe.signature", _subscription())
        assert (opened["status"], opened["result"]) == (200, {"subscriptionId": 0})
        assert _asked(socket, "userDataStream.subscribe.signature", _subscription())["error"]["code"] == -2035
        ask(venue, "POST", "/api/v3/order", market())
        told = [_next(socket) for _ in range(4)]
        assert {each["subscriptionId"] for each in told} == {0}
        assert [each["event"]["e"] for each in told] == ["executionReport", "outboundAccountPosition"] * 2


def test_futures_account_stream_tells_orders_account_and_conditional_orders(venue: EmulatorProcess) -> None:
    key = ask(venue, "POST", "/fapi/v1/listenKey").body["listenKey"]
    with connect(f"{venue.ws_url}/fstream/private/ws?listenKey={key}") as socket:
        ask(venue, "POST", "/fapi/v1/order", market())
        assert [_next(socket)["e"] for _ in range(3)] == ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
        stop = {"algoType": "CONDITIONAL", "triggerPrice": "45000", "clientAlgoId": "stop"}
        ask(venue, "POST", "/fapi/v1/algoOrder", market(side="SELL", type="STOP_MARKET", reduceOnly="true", **stop))
        told = _next(socket)
        assert (told["e"], told["o"]["X"], told["o"]["caid"]) == ("ALGO_UPDATE", "NEW", "stop")
        venue.price("BTCUSDT", 44000)
        seen = [_next(socket) for _ in range(5)]
        assert [each["o"]["X"] for each in seen if each["e"] == "ALGO_UPDATE"] == ["TRIGGERED", "FINISHED"]
        assert [each["a"]["P"][0]["pa"] for each in seen if each["e"] == "ACCOUNT_UPDATE"] == ["0"]


def test_disconnect_ends_every_stream_and_one_may_connect_again(venue: EmulatorProcess) -> None:
    with connect(f"{venue.ws_url}/ws/btcusdt@bookTicker") as socket:
        venue.price("BTCUSDT", 50001)
        assert _next(socket)["b"] == "50001.00000000"
        assert venue.control("disconnect") == 1
        with pytest.raises(Exception, match="no close frame"):
            socket.recv(timeout=WAIT_S)
    venue.arm(Fault.DISCONNECT, op="connect")
    with pytest.raises(InvalidMessage), connect(f"{venue.ws_url}/ws/btcusdt@bookTicker"):
        pass
    with connect(f"{venue.ws_url}/ws/btcusdt@bookTicker") as socket:
        venue.price("BTCUSDT", 50002)
        assert _next(socket)["b"] == "50002.00000000"
