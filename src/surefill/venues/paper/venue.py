"""The simulated market.

It matches against the last quote, price or bar that it has seen. A MARKET order trades at once; LIMIT, STOP and
STOP_LIMIT rest and trade on later prices. Where the market is a bar, a decision made inside it names the price
that it was made at (`arrival_px`), and the order trades there, made worse by spread and slippage.
Its book is rebuilt from the journal, so it has no truth of its own to disagree with.
"""

from __future__ import annotations

from collections.abc import Mapping

from surefill.domain.costs.estimate import table_for
from surefill.domain.costs.schedule import segment_of
from surefill.domain.costs.tariff import Tariff, fill_charge
from surefill.domain.instrument import Instrument
from surefill.domain.market import Bar, BarOpened, Quote, Source
from surefill.domain.orders import OrderRequest
from surefill.domain.position import position_key
from surefill.domain.reports import ExecType, VenueReport
from surefill.domain.state import Book
from surefill.rules import matching
from surefill.rules.codes import OrdType, TimeInForce
from surefill.rules.fees import fill_fee
from surefill.rules.prices import market_px, slipped_px
from surefill.venues.paper.settings import PaperSettings
from surefill.venues.protocol import Accepted, Capabilities, Outcome, QueryAnswer, Rejected, ReportSink

_WHOLE_NOW = (TimeInForce.IOC, TimeInForce.FOK)
_LIMIT, _BAR, _TRADE = OrdType.LIMIT, Source.BAR, ExecType.TRADE
_STOPS = (OrdType.STOP, OrdType.STOP_LIMIT)


class Working:
    """An order in the simulated book. `rested`: what it trades from now on gives liquidity, if it is a limit."""

    __slots__ = ("cum_notional", "cum_qty", "fills", "request", "rested", "triggered")

    def __init__(
        self, request: OrderRequest, cum_qty: int = 0, fills: int = 0, triggered: bool = False, cum_notional: int = 0
    ) -> None:
        self.request = request
        self.cum_qty = cum_qty
        self.fills = fills
        self.triggered = triggered or request.ord_type not in _STOPS
        self.cum_notional = cum_notional
        self.rested = False

    @property
    def leaves_qty(self) -> int:
        """What has not traded yet."""
        return self.request.order_qty - self.cum_qty

    def ord_type(self) -> int:
        """The type it trades as now: a triggered stop is a market order, a triggered stop-limit a limit."""
        kind = self.request.ord_type
        if kind not in _STOPS or not self.triggered:
            return kind
        return OrdType.MARKET if kind == OrdType.STOP else OrdType.LIMIT


