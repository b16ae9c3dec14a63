"""The emulated Kite in a thread of the test's own process: quick to start, and gone with it."""

from __future__ import annotations

import asyncio
import threading

from surefill.testing.emulators.kite.hand import ANSWER_WITHIN_S, Hand
from surefill.testing.emulators.kite.rules import Account
from surefill.testing.emulators.kite.serving import listening, serve


class KiteThread(Hand):
    """Use it as a context manager. A CRASH fault would end the test's own process: use `KiteProcess` for those."""

    def __init__(self, path: str = ":memory:", account: Account | None = None) -> None:
        self._path = path
        self._account = account
        self._listener = listening()
        self._started = threading.Event()
        self._stop: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="emulated-kite", daemon=True)
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> KiteThread:
        self._thread.start()
        if not self._started.wait(ANSWER_WITHIN_S):
            raise RuntimeError("the emulated Kite did not start: see its messages above")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._stop is not None
        loop, stop = self._stop
        loop.call_soon_threadsafe(stop.set)
        self._thread.join(ANSWER_WITHIN_S)

    async def _serve(self) -> None:
        stop = asyncio.Event()
        self._stop = asyncio.get_running_loop(), stop
        await serve(self._path, self._listener, stop, self._started.set, self._account)
