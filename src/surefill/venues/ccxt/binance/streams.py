"""Binance's streams of one account: its orders, and prices.

Spot tells an account's orders over its WebSocket API (`userDataStream.subscribe.signature`); USD-M, and spot where the
settings say so, over a stream whose address has a listen key. Each opening but the first fetches the executions since
the stream was last known to be whole.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.logs import logger
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.ccxt.asking import Asking
from surefill.venues.ccxt.binance import terms, words
from surefill.venues.ccxt.binance.lookup import Lookup
from surefill.venues.ccxt.binance.pairs import Pairs
from surefill.venues.ccxt.binance.terms import Market
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.settings import CcxtSettings
from surefill.venues.ccxt.stream import Stream, StreamEnded
from surefill.venues.ccxt.wire import Wire
from surefill.venues.protocol import QuoteSink, ReportSink

_log = logger("surefill.venues.ccxt")

#: How far before the last sign of life a gap is taken to begin.
OVERLAP_NS = 10 * NS_PER_S
#: Base of market streams, of the account's streams by listen key, and of the WebSocket API.
#: binance-spot-api-docs (web-socket-streams.md, web-socket-api.md); USDⓈ-M futures, "Connect"; demo.binance.com.
HOSTS = MappingProxyType(
    {
        ("binance", False): (
            "wss://stream.binance.com:9443",
            "wss://stream.binance.com:9443/ws/",
            "wss://ws-api.binance.com:443/ws-api/v3",
        ),
        ("binance", True): (
            "wss://stream.testnet.binance.vision",
            "wss://stream.testnet.binance.vision/ws/",
            "wss://ws-api.testnet.binance.vision/ws-api/v3",
        ),
        ("binanceusdm", False): (
            "wss://fstream.binance.com/public",
            "wss://fstream.binance.com/private/ws?listenKey=",
            "",
        ),
        ("binanceusdm", True): ("wss://fstream.binancefuture.com", "wss://fstream.binancefuture.com/ws/", ""),
    }
)
_ENDS = (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED)
_ENDED = ("listenKeyExpired", "eventStreamTerminated", "serverShutdown")


class Streams:
    """`running` starts work in the background that the venue's `close` ends."""

    def __init__(
        self,
        market: Market,
        settings: CcxtSettings,
        wire: Wire,
        asking: Asking,
        lookup: Lookup,
        pairs: Pairs,
        running: Callable[[Coroutine[Any, Any, None]], None],
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._market, self._settings, self._wire = market, settings, wire
        self._asking, self._lookup, self._running, self._now_ns = asking, lookup, running, now_ns
        self._pairs = pairs
        self._sink: ReportSink = lambda _report: None
        self._orders: Stream | None = None
        self._quotes: list[Stream] = []
        self._whole_until_ns = 0
        self._gapless = False
        self._held: dict[str, list[tuple[Mapping[str, Any], str]]] = {}
        self._waiting: dict[str, str] = {}
        self._listen_key = ""

    @property
    def told(self) -> bool:
        """Whether the account's orders are told now."""
        return self._orders is not None and self._orders.is_up

    @property
    def openings(self) -> int:
        """How often the account's stream has been opened."""
        return 0 if self._orders is None else self._orders.openings

    async def open(self, sink: ReportSink) -> None:
        """Take up the account's stream. Raises VenueOutcomeUnknown where it does not open."""
        self._sink = sink
        by_key = self._market.usdm if self._settings.listen_key is None else self._settings.listen_key
        self._orders = Stream(
            "order stream",
            self._settings,
            self._address_by_key if by_key else self._address_of_api,
            self._take,
            hello=(lambda: "") if by_key else self._subscription,
            on_up=self._close_gap,
            keep_alive=self._keep if by_key else self._still_there,
        )
        await self._orders.start()

    async def quote(self, listings: Iterable[Listing], sink: QuoteSink) -> None:
        """Tell the best bid and ask of these, as they are now and from now on.

        A market where nothing happens says nothing in the stream, so each opening asks once how they stand. Raises
        VenueOutcomeUnknown where the stream does not open.
        """
        by_name = {each.name: each for each in listings}
        names = "/".join(f"{name.lower()}@bookTicker" for name in by_name)
        address = f"{self._hosts()[0]}/stream?streams={names}"

        told: set[str] = set()

        async def addressed() -> str:
            return address

        def take(text: str) -> None:
            row = words.told_by(text).data
            listing = None if row is None else by_name.get(row.s)
            if row is not None and listing is not None:
                told.add(listing.name)
                sink(words.quote_of(listing, row, self._now_ns()))

        async def ask() -> None:
            told.clear()
            for row in await self._best(by_name):
                listing = by_name.get(str(row["symbol"]))
                if listing is not None and listing.name not in told:  # what the stream has told meanwhile is newer
                    sink(words.best_of(listing, row, self._now_ns()))

        stream = Stream("price stream", self._settings, addressed, take, on_up=ask)
        self._quotes.append(stream)
        await stream.start()

    async def _best(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """How they stand; nothing where the venue does not say: the stream will."""
        wanted = list(names)
        try:
            if len(wanted) == 1:
                return [await self._asking.look(self._market.best, {"symbol": wanted[0]})]
            return await self._asking.rows(self._market.best)
        except VenueOutcomeUnknown as error:
            _log.warning("the best prices cannot be asked for", reason=str(error))
            return []

    async def close(self) -> None:
        """Hang up."""
        streams = [*self._quotes, *([self._orders] if self._orders is not None else [])]
        await asyncio.gather(*(each.close() for each in streams))

    # -- opening ----------------------------------------------------------------------------------------------

    def _hosts(self) -> tuple[str, str, str]:
        base = self._settings.stream_url.rstrip("/")
        if base:
            return base, f"{base}/ws/", f"{base}/ws-api/v3"
        return HOSTS[self._settings.exchange, self._settings.sandbox]

    async def _address_by_key(self) -> str:
        self._gapless = False
        told = await self._asking.look(self._market.listen)
        self._listen_key = str(told["listenKey"])
        return self._hosts()[1] + self._listen_key

    async def _address_of_api(self) -> str:
        self._gapless = False
        return self._hosts()[2]

    def _subscription(self) -> str:
        """Parameters are signed in alphabetical order. Source: web-socket-api.md, "SIGNED request security"."""
        stamp_ms = (self._now_ns() + self._wire.clock_ahead_ns) // NS_PER_MS
        params: dict[str, Any] = {
            "apiKey": self._settings.keys.api_key.reveal(),
            "recvWindow": self._settings.recv_window_ms,
            "timestamp": stamp_ms,
        }
        signed = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        params["signature"] = self._wire.signature(signed)
        return json.dumps({"id": "orders", "method": "userDataStream.subscribe.signature", "params": params})

    async def _keep(self) -> None:
        """Renew the listen key. One that has ended (-1125) ends the stream, which is then opened with a new one."""
        params = {} if self._market.usdm else {"listenKey": self._listen_key}
        await self._asking.look(self._market.keep, params)

    async def _still_there(self) -> None:
        """A signed subscription needs no renewal."""

    async def _close_gap(self) -> None:
        """Fetch what was traded while nobody told us."""
        opened_ns = self._now_ns()
        if self._whole_until_ns:
            for report in await self._lookup.executions(self._whole_until_ns - OVERLAP_NS):
                self._sink(report)
        self._whole_until_ns, self._gapless = opened_ns, True

    # -- what is told -----------------------------------------------------------------------------------------

    def _take(self, text: str) -> None:
        message = json.loads(text)
        if message.get("id") == "orders":
            if message.get("status") != 200:
                raise StreamEnded(f"the subscription was refused: {text[:300]}")
            return
        event = message.get("event", message)
        kind = event.get("e", "")
        if kind in _ENDED:
            raise StreamEnded(str(kind))
        try:
            if kind == "executionReport":
                self._report(event["s"], event, text)
            elif kind == "ORDER_TRADE_UPDATE":
                self._report(event["o"]["s"], event["o"], text)
            elif kind == "ALGO_UPDATE":
                self._algo(words.algo_named(event), text)
        except (KeyError, ValueError, TypeError, ArithmeticError, VenueOutcomeUnknown) as error:
            # What it would have told is found by a query: an order that has moved is asked for in any case.
            _log.error("unreadable report", reason=repr(error), raw=text[:1_000])
        if self._gapless:
            self._whole_until_ns = self._now_ns()

    def _report(self, name: str, row: Mapping[str, Any], text: str) -> None:
        listing = self._lookup.named(name)
        cl_ord_id = self._lookup.client_id(listing, row["i"])
        if cl_ord_id is None:
            cl_ord_id = words.stream_id(row)
            if self._may_be_triggered(listing, row, cl_ord_id):
                self._hold(listing, row, text)
                return
            self._lookup.remember(listing, row["i"], cl_ord_id)
        report = words.stream_report(listing, self._lookup.money, row, text, cl_ord_id)
        if words.in_list(row) and report.exec_type in _ENDS:
            self._running(self._tell_pair(listing, report))
        else:
            self._sink(report)

    async def _tell_pair(self, listing: Listing, ended: VenueReport) -> None:
        """One leg of a list has ended: where ours stands by both is told instead; of one of others, what was told."""
        try:
            told = await self._pairs.legs_told(listing, ended.cl_ord_id)
        except (KeyError, ValueError, TypeError, ArithmeticError, VenueOutcomeUnknown) as error:
            # An order that is missing in the list of open ones is asked for in any case.
            _log.warning("the legs of a pair cannot be told", cl_ord_id=ended.cl_ord_id, reason=repr(error))
            return
        for report in told or (ended,):
            self._sink(report)

    def _algo(self, row: dict[str, Any], text: str) -> None:
        listing = self._lookup.named(row["symbol"])
        cl_ord_id = str(row["clientAlgoId"])
        actual = str(row.get("actualOrderId") or "")
        if actual:
            self._lookup.remember(listing, actual, cl_ord_id)
        if actual or row["algoStatus"] in ("CANCELED", "EXPIRED", "REJECTED"):
            self._waiting.pop(cl_ord_id, None)
        else:
            self._waiting[cl_ord_id] = listing.name
        self._sink(words.algo_report(listing, row, cl_ord_id, text))

    # -- what conditional orders become -----------------------------------------------------------------------

    def expect(self, listing: Listing, cl_ord_id: str) -> None:
        """That a conditional order of that id waits: the order which it becomes has a number of its own."""
        self._waiting[cl_ord_id] = listing.name

    def _may_be_triggered(self, listing: Listing, row: Mapping[str, Any], cl_ord_id: str) -> bool:
        """Whether an order with a new number may be what one of the waiting has become, under another id."""
        return cl_ord_id not in self._waiting and listing.name in self._waiting.values() and row.get("x") != "CANCELED"

    def _hold(self, listing: Listing, row: Mapping[str, Any], text: str) -> None:
        held = self._held.setdefault(listing.name, [])
        held.append((row, text))
        if len(held) == 1:
            self._running(self._tell_held(listing))

    async def _tell_held(self, listing: Listing) -> None:
        """Ask what the waiting orders of the symbol have become, then tell the reports under the right ids."""
        while True:
            try:
                await self._ask_waiting(listing)
                break
            except VenueOutcomeUnknown as error:
                _log.warning("whose order it is cannot be told yet", symbol=listing.name, reason=str(error))
                await asyncio.sleep(self._settings.back_off_s)
        for row, text in self._held.pop(listing.name, []):
            cl_ord_id = self._lookup.client_id(listing, row["i"]) or words.stream_id(row)
            self._lookup.remember(listing, row["i"], cl_ord_id)
            self._sink(words.stream_report(listing, self._lookup.money, row, text, cl_ord_id))

    async def _ask_waiting(self, listing: Listing) -> None:
        for cl_ord_id in [each for each, name in self._waiting.items() if name == listing.name]:
            found = await self._asking.find(terms.ALGO_ORDER, {"clientAlgoId": cl_ord_id})
            actual = str((found or {}).get("actualOrderId") or "")
            if actual:
                self._lookup.remember(listing, actual, cl_ord_id)