class PaperVenue:
    """A venue in this process. Give it the market (`observe`), and orders trade against it."""

    def __init__(
        self, settings: PaperSettings | None = None, instruments: Mapping[str, Instrument] | None = None
    ) -> None:
        self.settings = settings or PaperSettings()
        costs = self.settings.costs
        self._tariff = None if costs is None else Tariff(costs, self.settings.money_decimals)
        self._instruments: Mapping[str, Instrument] = instruments or {}
        self._quotes: dict[str, Quote] = {}
        self._taken: dict[tuple[str, int], int] = {}
        self._working: dict[str, dict[str, Working]] = {}
        self._ended: dict[str, VenueReport] = {}
        self._holdings: dict[str, int] = {}
        self._now_ns = 0
        self._capabilities = Capabilities(
            "paper", frozenset(OrdType), frozenset(TimeInForce), in_process=True, cl_ord_id_max=64, native_stops=True
        )

    @property
    def capabilities(self) -> Capabilities:
        """Everything, in this process."""
        return self._capabilities

    async def connect(self, sink: ReportSink) -> None:
        """Nothing to connect to: reports come back from `submit`, `cancel` and `observe`."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def submit(self, request: OrderRequest) -> Outcome:
        """Trade at once what trades at once; let the rest rest, or end as its time in force says."""
        self._set_time(request)
        unpriced = self._unpriced(request)
        if unpriced:
            return Rejected("NO_COST_RATES", unpriced)
        order = Working(request)
        if self.settings.latency_ns:
            self._rest(order)
            return Accepted((self._report(order, ExecType.NEW),))
        reports: list[VenueReport] = []
        rejected = self._meet(order, reports)
        if rejected is not None:
            return rejected
        return Accepted(tuple(reports))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        """Take it out of the book, unless it is over."""
        self._set_time(request)
        resting = self._working.get(request.instrument_id, {})
        order = resting.pop(request.cl_ord_id, None)
        if order is None:
            return Rejected("UNKNOWN_ORDER", f"{request.order_ref} is not working: it has traded or ended")
        return Accepted((self._end(order, ExecType.CANCELED, "canceled on request"),))

    async def query(self, request: OrderRequest) -> QueryAnswer:
        """Working, or how it ended; the journal keeps what is older."""
        self._set_time(request)
        order = self._working.get(request.instrument_id, {}).get(request.cl_ord_id)
        if order is not None:
            return QueryAnswer(True, (self._report(order, ExecType.STATUS, cum_qty=order.cum_qty),))
        ended = self._ended.get(request.cl_ord_id)
        return QueryAnswer(False) if ended is None else QueryAnswer(True, (ended,))

    async def positions(self) -> dict[str, int]:
        """The net of everything that traded here."""
        return {key: qty for key, qty in self._holdings.items() if qty}

    def restore(self, book: Book, quotes: Mapping[str, Quote]) -> None:
        """Take over the book: its instruments, live orders, positions; and the market, without trading on it again."""
        self._instruments = book.instruments
        self._quotes = dict(quotes)
        self._taken.clear()
        self._working.clear()
        self._ended.clear()
        self._holdings = {key: position.qty for key, position in book.positions.items()}
        for order in book.orders.values():
            working = Working(order.request, order.cum_qty, len(order.exec_ids), order.triggered, order.cum_notional)
            self._note_rest(working)
            self._rest(working)

    def observe(self, item: Quote | BarOpened | Bar) -> tuple[VenueReport, ...]:
        """Take market data in and match the resting orders against it, oldest first."""
        self._now_ns = item.ts_ns
        instrument_id = item.instrument_id
        self._quotes[instrument_id] = _as_quote(item)
        if self._taken:
            self._taken.pop((instrument_id, 1), None)
            self._taken.pop((instrument_id, -1), None)
        resting = self._working.get(instrument_id)
        if not resting:
            return ()
        reports: list[VenueReport] = []
        for order in list(resting.values()):
            if item.ts_ns >= order.request.transact_ns + self.settings.latency_ns:
                unpriced = self._unpriced(order.request)
                if unpriced:  # its instrument was defined before there were costs, or anew without a segment
                    del resting[order.request.cl_ord_id]
                    reports.append(self._end(order, ExecType.CANCELED, unpriced))
                    continue
                self._meet_again(order, item, reports)
                if not order.leaves_qty or order.request.time_in_force in _WHOLE_NOW:
                    del resting[order.request.cl_ord_id]
        if isinstance(item, Bar) and item.is_session_end:
            reports += self._expired(resting)
        return tuple(reports)

    def end_day(self, calendar: str) -> tuple[VenueReport, ...]:
        """The session is over: orders for the day end, also where no bar has said so."""
        reports: list[VenueReport] = []
        for instrument_id, resting in self._working.items():
            if resting and self._instruments[instrument_id].calendar == calendar:
                reports += self._expired(resting)
        return tuple(reports)

    def _expired(self, resting: dict[str, Working]) -> list[VenueReport]:
        over = [each for each in resting.values() if each.request.time_in_force == TimeInForce.DAY]
        for order in over:
            del resting[order.request.cl_ord_id]
        return [self._end(order, ExecType.EXPIRED, "the session ended") for order in over]

    def _set_time(self, request: OrderRequest) -> None:
        """What it is now, as far as a venue knows that is told the time by nobody but orders and prices."""
        quote = self._quotes.get(request.instrument_id)
        self._now_ns = request.transact_ns if quote is None else max(request.transact_ns, quote.ts_ns)

    def _unpriced(self, request: OrderRequest) -> str:
        """Why the cost schedule cannot price this order now; "" if it can, or there is none."""
        if self._tariff is None:
            return ""
        segment = segment_of(self._instruments[request.instrument_id].segment, request.bucket)
        wrong = self._tariff.unpriced(segment, self._now_ns)
        return wrong and f"{request.instrument_id}: {wrong}"

    def _note_rest(self, order: Working) -> None:
        """It has met the market and stays.

        With a latency only what has traded shows that, because nothing else of it is in the journal, and a restart
        must not change what an order costs. Until then it counts as taking liquidity, the dearer way.
        """
        order.rested = order.triggered and (not self.settings.latency_ns or order.cum_qty > 0)

    def _rest(self, order: Working) -> None:
        self._working.setdefault(order.request.instrument_id, {})[order.request.cl_ord_id] = order

    def _meet(self, order: Working, reports: list[VenueReport]) -> Rejected | None:
        """An order meets the market for the first time."""
        request = order.request
        quote = self._quotes.get(request.instrument_id)
        if quote is None and request.ord_type == OrdType.MARKET:
            return Rejected("NO_PRICE", f"no price for {request.instrument_id} to trade at: connect its feed")
        waited = not order.triggered
        px = 0 if quote is None else self._tick_px(order, quote)
        if px:
            self._trade(order, px, reports)
        if order.leaves_qty and order.request.time_in_force not in _WHOLE_NOW and not reports:
            reports.append(self._report(order, ExecType.NEW))
        self._settle(order, waited, reports)
        return None

    def _meet_again(self, order: Working, item: Quote | BarOpened | Bar, reports: list[VenueReport]) -> None:
        """A resting order meets later market data."""
        waited = not order.triggered
        if isinstance(item, Quote):
            px = self._tick_px(order, item)
        elif isinstance(item, BarOpened):
            px = self._bar_px(order, item.open_px, item.open_px, item.open_px, item.open_px)
        elif order.request.transact_ns + self.settings.latency_ns > item.open_ns:
            # It came while the bar was under way: of the bar's prices only the last is surely later. A stop's trigger
            # is granted all the same, as for a position's own stop.
            if order.triggered:
                px = self._bar_px(order, item.close_px, item.close_px, item.close_px, item.close_px)
            else:
                px = self._bar_px(order, 0, item.high_px, item.low_px, item.close_px)
        else:
            px = self._bar_px(order, item.open_px, item.high_px, item.low_px, item.close_px)
        if px:
            self._trade(order, px, reports)
        self._settle(order, waited, reports)

    def _settle(self, order: Working, waited: bool, reports: list[VenueReport]) -> None:
        """What has not traded rests or ends; one that `waited` for its trigger says so when that has come."""
        if not order.leaves_qty:
            return
        if order.request.time_in_force in _WHOLE_NOW:
            reports.append(self._end(order, ExecType.CANCELED, "not filled at once"))
            return
        self._rest(order)
        self._note_rest(order)
        if waited and order.triggered:
            reports.append(self._report(order, ExecType.TRIGGERED))

    def _tick_px(self, order: Working, quote: Quote) -> int:
        """The price it trades at against one quote; 0: not now."""
        request, settings = order.request, self.settings
        side, tick = request.side, self._instruments[request.instrument_id].terms_at(self._now_ns).tick
        last_px = quote.last_px
        if not order.triggered:
            seen_px = last_px or (quote.ask_px if side > 0 else quote.bid_px)
            order.triggered = matching.stop_triggered(side, request.stop_px, seen_px)
            if not order.triggered:
                return 0
        if order.ord_type() == _LIMIT:
            return matching.limit_tick_px(
                settings.fill_mode,
                side,
                request.px,
                quote.bid_px,
                quote.ask_px,
                last_px,
                settings.slippage_ppb,
                tick,
            )
        if quote.source == _BAR and request.arrival_px:
            last_px = request.arrival_px
        elif not last_px:
            last_px = quote.ask_px if side > 0 else quote.bid_px
        return market_px(
            settings.fill_mode,
            side,
            quote.bid_px,
            quote.ask_px,
            last_px,
            settings.spread_ppb,
            settings.slippage_ppb,
            tick,
        )

    def _bar_px(self, order: Working, open_px: int, high_px: int, low_px: int, close_px: int) -> int:
        """The price a resting order trades at inside a bar; 0: not in this one."""
        request, settings = order.request, self.settings
        side, tick = request.side, self._instruments[request.instrument_id].terms_at(self._now_ns).tick
        kind = order.ord_type()
        if kind == OrdType.LIMIT:
            return matching.limit_bar_px(side, request.px, open_px, high_px, low_px)
        if kind == OrdType.STOP_LIMIT:
            order.triggered = matching.stop_bar_px(side, request.stop_px, open_px, high_px, low_px) > 0
            return matching.stop_limit_bar_px(side, request.stop_px, request.px, open_px, high_px, low_px, close_px)
        px = (
            open_px if kind == OrdType.MARKET else matching.stop_bar_px(side, request.stop_px, open_px, high_px, low_px)
        )
        if kind == OrdType.STOP and px:
            order.triggered = True
        if not px:
            return 0
        px = market_px(settings.fill_mode, side, 0, 0, px, settings.spread_ppb, 0, tick)
        return slipped_px(px, side, settings.slippage_ppb, tick)

    def _trade(self, order: Working, px: int, reports: list[VenueReport]) -> None:
        request = order.request
        qty = self._available(order)
        if not qty:
            return
        instrument = self._instruments[request.instrument_id]
        first = order.fills == 0
        money = px * qty * instrument.money_per_notional
        fee = self._cost(order, instrument, money, qty)
        order.cum_qty += qty
        order.cum_notional += px * qty
        order.fills += 1
        for rule in self.settings.fees:
            fee += fill_fee(rule.kind, rule.rate_ppb, rule.per_unit, rule.per_order, money, qty, first)
        key = position_key(request.instrument_id, request.bucket)
        self._holdings[key] = self._holdings.get(key, 0) + request.side * qty
        reports.append(
            VenueReport(
                request.cl_ord_id,
                _TRADE,
                request.order_ref,
                f"{request.order_ref}.{order.fills}",
                px,
                qty,
                fee,
                transact_ns=self._now_ns,
            )
        )
        if not order.leaves_qty:
            self._ended[request.cl_ord_id] = reports[-1]
            self._forget_oldest()

    def _cost(self, order: Working, instrument: Instrument, last_money: int, last_qty: int) -> int:
        """What the cost schedule takes from this fill, after what the order has paid already."""
        if self._tariff is None:
            return 0
        request = order.request
        maker = order.rested and order.ord_type() == OrdType.LIMIT
        table = table_for(self._tariff, instrument, request.side, self._now_ns, bucket=request.bucket, maker=maker)
        traded_money = order.cum_notional * instrument.money_per_notional
        return fill_charge(table.rules, traded_money, order.cum_qty, last_money, last_qty)

    def _available(self, order: Working) -> int:
        """How much trades now: all of it, or what the quote shows and nobody has taken yet."""
        if not self.settings.partial_fills:
            return order.leaves_qty
        request = order.request
        quote = self._quotes[request.instrument_id]
        shown = quote.ask_qty if request.side > 0 else quote.bid_qty
        if not shown:
            return order.leaves_qty
        place = (request.instrument_id, request.side)
        left = shown - self._taken.get(place, 0)
        lot = self._instruments[request.instrument_id].terms_at(self._now_ns).lot
        qty = matching.fill_qty(order.leaves_qty, left, lot, request.time_in_force == TimeInForce.FOK)
        self._taken[place] = self._taken.get(place, 0) + qty
        return qty

    def _end(self, order: Working, exec_type: int, text: str) -> VenueReport:
        report = self._report(order, exec_type, cum_qty=order.cum_qty, text=text)
        self._ended[order.request.cl_ord_id] = report
        self._forget_oldest()
        return report

    def _forget_oldest(self) -> None:
        if len(self._ended) > ENDED_MAX:
            for cl_ord_id in list(self._ended)[: ENDED_MAX // 2]:
                del self._ended[cl_ord_id]

    def _report(self, order: Working, exec_type: int, *, cum_qty: int = -1, text: str = "") -> VenueReport:
        request = order.request
        return VenueReport(
            request.cl_ord_id,
            exec_type,
            request.order_ref,
            cum_qty=cum_qty,
            transact_ns=self._now_ns,
            text=text,
        )


ENDED_MAX = 1_024


def _as_quote(item: Quote | BarOpened | Bar) -> Quote:
    if isinstance(item, Quote):
        return item
    px = item.open_px if isinstance(item, BarOpened) else item.close_px
    return Quote(item.instrument_id, item.ts_ns, px, source=Source.BAR)
