"""The trading floor of both markets: orders in, events out to the account's stream and the market's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from surefill.testing.emulators.binance import market, spot_words, usdm_words
from surefill.testing.emulators.binance.errors import BinanceError, no_such_order, order_refused, unknown_order
from surefill.testing.emulators.binance.money import ALGO, SPOT, USDM, Money
from surefill.testing.emulators.binance.symbols import symbol_of
from surefill.testing.emulators.binance.terms import Reader
from surefill.testing.emulators.groundwork.desk import Desk
from surefill.testing.emulators.groundwork.matching import Event, Happened, Matcher
from surefill.testing.emulators.groundwork.records import ZERO, Order, Quote, Status
from surefill.testing.remote_venue.faults import Fault

#: Where the order lists are kept: by their number, whose it is and its client order id.
LISTS = "lists"


def account_channel(scope: str, account: str) -> str:
    """Where an account's reports are told."""
    return f"{SPOT if scope == SPOT else USDM} account {account}"


def market_channel(scope: str, stream: str) -> str:
    """Where a market stream is told."""
    return f"{SPOT if scope == SPOT else USDM} {stream.lower()}"


class Floor:
    """Orders of all scopes over one matcher."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.store = desk, desk.store
        self.money = Money(desk.store, self._told)
        self.reader = Reader(desk.store, self.money)
        self.matcher = Matcher(desk.store, self.money, desk.now_ms, desk.hop)
        self._cancel_id = ""
        self._told_count = 0

    # -- orders -----------------------------------------------------------------------------------------------

    def submit(self, scope: str, account: str, params: Mapping[str, str], group: str = "") -> Order:
        """Read, check, take, match. What the checks refuse is not in the truth; what REFUSED refuses is."""
        order = self.reader.read(scope, account, params, f"web_{self.desk.now_ms()}_{self._told_count}")
        order = order._replace(venue=group)
        self.reader.check(order)
        if self.desk.faults.strike(Fault.REFUSED, "submit"):
            self.matcher.receive(order, refused="refused by a fault")
            self.desk.streams.forget()
            if scope == SPOT:
                raise order_refused("This action is disabled on this account.")
            raise BinanceError(-2019, "Margin is insufficient.")
        return self.matcher.match(self.matcher.receive(order))

    def cancel(self, order: Order, cancel_id: str = "") -> Order:
        """Cancel an open order; -2011 for one that is not (the faults of a cancel strike here)."""
        strike = self.desk.faults.strike
        if not order.is_open:
            raise unknown_order()
        if strike(Fault.CANCEL_FILL_RACE, "cancel"):
            self.matcher.fill(order, order.leaves_qty)
            raise unknown_order()
        quantum = symbol_of(order.symbol, SPOT if order.scope == SPOT else USDM).step
        half = order.leaves_qty / 2 // quantum * quantum
        if order.scope == ALGO and not self.triggered_ms(order):
            half = ZERO  # it is no order of the market's yet: nothing of it can trade once it is canceled
        if half and strike(Fault.END_BEFORE_FILLS, "cancel"):
            order = self._filled_untold(order, half)
        self._cancel_id = cancel_id
        canceled = self.matcher.cancel(order, "canceled on request")
        self._cancel_id = ""
        if half and strike(Fault.LATE_FILL, "cancel"):
            self.desk.later(self.desk.short_ms, lambda: self._fill_late(canceled, half))
        return canceled

    def _filled_untold(self, order: Order, qty: Decimal) -> Order:
        """Fill, with the report only after the end's."""
        before = self.desk.streams.hold()
        filled = self.matcher.fill(order, qty)
        self.desk.later(self.desk.short_ms, self.desk.streams.held_back(before))
        return filled

    def _fill_late(self, order: Order, qty: Decimal) -> None:
        self.matcher.fill(order, qty)
        self.desk.streams.flush()

    def find(self, scope: str, account: str, params: Mapping[str, str]) -> Order:
        """The order that a request names by either id, the newest where a client id came twice; -2013 for none."""
        number, client_id = params.get("orderId"), params.get("origClientOrderId")
        if not number and not client_id:
            raise BinanceError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        found = [
            each
            for each in self.orders(scope, account, params.get("symbol", ""))
            if (str(each.number) == number if number else each.client_id == client_id)
        ]
        if not found:
            raise no_such_order()
        return found[-1]

    def orders(self, scope: str, account: str, symbol: str = "") -> list[Order]:
        """Orders that are visible in a scope: a triggered algo order is a USD-M order too; refused ones are nowhere."""
        equal: dict[str, Any] = {"account": account} | ({"symbol": symbol} if symbol else {})
        own = self.store.orders(scope=scope, **equal)
        if scope == USDM:
            own += [each for each in self.store.orders(scope=ALGO, **equal) if self.triggered_ms(each)]
            own.sort(key=lambda each: each.number)
        return [each for each in own if each.status != Status.REJECTED]

    def triggered_ms(self, order: Order) -> int:
        """When an algo order triggered, 0 for not yet."""
        return int(self.store.noted("triggered", str(order.number)) or 0)

    # -- the market -------------------------------------------------------------------------------------------

    def set_quote(self, quote: Quote) -> None:
        """The price moves in both markets."""
        self.store.note("symbols", quote.symbol, "")
        symbol_of(quote.symbol, SPOT)
        self.matcher.set_quote(quote)
        now_ms = self.desk.now_ms()
        for scope in (SPOT, USDM):
            channel = market_channel(scope, f"{quote.symbol}@bookTicker")
            self.desk.streams.quote(channel, (channel, market.stream_book_ticker(quote, scope, now_ms)))

    # -- what happened ----------------------------------------------------------------------------------------

    def _told(self, event: Event) -> None:
        self._told_count += 1
        if event.order.scope == SPOT:
            self._told_spot(event)
        else:
            self._told_usdm(event)
        if event.execution is not None:
            self._told_market(event)
        if event.order.venue and event.happened in (Happened.TRIGGERED, Happened.TRADE):
            self._end_siblings(event.order)

    def _told_market(self, event: Event) -> None:
        assert event.execution is not None
        now_ms, symbol = self.desk.now_ms(), event.order.symbol
        for kind, word in (("trade", market.stream_trade), ("aggTrade", market.stream_agg_trade)):
            channel = market_channel(event.order.scope, f"{symbol}@{kind}")
            self.desk.streams.tell(channel, (channel, word(event.execution, now_ms)))

    def _told_spot(self, event: Event) -> None:
        order, report = event.order, self.desk.streams.report
        channel, now_ms = account_channel(SPOT, order.account), self.desk.now_ms()
        report(channel, spot_words.execution_report(event, now_ms, self._told_count, self._cancel_id))
        symbol = symbol_of(order.symbol, SPOT)
        balances = {asset: self.spot_balance(order.account, asset) for asset in (symbol.base, symbol.quote)}
        report(channel, spot_words.account_position(balances, now_ms))
        legs = self.store.orders(scope=SPOT, venue=order.venue) if order.venue else []
        begins = event.happened == Happened.NEW and len(legs) == 2
        if begins or (legs and not any(leg.is_open for leg in legs)):
            report(channel, spot_words.list_status(self.list_words(legs), now_ms))

    def _told_usdm(self, event: Event) -> None:
        order, now_ms, report = event.order, self.desk.now_ms(), self.desk.streams.report
        channel = account_channel(USDM, order.account)
        if order.scope == ALGO and event.happened == Happened.TRIGGERED:
            self.store.note("triggered", str(order.number), str(order.updated_ms))
        triggered_ms = self.triggered_ms(order) if order.scope == ALGO else 0
        if order.scope == ALGO:
            report(channel, usdm_words.algo_update(order, triggered_ms, now_ms))
        if order.scope == USDM or triggered_ms:
            if event.execution is not None:
                report(channel, self._account_update(order, now_ms))
            report(channel, usdm_words.order_trade_update(event, now_ms))

    def _account_update(self, order: Order, now_ms: int) -> dict[str, Any]:
        position = self.store.position(order.account, USDM, order.symbol, order.bucket)
        asset = symbol_of(order.symbol, USDM).quote
        wallet = self.store.balance(order.account, USDM, asset).free
        unrealized = self.money.unrealized(position.symbol, position.qty, position.avg_px)
        return usdm_words.account_update({asset: wallet}, [(position, unrealized)], now_ms)

    def _end_siblings(self, order: Order) -> None:
        """One leg of an order list works: the others end."""
        for other in self.store.orders(account=order.account, scope=SPOT, open_only=True, venue=order.venue):
            if other.number != order.number:
                self.matcher.cancel(other, "the other leg works", Status.EXPIRED)

    def list_name(self, group: str) -> str:
        """The client order id of an order list."""
        return (self.store.noted(LISTS, group) or "").partition(" ")[2]

    def list_words(self, legs: list[Order]) -> dict[str, Any]:
        """An order list as Binance shows it."""
        is_open = any(leg.is_open for leg in legs)
        group = legs[0].venue
        return spot_words.order_list(legs, self.list_name(group), self.desk.now_ms(), is_open=is_open)

    def spot_balance(self, account: str, asset: str) -> tuple[Decimal, Decimal]:
        """Free and locked."""
        locked = self.money.locked(account).get(asset, ZERO)
        return self.store.balance(account, SPOT, asset).free - locked, locked
