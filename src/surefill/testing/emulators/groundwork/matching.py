"""A small matching engine: one price per symbol, orders that trade against it, triggers, times in force.

1. Takers trade at bid or ask, up to the quantity shown there; what rests trades at its own limit once the price
   reaches it. Triggers look at the last price, unless the venue names another.
2. Every step is one commit. What happened is told to the venue as `Event`s, in order; the venue books money in the
   same commit (`Books`) and makes its own messages of them.
3. Orders of one account do not trade with each other; positions are the venue's business too.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, Protocol

from surefill.testing.emulators.groundwork.records import (
    ZERO,
    Execution,
    Order,
    OrdType,
    Quote,
    Status,
    Tif,
)
from surefill.testing.emulators.groundwork.store import Store


class Happened(enum.StrEnum):
    """What may happen to an order."""

    NEW = "NEW"
    TRIGGERED = "TRIGGERED"
    TRADE = "TRADE"
    AMENDED = "AMENDED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


class Event(NamedTuple):
    """Something happened to an order; `order` as it stands afterwards."""

    happened: Happened
    order: Order
    execution: Execution | None = None


class Books(Protocol):
    """What only the venue can do with an event: positions, balances, fees."""

    def price(self, execution: Execution) -> Execution:
        """The execution with its fee and the money realised, before it is kept; book the position here."""
        ...

    def allowed_qty(self, order: Order) -> Decimal:
        """How much of it may trade at most now (reduce-only orders shrink here)."""
        ...

    def told(self, event: Event) -> None:
        """It has happened, within the same commit."""
        ...


def last_px(order: Order, quote: Quote) -> Decimal:
    """What triggers look at where a venue does not say otherwise."""
    del order
    return quote.last


class Matcher:
    """The engine over a store. `now_ms` is the venue's clock; `hop` is called between the steps of an order.

    `trigger_px`: the price that an order's trigger looks at.
    """

    def __init__(
        self,
        store: Store,
        books: Books,
        now_ms: Callable[[], int],
        hop: Callable[[str], None] = lambda _: None,
        trigger_px: Callable[[Order, Quote], Decimal] = last_px,
    ) -> None:
        self.store = store
        self._books = books
        self._now_ms = now_ms
        self._hop = hop
        self._trigger_px = trigger_px
        #: In how many pieces an execution comes.
        self.slices = 1

    # -- orders -----------------------------------------------------------------------------------------------

    def receive(self, order: Order, *, refused: str = "") -> Order:
        """An order arrives; it works, waits for its trigger, or is refused with a reason. It has not traded yet."""
        now_ms = self._now_ms()
        status = Status.REJECTED if refused else Status.PENDING if order.has_trigger else Status.NEW
        order = order._replace(status=status, text=refused, received_ms=now_ms, updated_ms=now_ms)
        with self.store.step():
            order = self.store.add_order(order)
            self._tell(Happened.REJECTED if refused else Happened.NEW, order)
        self._hop("received")
        return order

    def match(self, order: Order) -> Order:
        """Let it trade what trades now; what must not rest ends."""
        with self.store.step():
            order = self._match(order, taker=True)
        self._hop("matched")
        return order

    def cancel(self, order: Order, text: str = "", status: Status = Status.CANCELED) -> Order:
        """End an open order."""
        with self.store.step():
            return self._end(order, status, text)

    def amend(self, order: Order, *, qty: Decimal, px: Decimal) -> Order:
        """Other terms for a working order; it may trade at once."""
        with self.store.step():
            order = order._replace(qty=qty, px=px, updated_ms=self._now_ms())
            self.store.put_order(order)
            self._tell(Happened.AMENDED, order)
            if order.leaves_qty <= 0:
                return self._end(order, Status.CANCELED, "nothing left")
            return self._match(order, taker=True)

    def fill(self, order: Order, qty: Decimal, px: Decimal = ZERO) -> Order:
        """Let it trade whatever the market says (a fault brings this about), even after its end."""
        quote = self.store.quote(order.symbol)
        px = px or order.px or (quote.px(order.side) if quote else ZERO)
        with self.store.step():
            if order.status == Status.PENDING:
                order = self._trigger(order)  # what trades has been triggered
            return self._execute(order, px, min(qty, order.leaves_qty), maker=order.has_limit)

    def resume(self) -> None:
        """The process is back: what died between two steps goes on."""
        for order in self.store.orders(open_only=True):
            self.match(order)

    # -- the market -------------------------------------------------------------------------------------------

    def set_quote(self, quote: Quote) -> None:
        """The price moves; what it reaches triggers and trades, oldest first."""
        with self.store.step():
            self.store.put_quote(quote)
            for waiting in self.store.orders(symbol=quote.symbol, open_only=True):
                order = self.store.order(waiting.number)
                if order is not None and order.is_open:
                    self._match(order, taker=order.status == Status.PENDING)

    def _match(self, order: Order, *, taker: bool) -> Order:
        quote = self.store.quote(order.symbol)
        if order.status == Status.PENDING:
            if quote is None or not _triggers(order, self._trigger_px(order, quote)):
                return order
            order = self._trigger(order)
        if not order.is_open:
            return order
        qty = self._tradable(order, quote)
        if order.tif == Tif.FOK and qty < order.leaves_qty:
            qty = ZERO
        if qty and quote is not None:
            if order.tif == Tif.POST_ONLY and taker:
                return self._end(order, Status.EXPIRED, "it would trade at once")
            px = quote.px(order.side) if taker or not order.has_limit else order.px
            self._take(quote, order.side, qty)
            order = self._execute(order, px, qty, maker=not taker)
        if order.is_open and (order.tif in (Tif.IOC, Tif.FOK) or not order.has_limit):
            order = self._end(order, Status.EXPIRED, "not filled at once")
        return order

    def _trigger(self, order: Order) -> Order:
        order = order._replace(status=Status.NEW, updated_ms=self._now_ms())
        self.store.put_order(order)
        self._tell(Happened.TRIGGERED, order)
        return order

    def _tradable(self, order: Order, quote: Quote | None) -> Decimal:
        if quote is None or (order.has_limit and (order.px - quote.px(order.side)) * order.side < 0):
            return ZERO
        shown = quote.shown(order.side)
        qty = min(order.leaves_qty, self._books.allowed_qty(order))
        return qty if shown is None else min(qty, shown)

    def _take(self, quote: Quote, side: int, qty: Decimal) -> None:
        shown = quote.shown(side)
        if shown is not None:
            left = shown - qty
            self.store.put_quote(quote._replace(ask_qty=left) if side > 0 else quote._replace(bid_qty=left))

    def _execute(self, order: Order, px: Decimal, qty: Decimal, *, maker: bool) -> Order:
        for piece in _cut(qty, self.slices):
            now_ms = self._now_ms()
            execution = self.store.add_execution(
                self._books.price(
                    Execution(
                        order.number,
                        order.account,
                        order.scope,
                        order.symbol,
                        order.bucket,
                        order.side,
                        px,
                        piece,
                        maker=maker,
                        ts_ms=now_ms,
                    )
                )
            )
            cum_qty = order.cum_qty + piece
            status = order.status
            if order.is_open:
                status = Status.FILLED if cum_qty >= order.qty else Status.PARTIALLY_FILLED
            order = order._replace(
                cum_qty=cum_qty, cum_value=order.cum_value + piece * px, status=status, updated_ms=now_ms
            )
            self.store.put_order(order)
            self._tell(Happened.TRADE, order, execution)
        return order

    def _end(self, order: Order, status: Status, text: str) -> Order:
        order = order._replace(status=status, text=text, updated_ms=self._now_ms())
        self.store.put_order(order)
        self._tell(Happened.EXPIRED if status == Status.EXPIRED else Happened.CANCELED, order)
        return order

    def _tell(self, happened: Happened, order: Order, execution: Execution | None = None) -> None:
        self._books.told(Event(happened, order, execution))


def _triggers(order: Order, px: Decimal) -> bool:
    stop = order.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
    return (px - order.stop_px) * order.side * (1 if stop else -1) >= 0


def _cut(qty: Decimal, slices: int) -> list[Decimal]:
    """A quantity in `slices` pieces, equal but for what does not divide."""
    if slices <= 1 or not qty:
        return [qty] if qty else []
    quantum = Decimal((0, (1,), int(qty.as_tuple().exponent)))
    piece = max((qty / slices).quantize(quantum, rounding="ROUND_DOWN"), quantum)
    pieces = [piece] * (min(slices, int(qty / quantum)) - 1)
    return [*pieces, qty - sum(pieces, ZERO)]
