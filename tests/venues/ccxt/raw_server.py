"""A server of raw answers: what it says, or how it breaks off, is written down request by request."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET

SYMBOL = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
    ],
}


def http(status: int, body: object, headers: Mapping[str, str] | None = None) -> bytes:
    """An answer as it goes over the wire."""
    text = body if isinstance(body, str) else json.dumps(body)
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(text)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


RESET, CLOSE, SILENCE = b"reset", b"close", b"silence"


class RawServer:
    """Answers "METHOD /path" with what `answers` has for it; `seen` has every request's first line, `heads` the whole
    head, `bodies` what followed it.
    """

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.seen: list[str] = []
        self.heads: list[dict[str, str]] = []
        self.bodies: list[str] = []
        self.url = ""
        self._writers: set[asyncio.StreamWriter] = set()

    def count(self, start: str) -> int:
        """How many requests began so."""
        return sum(line.startswith(start) for line in self.seen)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line = head.partition("\r\n")[0]
                sizes = [each for each in head.lower().split("\r\n") if each.startswith("content-length:")]
                body = await reader.readexactly(int(sizes[0].partition(":")[2])) if sizes else b""
                self.seen.append(line)
                named = (each.partition(": ") for each in head.split("\r\n")[1:] if each)
                self.heads.append({name.lower(): value for name, _, value in named})
                self.bodies.append(body.decode())
                answer = self.answers[" ".join(line.split()[:2]).partition("?")[0]]
                if answer == SILENCE:
                    await asyncio.Event().wait()
                if answer in (RESET, CLOSE):
                    if answer == RESET:
                        linger = struct.pack("ii", 1, 0)
                        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, linger)
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def hang_up(self) -> None:
        """Break off all connections."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def raw_server() -> AsyncIterator[RawServer]:
    """A server on a port of its own that knows one symbol of spot and the time."""
    raw = RawServer()
    raw.answers = {
        "GET /api/v3/exchangeInfo": http(200, {"symbols": [SYMBOL], "rateLimits": []}),
        "GET /api/v3/time": http(200, {"serverTime": 1_700_000_000_000}),
        "GET /fapi/v1/exchangeInfo": http(200, {"symbols": [{**SYMBOL, "marginAsset": "USDT"}], "rateLimits": []}),
        "GET /fapi/v1/time": http(200, {"serverTime": 1_700_000_000_000}),
    }
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()
        raw.hang_up()
        await server.wait_closed()
