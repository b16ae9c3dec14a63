"""The adapter of Binance, spot and USD-M: `LiveVenue` over ccxt's client and supervised streams.

1. REST is the truth; the streams are quick. An order is looked for in open orders, then history, then trades.
2. A request is sent once, under our own client order id, and judged by the raw answer (`codes.py`).
3. What can be known to fail before it is sent is not sent: filters, position sides, ids, an order past its time,
   and anything at all while the venue has told us to wait.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

import msgspec

from surefill.domain.account import AccountMove
from surefill.domain.instrument import Instrument
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import ConfigError, VenueOutcomeUnknown
from surefill.logs import logger
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.ccxt.asking import Asking
from surefill.venues.ccxt.binance import terms, words
from surefill.venues.ccxt.binance.lookup import Lookup
from surefill.venues.ccxt.binance.moves import Moves
from surefill.venues.ccxt.binance.pairs import CLIENT_ID_MAX, Pairs, breach_of_pair
from surefill.venues.ccxt.binance.streams import Streams
from surefill.venues.ccxt.filters import breach_of
from surefill.venues.ccxt.listing import Listing
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
    RateLimit,
    Rejected,
    ReportSink,
    Unknown,
)

_log = logger("surefill.venues.ccxt")
_T = TypeVar("_T")
_OVER = ("CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED")
CLOCK_SAMPLES = 3
#: Until exchangeInfo has been read. Spot: 100 orders in 10 s; USD-M: 300 in 10 s, 1 200 in a minute (2026).
_LIMITS = {
    False: (RateLimit("order", 100, 10 * NS_PER_S), RateLimit("request_weight", 6_000, 60 * NS_PER_S, "address")),
    True: (
        RateLimit("order", 300, 10 * NS_PER_S),
        RateLimit("order", 1_200, 60 * NS_PER_S),
        RateLimit("request_weight", 2_400, 60 * NS_PER_S, "address"),
    ),
}


class BinanceVenue:
    """One account at Binance: `settings.exchange` is "binance" (spot) or "binanceusdm"."""

    def __init__(self, settings: CcxtSettings, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._settings, self._now_ns = settings, now_ns
        self._market = market = terms.MARKETS[settings.exchange]
        self._wire = Wire(settings)
        self._asking = Asking(self._wire, market.judge, self.compare_clock, now_ns)
        self._lookup = Lookup(market, settings, self._asking, now_ns)
        self._pairs = Pairs(self._asking, self._lookup)
        self._moves = Moves(settings, self._asking, self._lookup, now_ns, usdm=market.usdm)
        self._streams = Streams(
            market, settings, self._wire, self._asking, self._lookup, self._pairs, self._run, now_ns
        )
        self._sink: ReportSink = lambda _report: None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def capabilities(self) -> Capabilities:
        """Both markets keep stop orders; only USD-M changes prices in place and has a dead-man switch; spot links."""
        usdm = self._market.usdm
        return Capabilities(
            self._settings.exchange,
            frozenset(OrdType),
            frozenset(TimeInForce),
            receive_window_ns=self._settings.receive_window_ns,
            cl_ord_id_max=terms.CLIENT_ID_MAX,
            cl_ord_id_alphabet=terms.CLIENT_ID_ALPHABET,
            native_stops=True,
            amends=usdm,
            dead_man=usdm,
            links=not usdm,
            cash="margin" if usdm else "paid",
            rate_limits=self._lookup.rate_limits or _LIMITS[usdm],
        )

    @property
    def usage(self) -> dict[str, str]:
        """What the venue last said of its limits: the headers X-MBX-…, in lower case."""
        return dict(self._asking.usage)

    # -- life -------------------------------------------------------------------------------------------------

    async def connect(self, sink: ReportSink) -> None:
        """Compare clocks, read what is listed, open the order stream.

        Raises VenueOutcomeUnknown where the venue does not answer, ConfigError where the account keeps positions
        another way than `settings.hedge` says; the connections are let go of then, and another try takes a new object.
        """
        self._sink = sink
        try:
            await self._connect()
        except BaseException:
            await self.close()
            raise

    async def _connect(self) -> None:
        await self._wire.ready()
        await self.compare_clock()
        await _told(self._lookup.load())
        if self._market.usdm:
            mode = await self._asking.look(terms.POSITION_MODE)
            if mode.get("dualSidePosition") is not self._settings.hedge:
                raise ConfigError(f"hedge is {self._settings.hedge} here, and at the venue dualSidePosition is {mode}")
            for order in await self.open_orders():
                if order.order_id.startswith(words.ALGO_ID):
                    self._streams.expect(await self._lookup.listing(order.instrument_id), order.cl_ord_id)
        await self._streams.open(self._sink)
        self._run(self._watch_clock())

    async def close(self) -> None:
        """Hang up; orders stay where they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._streams.close()
        await self._wire.close()

    async def compare_clock(self) -> None:
        """Measure how far the venue's clock is ahead, and sign with its time. Raises VenueOutcomeUnknown.

        The quickest of a few answers says it best: the time of a slow one may be that of either of its ends.
        """
        measured = [await self._measured() for _ in range(CLOCK_SAMPLES)]
        self._wire.set_clock(min(measured)[1])

    async def _measured(self) -> tuple[int, int]:
        """How long the answer took, and how far the venue's clock is ahead by it."""
        before_ns = self._now_ns()
        told = await self._asking.look(self._market.time)
        after_ns = self._now_ns()
        try:
            venue_ns = int(told["serverTime"]) * NS_PER_MS + NS_PER_MS // 2
        except (KeyError, TypeError, ValueError) as error:
            raise VenueOutcomeUnknown(f"the venue's time is unreadable: {str(told)[:100]}") from error
        return after_ns - before_ns, venue_ns - (before_ns + after_ns) // 2

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(self._settings.clock_every_s)
            try:
                await self.compare_clock()
            except VenueOutcomeUnknown as error:
                _log.warning("the venue's clock cannot be compared", reason=str(error))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- orders -----------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send the order once."""
        try:
            listing = await self._lookup.listing(request.instrument_id)
        except VenueOutcomeUnknown as error:
            return Rejected("NOT_SENT", f"what is listed is not known: {error}", undelivered=True)
        except KeyError:
            return Rejected("NOT_LISTED", f"{request.instrument_id} is not listed at {self._settings.exchange}")
        refusal = self._refusal(listing, request)
        if refusal is not None:
            return refusal
        if request.target_px:
            return await self._submit_pair(listing, request)
        conditional = self._market.usdm and terms.is_conditional(request)
        if conditional:
            self._streams.expect(listing, request.cl_ord_id)
        params = terms.order_params(self._market, listing, request, hedge=self._settings.hedge)
        endpoint = terms.ALGO_SUBMIT if conditional else self._market.submit
        answer = await self._asking.put(endpoint, params, request.send_by_ns)
        if isinstance(answer, Verdict):
            return answer.outcome()
        return _read(answer, lambda: self._accepted(listing, request, answer, conditional=conditional))

    async def _submit_pair(self, listing: Listing, request: OrderRequest) -> Outcome:
        answer = await self._pairs.submit(listing, request)
        if isinstance(answer, Verdict):
            return answer.outcome()
        return _read(answer, lambda: self._pairs.accepted(listing, request, answer))

    def _refusal(self, listing: Listing, request: OrderRequest) -> Rejected | None:
        """Why it need not be sent."""
        if not re.fullmatch(f"{terms.CLIENT_ID_ALPHABET}{{1,{terms.CLIENT_ID_MAX}}}", request.cl_ord_id):
            return Rejected("CLIENT_ID", f"{request.cl_ord_id!r} is no client order id that Binance takes")
        if request.target_px and (self._market.usdm or len(request.cl_ord_id) > CLIENT_ID_MAX):
            return Rejected("NOT_SUPPORTED", f"spot links stop and target, under ids of {CLIENT_ID_MAX} at most")
        breach = breach_of_pair(listing, request) if request.target_px else breach_of(listing.filters, request)
        if breach is not None:
            return Rejected(f"FILTER_{breach.name}", f"{breach.name} of {listing.name}: {breach.text}")
        if request.side > 0 and not (listing.counts_fees or request.reduce_only or self._settings.fees_in_bnb):
            text = f"{listing.instrument_id} is counted in {listing.qty_decimals} decimals, too few for a commission in"
            remedy = "have the account pay commissions in BNB and set fees_in_bnb"
            return Rejected("COMMISSION_NOT_COUNTED", f"{text} {listing.base}: {remedy}")
        return terms.side_refusal(self._market, request, hedge=self._settings.hedge)

    def _accepted(
        self, listing: Listing, request: OrderRequest, answer: Answer, *, conditional: bool
    ) -> tuple[VenueReport, ...]:
        row, cl_ord_id = answer.data, request.cl_ord_id
        if conditional:
            report = words.algo_report(listing, row, cl_ord_id, answer.body)
            return (msgspec.structs.replace(report, exec_type=ExecType.NEW),)
        self._lookup.remember(listing, row["orderId"], cl_ord_id)
        reports = [words.new_report(listing, row, cl_ord_id, answer.body)]
        fills = words.fill_reports(listing, self._lookup.money, row, cl_ord_id)
        # An order that ends at once: market orders that find too little to trade with end EXPIRED, with their fills.
        # USD-M tells how much was traded, and the stream tells the trades: whoever lacks them later knows what to ask.
        state = words.state_report(listing, row, cl_ord_id) if "status" in row else reports[0]
        return (*reports, *fills, *([state] if state.cum_qty > 0 or row.get("status") in _OVER else []))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Ask for its end once. "Unknown order" may mean that it has filled: then it is looked up."""
        try:
            listing = await self._lookup.listing(request.instrument_id)
        except (KeyError, VenueOutcomeUnknown) as error:
            return Rejected("NOT_SENT", f"what is listed is not known: {error}", undelivered=True)
        if request.target_px:
            return await self._cancel_pair(listing, request)
        if self._market.usdm and terms.is_conditional(request) and _waits(order_id):
            answer = await self._asking.put(terms.ALGO_CANCEL, {"clientAlgoId": request.cl_ord_id})
            conditional = True
        else:
            by = {"orderId": order_id} if order_id else {"origClientOrderId": request.cl_ord_id}
            answer = await self._asking.put(self._market.cancel, {"symbol": listing.name, **by})
            conditional = False
        if isinstance(answer, Answer):
            return _read(answer, lambda: (self._canceled(listing, request, answer, conditional=conditional),))
        if answer.meaning is Meaning.ABSENT:
            return await self._already_over(request, answer)
        return answer.outcome()

    async def _cancel_pair(self, listing: Listing, request: OrderRequest) -> Outcome:
        answer = await self._pairs.cancel(listing, request)
        if isinstance(answer, Answer):
            return _read(answer, lambda: (self._pairs.canceled(listing, request, answer),))
        return await self._already_over(request, answer) if answer.meaning is Meaning.ABSENT else answer.outcome()

    def _canceled(self, listing: Listing, request: OrderRequest, answer: Answer, *, conditional: bool) -> VenueReport:
        if conditional:
            row = {**answer.data, "algoStatus": "CANCELED", "actualOrderId": ""}
            report = words.algo_report(listing, row, request.cl_ord_id, answer.body)
            return msgspec.structs.replace(report, side=request.side, bucket=request.bucket)
        return words.state_report(listing, answer.data, request.cl_ord_id, answer.body)

    async def _already_over(self, request: OrderRequest, refusal: Verdict) -> Outcome:
        """What an order is that cannot be found to be canceled. What is learned of it is told."""
        try:
            found = await self.query(request)
        except VenueOutcomeUnknown as error:
            return Unknown(f"{refusal.code}: {refusal.text}; and it cannot be looked up: {error}", refusal.raw)
        if not found.found:
            return Unknown(f"{refusal.code}: {refusal.text}; and there is no trace of it now", refusal.raw)
        ended = (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED)
        if found.reports[-1].exec_type in ended:
            return Accepted(found.reports)
        for report in found.reports:
            self._sink(report)
        return Rejected(refusal.code, f"{refusal.text} (it is {found.reports[-1].text})", refusal.raw)

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        """Change it in place: at USD-M price and quantity of a limit order, on spot a smaller quantity alone."""
        try:
            listing = await self._lookup.listing(request.instrument_id)
        except (KeyError, VenueOutcomeUnknown) as error:
            return Rejected("NOT_SENT", f"what is listed is not known: {error}", undelivered=True)
        if request.ord_type != OrdType.LIMIT:
            return Rejected("NOT_SUPPORTED", "only limit orders are changed in place")
        breach = breach_of(listing.filters, request)
        if breach is not None:
            return Rejected(f"FILTER_{breach.name}", f"{breach.name} of {listing.name}: {breach.text}")
        by = {"orderId": order_id} if order_id else {"origClientOrderId": request.cl_ord_id}
        params: dict[str, Any] = {"symbol": listing.name, **by}
        if self._market.usdm:
            side = "BUY" if request.side > 0 else "SELL"
            terms_now = {"quantity": listing.qty_text(request.order_qty), "price": listing.px_text(request.px)}
            params |= {"side": side, **terms_now}
        else:
            refusal = await self._not_a_reduction(listing, request, order_id)
            if refusal is not None:
                return refusal
            params |= {"newQty": listing.qty_text(request.order_qty), "newClientOrderId": request.cl_ord_id}
        answer = await self._asking.put(self._market.amend, params, request.send_by_ns)
        if isinstance(answer, Verdict):
            return answer.outcome()
        row = answer.data if self._market.usdm else answer.data.get("amendedOrder", {})
        return _read(answer, lambda: (words.state_report(listing, row, request.cl_ord_id, answer.body),))

    async def _not_a_reduction(self, listing: Listing, request: OrderRequest, order_id: str) -> Outcome | None:
        """Spot changes nothing but the quantity, and only downwards (rest-api.md, "Order Amend Keep Priority")."""
        try:
            found = await _told(self._lookup.order(listing, request, order_id))
        except VenueOutcomeUnknown as error:
            return Rejected("NOT_SENT", f"how it stands cannot be told: {error}", undelivered=True)
        if found is None:
            return Rejected("NOT_SENT", "there is no trace of the order now", undelivered=True)
        if listing.px(found["price"]) != request.px or request.order_qty >= listing.qty(found["origQty"]):
            return Rejected("NOT_SUPPORTED", "spot reduces a quantity in place; any other change is a new order")
        return None

    # -- looks ------------------------------------------------------------------------------------------------

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """What became of it. Raises VenueOutcomeUnknown."""
        if request.target_px:
            return await _told(self._query_pair(request))
        return await _told(self._lookup.query(request))

    async def _query_pair(self, request: OrderRequest) -> QueryAnswer:
        return await self._pairs.query(await self._lookup.listed(request.instrument_id), request)

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All that works, conditional orders too. Raises VenueOutcomeUnknown."""
        return await _told(self._lookup.open_orders())

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Every fill since then in the symbols of `settings.instrument_ids` and in those seen to be traded."""
        return await _told(self._lookup.executions(since_ns))

    async def positions(self) -> dict[str, int]:
        """Signed quantity by position key. Raises VenueOutcomeUnknown."""
        return await _told(self._lookup.positions())

    async def balances(self) -> tuple[Balance, ...]:
        """What the account holds. Raises VenueOutcomeUnknown."""
        return await _told(self._lookup.balances())

    async def moves(self, since_ns: int) -> tuple[AccountMove, ...]:
        """What moved the account and was no trade (`moves.py`). Raises VenueOutcomeUnknown."""
        return await _told(self._moves.told(since_ns))

    async def instruments(self) -> tuple[Instrument, ...]:
        """What is listed, as of now; without those whose money does not come out whole at `money_decimals`."""
        await _told(self._lookup.load())
        found = [each.instrument(self._settings.money_decimals) for each in self._lookup.listings()]
        return tuple(each for each in found if each is not None)

    async def access(self) -> Access:
        """What the key may do (sapi apiRestrictions), and how the clocks stand. Raises VenueOutcomeUnknown.

        Binance's test systems have no /sapi (testnet.binance.vision, "Can I use the /sapi endpoints?"): there a key
        that is known may trade, and nothing is withdrawn.
        """
        await self.compare_clock()
        if self._settings.sandbox:
            await self.balances()
            return Access(self._settings.account, True, None, self._wire.clock_ahead_ns, "a test system")
        told = await self._asking.look(terms.PERMISSIONS)
        trades = told.get("enableFutures" if self._market.usdm else "enableSpotAndMarginTrading")
        withdraws = told.get("enableWithdrawals")
        return Access(
            self._settings.account,
            trades is True,
            withdraws if isinstance(withdraws, bool) else None,
            self._wire.clock_ahead_ns,
            words.raw_of(told),
        )

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        """Best bid and ask of these, over reconnections. Raises VenueOutcomeUnknown, ConfigError."""
        listings = []
        for instrument_id in instrument_ids:
            try:
                listings.append(await self._lookup.listing(instrument_id))
            except KeyError:
                raise ConfigError(f"{instrument_id} is not listed at {self._settings.exchange}") from None
        await self._streams.quote(listings, sink)

    # -- dead-man switch --------------------------------------------------------------------------------------

    async def cancel_all_after(self, instrument_id: str, countdown_ms: int) -> Outcome:
        """USD-M cancels all orders of the symbol unless it is asked again within that time; 0 switches it off.

        "All your orders of the specified symbol": nothing says that conditional ones are spared. Source: USDⓈ-M
        futures, "Auto-Cancel All Open Orders".
        """
        if not self._market.usdm:
            return Rejected("NOT_SUPPORTED", "spot has no dead-man switch")
        try:
            listing = await self._lookup.listing(instrument_id)
        except KeyError:
            return Rejected("NOT_LISTED", f"{instrument_id} is not listed")
        except VenueOutcomeUnknown as error:
            return Rejected("NOT_SENT", f"what is listed is not known: {error}", undelivered=True)
        params = {"symbol": listing.name, "countdownTime": countdown_ms}
        answer = await self._asking.put(terms.COUNTDOWN, params)
        return answer.outcome() if isinstance(answer, Verdict) else Accepted(())


def _waits(order_id: str) -> bool:
    """Whether a conditional order is not known to have become an order yet."""
    return not order_id or order_id.startswith(words.ALGO_ID)


def _read(answer: Answer, reports: Callable[[], tuple[VenueReport, ...]]) -> Outcome:
    """What a good answer tells; Unknown where it cannot be read: it was done, and what was done is to be asked."""
    try:
        return Accepted(reports())
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, VenueOutcomeUnknown) as error:
        return Unknown(f"unreadable: {error!r}", answer.body)


async def _told(look: Awaitable[_T]) -> _T:
    """A look whose answer must be what the documentation says. Raises VenueOutcomeUnknown where it is not."""
    try:
        return await look
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise VenueOutcomeUnknown(f"unreadable: {error!r}") from error
