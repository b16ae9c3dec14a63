"""An emulated venue in a thread of the test's own process: there at once, and gone with the test.

It has the same hand as a process. A CRASH fault would end the test itself: those want `EmulatorProcess`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from surefill.testing.emulators.groundwork.control import Control
from surefill.testing.emulators.groundwork.desk import Desk
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.testing.emulators.groundwork.server import Breakable
from surefill.testing.emulators.groundwork.wire import Wire
from surefill.testing.emulators.kinds import builder_of

READY_WITHIN_S: Final = 10.0


class EmulatorThread(EmulatorProcess):
    """An emulated venue by its name; its truth is in memory. Use it as a context manager."""

    def __init__(self, name: str) -> None:
        self._build = builder_of(name)
        self._stop: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._ready = threading.Event()
        super().__init__(name, ":memory:")

    def start(self) -> None:
        """Start it, on the port that it had before."""
        listening = socket.create_server(("127.0.0.1", self.port))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listening.getsockname()[1]
        self._ready.clear()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listening)), daemon=True)
        self._thread.start()
        if not self._ready.wait(READY_WITHIN_S):
            raise RuntimeError(f"the emulated {self._name} did not start: see its messages above")

    def kill(self) -> None:
        """End it; its truth is gone."""
        if self._stop is not None:
            loop, stop = self._stop
            self._stop = None
            loop.call_soon_threadsafe(stop.set)
            self._thread.join(READY_WITHIN_S)

    async def _serve(self, listening: socket.socket) -> None:
        stop = asyncio.Event()
        desk = Desk()
        venue = self._build(desk)
        venue.restart()
        async with _answering(Wire(desk, venue, Control(desk, venue).app), listening):
            self._stop = asyncio.get_running_loop(), stop
            self._ready.set()
            await stop.wait()
        desk.store.close()


@contextlib.asynccontextmanager
async def _answering(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """Uvicorn's protocols without its server, which would wait for connections to end."""
    config, state = uvicorn.Config(app, ws="websockets-sansio", lifespan="off", log_config=None), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Breakable(config, state, {}), sock=listening)
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        ours = asyncio.current_task()
        rest = [task for task in asyncio.all_tasks() if task is not ours]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await server.wait_closed()
