"""One connection in use: requests go out with a number, answers find their askers, reports go to whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

import msgspec

from surefill.domain.reports import VenueReport
from surefill.testing.remote_venue.connection import Connection
from surefill.testing.remote_venue.messages import Answer, Priced, Request, Streamed, read_reply, to_line

OnReport = Callable[[int, VenueReport], None]
OnPrice = Callable[[Priced], None]


class LinkLost(Exception):
    """The connection ended before the answer came."""


class Unreadable(Exception):
    """Something came that is no answer to anything, and it may have been the answer."""


class Link:
    """Belongs to one connection; when that ends, so do all requests on it, with `LinkLost`.

    `on_report(number, report)` gets the stream, and what comes in answers nobody waits for any more (number 0);
    `on_price` the prices.
    """

    def __init__(self, connection: Connection, on_report: OnReport, on_price: OnPrice) -> None:
        self._connection = connection
        self._on_price = on_price
        self._on_report = on_report
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._ids = count(1)
        self.lost = asyncio.Event()
        self._reader = asyncio.get_running_loop().create_task(self._read())

    async def tell(self, message: Request) -> None:
        """Send what has no answer."""
        await self._connection.send(to_line(message))

    async def ask(self, make: Callable[[int], Request], timeout_s: float) -> Answer:
        """Send a request and wait for its answer. Raises TimeoutError, LinkLost, Unreadable or OSError."""
        number = next(self._ids)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_seen)  # whoever waited may be gone
        self._waiting[number] = future
        try:
            async with asyncio.timeout(timeout_s):
                await self.tell(make(number))
                return await future
        finally:
            self._waiting.pop(number, None)

    def close(self) -> None:
        """End the connection and everybody's waiting."""
        self._reader.cancel()
        self._end(LinkLost("the connection was closed"))

    async def _read(self) -> None:
        why = "the venue ended the connection"
        try:
            while line := await self._connection.receive():
                self._take(line)
        except (OSError, ValueError) as error:
            why = f"the connection broke: {error}"
        self._end(LinkLost(why))

    def _take(self, line: bytes) -> None:
        try:
            reply = read_reply(line)
        except msgspec.DecodeError:
            # Whose answer it was nobody can tell: nobody who waits may go on believing that his is still to come.
            self._fail(Unreadable(f"unreadable: {line[:80]!r}"))
            return
        if isinstance(reply, Streamed):
            self._on_report(reply.number, reply.report)
            return
        if isinstance(reply, Priced):
            self._on_price(reply)
            return
        future = self._waiting.pop(reply.id, None)
        if future is not None and not future.done():
            future.set_result(reply)
            return
        for report in reply.reports:
            self._on_report(0, report)

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(error)

    def _end(self, error: Exception) -> None:
        self._connection.close()
        self.lost.set()
        self._fail(error)


def _seen(future: asyncio.Future[Answer]) -> None:
    if not future.cancelled():
        future.exception()
