"""MetaTrader 5 as a venue: one account at one terminal, by the package or through the gateway.

1. A request is sent once, from one worker thread, right after a look at the price (`sending`).
2. Nothing ever answers a look by guessing: None is a failed look. Absence proves nothing, however often it is seen
   (`receive_window_ns` 0).
3. MT5 pushes nothing: what is new is looked for over and over (`news`, `quotes`).
4. A market order that reduces closes by ticket on a hedging account: the one in its bucket, else our oldest position
   that is large enough. Where none is, it opens the opposite: the exposure is gone, two positions stay that cancel out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from surefill.domain.account import AccountMove
from surefill.domain.instrument import Instrument
from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import VenueReport
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.logs import logger
from surefill.rules.codes import OrdType, TimeInForce
from surefill.venues.mt5.account import Account
from surefill.venues.mt5.news import News
from surefill.venues.mt5.quotes import Quotes
from surefill.venues.mt5.sending import Sender
from surefill.venues.mt5.settings import Mt5Settings
from surefill.venues.mt5.shown import Shown
from surefill.venues.mt5.stories import Stories
from surefill.venues.mt5.symbols import Scale
from surefill.venues.mt5.terminal import GatewayTerminal, NotAsked, PackageTerminal, Terminal
from surefill.venues.mt5.worker import Worker
from surefill.venues.protocol import (
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

#: What rests is for the day or until canceled; at once or not at all is for market orders.
_RESTING = frozenset({TimeInForce.DAY, TimeInForce.GTC})
_log = logger("surefill.venues.mt5")


class Mt5Venue:
    """A `LiveVenue`, and it tells moves. `package`: an object with the package's functions, instead of the package."""

    def __init__(self, settings: Mt5Settings, *, package: Any = None, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._settings = settings
        self._terminal: Terminal = (
            GatewayTerminal(settings) if settings.gateway_url else PackageTerminal(settings, package)
        )
        self._account = Account(settings, self._terminal, now_ns)
        stories = Stories(self._account)
        self._stories, self._sender = stories, Sender(self._account, stories)
        self._news, self._shown = News(self._account, stories), Shown(self._account, stories)
        self._worker = Worker(settings.timeout_s)
        self._sink: ReportSink = lambda _report: None
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()

    @property
    def capabilities(self) -> Capabilities:
        """Stops are the venue's on a netting account only: see `requests`. Until that is known they are not."""
        return Capabilities(
            "mt5",
            frozenset(OrdType),
            frozenset(TimeInForce),
            time_in_force_of=dict.fromkeys((OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT), _RESTING),
            cl_ord_id_max=36,
            native_stops=not self._account.hedging,
            amends=True,
        )

    # -- life -------------------------------------------------------------------------------------------------

    async def connect(self, sink: ReportSink) -> None:
        """Connect to the terminal, learn the account and the symbols, and tell deals from now on."""
        self._sink = sink
        await self._look(self._learn)
        self._tasks.append(asyncio.get_running_loop().create_task(self._follow()))

    def _learn(self) -> None:
        account, wanted = self._account, self._settings.symbols
        self._terminal.open()
        account.learn()
        for name in wanted:
            account.looks.ask("symbol_select", name, True)
        for symbol in account.looks.symbols():
            if account.wanted(symbol):
                account.scales[symbol.name] = Scale(symbol)
        missing = sorted(set(wanted) - account.scales.keys())
        if missing:
            raise VenueOutcomeUnknown(f"the terminal does not list {', '.join(missing)}: is the name written as there?")
        self._news.begin()

    async def close(self) -> None:
        """Stop looking; orders stay where they are. A second call does nothing."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._worker.close(self._terminal.close)

    async def _look(self, job: Callable[[], T]) -> T:
        """What a job finds. Raises VenueOutcomeUnknown where it finds nothing out."""
        try:
            return await self._worker.run(job)
        except NotAsked as error:
            raise VenueOutcomeUnknown(f"not asked: {error}") from error
        except InputError as error:
            raise VenueOutcomeUnknown(f"the terminal shows a figure that cannot be: {error.message}") from error

    # -- orders -----------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send the order once."""
        self._account.names.expect(request.cl_ord_id)
        return await self._outcome(lambda: self._sender.submit(request))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Remove a pending order once."""
        return await self._outcome(lambda: self._sender.remove(request, order_id))

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        """New prices for a pending order. MT5 cannot change its volume."""
        return await self._outcome(lambda: self._sender.modify(request, order_id))

    async def _outcome(self, job: Callable[[], Outcome]) -> Outcome:
        try:
            return await self._worker.run(job)
        except NotAsked as error:
            return Rejected("NOT_SENT", str(error), undelivered=True)
        except (VenueOutcomeUnknown, InputError) as error:
            return Unknown(str(error))
        finally:
            self._wake.set()

    # -- looks ------------------------------------------------------------------------------------------------

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """By ticket where it is known, else by magic, comment and terms."""
        return await self._look(lambda: self._stories.query(request))

    async def positions(self) -> dict[str, int]:
        """Signed quantity by position key: see `account`."""
        return await self._look(self._shown.positions)

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All pending orders, made by whomever."""
        return await self._look(self._shown.open_orders)

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Every deal since then that is an execution, oldest first."""
        return await self._look(lambda: self._shown.executions(since_ns))

    async def moves(self, since_ns: int) -> tuple[AccountMove, ...]:
        """Money that came or went since then by no trade, and swaps: see `moves`."""
        return await self._look(lambda: self._shown.moves(since_ns))

    async def balances(self) -> tuple[Balance, ...]:
        """The account's money."""
        return await self._look(self._shown.balances)

    async def instruments(self) -> tuple[Instrument, ...]:
        """The symbols that can be traded here."""
        return await self._look(self._shown.instruments)

    async def access(self) -> Access:
        """Whether terminal and account let a program trade."""
        return await self._look(self._shown.access)

    # -- the streams ------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Look for what is new, for ever. A look that fails is made again."""
        while True:
            try:
                for report in await self._look(self._news.look):
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

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        """Hand every new price on. They are looked at every `quote_poll_s`."""
        quotes = Quotes(self._account, tuple(instrument_ids))
        await self._look(quotes.select)
        self._tasks.append(asyncio.get_running_loop().create_task(self._watch(quotes, sink)))

    async def _watch(self, quotes: Quotes, sink: Callable[[Quote], None]) -> None:
        while True:
            try:
                for quote in await self._look(quotes.look):
                    sink(quote)
            except VenueOutcomeUnknown as error:
                _log.info("mt5.quotes_failed", error=str(error))
            await asyncio.sleep(self._settings.quote_poll_s)
