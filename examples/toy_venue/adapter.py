"""An adapter for the toy exchange: everything that `LiveVenue` asks for, and nothing that the exchange cannot do.

1. A request is sent once. `Rejected` only where the exchange says so in its own code, or where not a byte has left.
   From the first byte on, whatever is no clear answer is `Unknown`.
2. A look that fails raises VenueOutcomeUnknown; nothing found is an answer.
3. The client blocks, so one thread has it. The loop never waits for the exchange.
4. The exchange streams nothing, so executions are asked for by their number, which loses and doubles none.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Quote, Source
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import NS_PER_S, money_per_notional, quanta_text, to_quanta
from surefill.venues.protocol import (
    Accepted,
    Access,
    Balance,
    Capabilities,
    OpenOrder,
    Outcome,
    QueryAnswer,
    QuoteSink,
    Rejected,
    ReportSink,
    Unknown,
)

PRICE_DECIMALS = MONEY_DECIMALS = 2
ORD_TYPES = {OrdType.MARKET: "market", OrdType.LIMIT: "limit"}
TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC"}
#: What each status and code proves. Whatever is not here proves nothing.
PROOF = frozenset({(400, "REFUSED"), (400, "NO_SUCH_SYMBOL"), (404, "NOT_WORKING")})
ENDED = {"filled": ExecType.STATUS, "canceled": ExecType.CANCELED, "open": ExecType.STATUS}
CAPABILITIES = Capabilities("toy", frozenset(ORD_TYPES), frozenset(TIMES), cl_ord_id_max=40)
T = TypeVar("T")


class ToySettings(msgspec.Struct, frozen=True):
    """Where the exchange is, how long an answer may take, how often executions and prices are asked for."""

    port: int
    host: str = "127.0.0.1"
    timeout_s: float = 5.0
    poll_s: float = 0.5


class NotSent(Exception):
    """Not a byte has left."""


class ToyVenue:
    """One account at the toy exchange."""

    def __init__(self, settings: ToySettings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, "toy")
        self._sink: ReportSink = lambda _report: None
        self._quotes: QuoteSink = lambda _quote: None
        self._watched: set[str] = set()
        self._after = 0
        self._polling: asyncio.Task[None] | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Market and limit orders, GTC and IOC."""
        return CAPABILITIES

    # -- life -------------------------------------------------------------------------------------------------

    async def connect(self, sink: ReportSink) -> None:
        """Tell executions from now on. Raises VenueOutcomeUnknown where the exchange cannot be reached."""
        self._sink = sink
        self._after = (await self._look("fills?after=-1"))["head"]
        self._polling = asyncio.create_task(self._poll())

    async def close(self) -> None:
        """Ask no more; orders stay where they are."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        self._thread.shutdown(wait=False)

    async def _poll(self) -> None:
        """A round that fails is made up for by the next."""
        while True:
            try:
                told = await self._look(f"fills?after={self._after}")
                for fill in told["fills"]:
                    self._sink(_execution(fill))
                self._after = told["head"]
                if self._watched:
                    self._quotes(_quote(await self._look("price")))
            except VenueOutcomeUnknown:
                pass
            await asyncio.sleep(self._settings.poll_s)

    # -- orders -----------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send the order once; what the exchange cannot do is refused before."""
        kind, tif = ORD_TYPES.get(OrdType(request.ord_type)), TIMES.get(TimeInForce(request.time_in_force))
        if kind is None or tif is None:
            return Rejected("UNSUPPORTED", "the toy exchange has market and limit orders, GTC and IOC")
        order = {
            "id": request.cl_ord_id,
            "symbol": request.instrument_id,
            "side": request.side,
            "type": kind,
            "tif": tif,
            "qty": request.order_qty,
            "price": quanta_text(request.px, PRICE_DECIMALS),
        }
        return await self._outcome("submit", order, ExecType.NEW, request.send_by_ns)

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Ask for its end once."""
        return await self._outcome("cancel", {"id": request.cl_ord_id}, ExecType.CANCELED)

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        """Not possible there."""
        return Rejected("UNSUPPORTED", "the toy exchange changes no orders")

    async def _outcome(self, op: str, body: dict[str, Any], first: ExecType, send_by_ns: int = 0) -> Outcome:
        try:
            status, raw, wait_s = await self._in_thread(lambda: self._ask("POST", op, body, send_by_ns))
            said = json.loads(raw)
            if status == 200:
                fills = tuple(map(_execution, said.get("fills", ())))
                return Accepted((_report(said["order"], first), *fills, *_end(said["order"])))
            code, text = str(said["code"]), str(said["text"])
        except NotSent as error:
            return Rejected("NOT_SENT", str(error), undelivered=True)
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            return Unknown(repr(error))
        if status == 429:
            return Rejected(code, text, raw, undelivered=True, retry_after_ns=int(wait_s or 1) * NS_PER_S)
        if (status, code) in PROOF:
            return Rejected(code, text, raw)
        return Unknown(f"{status} {code}: {text}", raw)

    # -- looks ------------------------------------------------------------------------------------------------

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """What became of it, by client order id."""
        told = await self._look(f"order?id={request.cl_ord_id}")
        if told["order"] is None:
            return QueryAnswer(False)
        return QueryAnswer(True, (*map(_execution, told["fills"]), _report(told["order"])))

    async def positions(self) -> dict[str, int]:
        """What is held."""
        held = (await self._look("account"))["position"]
        return {"TOY": held} if held else {}

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All that works."""
        return tuple(map(_open_order, (await self._look("orders"))["orders"]))

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Every execution since then."""
        told = (await self._look("fills?after=0"))["fills"]
        return tuple(_execution(each) for each in told if each["time_ns"] >= since_ns)

    async def balances(self) -> tuple[Balance, ...]:
        """Dollars."""
        cash = Decimal((await self._look("account"))["cash"])
        return (Balance("USD", cash, cash),)

    async def instruments(self) -> tuple[Instrument, ...]:
        """TOY."""
        symbol = (await self._look("price"))["symbol"]
        worth = money_per_notional("1", PRICE_DECIMALS, 0, MONEY_DECIMALS)
        return (Instrument(symbol, "USD", PRICE_DECIMALS, 0, worth, (Terms(),)),)

    async def access(self) -> Access:
        """The keys may trade: there are none."""
        told = await self._look("account")
        return Access(told["name"], True, False, told["time_ns"] - time.time_ns())

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        """Prices, from the next round on."""
        self._quotes = sink
        self._watched.update(instrument_ids)

    async def _look(self, path: str) -> dict[str, Any]:
        try:
            status, raw, _ = await self._in_thread(lambda: self._ask("GET", path, None))
            if status == 200:
                told: dict[str, Any] = json.loads(raw)
                return told
        except (NotSent, OSError, http.client.HTTPException, ValueError) as error:
            raise VenueOutcomeUnknown(f"{path}: {error!r}") from error
        raise VenueOutcomeUnknown(f"{path}: {status} {raw}")

    # -- the wire ---------------------------------------------------------------------------------------------

    async def _in_thread(self, job: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, job)
        except RuntimeError as error:  # the thread takes no more jobs
            raise NotSent("closed") from error

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, send_by_ns: int = 0) -> tuple[int, str, str]:
        """Status, body and Retry-After. Raises NotSent before the first byte, anything else after it."""
        wire = http.client.HTTPConnection(self._settings.host, self._settings.port, timeout=self._settings.timeout_s)
        try:
            try:
                wire.connect()
            except OSError as error:
                raise NotSent(repr(error)) from error
            if send_by_ns and time.time_ns() > send_by_ns:
                raise NotSent("too late to be sent")
            wire.request(method, f"/{path}", None if body is None else json.dumps(body))
            answer = wire.getresponse()
            return answer.status, answer.read().decode(), answer.headers.get("retry-after", "")
        finally:
            wire.close()


def _px(text: str) -> int:
    return to_quanta(text, PRICE_DECIMALS, field="price", max_quanta=2**40)


def _report(order: dict[str, Any], kind: ExecType | None = None) -> VenueReport:
    """An order as it stands."""
    kind = ENDED[order["status"]] if kind is None else kind
    return VenueReport(
        order["id"],
        kind,
        order["number"],
        cum_qty=order["done"],
        raw=json.dumps(order),
        instrument_id=order["symbol"],
        side=order["side"],
    )


def _end(order: dict[str, Any]) -> tuple[VenueReport, ...]:
    """Its end, where it came with the answer."""
    return (_report(order),) if order["status"] == "canceled" else ()


def _execution(fill: dict[str, Any]) -> VenueReport:
    return VenueReport(
        fill["id"],
        ExecType.TRADE,
        fill["order"],
        f"F{fill['number']}",
        _px(fill["price"]),
        fill["qty"],
        transact_ns=fill["time_ns"],
        raw=json.dumps(fill),
        instrument_id=fill["symbol"],
        side=fill["side"],
    )


def _open_order(order: dict[str, Any]) -> OpenOrder:
    kind = next(each for each, name in ORD_TYPES.items() if name == order["type"])
    return OpenOrder(
        order["number"],
        order["id"],
        order["symbol"],
        "",
        order["side"],
        kind,
        order["qty"],
        order["done"],
        _px(order["price"]),
        raw=json.dumps(order),
    )


def _quote(told: dict[str, Any]) -> Quote:
    return Quote(told["symbol"], told["time_ns"], _px(told["price"]), source=Source.LAST)
