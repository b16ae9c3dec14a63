"""The venue on a port: HTTP and WebSockets by uvicorn's protocols, in this loop, until it is told to stop.

A connection can be broken without a farewell: each request's scope carries `abort` of its transport.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Final, NoReturn

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from surefill.errors import InputError
from surefill.testing.emulators.kite.app import Door
from surefill.testing.emulators.kite.book import Crash
from surefill.testing.emulators.kite.control import Control
from surefill.testing.emulators.kite.errors import KiteError
from surefill.testing.emulators.kite.postbacks import Postbacks
from surefill.testing.emulators.kite.rules import Account
from surefill.testing.emulators.kite.ticker import Ticker
from surefill.testing.emulators.kite.venue import Venue

CRASHED: Final = 70
CONTROL: Final = "/_emulator"


class _AbortableProtocol(H11Protocol):
    """Puts the transport's `abort` into every request's scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "abort": transport.abort}
        super().connection_made(transport)


def _abort(connection: HTTPConnection) -> None:
    connection.scope["state"]["abort"]()


def _die() -> NoReturn:
    os._exit(CRASHED)


def _later(delay_ms: int, call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay_ms / 1000, _or_die, call)


def _or_die(call: Callable[[], None]) -> None:
    try:
        call()
    except Crash:
        _die()


def listening(port: int = 0) -> socket.socket:
    """A socket on this machine; port 0 takes a free one."""
    # The protocol is named: asyncio sends answers at once (TCP_NODELAY) only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


async def serve(
    path: str, listener: socket.socket, stop: asyncio.Event, started: Callable[[], None], account: Account | None = None
) -> None:
    """Serve on a bound socket until `stop` is set; `started` is called once it answers."""
    venue = Venue(path, _later, account)
    ticker, postbacks = Ticker(venue, _abort), Postbacks(venue)
    control = Control(venue, ticker)

    async def command(request: Request) -> Response:
        try:
            answer = {"ok": True, "data": control.take(msgspec.json.decode(await request.body()))}
        except Crash:
            _die()
        except (KeyError, ValueError, TypeError, KiteError, InputError) as error:
            answer = {"ok": False, "data": f"{type(error).__name__}: {error}"}
        return Response(msgspec.json.encode(answer), media_type="application/json")

    app = Door(venue, _die, _abort).app(Route(CONTROL, command, methods=["POST"]), WebSocketRoute("/", ticker.serve))
    posting = asyncio.create_task(postbacks.run())
    async with _listening(app, listener):
        started()
        await stop.wait()
        posting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await posting
    venue.store.close()


@contextlib.asynccontextmanager
async def _listening(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """Uvicorn's protocols without its server, which would take signals and linger at the end."""
    config, state = uvicorn.Config(app, ws="websockets-sansio", lifespan="off", log_config=None), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _AbortableProtocol(config, state, {}), sock=listener, backlog=100)
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        tasks = list(state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def serve_process(path: str, port: int) -> None:
    """Serve until standard input ends; print the port once it answers."""
    listener, stop = listening(port), asyncio.Event()

    def started() -> None:
        print(listener.getsockname()[1], flush=True)

    serving = asyncio.create_task(serve(path, listener, stop, started))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    stop.set()
    await serving
