"""How the adapter reaches the venue: a line out, lines in, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol


class Connection(Protocol):
    """A connection that is up."""

    async def send(self, line: bytes) -> None:
        """Send one line. Raises OSError where the connection is known to be gone."""

    async def receive(self) -> bytes:
        """The next line; b"" when the connection has ended. Raises OSError where it broke."""

    def close(self) -> None:
        """Let go of it."""


#: Connect. Raises OSError where there is no connection, and then nothing was sent.
Dial = Callable[[], Awaitable[Connection]]


class TcpConnection:
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, line: bytes) -> None:
        """See `Connection.send`."""
        self._writer.write(line)
        await self._writer.drain()

    async def receive(self) -> bytes:
        """See `Connection.receive`."""
        return await self._reader.readline()

    def close(self) -> None:
        """See `Connection.close`."""
        self._writer.close()


def tcp(port: int, host: str = "127.0.0.1") -> Dial:
    """Dial a port of this machine."""

    async def dial() -> Connection:
        return TcpConnection(*await asyncio.open_connection(host, port))

    return dial
