"""The adapter of the exchanges that are described by a dialect.

There is no order stream here: executions and the orders that work are asked for every `poll_s`, and so are prices.
What an exchange acknowledges is not yet an order of the book; what became of it is what a query finds.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

from surefill.domain.instrument import Instrument
from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import ConfigError, VenueOutcomeUnknown
from surefill.logs import logger
from surefill.rules.codes import OrdType, Side, TimeInForce
from surefill.units import NS_PER_MS
from surefill.venues.ccxt.asking import Asking
from surefill.venues.ccxt.binance.words import Money, fee_of, raw_of
from surefill.venues.ccxt.filters import breach_of
from surefill.venues.ccxt.listing import Listing
from surefill.venues.ccxt.others.bybit import BYBIT
from surefill.venues.ccxt.others.coinbase import COINBASE
from surefill.venues.ccxt.others.dialect import Call, Dialect
from surefill.venues.ccxt.others.listed import listings_of
from surefill.venues.ccxt.others.okx import OKX
from surefill.venues.ccxt.settings import CcxtSettings
from surefill.venues.ccxt.verdict import Meaning, Verdict
from surefill.venues.ccxt.wire import Answer, Wire
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

_log = logger("surefill.venues.ccxt")
_T = TypeVar("_T")
DIALECTS: Mapping[str, Dialect] = MappingProxyType({"bybit": BYBIT, "okx": OKX, "coinbase": COINBASE})
#: How far before the last look executions are asked for again.
OVERLAP_MS = 60_000
_ENDED = (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED)
_TYPES = {"market": OrdType.MARKET, "limit": OrdType.LIMIT, "stop_limit": OrdType.STOP_LIMIT}


class ExchangeVenue:
    """One account at Bybit, OKX or Coinbase."""

    def __init__(self, settings: CcxtSettings, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._settings, self._now_ns = settings, now_ns
        self._dialect = DIALECTS[settings.exchange]
        self._wire = Wire(settings)
        self._asking = Asking(self._wire, self._dialect.judge, self.compare_clock, now_ns)
        self._money = Money(settings.currency, settings.money_decimals)
        self._listings: dict[str, Listing] = {}
        self._by_name: dict[str, Listing] = {}
        self._client_ids: dict[str, str] = {}
        self._sink: ReportSink = lambda _report: None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def capabilities(self) -> Capabilities:
        """Amendments and dead-man switches are not used at these exchanges."""
        window_ns = self._dialect.window_ms * NS_PER_MS or self._settings.receive_window_ns
        return Capabilities(
            self._settings.exchange,
            self._dialect.ord_types,
            frozenset(TimeInForce),
            receive_window_ns=window_ns,
            cl_ord_id_max=self._dialect.client_id_max,
            cl_ord_id_alphabet=self._dialect.client_id.partition("{")[0],
            native_stops=bool(self._dialect.ord_types & {OrdType.STOP, OrdType.STOP_LIMIT}),
        )

    # -- life -------------------------------------------------------------------------------------------------

    async def connect(self, sink: ReportSink) -> None:
        """Compare clocks, read what is listed, and look for executions from now on. Raises VenueOutcomeUnknown."""
        self._sink = sink
        try:
            await self._wire.ready()
            await self.compare_clock()
            await self._load()
        except BaseException:
            await self.close()
            raise
        self._run(self._watch(self._now_ns() // NS_PER_MS))

    async def close(self) -> None:
        """Hang up; orders stay where they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._wire.close()

    async def compare_clock(self) -> None:
        """Measure how far the exchange's clock is ahead, and sign with its time. Raises VenueOutcomeUnknown."""
        before_ns = self._now_ns()
        told = await self._look(self._dialect.clock)
        after_ns = self._now_ns()
        venue_ns = _read(lambda: self._dialect.clock_of(told)) * NS_PER_MS
        self._wire.set_clock(venue_ns - (before_ns + after_ns) // 2)

    async def _load(self) -> None:
        """Read what is listed, through ccxt's own reading of it. Raises VenueOutcomeUnknown."""
        try:
            markets = await self._wire.client.load_markets()
        except Exception as error:  # of ccxt's many, all of which say that it is not known
            raise VenueOutcomeUnknown(f"what is listed cannot be read: {error!r}") from error
        category = "linear" if self._settings.category == "linear" else "spot"
        self._listings = _read(lambda: listings_of(markets, category))
        self._by_name = {each.name: each for each in self._listings.values()}

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self, since_ms: int) -> None:
        """Hand on what was traded, for ever."""
        while True:
            await asyncio.sleep(self._settings.poll_s)
            began_ms = self._now_ns() // NS_PER_MS
            try:
                for report in await self.executions((since_ms - OVERLAP_MS) * NS_PER_MS):
                    self._sink(report)
                since_ms = began_ms
            except VenueOutcomeUnknown as error:
                _log.warning("executions cannot be asked for", exchange=self._settings.exchange, reason=str(error))

    # -- orders -----------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send the order once."""
        listing = await self._listed(request)
        if isinstance(listing, Rejected):
            return listing
        if not re.fullmatch(self._dialect.client_id, request.cl_ord_id):
            return Rejected("CLIENT_ID", f"{request.cl_ord_id!r} is no client order id that the exchange takes")
        if request.ord_type not in self._dialect.ord_types:
            return Rejected("NOT_SUPPORTED", f"{OrdType(request.ord_type).name} orders are not made here")
        if request.bucket:
            return Rejected("POSITION_SIDE", f"there are no position sides here (got {request.bucket!r})")
        breach = breach_of(listing.filters, request)
        if breach is not None:
            return Rejected(f"FILTER_{breach.name}", f"{breach.name} of {listing.name}: {breach.text}")
        endpoint, params = self._dialect.submit(self._settings, listing, request)
        answer = await self._asking.put(endpoint, params, request.send_by_ns)
        if isinstance(answer, Verdict):
            return answer.outcome()
        try:
            order_id = _read(lambda: self._dialect.new_order_id(answer.data))
        except VenueOutcomeUnknown as error:
            return Unknown(str(error), answer.body)
        self._client_ids[order_id] = request.cl_ord_id
        new = VenueReport(
            request.cl_ord_id,
            ExecType.NEW,
            order_id,
            transact_ns=self._now_ns(),
            raw=answer.body,
            instrument_id=listing.instrument_id,
            side=request.side,
        )
        return Accepted((new,))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Ask for its end once, and look whether it has ended."""
        listing = await self._listed(request)
        if isinstance(listing, Rejected):
            return listing
        if not order_id and self._settings.exchange == "coinbase":
            return Rejected("NOT_SENT", "Coinbase cancels by its own number alone, and it is not known yet")
        endpoint, params = self._dialect.cancel(self._settings, listing, request, order_id)
        answer = await self._asking.put(endpoint, params)
        if isinstance(answer, Verdict) and answer.meaning is not Meaning.ABSENT:
            return answer.outcome()
        raw = answer.body if isinstance(answer, Answer) else answer.raw
        try:
            found = await self.query(request)
        except VenueOutcomeUnknown as error:
            return Unknown(f"the cancel was taken, and what became of it cannot be told: {error}", raw)
        if found.found and found.reports[-1].exec_type in _ENDED:
            return Accepted(found.reports)
        if isinstance(answer, Answer) or not found.found:
            return Unknown("the cancel was taken, and the order has not ended yet", raw)
        for report in found.reports:
            self._sink(report)
        return Rejected(answer.code, f"{answer.text} (it is {found.reports[-1].text})", raw)

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        """Not done here."""
        return Rejected("NOT_SUPPORTED", f"orders at {self._settings.exchange} are not changed in place")

    async def _listed(self, request: OrderRequest) -> Listing | Rejected:
        try:
            if not self._listings:
                await self._load()
        except VenueOutcomeUnknown as error:
            return Rejected("NOT_SENT", str(error), undelivered=True)
        if request.instrument_id not in self._listings:
            return Rejected("NOT_LISTED", f"{request.instrument_id} is not listed at {self._settings.exchange}")
        return self._listings[request.instrument_id]

    # -- looks ------------------------------------------------------------------------------------------------

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """Open orders, then history, then trades. Raises VenueOutcomeUnknown."""
        listing = await self._listed(request)
        if isinstance(listing, Rejected):
            raise VenueOutcomeUnknown(listing.text)
        names = self._dialect.names
        for endpoint, params in self._dialect.looks(self._settings, listing, request):
            told = await self._asking.find(endpoint, params)
            rows = [] if told is None else _read(lambda told=told: self._dialect.order_rows(told))  # type: ignore[misc]
            row = next((each for each in rows if each.get(names.cl_ord_id) == request.cl_ord_id), None)
            if row is not None:
                return QueryAnswer(found=True, reports=await self._told(listing, request, row))
        return QueryAnswer(found=False)

    async def _told(self, listing: Listing, request: OrderRequest, row: Mapping[str, Any]) -> tuple[VenueReport, ...]:
        order_id = str(row[self._dialect.names.order_id])
        self._client_ids[order_id] = request.cl_ord_id
        state = _read(lambda: self._state(listing, request.cl_ord_id, row))
        if state.cum_qty == 0:
            return (state,)
        told = await self._look(self._dialect.fills(self._settings, listing, order_id))
        trades = _read(lambda: self._dialect.trade_rows(told))
        fills = [_read(lambda each=each: self._trade(listing, request.cl_ord_id, each)) for each in trades]  # type: ignore[misc]
        return (*fills, state)

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All that works in the product that is traded here. Raises VenueOutcomeUnknown."""
        await self._loaded()
        told = await self._look(self._dialect.open_orders(self._settings))
        rows = _read(lambda: self._dialect.order_rows(told))
        return tuple(_read(lambda row=row: self._open_order(row)) for row in rows)  # type: ignore[misc]

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Fills since then, oldest first, as many as one answer of the exchange holds. Raises VenueOutcomeUnknown."""
        await self._loaded()
        told = await self._look(self._dialect.executions(self._settings, since_ns // NS_PER_MS))
        rows = _read(lambda: self._dialect.trade_rows(told))
        found = [_read(lambda row=row: self._anybodys_trade(row)) for row in rows]  # type: ignore[misc]
        return tuple(sorted(found, key=lambda report: (report.transact_ns, report.exec_id)))

    async def balances(self) -> tuple[Balance, ...]:
        """What the account holds. Raises VenueOutcomeUnknown."""
        told = await self._look(self._dialect.balances(self._settings))
        rows = _read(lambda: self._dialect.balances_of(told))
        return tuple(_read(lambda: [Balance(asset, Decimal(total), Decimal(free)) for asset, total, free in rows]))

    async def positions(self) -> dict[str, int]:
        """What is held of the base assets. Raises VenueOutcomeUnknown; also for contracts, which are not looked at."""
        if self._settings.category == "linear":
            raise VenueOutcomeUnknown("positions in contracts are not read at this exchange")
        await self._loaded()
        held = {each.asset: each.total for each in await self.balances()}
        wanted = [self._listings[each] for each in self._settings.instrument_ids if each in self._listings]
        if not wanted:
            wanted = [each for each in self._listings.values() if each.currency == self._settings.currency]
        found = {each.instrument_id: each.whole_qty(str(held.get(each.base, 0))) for each in wanted}
        return {key: qty for key, qty in found.items() if qty}

    async def instruments(self) -> tuple[Instrument, ...]:
        """What is listed; without those whose money does not come out whole at `money_decimals`."""
        await self._loaded()
        found = [each.instrument(self._settings.money_decimals) for each in self._listings.values()]
        return tuple(each for each in found if each is not None)

    async def access(self) -> Access:
        """What the key may do, and how the clocks stand. Raises VenueOutcomeUnknown."""
        await self.compare_clock()
        told = await self._look(self._dialect.permissions)
        trades, withdraws = _read(lambda: self._dialect.permissions_of(told))
        return Access(self._settings.account, trades, withdraws, self._wire.clock_ahead_ns, raw_of(told))

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        """Ask for bid and ask every `poll_s`. Raises VenueOutcomeUnknown, ConfigError."""
        await self._loaded()
        for instrument_id in instrument_ids:
            if instrument_id not in self._listings:
                raise ConfigError(f"{instrument_id} is not listed at {self._settings.exchange}")
            self._run(self._quote(self._listings[instrument_id], sink))

    async def _quote(self, listing: Listing, sink: QuoteSink) -> None:
        while True:
            try:
                book = await self._wire.client.fetch_order_book(listing.instrument_id, 1)
                (bid_px, bid_qty, *_), (ask_px, ask_qty, *_) = book["bids"][0], book["asks"][0]
                prices = listing.px(bid_px), listing.px(ask_px)
                sizes = listing.qty(bid_qty), listing.qty(ask_qty)
                sink(Quote(listing.instrument_id, self._now_ns(), 0, *prices, *sizes))
            except Exception as error:  # a price that does not come is an old price: the engine watches for that
                _log.warning("no price", instrument=listing.instrument_id, reason=repr(error))
            await asyncio.sleep(self._settings.poll_s)

    async def _loaded(self) -> None:
        if not self._listings:
            await self._load()

    async def _look(self, call: Call) -> Any:
        return await self._asking.look(*call)

    # -- rows -------------------------------------------------------------------------------------------------

    def _state(self, listing: Listing, cl_ord_id: str, row: Mapping[str, Any]) -> VenueReport:
        names = self._dialect.names
        state = str(row[names.state])
        exec_type = names.states.get(state, ExecType.STATUS)
        return VenueReport(
            cl_ord_id,
            exec_type,
            str(row[names.order_id]),
            cum_qty=listing.qty(row[names.cum_qty]),
            transact_ns=int(row.get(names.updated) or 0) * NS_PER_MS,
            code=state if exec_type == ExecType.REJECTED else "",
            text=state,
            raw=raw_of(row),
            instrument_id=listing.instrument_id,
            side=_side(row),
        )

    def _trade(self, listing: Listing, cl_ord_id: str, row: Mapping[str, Any]) -> VenueReport:
        names = self._dialect.trade_names
        amount = Decimal(str(row.get(names.fee) or "0")) * names.fee_sign
        asset = row.get(names.fee_asset) or listing.currency
        fee = fee_of(listing, self._money, f"{amount:f}", asset)
        return VenueReport(
            cl_ord_id,
            ExecType.TRADE,
            str(row[names.order_id]),
            str(row[names.exec_id]),
            listing.px(row[names.px]),
            listing.qty(row[names.qty]),
            fee.money,
            transact_ns=int(row[names.ts]) * NS_PER_MS,
            raw=raw_of(row),
            instrument_id=listing.instrument_id,
            side=_side(row),
            fee_asset=fee.asset,
            fee_amount=fee.amount,
            fee_qty=fee.qty,
        )

    def _anybodys_trade(self, row: Mapping[str, Any]) -> VenueReport:
        names = self._dialect.trade_names
        told = str(row.get(self._dialect.names.cl_ord_id) or "")
        cl_ord_id = told or self._client_ids.get(str(row[names.order_id]), "")
        return self._trade(self._by_name[row[names.name]], cl_ord_id, row)

    def _open_order(self, row: Mapping[str, Any]) -> OpenOrder:
        names = self._dialect.names
        listing = self._by_name[row[names.name]]
        return OpenOrder(
            str(row[names.order_id]),
            str(row.get(names.cl_ord_id) or ""),
            listing.instrument_id,
            "",
            _side(row),
            _TYPES.get(str(row.get(names.ord_type, "")).lower(), OrdType.LIMIT),
            listing.qty(row[names.order_qty]),
            listing.qty(row[names.cum_qty]),
            listing.px(row.get(names.px)),
            listing.px(row.get(names.stop_px)),
            raw_of(row),
        )


def _side(row: Mapping[str, Any]) -> int:
    return Side.BUY if str(row["side"]).upper() == "BUY" else Side.SELL


def _read(reading: Callable[[], _T]) -> _T:
    """Take something out of an answer. Raises VenueOutcomeUnknown where it is not there."""
    try:
        return reading()
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError) as error:
        raise VenueOutcomeUnknown(f"unreadable: {error!r}") from error
