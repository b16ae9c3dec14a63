"""The ticker: prices as binary packets, order updates and errors as text, and a byte as a heartbeat."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from surefill.testing.emulators.groundwork import Fault
from surefill.testing.emulators.groundwork.streams import Listener
from surefill.testing.emulators.groundwork.wire import broken_off
from surefill.testing.emulators.kite.book import ORDERS
from surefill.testing.emulators.kite.errors import KiteError
from surefill.testing.emulators.kite.orders import Order
from surefill.testing.emulators.kite.packets import HEARTBEAT, MODES, message, packet
from surefill.testing.emulators.kite.postbacks import postback
from surefill.testing.emulators.kite.venue import Venue, ticks

POLICY_VIOLATION = 1008


class Ticker:
    """All connections. A request is `{"a": action, "v": value}`; what makes no sense is answered with an error."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._connected = 0

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from its handshake to its end."""
        query = websocket.query_params
        try:
            self._venue.sessions.check(query.get("api_key", ""), query.get("access_token", ""))
        except KiteError:
            await websocket.close()
            return
        await websocket.accept()
        limit = self._venue.book.rules.limits.sockets_max
        if limit and self._connected >= limit:
            await websocket.send_text(_error("Too many connections for this api_key"))
            await websocket.close(POLICY_VIOLATION)
            return
        await self._converse(websocket)

    async def _converse(self, websocket: WebSocket) -> None:
        streams = self._venue.desk.streams
        socket = streams.open(ORDERS)
        self._connected += 1
        sender = asyncio.create_task(self._send(websocket, socket))
        modes: dict[int, str] = {}
        try:
            while True:
                self._read(socket, modes, await websocket.receive_text())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            pass  # it is gone, or sent bytes, which nobody understands
        finally:
            self._connected -= 1
            streams.close(socket)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender

    async def _send(self, websocket: WebSocket, socket: Listener) -> None:
        """Send what waits; None breaks the connection, as that fault does at a price or an order update."""
        strike = self._venue.desk.faults.strike
        while True:
            try:
                async with asyncio.timeout(self._venue.book.rules.heartbeat_ms / 1000):
                    waiting = await socket.queue.get()
            except TimeoutError:
                waiting = HEARTBEAT
            try:
                if waiting is None or (waiting is not HEARTBEAT and strike(Fault.DISCONNECT, "ticker")):
                    broken_off(websocket.scope)
                    return
                if isinstance(waiting, bytes):
                    await websocket.send_bytes(waiting)
                else:
                    await websocket.send_text(waiting if isinstance(waiting, str) else self._update(*waiting))
            except (WebSocketDisconnect, RuntimeError, OSError):
                return  # it is gone; whoever reads from it notices as well

    def _update(self, order: Order, status: str) -> str:
        """An order update has the shape of a postback, with an empty checksum."""
        body = postback(order, status, self._venue.sessions.account, checksum=False)
        return msgspec.json.encode({"type": "order", "data": body}).decode()

    def _read(self, socket: Listener, modes: dict[int, str], text: str) -> None:
        try:
            said = msgspec.json.decode(text)
            action, value = said["a"], said["v"]
            mode, tokens = (value[0], value[1]) if action == "mode" else ("", value)
            tokens = [int(token) for token in tokens]
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, IndexError):
            socket.send(_error("Invalid request"))
            return
        if action == "subscribe":
            self._subscribe(socket, modes, {token: modes.get(token, "quote") for token in tokens})
        elif action == "unsubscribe":
            for token in tokens:
                self._unsubscribe(socket, modes, token)
        elif action == "mode" and mode in MODES:
            self._subscribe(socket, modes, dict.fromkeys(tokens, mode))
        else:
            socket.send(_error(f"Invalid action or mode: {action}"))

    def _subscribe(self, socket: Listener, modes: dict[int, str], wanted: dict[int, str]) -> None:
        limit = self._venue.book.rules.limits.tokens_per_socket
        if limit and len(modes | wanted) > limit:
            socket.send(_error(f"At most {limit} instruments per connection"))
            return
        packets: list[bytes] = []
        for instrument in self._venue.store.instruments.values():
            mode = wanted.get(instrument.instrument_token)
            if mode:
                self._unsubscribe(socket, modes, instrument.instrument_token)
                self._venue.desk.streams.channels(socket).add(ticks(instrument.instrument_token, mode))
                packets.append(packet(instrument, self._venue.book.lookup(instrument.key)[1], mode))
        modes.update(wanted)
        if packets:
            socket.send(message(packets))

    def _unsubscribe(self, socket: Listener, modes: dict[int, str], token: int) -> None:
        mode = modes.pop(token, "")
        self._venue.desk.streams.channels(socket).discard(ticks(token, mode))


def _error(text: str) -> str:
    return msgspec.json.encode({"type": "error", "data": text}).decode()
