"""The adapter of the remote venue: `Venue` over lines, with the honesty that every adapter owes.

1. Nothing was sent while no connection could be had: that is proof, `Rejected("NOT_SENT")`. From the first byte of a
   request on, whatever is not a clear answer is `Unknown`: a time-out, a lost connection, a line nobody can read, an
   error of the server's.
2. A request is sent once. Nothing is ever resent here.
3. Reports are numbered. The adapter knows the highest number below which it lacks none, asks for what is missing when
   it sees a gap or when the venue is further than it, and takes the stream up there after a lost connection.
4. An order is looked for in open orders, then history, then trades: an order moves in that direction, so it cannot
   slip through between two looks. A look that fails makes the whole query fail.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from decimal import Decimal

from surefill.domain.account import AccountMove
from surefill.domain.instrument import Instrument
from surefill.domain.market import Quote, Source
from surefill.domain.orders import OrderRequest
from surefill.domain.position import position_key
from surefill.domain.reports import VenueReport
from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import TimeInForce
from surefill.testing.remote_venue.connection import Dial
from surefill.testing.remote_venue.link import Link, LinkLost, Unreadable
from surefill.testing.remote_venue.messages import (
    ORD_TYPES,
    Account,
    Amend,
    Answer,
    Cancel,
    Hello,
    Look,
    OrderTruth,
    Ping,
    Positions,
    Priced,
    Replay,
    Request,
    Submit,
    Watch,
)
from surefill.testing.remote_venue.truth import bucket_of
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

#: Codes that prove that nothing took effect. Every other refusal proves nothing.
DEFINITIVE = frozenset({"REFUSED", "TOO_LATE", "THROTTLED", "UNKNOWN_ORDER", "FILLED"})
#: Codes that say as well that the order never came in, so that the same one may be sent again.
UNDELIVERED = frozenset({"THROTTLED"})
PLACES = ("open_orders", "history", "trades")


class NotSent(Exception):
    """There was no connection, so not a byte of the request has left."""


class RemoteVenue:
    """`dial` connects; an answer may take `timeout_s`; every `heartbeat_s` the line and the stream are looked after."""

    def __init__(
        self,
        dial: Dial,
        *,
        account: str = "main",
        timeout_s: float = 1.0,
        heartbeat_s: float = 1.0,
        receive_window_ns: int = 0,
        rate_limits: tuple[RateLimit, ...] = (),
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._dial = dial
        self._account = account
        self._timeout_s = timeout_s
        self._heartbeat_s = heartbeat_s
        self._now_ns = now_ns
        self._sink: ReportSink = lambda _report: None
        self._prices: QuoteSink = lambda _quote: None
        self._watched: set[str] = set()
        self._link: Link | None = None
        self._dialing = asyncio.Lock()
        self._closed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._after = -1
        self._beyond: set[int] = set()
        self._capabilities = Capabilities(
            "remote",
            ORD_TYPES,
            frozenset(TimeInForce),
            receive_window_ns=receive_window_ns,
            native_stops=True,
            amends=True,
            pretended=True,
            rate_limits=rate_limits,
        )

    @property
    def capabilities(self) -> Capabilities:
        """Market, limit and stop orders, over a wire."""
        return self._capabilities

    # -- life -------------------------------------------------------------------------------------------------

    async def connect(self, sink: ReportSink) -> None:
        """Take up the stream from now on. Raises VenueOutcomeUnknown where the venue cannot be reached."""
        self._sink = sink
        try:
            head = (await self._ask(Ping)).head
        except NotSent as error:
            raise VenueOutcomeUnknown(f"the venue cannot be reached: {error}") from error
        if self._after < 0:
            self._after = head
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Hang up; orders stay where they are."""
        self._closed.set()
        if self._keeper is not None:
            self._keeper.cancel()
        if self._link is not None:
            self._link.close()

    # -- the protocol -----------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send the order once."""

        def message(number: int) -> Request:
            return Submit(
                number,
                self._now_ns(),
                request.cl_ord_id,
                request.instrument_id,
                position_key(request.instrument_id, request.bucket),
                request.side,
                request.ord_type,
                request.time_in_force,
                request.order_qty,
                request.px,
                request.stop_px,
            )

        return await self._outcome(message, request.send_by_ns)

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Ask for its end, once."""
        return await self._outcome(lambda number: Cancel(number, request.cl_ord_id, order_id))

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """Open orders, history, trades."""
        found: dict[str, tuple[VenueReport, ...]] = {}
        for place in PLACES:
            answer = await self._look(lambda number, place=place: Look(number, place, request.cl_ord_id))  # type: ignore[misc]
            found[place] = answer.reports
        reports = (*found["trades"], *(found["history"] or found["open_orders"]))
        return QueryAnswer(bool(reports), reports)

    async def positions(self) -> dict[str, int]:
        """What the account holds."""
        return (await self._look(Positions)).positions

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        """Change quantity, limit and trigger, once."""

        def message(number: int) -> Request:
            terms = (request.order_qty, request.px, request.stop_px)
            return Amend(number, request.cl_ord_id, order_id, *terms)

        return await self._outcome(message)

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All that works for the account, made by whomever."""
        return tuple(map(_open_order, (await self._look(lambda number: Account(number, "open_orders"))).orders))

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """Every execution of the account since then."""
        return (await self._look(lambda number: Account(number, "executions", since_ns))).reports

    async def moves(self, since_ns: int) -> tuple[AccountMove, ...]:
        """Every move of cash or holdings since then that is no trade."""
        return (await self._look(lambda number: Account(number, "moves", since_ns))).moves

    async def balances(self) -> tuple[Balance, ...]:
        """What came in and went out by moves: the venue keeps no other cash."""
        held = (await self._look(lambda number: Account(number, "balances"))).balances
        return tuple(Balance(asset, Decimal(total), Decimal(total)) for asset, total in held.items())

    async def instruments(self) -> tuple[Instrument, ...]:
        """None: it trades whatever it is given a price for."""
        return ()

    async def access(self) -> Access:
        """Whoever reaches it may trade."""
        await self._look(Ping)
        return Access(self._account, can_trade=True, can_withdraw=False)

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        """Hand prices on from now on; a new connection asks for them again."""
        self._prices = sink
        self._watched.update(instrument_ids)
        watched = tuple(sorted(self._watched))
        await self._look(lambda number: Watch(number, watched))

    # -- asking -----------------------------------------------------------------------------------------------

    async def _outcome(self, make: Callable[[int], Request], send_by_ns: int = 0) -> Outcome:
        try:
            answer = await self._ask(make, send_by_ns)
        except NotSent as error:
            return Rejected("NOT_SENT", str(error), undelivered=True)
        except VenueOutcomeUnknown as error:
            return Unknown(str(error))
        if answer.ok:
            return Accepted(answer.reports)
        if answer.code in DEFINITIVE:
            return Rejected(answer.code, answer.text, undelivered=answer.code in UNDELIVERED)
        return Unknown(f"{answer.code}: {answer.text}")

    async def _look(self, make: Callable[[int], Request]) -> Answer:
        try:
            answer = await self._ask(make)
        except NotSent as error:
            raise VenueOutcomeUnknown(f"not asked: {error}") from error
        if not answer.ok:
            raise VenueOutcomeUnknown(f"{answer.code}: {answer.text}")
        return answer

    async def _ask(self, make: Callable[[int], Request], send_by_ns: int = 0) -> Answer:
        """The answer, or NotSent, or VenueOutcomeUnknown."""
        link = await self._linked()
        if send_by_ns and self._now_ns() > send_by_ns:
            raise NotSent("connecting took longer than the order could wait")
        try:
            return await link.ask(make, self._timeout_s)
        except TimeoutError:
            raise VenueOutcomeUnknown(f"no answer within {self._timeout_s} s") from None
        except (LinkLost, Unreadable, OSError) as error:
            raise VenueOutcomeUnknown(str(error)) from error

    async def _linked(self) -> Link:
        """The link that is up, or a new one."""
        async with self._dialing:
            if self._link is None or self._link.lost.is_set():
                self._link = await self._new_link()
            return self._link

    async def _new_link(self) -> Link:
        if not self._closed.is_set():
            try:
                async with asyncio.timeout(self._timeout_s):
                    link = await self._greeted()
            except (OSError, TimeoutError) as error:
                raise NotSent(f"no connection: {error!r}") from error
            if not self._closed.is_set():
                return link
            link.close()
        raise NotSent("this side has hung up")

    async def _greeted(self) -> Link:
        link = Link(await self._dial(), self._reported, self._priced)
        try:
            await link.tell(Hello(self._account, self._after))
            if self._watched:
                await link.tell(Watch(0, tuple(sorted(self._watched))))
        except (OSError, asyncio.CancelledError):
            link.close()
            raise
        return link

    # -- the stream -------------------------------------------------------------------------------------------

    def _reported(self, number: int, report: VenueReport) -> None:
        """Hand every report on; repeats are the core's business. Remember what has come."""
        if number > self._after >= 0:
            self._beyond.add(number)
            while self._after + 1 in self._beyond:
                self._after += 1
                self._beyond.discard(self._after)
        self._sink(report)

    def _priced(self, price: Priced) -> None:
        self._prices(Quote(price.instrument_id, self._now_ns(), price.px, source=Source.LAST))

    async def _keep(self) -> None:
        """Look after the line and the stream for ever: reconnect, and fetch what is missing."""
        while True:
            await self._pause()
            try:
                head = (await self._ask(Ping)).head
                if head > self._after:
                    await self._ask(lambda number: Replay(number, self._after))
            except (NotSent, VenueOutcomeUnknown):
                continue  # the next round tries again

    async def _pause(self) -> None:
        """Until the next heartbeat, or until the link is lost, though never without a breath."""
        link = self._link
        if link is None or link.lost.is_set():
            await asyncio.sleep(self._heartbeat_s)
            return
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await link.lost.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self._heartbeat_s / 10)


def _open_order(told: OrderTruth) -> OpenOrder:
    bucket = bucket_of(told.instrument_id, told.position)
    return OpenOrder(
        told.order_id,
        told.cl_ord_id,
        told.instrument_id,
        bucket,
        told.side,
        told.ord_type,
        told.order_qty,
        told.cum_qty,
        told.px,
        told.stop_px,
    )
