"""The ticker: a WebSocket connection that is kept up, and everything asked for again when it was not.

1. The heartbeat comes every second. A connection that says nothing for `silence_s` is dead, whatever the socket says.
2. Connections are tried again after a pause that doubles, of which chance takes a part, so that not all clients come
   back at once; one that has delivered something begins anew with the first pause.
3. Order updates come as text on the same connection. They are hints, like postbacks, and so is a new connection: what
   happened in between was told to nobody.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec

from surefill.domain.instrument import Instrument
from surefill.errors import InputError
from surefill.logs import logger
from surefill.secret import Secret
from surefill.venues.kite.packets import Tick, quote_of, ticks_of
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.protocol import QuoteSink

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

Hint = Callable[[str], None]

#: One connection has at most 3000 instruments (Kite's documentation); one message names no more than this.
TOKENS_MAX: Final = 3_000
CHUNK: Final = 200
MODE: Final = "full"

_log = logger("surefill.venues.kite.ticker")
# The library logs its requests, and ours has the access token in it.
_quiet = logging.getLogger("surefill.venues.kite.websocket")
_quiet.setLevel(logging.WARNING)


class _OrderData(msgspec.Struct):
    order_id: str = ""


class _Text(msgspec.Struct):
    type: str = ""
    data: _OrderData | str | None = None


def pause_s(settings: KiteSettings, failures: int, chance: float) -> float:
    """How long to wait before the next connection: after so many failures in a row, with `chance` from 0 to 1."""
    longest = min(settings.reconnect_max_s, settings.reconnect_first_s * 2.0 ** min(failures, 32))
    return longest * (0.5 + 0.5 * chance)


class Ticker:
    """`run` until canceled. `hint` hears of orders that may have changed; "" means that any may have."""

    def __init__(self, settings: KiteSettings, hint: Hint, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._settings = settings
        self._token = settings.access_token
        self._hint = hint
        self._now_ns = now_ns
        self._sinks: dict[int, tuple[Instrument, list[QuoteSink]]] = {}
        self._connection: ClientConnection | None = None
        self.connections = 0

    def renew(self, access_token: Secret) -> None:
        """Use a new day's token from the next connection on."""
        self._token = access_token

    async def subscribe(self, wanted: Iterable[tuple[int, Instrument]], sink: QuoteSink) -> None:
        """Hand prices to `sink`, now and over all connections to come. Raises InputError where they are too many."""
        fresh = dict(wanted)
        if len(self._sinks.keys() | fresh.keys()) > TOKENS_MAX:
            raise InputError(f"one connection has at most {TOKENS_MAX} instruments", code="TOO_MANY_INSTRUMENTS")
        for token, instrument in fresh.items():
            self._sinks.setdefault(token, (instrument, []))[1].append(sink)
        if self._connection is not None:
            await self._ask(self._connection, list(fresh))

    async def run(self) -> None:
        """Keep a connection up."""
        from websockets.exceptions import WebSocketException

        failures = 0
        while True:
            before = self.connections
            try:
                await self._connected()
            except (OSError, TimeoutError, WebSocketException) as error:
                _log.warning("kite_ticker_lost", error=type(error).__name__)
            except Exception as error:  # of a sink, say: whatever its class, prices must go on
                _log.error("kite_ticker_failed", error=type(error).__name__)
            failures = failures + 1 if self.connections == before else 0
            await asyncio.sleep(pause_s(self._settings, failures, random.random()))  # nosec B311: no secret

    async def _connected(self) -> None:
        from websockets.asyncio.client import connect

        settings = self._settings
        key = urlencode({"api_key": settings.api_key, "access_token": self._token.reveal()})
        dial = connect(
            f"{settings.ticker_url.rstrip('/')}/?{key}",
            proxy=None,
            ping_interval=None,
            open_timeout=settings.timeout_s,
            close_timeout=1,
            logger=_quiet,
        )
        async with dial as connection:
            try:
                await self._ask(connection, list(self._sinks))
                self._connection = connection
                self._hint("")
                await self._listen(connection)
            finally:
                self._connection = None

    async def _listen(self, connection: ClientConnection) -> None:
        heard = False
        while True:
            async with asyncio.timeout(self._settings.silence_s):
                message = await connection.recv()
            if not heard:
                heard = True
                self.connections += 1
            if isinstance(message, str):
                self._read_text(message)
            else:
                self._read_prices(message)

    async def _ask(self, connection: ClientConnection, tokens: list[int]) -> None:
        for start in range(0, len(tokens), CHUNK):
            some = tokens[start : start + CHUNK]
            await connection.send(msgspec.json.encode({"a": "subscribe", "v": some}).decode())
            await connection.send(msgspec.json.encode({"a": "mode", "v": [MODE, some]}).decode())

    def _read_text(self, message: str) -> None:
        try:
            told = msgspec.json.decode(message, type=_Text)
        except msgspec.MsgspecError:
            _log.warning("kite_ticker_unreadable", message=message[:200])
            return
        if told.type == "order" and isinstance(told.data, _OrderData):
            self._hint(told.data.order_id)
        elif told.type == "error":
            _log.warning("kite_ticker_error", message=message[:200])

    def _read_prices(self, message: bytes) -> None:
        try:
            ticks = list(ticks_of(message))
        except InputError as error:
            _log.warning("kite_ticker_unreadable", error=error.message)
            return
        for tick in ticks:
            self._tell(tick)

    def _tell(self, tick: Tick) -> None:
        known = self._sinks.get(tick.token)
        if known is None:
            return
        instrument, sinks = known
        try:
            quote = quote_of(tick, instrument, self._now_ns())
        except InputError as error:
            _log.warning("kite_price_unreadable", instrument_id=instrument.instrument_id, error=error.message)
            return
        for sink in sinks:
            sink(quote)
