"""The order book behind the broker: every step of an order's life, trading, and who is told of it.

Theory of operation. An order passes three hops, each a commit of its own: the broker has received it, the exchange has
it, it has traded. Each step that Kite would show in an order's history is kept. What is to be told to streams and
postbacks is gathered and handed out by `tell`, so that whoever answers the request decides what comes first.

1. An order trades at what is offered on its other side, at its limit or better, in `rules.slices` pieces.
2. What a broker has received may be refused by the exchange, or hang before it, and execute much later.
3. A MARKET order is a limit order at its protected price: what does not trade rests there, as at Kite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from surefill.testing.emulators.groundwork import Fault
from surefill.testing.emulators.groundwork.desk import Desk
from surefill.testing.emulators.kite.account import USER_ID
from surefill.testing.emulators.kite.clock import Clock, moment
from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.market import Price, first_price
from surefill.testing.emulators.kite.orders import (
    AMO_RECEIVED,
    CANCEL_PENDING,
    CANCELLED,
    CHANGING,
    COMPLETE,
    ENDED,
    OPEN,
    OPEN_PENDING,
    RECEIVED,
    REJECTED,
    RESTING,
    TRIGGER_PENDING,
    VALIDATING,
    Order,
    Trade,
)
from surefill.testing.emulators.kite.rules import Rules
from surefill.testing.emulators.kite.store import Store

#: The channel of what happens to orders: pairs of an order and the status that the message about it shows.
ORDERS: Final = "orders"
UPDATE: Final = "UPDATE"


class Book:
    """Over the shared desk: its faults, its clock, its streams. `completed` is told of orders that are full."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.store = Store(desk.store, USER_ID)
        self.clock = Clock(lambda: desk.skew_ms)
        self.faults = desk.faults
        self.rules = Rules()
        self.completed: Callable[[Order], None] = lambda _order: None

    def later(self, delay_ms: int, call: Callable[[], None]) -> None:
        """Do it after a while, and tell of it."""

        def do() -> None:
            call()
            self.desk.streams.flush()

        self.desk.later(delay_ms, do)

    # -- looks ------------------------------------------------------------------------------------------------

    @property
    def day(self) -> int:
        """Which trading day it is, counted from 1."""
        found = self.store.state.get("day") or {}
        return int(str(found.get("day", 1)))

    def lookup(self, key: str) -> tuple[Instrument, Price]:
        """An instrument and its price. Raises KeyError where it is not listed."""
        instrument = self.store.instruments[key]
        return instrument, self.store.prices.get(key) or first_price(instrument, self.clock.now_ns())

    # -- steps ------------------------------------------------------------------------------------------------

    def step(self, order: Order, status: str, **changes: object) -> Order:
        """The order moves on; the step goes to its history."""
        with self.store.common.step():
            order = self.store.put_order(msgspec.structs.replace(order, status=status, **changes))
            self.store.put_step(order)
        return order

    def at_exchange(self) -> dict[str, object]:
        """The times of a step that the exchange made."""
        now_ns = self.clock.now_ns()
        return {"exchange_ns": now_ns, "exchange_update_ns": now_ns}

    def receive(self, order: Order) -> Order:
        """The first hop: it has an id, and the broker has it."""
        now_ns = self.clock.now_ns()
        number = self.store.next_number("order")
        order_id = f"{moment(now_ns):%y%m%d}{number:09d}"
        order = msgspec.structs.replace(
            order, order_id=order_id, order_ns=now_ns, day=self.day, guid=f"01X{number:07d}"
        )
        if order.variety == "amo":
            self._keep(order, AMO_RECEIVED)
        else:
            self._keep(order, RECEIVED, VALIDATING)
        self.desk.hop("received")
        return self.store.orders[order_id]

    def _keep(self, order: Order, *statuses: str) -> None:
        with self.store.common.step():
            for status in statuses:
                order = self.step(order, status)

    def reject(self, order: Order, message: str, raw: str = "") -> Order:
        """It is refused after it was taken."""
        now_ns = self.clock.now_ns()
        order = self.step(
            order, REJECTED, status_message=message, status_message_raw=raw or message, exchange_update_ns=now_ns
        )
        self.note(order, REJECTED)
        return order

    def forward(self, order: Order) -> Order:
        """The second hop: on to the exchange, unless it hangs before it."""
        if self.faults.strike(Fault.DELAY_REQUEST, "exchange"):
            return self.step(order, OPEN_PENDING, hung=True)
        order = self.step(order, OPEN_PENDING)
        self.desk.hop("forwarded")
        return self.arrive(order)

    def arrive(self, order: Order) -> Order:
        """It reaches the exchange."""
        if self.faults.strike(Fault.REFUSED, "exchange"):
            return self.reject(
                order, "The order was rejected by the exchange.", "16387 : Security not allowed to trade"
            )
        exchange_order_id = f"13{self.store.next_number('exchange'):014d}"
        waits = order.order_type in ("SL", "SL-M")
        order = self.step(
            order,
            TRIGGER_PENDING if waits else OPEN,
            exchange_order_id=exchange_order_id,
            hung=False,
            protected_px=0 if waits else self.protected_px(order),
            **self.at_exchange(),
        )
        self.note(order, order.status)
        return self.match(order)

    def protected_px(self, order: Order) -> int:
        """The worst price that market protection leaves to an order without a limit."""
        if order.price or not order.market_protection:
            return 0
        instrument, price = self.lookup(order.key)
        pct = self.rules.protection_pct if order.market_protection < 0 else order.market_protection
        px = price.last * (100 + order.side * pct) // 100
        return max(px - px % instrument.tick, instrument.tick)

    # -- trading ----------------------------------------------------------------------------------------------

    def match(self, order: Order) -> Order:
        """The third hop: trade what trades now; the rest rests, or ends where its validity says so."""
        order = self._activate(order)
        if order.status != OPEN:
            return order
        px, shown = self.lookup(order.key)[1].offered(order.side)
        if order.limit_px and (order.limit_px - px) * order.side >= 0:
            qty = order.leaves_qty if shown < 0 else min(order.leaves_qty, shown)
            if qty:
                order = self.execute(order, px, qty)
        if order.status == OPEN and order.validity == "IOC":
            order = self.end(order, "Unfilled IOC quantity cancelled")
        return order

    def _activate(self, order: Order) -> Order:
        last = self.lookup(order.key)[1].last
        if order.status != TRIGGER_PENDING or (last - order.trigger_price) * order.side < 0:
            return order
        order = self.step(order, OPEN, protected_px=self.protected_px(order), **self.at_exchange())
        self.note(order, OPEN)
        return order

    def execute(self, order: Order, px: int, qty: int, *, hidden: bool = False) -> Order:
        """It trades. An order that has ended keeps its status and takes the trade back from what was cancelled."""
        order_id, late = order.order_id, order.status in ENDED
        with self.store.common.step():
            self._book(order, px, qty, hidden=hidden)
        self.desk.hop("matched")
        order = self.store.orders[order_id]
        self.note(order, order.status if late or order.status == COMPLETE else UPDATE)
        if order.status == COMPLETE:
            self.completed(order)
        return order

    def _book(self, order: Order, px: int, qty: int, *, hidden: bool) -> None:
        now_ns, late = self.clock.now_ns(), order.status in ENDED
        for piece in _cut(qty, self.rules.slices):
            trade_id = f"{self.store.next_number('trade'):08d}"
            self.store.put_trade(
                Trade(
                    trade_id=trade_id,
                    order_id=order.order_id,
                    exchange_order_id=order.exchange_order_id,
                    exchange=order.exchange,
                    tradingsymbol=order.tradingsymbol,
                    instrument_token=order.instrument_token,
                    product=order.product,
                    transaction_type=order.transaction_type,
                    px=px,
                    quantity=piece,
                    ts_ns=now_ns,
                    order_ns=order.order_ns,
                    day=self.day,
                    hidden=hidden,
                ),
                order.number,
            )
        filled = order.filled_quantity + qty
        status = order.status if late or filled < order.quantity else COMPLETE
        self.step(
            order,
            status,
            filled_quantity=filled,
            cancelled_quantity=order.cancelled_quantity - (qty if late else 0),
            value=order.value + px * qty,
            **self.at_exchange(),
        )
        price = self.lookup(order.key)[1]
        self.store.prices.put(order.key, price.traded(order.side, px, qty, now_ns))

    def end(self, order: Order, message: str = "") -> Order:
        """What has not traded is cancelled."""
        order = self.step(
            order, CANCELLED, status_message=message, cancelled_quantity=order.leaves_qty, **self.at_exchange()
        )
        self.note(order, CANCELLED)
        return order

    def set_price(self, key: str, price: Price) -> None:
        """The price moves; what rests and can trade, trades."""
        self.store.prices.put(key, price)
        for order in self.store.orders.values():
            if order.key == key and order.status in RESTING:
                self.match(self.store.orders[order.order_id])

    def release(self, order_id: str = "") -> int:
        """Let hung orders go on, one or all; how many."""
        hung = [order for order in self.store.orders.values() if order.hung and order_id in ("", order.order_id)]
        for order in hung:
            self.arrive(order)
        return len(hung)

    def restart(self) -> None:
        """The process is back: what died between two hops goes on; a change that died on its way was not made."""
        for order in self.store.orders.values():
            if order.status in (RECEIVED, VALIDATING):
                self.forward(order)
            elif order.status == OPEN_PENDING and not order.hung:
                self.arrive(order)
            elif order.status == CANCEL_PENDING:
                self.end(order)
            elif order.status in CHANGING:
                self.match(self.step(order, TRIGGER_PENDING if order.order_type in ("SL", "SL-M") else OPEN))
            elif order.status in RESTING:
                self.match(order)

    def note(self, order: Order, status: str) -> None:
        """Something that streams and postbacks will be told, once they are flushed."""
        self.desk.streams.report(ORDERS, (order, status))


def _cut(qty: int, slices: int) -> list[int]:
    """A quantity in up to `slices` pieces, the first ones equal."""
    piece = max(qty // max(slices, 1), 1)
    count = min(max(slices, 1), qty)
    return [piece] * (count - 1) + [qty - piece * (count - 1)]
