"""The venue behind a TCP port: lines in, lines out, one process with a truth of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable

import msgspec

from surefill.testing.remote_venue.exchange import Crash, Exchange
from surefill.testing.remote_venue.messages import Reply, read_request, to_line
from surefill.testing.remote_venue.truth import TruthStore

CRASHED = 70


class TcpLine:
    """`Line` over a stream."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def send(self, message: Reply) -> None:
        """See `Line.send`."""
        if not self._writer.is_closing():
            self._writer.write(to_line(message))

    def garble(self) -> None:
        """See `Line.garble`."""
        if not self._writer.is_closing():
            self._writer.write(b"\x00<html>502 Bad Gateway</html>\n")

    def drop(self) -> None:
        """See `Line.drop`: a reset, not a farewell."""
        self._writer.transport.abort()


def _later(delay_ms: int, call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay_ms / 1000, _or_die, call)


def _or_die(call: Callable[[], None]) -> None:
    try:
        call()
    except Crash:
        os._exit(CRASHED)


async def serve(path: str, port: int) -> None:
    """Serve until standard input ends; print the port once it listens."""
    exchange = Exchange(TruthStore(path), time.time_ns, _later)
    exchange.restart()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = TcpLine(writer)
        try:
            while text := await reader.readline():
                exchange.take(line, read_request(text))
        except OSError:
            pass  # clients break off as a matter of course
        except (ValueError, msgspec.DecodeError) as error:
            print(f"a connection was ended, its request cannot be read: {error}", file=sys.stderr)
        except Crash:
            os._exit(CRASHED)
        finally:
            exchange.goodbye(line)
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    os._exit(0)
