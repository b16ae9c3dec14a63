"""Zerodha through Kite Connect, as a venue.

1. An answer with an order id means that the order management system has it, and no more: what became of it is read from
   the order book, its history and its trades. A status that nobody knows is a living one.
2. Everything is sent once. Kite deduplicates nothing and has no receive window, so that absence never proves anything.
3. An order is looked for in the order book by tag and terms, then by the ids that the venue gave it, then its trades.
   What could be two orders is not guessed at: the look fails, and a person is called in the end.
4. A cancel or a change is confirmed by a look at the order; while the look does not confirm, its outcome is unknown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from surefill.domain.instrument import Instrument
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType, VenueReport
from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.rules.codes import OrdType, TimeInForce
from surefill.secret import Secret
from surefill.units import to_quanta
from surefill.venues.kite import forms
from surefill.venues.kite.codes import Phase
from surefill.venues.kite.listing import DumpCache, Listed, listing_of, usual_decimals
from surefill.venues.kite.portfolio import HoldingRow, Margins, PositionsData, balances_of, net_positions
from surefill.venues.kite.postbacks import hinted_order
from surefill.venues.kite.reports import order_reports, trade_report
from surefill.venues.kite.rows import ORD_TYPES, OrderRow, TradeRow
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.kite.tags import TAG_MAX, Ours, Registry
from surefill.venues.kite.throttle import Throttle, rate_limits
from surefill.venues.kite.ticker import Ticker
from surefill.venues.kite.trigger_desk import TriggerDesk
from surefill.venues.kite.watch import Watch
from surefill.venues.kite.wire import Answer, Wire, data_of
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

SQUARE_OFF = "SQUARE_OFF"
_ENDS = (ExecType.CANCELED, ExecType.REJECTED)


class _Child(msgspec.Struct):
    order_id: str = ""


class _Placed(msgspec.Struct):
    order_id: str
    children: list[_Child] = []


class _Profile(msgspec.Struct):
    user_id: str
    exchanges: list[str]
    products: list[str]
    order_types: list[str]


class KiteVenue:
    """One account. All methods belong to one loop; the client library has a thread of its own."""

    def __init__(self, settings: KiteSettings, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._settings = settings
        self._now_ns = now_ns
        self._wire = Wire(settings, now_ns)
        self._throttle = Throttle(settings)
        self._registry = Registry()
        self._cache = DumpCache(settings.cache_dir)
        self._listing: dict[str, Listed] = {}
        self._user_id = ""
        self._sink: ReportSink = lambda _report: None
        self._watch = Watch(settings, self._orders, self._trades, self._news, lambda report: self._sink(report))
        self._ticker = Ticker(settings, self.hint, now_ns)
        self._tasks: list[asyncio.Task[None]] = []
        self.triggers = TriggerDesk(settings, self._wire, lambda: self._listing)

    @property
    def capabilities(self) -> Capabilities:
        """Stops are orders of the exchange; what waits over days are triggers, apart (`triggers`)."""
        return Capabilities(
            "kite",
            frozenset({OrdType.MARKET, OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT}),
            frozenset({TimeInForce.DAY, TimeInForce.IOC}),
            receive_window_ns=0,
            cl_ord_id_max=TAG_MAX,
            cl_ord_id_alphabet="[0-9A-Za-z]",
            native_stops=True,
            amends=True,
            rate_limits=rate_limits(self._settings),
        )

    # -- life -------------------------------------------------------------------------------------------------

    async def connect(self, sink: ReportSink) -> None:
        """Learn who and what is traded, and watch. Raises VenueOutcomeUnknown where the venue does not tell."""
        self._sink = sink
        self._user_id = (await self._profile()).user_id
        await self._listed()
        await self._watch.begin()
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._watch.run()))
        if self._settings.ticker:
            self._tasks.append(loop.create_task(self._ticker.run()))

    async def close(self) -> None:
        """Stop watching and hang up; orders stay where they are."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._wire.close()

    def renew(self, access_token: Secret) -> None:
        """Go on with a new day's token."""
        self._wire.renew(access_token)
        self._ticker.renew(access_token)
        self._watch.hint()

    def hint(self, order_id: str) -> None:
        """Some order ("": any) may have changed: look."""
        self._watch.hint()

    def postback(self, body: bytes | str) -> bool:
        """Take a postback's body as a hint; false where it is not the broker's (or there is no secret to tell by)."""
        secret = self._settings.api_secret
        order_id = hinted_order(body, secret) if secret is not None else ""
        if order_id:
            self.hint(order_id)
        return bool(order_id)

    # -- orders -----------------------------------------------------------------------------------------------

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send the order once."""
        listed = self._listing.get(request.instrument_id)
        refused = forms.objection(request, listed, self._settings, self._now_ns())
        if refused is not None:
            return refused
        assert listed is not None
        ours = self._ours(request)
        if ours is None:
            return Rejected("TAG_COLLISION", f"another order has the tag of {request.cl_ord_id}")
        refused = self._throttle.admit(self._now_ns())
        if refused is not None:
            return refused
        form = forms.order_form(request, listed, self._settings)
        sliced = bool(ours.pieces_max_qty) and self._settings.variety == "regular"
        answer = await self._wire.call(
            lambda kite: kite.place_autoslice_order(**form) if sliced else kite.place_order(**form), request.send_by_ns
        )
        if not isinstance(answer, Answer):
            return answer
        try:
            placed = data_of(answer, _Placed)
        except VenueOutcomeUnknown as error:
            return Unknown(error.message, answer.raw)
        ours.order_ids = (placed.order_id, *(each.order_id for each in placed.children if each.order_id))
        ours.told_all = self._settings.variety != "iceberg"
        self._watch.hint()
        report = VenueReport(
            request.cl_ord_id,
            ExecType.NEW,
            order_id=placed.order_id,
            transact_ns=self._now_ns(),
            raw=answer.raw,
            instrument_id=request.instrument_id,
            bucket=request.bucket,
            side=request.side,
        )
        return Accepted((report,))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Ask for its end once; of an order in pieces, for that of every piece that lives.

        Without the id that the venue gave it, it is looked for first: a start may know no id.
        """
        try:
            ours, ids = await self._live_ids(request, order_id)
        except VenueOutcomeUnknown as error:
            return Rejected("NOT_SENT", f"it could not be seen: {error.message}", undelivered=True)
        if not ids:
            return Unknown("no order that lives was found to be canceled")
        variety = ours.variety or self._settings.variety
        answers = [await self._wire.call(lambda kite, each=each: kite.cancel_order(variety, each)) for each in ids]  # type: ignore[misc]
        failed = [answer for answer in answers if not isinstance(answer, Answer)]
        for answer in failed:
            if len(failed) == len(answers) or isinstance(answer, Unknown):
                return answer
        return await self._confirmed(ours, _has_ended, "the cancel was taken")

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        """Change price, trigger price and quantity of a working order that is in one piece."""
        listed = self._listing.get(request.instrument_id)
        refused = forms.objection(request, listed, self._settings, self._now_ns())
        if refused is not None:
            return refused
        assert listed is not None
        ours = self._ours(request)
        if ours is None or ours.pieces_max_qty:
            return Rejected("NOT_AMENDABLE", "an order that the broker cut into pieces is not changed")
        refused = self._throttle.admit_change(order_id, self._now_ns())
        if refused is not None:
            return refused
        form = forms.change_form(request, listed, self._settings)
        variety = ours.variety or self._settings.variety
        answer = await self._wire.call(lambda kite: kite.modify_order(variety, order_id, **form))
        if not isinstance(answer, Answer):
            return answer
        ours.order_ids, ours.told_all = (order_id,), True
        decimals = listed.instrument.price_decimals

        def has_changed(rows: Sequence[OrderRow], reports: tuple[VenueReport, ...]) -> bool:
            return _has_ended(rows, reports) or all(_has_terms(row, request, decimals) for row in rows)

        return await self._confirmed(ours, has_changed, "the change was taken")

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """Order book, history, trades."""
        ours = self._ours(request)
        if ours is None:
            raise VenueOutcomeUnknown(f"another order has the tag of {request.cl_ord_id}")
        rows, reports = await self._state(ours)
        return QueryAnswer(bool(rows), reports)

    def _ours(self, request: OrderRequest) -> Ours | None:
        """The order in the registry; None where its tag is taken. Raises VenueOutcomeUnknown for a strange one."""
        listed = self._listing.get(request.instrument_id)
        product = forms.product_of(request.bucket, self._settings)
        if listed is None or not product:
            raise VenueOutcomeUnknown(f"{request.instrument_id} with bucket {request.bucket!r} is not traded here")
        pieces = forms.pieces_max_qty(request, listed, self._settings)
        return self._registry.take(Ours(request, product, pieces))

    async def _state(self, ours: Ours) -> tuple[Sequence[OrderRow], tuple[VenueReport, ...]]:
        rows = ours.among(await self._orders())
        if not rows:
            rows = tuple([await self._last_step(order_id) for order_id in ours.order_ids])
        if not rows:
            return (), ()
        ours.variety = rows[0].variety
        if not ours.pieces_max_qty:
            ours.order_ids, ours.told_all = (rows[0].order_id,), True
        trades = [trade for row in rows for trade in await self._trades_of(row.order_id)]
        return rows, order_reports(ours, rows, trades, self._decimals(ours.request.instrument_id))

    async def _last_step(self, order_id: str) -> OrderRow:
        """Where its history ends: for an id that the venue gave, and that the order book does not show."""
        steps = await self._wire.look(lambda kite: kite.order_history(order_id), list[OrderRow])
        if not steps:
            raise VenueOutcomeUnknown(f"order {order_id}, which the venue had taken, is nowhere to be found")
        return steps[-1]

    async def _live_ids(self, request: OrderRequest, order_id: str) -> tuple[Ours, tuple[str, ...]]:
        ours = self._ours(request)
        if ours is None:
            raise VenueOutcomeUnknown(f"another order has the tag of {request.cl_ord_id}")
        known = (order_id,) if order_id else ()
        if known and not ours.pieces_max_qty:
            return ours, known
        live = [row.order_id for row in ours.among(await self._orders()) if row.phase is Phase.LIVE]
        return ours, tuple(live) or known

    async def _confirmed(
        self, ours: Ours, is_done: Callable[[Sequence[OrderRow], tuple[VenueReport, ...]], bool], what: str
    ) -> Outcome:
        reason = "nothing was told"
        for look in range(self._settings.settle_looks):
            if look:
                await asyncio.sleep(self._settings.settle_s)
            try:
                rows, reports = await self._state(ours)
            except VenueOutcomeUnknown as error:
                reason = error.message
                continue
            if rows and is_done(rows, reports):
                return Accepted(reports)
            reason = "the order is " + (rows[0].status if rows else "not found")
        self._watch.hint()
        return Unknown(f"{what}, and not seen to be done: {reason}")

    # -- looks ------------------------------------------------------------------------------------------------

    async def positions(self) -> dict[str, int]:
        """Positions of the day and holdings, by instrument and product."""
        positions = await self._wire.look(lambda kite: kite.positions(), PositionsData)
        holdings = await self._wire.look(lambda kite: kite.holdings(), list[HoldingRow])
        return net_positions(positions, holdings, self._settings)

    async def open_orders(self) -> tuple[OpenOrder, ...]:
        """All that works at the venue."""
        rows = await self._orders()
        owners = self._registry.owners(rows)
        return tuple(self._open_order(row, owners.get(row.order_id)) for row in rows if row.phase is Phase.LIVE)

    async def executions(self, since_ns: int) -> tuple[VenueReport, ...]:
        """The day's trades since then, oldest first: Kite tells none of earlier days."""
        trades = await self._trades()
        rows = await self._orders()
        by_id, owners = {row.order_id: row for row in rows}, self._registry.owners(rows)
        found = [self._execution(trade, by_id.get(trade.order_id), owners.get(trade.order_id)) for trade in trades]
        return tuple(
            sorted((each for each in found if each.transact_ns >= since_ns), key=lambda each: each.transact_ns)
        )

    async def balances(self) -> tuple[Balance, ...]:
        """Money by segment."""
        return balances_of(await self._wire.look(lambda kite: kite.margins(), dict[str, Margins]))

    async def instruments(self) -> tuple[Instrument, ...]:
        """What the day's dump lists."""
        await self._listed()
        return tuple(each.instrument for each in self._listing.values())

    async def access(self) -> Access:
        """Kite Connect has no request that withdraws money."""
        answer = await self._wire.answered(lambda kite: kite.profile())
        profile = data_of(answer, _Profile)
        ahead_ns = answer.date_ns - self._now_ns() if answer.date_ns else 0
        detail = f"exchanges {' '.join(sorted(profile.exchanges))}; products {' '.join(sorted(profile.products))}"
        return Access(profile.user_id, bool(profile.order_types), False, ahead_ns, detail)

    async def subscribe(self, instrument_ids: Iterable[str], sink: QuoteSink) -> None:
        """Hand every price of these to `sink`. Raises InputError where one is not listed."""
        wanted = []
        for instrument_id in instrument_ids:
            listed = self._listing.get(instrument_id)
            if listed is None:
                raise InputError(f"{instrument_id} is not in the day's dump", code="UNKNOWN_INSTRUMENT")
            wanted.append((listed.token, listed.instrument))
        await self._ticker.subscribe(wanted, sink)

    async def _profile(self) -> _Profile:
        return await self._wire.look(lambda kite: kite.profile(), _Profile)

    async def _orders(self) -> list[OrderRow]:
        return await self._wire.look(lambda kite: kite.orders(), list[OrderRow])

    async def _trades(self) -> list[TradeRow]:
        return await self._wire.look(lambda kite: kite.trades(), list[TradeRow])

    async def _trades_of(self, order_id: str) -> list[TradeRow]:
        return await self._wire.look(lambda kite: kite.order_trades(order_id), list[TradeRow])

    async def _listed(self) -> None:
        listing: dict[str, Listed] = {}
        for exchange in self._settings.exchanges:
            now_ns = self._now_ns()
            dump = self._cache.get(exchange, now_ns)
            if dump:
                listing |= listing_of(dump, self._settings)
                continue
            dump = (await self._wire.answered(lambda kite, name=exchange: kite.instruments(name))).raw  # type: ignore[misc]
            listing |= listing_of(dump, self._settings)
            self._cache.put(exchange, now_ns, dump)
        self._listing = listing

    # -- reports ----------------------------------------------------------------------------------------------

    def _news(
        self, rows: Sequence[OrderRow], changed: Sequence[OrderRow], trades: Iterable[TradeRow]
    ) -> Iterator[VenueReport]:
        """What is to be told: of our orders everything, of others' their executions."""
        fresh = list(trades)
        by_id, owners = {row.order_id: row for row in rows}, self._registry.owners(rows)
        told: set[str] = set()
        for ours in {owner.tag: owner for row in changed if (owner := owners.get(row.order_id))}.values():
            mine = [row for row in rows if owners.get(row.order_id) is ours]
            ids = {row.order_id for row in mine}
            try:
                its = [trade for trade in fresh if trade.order_id in ids]
                reports = order_reports(ours, mine, its, self._decimals(ours.request.instrument_id))
            except VenueOutcomeUnknown:
                continue  # its executions are told below; what else became of it, a query has to find out
            told |= ids
            yield from reports
        for trade in fresh:
            if trade.order_id not in told:
                yield self._execution(trade, by_id.get(trade.order_id), owners.get(trade.order_id))

    def _decimals(self, instrument_id: str) -> int:
        """Of what is traded elsewhere too, on exchanges that are not listed here."""
        listed = self._listing.get(instrument_id)
        return usual_decimals(instrument_id.partition(":")[0]) if listed is None else listed.instrument.price_decimals

    def _execution(self, trade: TradeRow, row: OrderRow | None, ours: Ours | None) -> VenueReport:
        cl_ord_id = self._registry.shown_id(row) if ours is None else ours.request.cl_ord_id
        bucket = forms.bucket_of(trade.product, self._settings)
        square_off = row is not None and row.is_square_off(self._user_id)
        report = trade_report(trade, cl_ord_id, self._decimals(trade.instrument_id), bucket)
        if not square_off:
            return report
        return msgspec.structs.replace(report, code=SQUARE_OFF, text="the broker's own close of an intraday position")

    def _open_order(self, row: OrderRow, ours: Ours | None) -> OpenOrder:
        if row.order_type not in ORD_TYPES:
            raise VenueOutcomeUnknown(f"order {row.order_id} is of a type that nobody knows here: {row.order_type}")
        decimals = self._decimals(row.instrument_id)
        try:
            px = to_quanta(row.price, decimals, field="price")
            stop_px = to_quanta(row.trigger_price, decimals, field="trigger_price")
        except InputError as error:
            raise VenueOutcomeUnknown(f"order {row.order_id} cannot be read: {error.message}") from error
        return OpenOrder(
            row.order_id,
            self._registry.shown_id(row) if ours is None else ours.request.cl_ord_id,
            row.instrument_id,
            forms.bucket_of(row.product, self._settings),
            row.side,
            ORD_TYPES[row.order_type],
            row.quantity,
            row.filled_quantity,
            px,
            stop_px,
            msgspec.json.encode(row).decode(),
        )


def _has_ended(rows: Sequence[OrderRow], reports: tuple[VenueReport, ...]) -> bool:
    return all(row.phase is not Phase.LIVE for row in rows) or reports[-1].exec_type in _ENDS


def _has_terms(row: OrderRow, request: OrderRequest, decimals: int) -> bool:
    shown: dict[str, Any] = {"px": row.price, "stop_px": row.trigger_price}
    wanted = {"px": request.px, "stop_px": request.stop_px}
    relevant = [name for name, types in (("px", forms.PRICED), ("stop_px", forms.STOPS)) if request.ord_type in types]
    prices = all(to_quanta(shown[name], decimals, field=name) == wanted[name] for name in relevant)
    return prices and row.quantity == request.order_qty and not row.status.startswith("MODIFY")
