"""An emulated venue behind a port of this machine: HTTP and WebSockets, by uvicorn."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio import Transport
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from surefill.testing.emulators.groundwork.control import Control
from surefill.testing.emulators.groundwork.desk import Desk, Emulator
from surefill.testing.emulators.groundwork.wire import TRANSPORT, Wire

Build = Callable[[Desk], Emulator]


class Breakable(H11Protocol):
    """HTTP whose connections can be broken: the application finds the transport in its scope."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn's is as narrow
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


async def serve(build: Build, path: str, port: int, started: Callable[[int, Emulator], None]) -> None:
    """Serve until cancelled or told to end by a signal; `started` learns the port and the venue."""
    desk = Desk(path)
    venue = build(desk)
    venue.restart()
    desk.streams.forget()
    app = Wire(desk, venue, Control(desk, venue).app)
    config = uvicorn.Config(
        app,
        http=Breakable,
        ws="websockets-sansio",
        ws_ping_interval=20,
        lifespan="off",
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=1,
        # Longer than clients keep a connection that they do not use (aiohttp: 15 s): ended by both sides at once, it
        # takes a request with it, and nobody can say whether that came.
        timeout_keep_alive=60,
    )
    with socket.create_server(("127.0.0.1", port), reuse_port=False) as listening:
        # asyncio does this only for sockets that name their protocol; without it every answer waits 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        if server.started:
            started(listening.getsockname()[1], venue)
        await serving
    desk.store.close()


def serve_for_parent(build: Build, path: str, port: int) -> None:
    """Serve as a test's child: print the port, end when standard input ends."""

    async def main() -> None:
        def told(listening_on: int, _: Any) -> None:
            print(listening_on, flush=True)

        serving = asyncio.ensure_future(serve(build, path, port, told))
        parent = asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
        await asyncio.wait({serving, parent}, return_when=asyncio.FIRST_COMPLETED)
        os._exit(0 if parent.done() else 1)

    asyncio.run(main())
