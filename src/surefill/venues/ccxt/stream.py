"""A WebSocket that is kept open: opened again after a jittered pause, kept alive, and noticed when it falls silent.

What was missed while it was down is for `on_up` to fetch: it runs each time that the stream is open, before the first
time too, and while it runs messages are taken already, so that nothing falls between the two. The stream is
never the truth; it is only quick.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine

from surefill.errors import VenueOutcomeUnknown
from surefill.logs import logger
from surefill.venues.ccxt.settings import CcxtSettings

_log = logger("surefill.venues.ccxt")

#: Asked for anew at each opening: a listen key in it may have ended.
Address = Callable[[], Awaitable[str]]
Work = Callable[[], Coroutine[object, object, None]]
CANCEL_AGAIN_S = 0.1


class StreamEnded(Exception):
    """A message said that this stream tells no more: it is opened anew."""


async def _nothing() -> None:
    """No step of this kind."""


class Stream:
    """One stream, from `start` to `close`.

    `hello` makes what is sent first ("": nothing). `take` gets each message; StreamEnded from it ends the connection.
    `keep_alive` is called every `settings.keep_alive_s` while it is open.
    """

    def __init__(
        self,
        name: str,
        settings: CcxtSettings,
        address: Address,
        take: Callable[[str], None],
        *,
        hello: Callable[[], str] = lambda: "",
        on_up: Work = _nothing,
        keep_alive: Work = _nothing,
    ) -> None:
        self._name, self._settings = name, settings
        self._address, self._take, self._hello = address, take, hello
        self._on_up, self._keep_alive = on_up, keep_alive
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._heard_s = 0.0
        self.openings = 0

    @property
    def is_up(self) -> bool:
        """Whether it is open now."""
        return self._up.is_set()

    async def start(self) -> None:
        """Open it. Raises VenueOutcomeUnknown where it does not open within the time-out; it goes on trying then."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._up.wait()
        except TimeoutError:
            raise VenueOutcomeUnknown(f"the {self._name} does not open") from None

    async def close(self) -> None:
        """End it."""
        while self._task is not None and not self._task.done():
            # Once is not enough: `wait_for` forgets a cancellation that comes together with a message (Python 3.11).
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_AGAIN_S)

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self._once()
            except Exception as error:  # whatever it is: without a stream we are slow, and it must come back
                _log.warning("stream lost", stream=self._name, reason=repr(error))
            failures = 0 if self._up.is_set() else failures + 1
            self._up.clear()
            await asyncio.sleep(self._pause_s(failures))

    def _pause_s(self, failures: int) -> float:
        longest: float = min(self._settings.back_off_s * 2 ** min(failures, 20), self._settings.back_off_max_s)
        return longest * random.uniform(0.5, 1)  # nosec B311: jitter, not a secret

    async def _once(self) -> None:
        from websockets.asyncio.client import connect

        timeout_s = self._settings.timeout_s
        address = await self._address()
        # Not compressed: unpacking a price takes longer than reading it as it is.
        async with connect(
            address, open_timeout=timeout_s, close_timeout=0.1, max_size=2**24, compression=None
        ) as socket:
            hello = self._hello()
            if hello:
                await socket.send(hello)
                async with asyncio.timeout(timeout_s):  # not wait_for: before Python 3.12 it could swallow a cancel
                    self._take(_text(await socket.recv()))
            self.openings += 1
            self._up.set()
            self._heard_s = _now_s()
            async with asyncio.TaskGroup() as beside:
                tasks = [beside.create_task(work) for work in (self._on_up(), self._kept(), self._listened())]
                try:
                    while True:
                        message = await socket.recv()
                        self._heard_s = _now_s()
                        self._take(_text(message))
                finally:
                    for task in tasks:
                        task.cancel()

    async def _kept(self) -> None:
        while True:
            await asyncio.sleep(self._settings.keep_alive_s)
            await self._keep_alive()

    async def _listened(self) -> None:
        """Raise TimeoutError when nothing has come for too long. A time-out around each message costs more than it."""
        while (left_s := self._heard_s + self._settings.silence_s - _now_s()) > 0:
            await asyncio.sleep(left_s)
        raise TimeoutError(f"nothing has come for {self._settings.silence_s:g} s")


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _text(message: str | bytes) -> str:
    return message if isinstance(message, str) else message.decode()
