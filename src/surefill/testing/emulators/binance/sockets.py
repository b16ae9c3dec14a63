"""Binance's WebSockets: market streams, account streams by listen key, and spot's WebSocket API for account streams.

Spot: /ws, /ws/NAME, /stream?streams=A/B, /ws-api/v3. USD-M: the same below /fstream, and /fstream/public/ws,
/fstream/market/ws, /fstream/private/ws?listenKey=KEY.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from surefill.testing.emulators.binance.admission import check_hmac, check_time, key_of
from surefill.testing.emulators.binance.errors import BinanceError, missing
from surefill.testing.emulators.binance.floor import account_channel, market_channel
from surefill.testing.emulators.binance.listening import ListenKeys
from surefill.testing.emulators.binance.money import SPOT, USDM
from surefill.testing.emulators.groundwork.desk import Desk
from surefill.testing.emulators.groundwork.streams import Listener
from surefill.testing.emulators.groundwork.wire import TRANSPORT
from surefill.testing.remote_venue.faults import Fault


class Sockets:
    """All connections."""

    def __init__(self, desk: Desk, listening: ListenKeys) -> None:
        self._desk, self._listening = desk, listening

    async def streams(self, socket: WebSocket) -> None:
        """A market or account stream."""
        path = socket.url.path
        scope = USDM if path.startswith("/fstream") else SPOT
        combined = path.endswith("/stream")
        if self._desk.faults.strike(Fault.DISCONNECT, "connect"):
            socket.scope["state"][TRANSPORT].abort()
            return
        names = [name for name in socket.query_params.get("streams", "").split("/") if name]
        last = path.rsplit("/", 1)[-1]
        if "/ws/" in path and ("@" in last or len(last) > 20):
            names.append(last)
        if "listenKey" in socket.query_params:
            names.append(socket.query_params["listenKey"])
        channels = [channel for name in names if (channel := self._channel(scope, name))]
        await socket.accept()
        await self._serve(socket, _Stream(self, scope, combined=combined), channels)

    async def api(self, socket: WebSocket) -> None:
        """Spot's WebSocket API."""
        if self._desk.faults.strike(Fault.DISCONNECT, "connect"):
            socket.scope["state"][TRANSPORT].abort()
            return
        await socket.accept()
        await self._serve(socket, _Api(self), [])

    async def _serve(self, socket: WebSocket, talk: _Stream | _Api, channels: list[str]) -> None:
        listener = self._desk.streams.open(*channels)
        sending = asyncio.ensure_future(_send(socket, listener, talk))
        try:
            while True:
                asked = json.loads(await socket.receive_text())
                said = talk.take(asked, self._desk.streams.channels(listener))
                listener.send(said)
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass  # clients break off as a matter of course
        except (ValueError, KeyError):
            listener.send({"error": {"code": 2, "msg": "Invalid request: it is not JSON as expected"}})
        finally:
            self._desk.streams.close(listener)
            listener.send(None)
            await sending

    def _channel(self, scope: str, name: str) -> str:
        known = self._listening.find(name)
        if known is not None:
            return account_channel(known.scope, known.account)
        return market_channel(scope, name) if "@" in name else ""

    # -- what a talk needs ------------------------------------------------------------------------------------

    def channel(self, scope: str, name: str) -> str:
        """Where a stream's messages are told, "" for an unknown one."""
        return self._channel(scope, name)

    def let_in(self, params: Mapping[str, Any]) -> str:
        """The account that signed a request: the parameters in alphabetical order, without the signature."""
        key = key_of(self._desk.store, str(params.get("apiKey", "")))
        if not params.get("signature"):
            raise missing("signature")
        check_time(params, self._desk.now_ms())
        signed = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
        check_hmac(key.secret, signed, str(params["signature"]))
        return key.account


class _Stream:
    """What is said on a stream: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS."""

    def __init__(self, sockets: Sockets, scope: str, *, combined: bool) -> None:
        self._sockets, self._scope, self._combined = sockets, scope, combined
        self._names: list[str] = []

    def take(self, asked: Mapping[str, Any], channels: set[str]) -> dict[str, Any]:
        """Answer a request."""
        names = [str(name) for name in asked.get("params") or []]
        result: Any = None
        match asked.get("method"):
            case "SUBSCRIBE":
                self._names += names
                channels |= {self._sockets.channel(self._scope, name) for name in names}
            case "UNSUBSCRIBE":
                self._names = [name for name in self._names if name not in names]
                channels -= {self._sockets.channel(self._scope, name) for name in names}
            case "LIST_SUBSCRIPTIONS":
                result = self._names
            case other:
                return {"error": {"code": 2, "msg": f"Invalid request: unknown variant `{other}`"}, "id": asked["id"]}
        return {"result": result, "id": asked.get("id")}

    def wrap(self, message: Any) -> Any:
        """A message as this connection wants it."""
        if not isinstance(message, tuple):
            return message
        channel, body = message
        if not self._combined:
            return body
        name = channel.split(" ", 1)[1]
        return {"stream": next((each for each in self._names if each.lower() == name), name), "data": body}


class _Api:
    """What is said on the WebSocket API: subscriptions to the account's stream, pings and the time."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._subscribed = False

    def take(self, asked: Mapping[str, Any], channels: set[str]) -> dict[str, Any]:
        """Answer a request."""
        try:
            return {"id": asked.get("id"), "status": 200, "result": self._do(asked, channels), "rateLimits": []}
        except BinanceError as error:
            said = {"code": error.code, "msg": error.msg}
            return {"id": asked.get("id"), "status": error.status, "error": said, "rateLimits": []}

    def _do(self, asked: Mapping[str, Any], channels: set[str]) -> Any:
        match asked.get("method"):
            case "ping":
                return {}
            case "userDataStream.subscribe.signature":
                account = self._sockets.let_in(asked.get("params") or {})
                if self._subscribed:
                    raise BinanceError(-2035, "User Data Stream subscription already active.")
                channels.add(account_channel(SPOT, account))
                self._subscribed = True
                return {"subscriptionId": 0}
            case "userDataStream.unsubscribe":
                channels.clear()
                self._subscribed = False
                return {}
            case other:
                raise BinanceError(-1020, f"This operation is not supported: {other}")

    def wrap(self, message: Any) -> Any:
        """A message as this connection wants it."""
        is_event = isinstance(message, dict) and "e" in message
        return {"subscriptionId": 0, "event": message} if is_event else message


async def _send(socket: WebSocket, listener: Listener, talk: _Stream | _Api) -> None:
    """Send what is told, until the end."""
    while (message := await listener.queue.get()) is not None:
        try:
            await socket.send_text(json.dumps(talk.wrap(message)))
        except (WebSocketDisconnect, RuntimeError, OSError):
            return
    socket.scope["state"][TRANSPORT].abort()
