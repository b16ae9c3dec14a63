"""The ticker: prices as binary packets, order updates and errors as text, and a byte as a heartbeat."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from surefill.testing.emulators.kite.errors import KiteError
from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.orders import Order
from surefill.testing.emulators.kite.packets import HEARTBEAT, MODES, message, packet
from surefill.testing.emulators.kite.postbacks import postback
from surefill.testing.emulators.kite.venue import Venue
from surefill.testing.remote_venue.faults import Fault


class Socket:
    """One connection: what it is subscribed to, and what waits to be sent. None at the end of it breaks it off."""

    def __init__(self) -> None:
        self.modes: dict[int, str] = {}
        self.out: asyncio.Queue[bytes | str | None] = asyncio.Queue()


class Ticker:
    """All connections. `abort(websocket)` breaks one without a farewell."""

    def __init__(self, venue: Venue, abort: Callable[[WebSocket], None]) -> None:
        self._venue = venue
        self._abort = abort
        self._sockets: list[Socket] = []
        venue.price_listeners.append(self._priced)
        venue.book.listeners.append(self._updated)

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self._sockets)

    def drop(self) -> int:
        """Break all connections; how many."""
        for socket in self._sockets:
            socket.out.put_nowait(None)
        return len(self._sockets)

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
        if limit and len(self._sockets) >= limit:
            await websocket.send_text(_error("Too many connections for this api_key"))
            await websocket.close(1008)
            return
        socket = Socket()
        self._sockets.append(socket)
        sender = asyncio.create_task(self._send(websocket, socket))
        try:
            while True:
                self._read(socket, await websocket.receive_text())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            pass  # it is gone, or sent bytes, which nobody understands
        finally:
            self._sockets.remove(socket)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender

    async def _send(self, websocket: WebSocket, socket: Socket) -> None:
        while True:
            try:
                async with asyncio.timeout(self._venue.book.rules.heartbeat_ms / 1000):
                    waiting = await socket.out.get()
            except TimeoutError:
                waiting = HEARTBEAT
            try:
                if waiting is None:
                    self._abort(websocket)
                    return
                elif isinstance(waiting, str):
                    await websocket.send_text(waiting)
                else:
                    await websocket.send_bytes(waiting)
            except (WebSocketDisconnect, RuntimeError, OSError):
                return  # it is gone; whoever reads from it notices as well

    def _read(self, socket: Socket, text: str) -> None:
        try:
            said = msgspec.json.decode(text)
            action, value = said["a"], said["v"]
            mode, tokens = (value[0], value[1]) if action == "mode" else ("", value)
            tokens = [int(token) for token in tokens]
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, IndexError):
            socket.out.put_nowait(_error("Invalid request"))
            return
        if action == "subscribe":
            self._subscribe(socket, {token: socket.modes.get(token, "quote") for token in tokens})
        elif action == "unsubscribe":
            for token in tokens:
                socket.modes.pop(token, None)
        elif action == "mode" and mode in MODES:
            self._subscribe(socket, dict.fromkeys(tokens, mode))
        else:
            socket.out.put_nowait(_error(f"Invalid action or mode: {action}"))

    def _subscribe(self, socket: Socket, modes: dict[int, str]) -> None:
        limit = self._venue.book.rules.limits.tokens_per_socket
        if limit and len(socket.modes | modes) > limit:
            socket.out.put_nowait(_error(f"At most {limit} instruments per connection"))
            return
        socket.modes.update(modes)
        packets = [
            packet(each, self._venue.book.lookup(each.key)[1], modes[each.instrument_token])
            for each in self._venue.store.instruments.values()
            if each.instrument_token in modes
        ]
        if packets:
            socket.out.put_nowait(message(packets))

    def _priced(self, instrument: Instrument, price: Price) -> None:
        strike = self._venue.faults.strike
        for socket in self._sockets:
            mode = socket.modes.get(instrument.instrument_token)
            if mode is None or strike(Fault.LOSE_REPORT, "ticker"):
                continue
            if strike(Fault.DISCONNECT, "ticker"):
                socket.out.put_nowait(None)
                continue
            socket.out.put_nowait(message([packet(instrument, price, mode)]))

    def _updated(self, order: Order, status: str) -> None:
        """A connection's message has the shape of a postback, with an empty checksum."""
        body = postback(order, status, self._venue.sessions.account, checksum=False)
        text = msgspec.json.encode({"type": "order", "data": body}).decode()
        for socket in self._sockets:
            if self._venue.faults.strike(Fault.DISCONNECT, "stream"):
                socket.out.put_nowait(None)
            else:
                socket.out.put_nowait(text)


def _error(text: str) -> str:
    return msgspec.json.encode({"type": "error", "data": text}).decode()
