"""MetaTrader 5 as a venue: one account at one terminal, by the package or through the gateway.

1. A request is sent once, from one worker thread, right after a look at the price; what fails before the request is
   proof (`Rejected`), what fails from there on is `Unknown`, unless the return code proves more (`codes`).
2. Nothing ever answers a look by guessing: None is a failed look. Absence proves nothing, however often it is seen
   (`receive_window_ns` 0).
3. MT5 pushes nothing. Deals are fetched over and over with an overlap, each told once; orders of ours that have left
   the list of working ones are looked up until their end is known.
4. On a netting account the bucket is "". On a hedging account our own positions of a symbol (by magic) count together
   under ""; every other position stands alone, its ticket the bucket. A market order that reduces closes by ticket:
   the one in its bucket, else our oldest position that is large enough. Where none is, it opens the opposite: the
   exposure is gone, two positions stay that cancel out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from surefill.domain.instrument import Instrument
from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.position import position_key
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.logs import logger
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import NS_PER_S, quanta_decimal
from surefill.venues.mt5 import requests
from surefill.venues.mt5.codes import RETRY_AFTER_NS, UNDELIVERED, Verdict, name_of, verdict_of
from surefill.venues.mt5.comments import SURE, cl_ord_id_of, comment_of
from surefill.venues.mt5.looking import Found, Looks, netted
from surefill.venues.mt5.reading import Reader, cum_qty_of, is_trade, ord_type_of, side_of
from surefill.venues.mt5.records import DealRecord, OrderRecord, PositionRecord, SendRecord, SymbolRecord, raw, read
from surefill.venues.mt5.requests import Withheld
from surefill.venues.mt5.server_clock import ServerClock
from surefill.venues.mt5.settings import Mt5Settings
from surefill.venues.mt5.symbols import Scale, instrument_of
from surefill.venues.mt5.terminal import GatewayTerminal, NotAsked, PackageTerminal, Reply, Terminal
from surefill.venues.mt5.worker import Worker
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

T = TypeVar("T")

_HEDGING = 2
_ENTRY_IN = 0
_OVERLAP_NS = 600 * NS_PER_S
_RECENT_MAX = 4_096
_log = logger("surefill.venues.mt5")


class Mt5Venue:
    """A `LiveVenue`. `package`: an object with the package's functions, instead of the package itself."""

    def __init__(self, settings: Mt5Settings, *, package: Any = None, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._settings = settings
        self._now_ns = now_ns
        self._terminal: Terminal = (
            GatewayTerminal(settings) if settings.gateway_url else PackageTerminal(settings, package)
        )
        self._clock = ServerClock(settings.server_offset_s)
        self._looks = Looks(self._terminal, self._clock, settings.magic, settings.history_s)
        self._reader = Reader(self._clock, settings.money_decimals, "")
        self._worker = Worker(settings.timeout_s)
        self._sink: ReportSink = lambda _report: None
        self._scales: dict[str, Scale] = {}
        self._hedging = False
        self._names: dict[int, str] = {}
        self._comments: dict[str, str] = {}
        self._owners: dict[int, int] = {}
        self._watched: dict[int, str] = {}
        self._triggered: set[int] = set()
        self._seen: dict[int, None] = {}
        self._since_ns = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()

    @property
    def capabilities(self) -> Capabilities:
        """Stops are the venue's on a netting account only: see `requests`."""
        return Capabilities(
            "mt5",
            frozenset(OrdType),
            frozenset(TimeInForce),
            cl_ord_id_max=36,
            native_stops=not self._hedging,
            amends=True,
        )

    # -- life -------------------------------------------------------------------------------------------------

    async def connect(self, sink: ReportSink) -> None:
        """Connect to the terminal, learn the account and the symbols, and tell deals from now on."""
        self._sink = sink
        self._since_ns = self._now_ns()
        await self._look(self._learn)
        self._tasks.append(asyncio.get_running_loop().create_task(self._follow()))

    def _learn(self) -> None:
        self._terminal.open()
        account = self._looks.account()
        self._hedging = account.margin_mode == _HEDGING
        self._reader = Reader(self._clock, self._settings.money_decimals, account.currency)
        for name in self._settings.symbols:
            self._looks.ask("symbol_select", name, True)
        for symbol in self._looks.symbols():
            if self._wanted(symbol):
                self._scales[symbol.name] = Scale(symbol)
        missing = sorted(set(self._settings.symbols) - self._scales.keys())
        if missing:
            raise VenueOutcomeUnknown(f"the terminal does not list {', '.join(missing)}: is the name written as there?")
        newest = max((self._looks.tick(name).time_msc for name in self._settings.symbols), default=0)
        self._clock.observe(newest, self._now_ns())
        for deal in self._recent_deals():
            self._seen[deal.ticket] = None

    def _wanted(self, symbol: SymbolRecord) -> bool:
        return symbol.name in self._settings.symbols if self._settings.symbols else symbol.visible

    async def close(self) -> None:
        """Stop looking; orders stay where they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._worker.close(self._terminal.close)

    async def _look(self, job: Callable[[], T]) -> T:
        """What a job finds. Raises VenueOutcomeUnknown where it finds nothing out."""
        try:
            return await self._worker.run(job)
        except NotAsked as error:
            raise VenueOutcomeUnknown(f"not asked: {error}") from error
        except InputError as error:
            raise VenueOutcomeUnknown(f"the terminal shows a figure that cannot be: {error.message}") from error

    def _scale(self, name: str) -> Scale:
        if name not in self._scales:
            self._scales[name] = Scale(self._looks.symbol(name))
        return self._scales[name]

    # -- orders -----------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send the order once."""
        self._comments[comment_of(request.cl_ord_id)] = request.cl_ord_id
        return await self._outcome(lambda: self._submitted(request))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Remove a pending order once. A market order cannot be taken back."""
        return await self._outcome(lambda: self._removed(request, order_id))

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        """New prices for a pending order. MT5 cannot change its volume."""
        return await self._outcome(lambda: self._modified(request, order_id))

    async def _outcome(self, job: Callable[[], Outcome]) -> Outcome:
        try:
            return await self._worker.run(job)
        except NotAsked as error:
            return Rejected("NOT_SENT", str(error), undelivered=True)
        except VenueOutcomeUnknown as error:
            return Unknown(str(error))
        finally:
            self._wake.set()

    def _submitted(self, request: OrderRequest) -> Outcome:
        made = _before(lambda: self._made(request))
        if isinstance(made, Withheld):
            return Rejected(made.code, made.text)
        if request.send_by_ns and self._now_ns() > request.send_by_ns:
            raise NotAsked("the order waited for the terminal past its time")
        reply = self._terminal.call("order_send", made)
        verdict, sent = _judged(reply)
        if verdict is Verdict.REFUSED:
            return _refusal(sent, reply)
        if verdict is Verdict.UNKNOWN or not sent.order:
            return Unknown(_words(sent, reply), raw(reply))
        self._names[sent.order] = request.cl_ord_id
        self._watched[sent.order] = request.cl_ord_id
        new = VenueReport(
            request.cl_ord_id,
            ExecType.NEW,
            str(sent.order),
            code=name_of(sent.retcode),
            text=sent.comment,
            raw=raw(reply),
        )
        return Accepted((new, *self._already(request, sent.order)))

    def _already(self, request: OrderRequest, ticket: int) -> tuple[VenueReport, ...]:
        """What the history tells at once. Failing to look changes nothing: the stream will tell."""
        try:
            found = self._looks.by_ticket(ticket)
            return self._reports(found, self._scale(request.instrument_id), request.cl_ord_id)[1:] if found else ()
        except (VenueOutcomeUnknown, InputError) as error:
            _log.info("mt5.look_after_send_failed", order=ticket, error=str(error))
            return ()

    def _made(self, request: OrderRequest) -> requests.TradeRequest | Withheld:
        try:
            scale = self._scale(request.instrument_id)
        except InputError as error:
            return Withheld(error.code, error.message)
        if request.ord_type != OrdType.MARKET:
            return requests.pending(request, scale, self._settings, hedging=self._hedging)
        position = 0
        if self._hedging and (request.reduce_only or request.bucket):
            position = self._looks.to_close(request, scale)
        return requests.deal(request, scale, self._looks.tick(request.instrument_id), self._settings, position)

    def _removed(self, request: OrderRequest, order_id: str) -> Outcome:
        ticket, scale = _before(lambda: self._ticket(request, order_id)), self._scale(request.instrument_id)
        reply = self._terminal.call("order_send", requests.removal(scale.symbol.name, ticket))
        verdict, sent = _judged(reply)
        if verdict is Verdict.REFUSED:
            return _refusal(sent, reply)
        if verdict is not Verdict.DONE:
            return Unknown(_words(sent, reply), raw(reply))
        found = self._looks.by_ticket(ticket)
        if found is None or found.working:
            return Unknown(f"{_words(sent, reply)}, but the history does not show the end of order {ticket} yet")
        return Accepted(self._reports(found, scale, request.cl_ord_id)[1:])

    def _modified(self, request: OrderRequest, order_id: str) -> Outcome:
        ticket, scale = _before(lambda: self._ticket(request, order_id)), self._scale(request.instrument_id)
        standing = _before(lambda: self._looks.by_ticket(ticket))
        if standing is None or standing.order is None or not standing.working:
            return Rejected("NOT_WORKING", f"order {ticket} does not work any more")
        if scale.qty(standing.order.volume_initial) != request.order_qty:
            return Rejected("VOLUME_FIXED", "MT5 cannot change the volume of an order: cancel it and send another")
        day = 1 if request.time_in_force == TimeInForce.DAY else 0
        reply = self._terminal.call("order_send", requests.changed(request, scale, ticket, day))
        verdict, sent = _judged(reply)
        if verdict is Verdict.REFUSED:
            return _refusal(sent, reply)
        if verdict is not Verdict.DONE:
            return Unknown(_words(sent, reply), raw(reply))
        found = self._looks.by_ticket(ticket)
        return Accepted(self._reports(found, scale, request.cl_ord_id)[1:]) if found else Unknown("not in the lists")

    def _ticket(self, request: OrderRequest, order_id: str) -> int:
        if order_id:
            return int(order_id)
        found = self._found(request)
        if len(found) != 1:
            raise VenueOutcomeUnknown(f"{len(found)} orders are found for {request.cl_ord_id}")
        return found[0].ticket

    # -- looks ------------------------------------------------------------------------------------------------

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """By ticket where it is known, else by magic, comment and terms."""
        self._comments[comment_of(request.cl_ord_id)] = request.cl_ord_id

        def job() -> QueryAnswer:
            scale = self._scale(request.instrument_id)
            found = self._found(request)
            for each in found:
                self._names[each.ticket] = request.cl_ord_id
            reports = tuple(report for each in found for report in self._reports(each, scale, request.cl_ord_id))
            return QueryAnswer(bool(found), reports)

        return await self._look(job)

    def _found(self, request: OrderRequest) -> list[Found]:
        known = [ticket for ticket, name in self._names.items() if name == request.cl_ord_id]
        found = [each for each in map(self._looks.by_ticket, known) if each is not None]
        return found or self._looks.by_terms(request, self._scale(request.instrument_id), self._now_ns())

    def _reports(self, found: Found, scale: Scale, cl_ord_id: str) -> tuple[VenueReport, ...]:
        """An order's story. One that has not ended, or whose deals are not all there, goes on being watched."""
        if found.order is not None:
            reports = self._reader.story(found.order, found.deals, scale, cl_ord_id, working=found.working)
            dealt = sum(scale.qty(deal.volume) for deal in found.deals if is_trade(deal))
            if found.working or dealt < cum_qty_of(found.order, scale):
                self._watched[found.ticket] = cl_ord_id
            else:
                self._watched.pop(found.ticket, None)
            return reports
        new = VenueReport(cl_ord_id, ExecType.NEW, str(found.ticket), raw=raw(found.position))
        self._watched[found.ticket] = cl_ord_id
        return (new, *(self._reader.trade(deal, scale, cl_ord_id) for deal in found.deals))

    async def positions(self) -> dict[str, int]:
        """Signed quantity by position key: see rule 4."""

        def job() -> dict[str, int]:
            held = self._looks.positions()
            for each in held:
                self._owners[each.identifier] = each.magic
                self._scale(each.symbol)
            return netted(held, self._scales, self._key_of)

        return await self._look(job)

    def _key_of(self, position: PositionRecord) -> str:
        return position_key(position.symbol, self._bucket(position.identifier, position.magic))

    def _bucket(self, position_id: int, magic: int) -> str:
        return str(position_id) if self._hedging and magic != self._settings.magic else ""

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All pending orders, made by whomever."""
        return await self._look(lambda: tuple(map(self._open_order, self._looks.working())))

    def _open_order(self, order: OrderRecord) -> OpenOrder:
        scale, ord_type = self._scale(order.symbol), ord_type_of(order.type)
        stop = ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
        limit = {OrdType.LIMIT: order.price_open, OrdType.STOP_LIMIT: order.price_stoplimit}.get(ord_type, 0.0)
        return OpenOrder(
            str(order.ticket),
            self._name_of(order.ticket, order.magic, order.comment),
            order.symbol,
            str(order.position_id) if self._hedging and order.position_id else "",
            side_of(order.type),
            ord_type,
            scale.qty(order.volume_initial),
            cum_qty_of(order, scale),
            px=scale.px(limit),
            stop_px=scale.px(order.price_open) if stop else 0,
            raw=raw(order),
        )

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Every deal since then that is an execution, oldest first."""

        def job() -> tuple[VenueReport, ...]:
            deals = self._looks.deals(*self._clock.window(since_ns, self._now_ns()))
            told = [deal for deal in deals if is_trade(deal)]
            return tuple(
                report
                for report in map(self._execution, told)
                if not report.transact_ns or report.transact_ns >= since_ns
            )

        return await self._look(job)

    async def balances(self) -> tuple[Balance, ...]:
        """The account's money: the balance, and the margin that is free."""

        def job() -> tuple[Balance, ...]:
            account = self._looks.account()
            return (Balance(account.currency, _money(account.balance), _money(account.margin_free)),)

        return await self._look(job)

    async def instruments(self) -> tuple[Instrument, ...]:
        """The symbols that can be traded here, with today's ticks, lots and bounds."""

        def job() -> tuple[Instrument, ...]:
            listed = [symbol for symbol in self._looks.symbols() if self._wanted(symbol)]
            settings = self._settings
            made = (instrument_of(symbol, settings.money_decimals, settings.calendar) for symbol in listed)
            return tuple(instrument for instrument in made if instrument is not None)

        return await self._look(job)

    async def access(self) -> Access:
        """Whether terminal and account let a program trade. Nobody can withdraw through a terminal."""

        def job() -> Access:
            account, terminal = self._looks.account(), self._looks.terminal()
            against = [
                text
                for wrong, text in (
                    (not terminal.connected, "the terminal has no connection to its server"),
                    (not terminal.trade_allowed, "the terminal's Algo Trading button is off"),
                    (terminal.tradeapi_disabled, "the terminal does not let Python trade"),
                    (not account.trade_allowed, "the account may not trade"),
                    (not account.trade_expert, "the server does not let programs trade"),
                )
                if wrong
            ]
            kind = "hedging" if self._hedging else "netting"
            return Access(str(account.login), not against, False, self._clock.ahead_ns, "; ".join(against) or kind)

        return await self._look(job)

    # -- the stream -------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Look for what is new, for ever. A look that fails is made again."""
        while True:
            try:
                for report in await self._look(self._news):
                    self._sink(report)
            except VenueOutcomeUnknown as error:
                _log.info("mt5.poll_failed", error=str(error))
            self._wake.clear()
            try:
                async with asyncio.timeout(self._settings.poll_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(self._settings.poll_s / 10)

    def _news(self) -> list[VenueReport]:
        working = self._looks.working()
        news = [self._execution(deal) for deal in self._recent_deals()]
        for order in working:
            name = self._name_of(order.ticket, order.magic, order.comment)
            if name:
                self._watched.setdefault(order.ticket, name)
            if name and self._has_triggered(order):
                news.append(VenueReport(name, ExecType.TRIGGERED, str(order.ticket), raw=raw(order)))
        gone = self._watched.keys() - {order.ticket for order in working}
        news += [report for ticket in sorted(gone) for report in self._end_of(ticket)]
        return [report for report in news if report.exec_type != ExecType.TRADE or self._is_new(int(report.exec_id))]

    def _is_new(self, deal: int) -> bool:
        """Whether a deal has not been told before; from here on it has."""
        if deal in self._seen:
            return False
        self._seen[deal] = None
        while len(self._seen) > _RECENT_MAX:
            self._seen.pop(next(iter(self._seen)))
        return True

    def _recent_deals(self) -> list[DealRecord]:
        """Executions since shortly before we connected or before the last looks."""
        since_ns = max(self._since_ns, self._now_ns() - 6 * _OVERLAP_NS) - _OVERLAP_NS
        return [deal for deal in self._looks.deals(*self._clock.window(since_ns, self._now_ns())) if is_trade(deal)]

    def _has_triggered(self, order: OrderRecord) -> bool:
        """Whether a stop-limit order has become a limit order: its type changes, its stop-limit price stays."""
        new = order.type in (2, 3) and order.price_stoplimit > 0 and order.ticket not in self._triggered
        if new:
            self._triggered.add(order.ticket)
        return new

    def _end_of(self, ticket: int) -> tuple[VenueReport, ...]:
        found = self._looks.by_ticket(ticket)
        if found is None or found.working or found.order is None:
            return ()
        return self._reports(found, self._scale(found.order.symbol), self._watched[ticket])[1:]

    def _execution(self, deal: DealRecord) -> VenueReport:
        name = self._name_of(deal.order, deal.magic, deal.comment)
        return self._reader.trade(deal, self._scale(deal.symbol), name, self._bucket_of(deal))

    def _bucket_of(self, deal: DealRecord) -> str:
        """The bucket of the position that a deal belongs to: whose it is, its first deal says."""
        if not self._hedging or not deal.position_id:
            return ""
        if deal.position_id not in self._owners:
            opened = [each for each in self._looks.deals(position=deal.position_id) if each.entry == _ENTRY_IN]
            self._owners[deal.position_id] = opened[0].magic if opened else deal.magic
        return self._bucket(deal.position_id, self._owners[deal.position_id])

    def _name_of(self, ticket: int, magic: int, comment: str) -> str:
        """The client order id of an order, "" for an order that is not ours or that cannot be told."""
        if ticket in self._names:
            return self._names[ticket]
        if magic != self._settings.magic:
            return ""
        name = cl_ord_id_of(comment)
        if not name and len(comment) >= SURE:
            name = next((known for ours, known in self._comments.items() if ours.startswith(comment[:15])), "")
        if name:
            self._names[ticket] = name
        return name

    # -- prices -----------------------------------------------------------------------------------------------

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        """Hand every new price on. MT5 pushes none: they are looked at every `quote_poll_s`."""
        names = tuple(instrument_ids)
        for name in names:
            await self._look(lambda name=name: self._looks.ask("symbol_select", name, True))  # type: ignore[misc]
        self._tasks.append(asyncio.get_running_loop().create_task(self._watch(names, sink)))

    async def _watch(self, names: tuple[str, ...], sink: QuoteSink) -> None:
        last: dict[str, int] = {}

        def job() -> list[Quote]:
            return [quote for quote in (self._quote(name, last) for name in names) if quote is not None]

        while True:
            try:
                for quote in await self._look(job):
                    sink(quote)
            except VenueOutcomeUnknown as error:
                _log.info("mt5.quotes_failed", error=str(error))
            await asyncio.sleep(self._settings.quote_poll_s)

    def _quote(self, name: str, last: dict[str, int]) -> Quote | None:
        tick, scale = self._looks.tick(name), self._scale(name)
        if not tick.time_msc or tick.time_msc == last.get(name):
            return None
        if name in last:
            self._clock.observe(tick.time_msc, self._now_ns())
        last[name] = tick.time_msc
        bid, ask, px = (scale.px(price) for price in (tick.bid, tick.ask, tick.last))
        return Quote(name, self._clock.ns(tick.time_msc) or self._now_ns(), last_px=px, bid_px=bid, ask_px=ask)


def _before(job: Callable[[], T]) -> T:
    """A step before the request: its failure proves that nothing was sent."""
    try:
        return job()
    except (VenueOutcomeUnknown, InputError) as error:
        raise NotAsked(f"not sent: {error}") from error


def _judged(reply: Reply) -> tuple[Verdict, SendRecord]:
    if reply.result is None:
        return Verdict.UNKNOWN, SendRecord(0)
    sent = read(SendRecord, reply.result)
    return verdict_of(sent.retcode), sent


def _refusal(sent: SendRecord, reply: Reply) -> Rejected:
    unread = sent.retcode in UNDELIVERED
    return Rejected(
        name_of(sent.retcode),
        sent.comment,
        raw(reply),
        undelivered=unread,
        retry_after_ns=RETRY_AFTER_NS if unread else 0,
    )


def _words(sent: SendRecord, reply: Reply) -> str:
    if reply.result is None:
        return f"order_send returned nothing: {reply.code} {reply.text}"
    return f"{name_of(sent.retcode)}: {sent.comment}"


def _money(amount: float) -> Decimal:
    return quanta_decimal(round(amount * 100_000_000), 8).normalize()
