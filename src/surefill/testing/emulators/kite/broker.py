"""The broker: takes, changes and ends orders.

Nothing is deduplicated, least of all by tag: a client that resends blindly trades twice, and the truth shows it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.testing.emulators.groundwork import Fault
from surefill.testing.emulators.kite.book import UPDATE, Book
from surefill.testing.emulators.kite.errors import KiteError, bad_input, bad_order
from surefill.testing.emulators.kite.forms import (
    UNPRICED,
    Form,
    changed,
    instrument_key,
    read_order,
)
from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.margin import check_means
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.orders import (
    AMO_CANCELLED,
    AMO_MODIFIED,
    BUY,
    CANCEL_PENDING,
    COMPLETE,
    MODIFIED,
    MODIFY_PENDING,
    MODIFY_VALIDATING,
    OPEN,
    RESTING,
    SELL,
    TRIGGER_PENDING,
    WAITING,
    Order,
)
from surefill.testing.emulators.kite.routine import expire_due

MINUTE_MS: Final = 60_000


class Broker:
    """What the routes call. All methods raise KiteError where the venue would answer with an error."""

    def __init__(self, book: Book, user_id: str) -> None:
        self.book = book
        self.user_id = user_id
        book.completed = self._completed

    # -- placing ----------------------------------------------------------------------------------------------

    def place(self, variety: str, form: Form) -> dict[str, object]:
        """POST /orders/{variety}."""
        instrument, price = self.find(instrument_key(form))
        order = read_order(variety, form, instrument, price, self.book.rules)
        if order.quantity > instrument.freeze_qty:
            if form.get("autoslice") != "true":
                raise bad_input(f"Quantity {order.quantity} is over the freeze quantity {instrument.freeze_qty}.")
            return self._place_slices(order, instrument.freeze_qty // instrument.lot_size * instrument.lot_size)
        return {"order_id": self.take(order).order_id}

    def find(self, key: str) -> tuple[Instrument, Price]:
        """A tradable instrument and its price."""
        instrument = self.book.store.instruments.get(key)
        if instrument is None or not instrument.tradable:
            raise bad_input("The instrument you are placing an order for has either expired or does not exist.")
        return self.book.lookup(key)

    def take(self, order: Order) -> Order:
        """The order book has it from here on. Raises KiteError where the broker's checks refuse before that."""
        if self.book.faults.strike(Fault.REFUSED, "submit"):
            raise bad_input("The order was refused by a check of the broker's.")
        check_means(self.book, order)
        order = self.book.receive(msgspec.structs.replace(order, placed_by=order.placed_by or self.user_id))
        if order.validity == "TTL":
            self.book.later(order.validity_ttl * MINUTE_MS, lambda: expire_due(self.book))
        if order.variety == "amo":
            return order
        if self.book.faults.strike(Fault.REFUSED, "rms"):
            return self.book.reject(order, "The order was rejected by the risk management system.", "RMS:Rule: Check")
        return self.book.forward(order)

    def _place_slices(self, order: Order, slice_qty: int) -> dict[str, object]:
        """Autoslice: the first slice's id stands above, the others (or what went wrong with them) are children."""
        left = order.quantity - slice_qty
        first = self.take(msgspec.structs.replace(order, quantity=slice_qty))
        children: list[dict[str, object]] = []
        while left:
            quantity = min(left, slice_qty)
            left -= quantity
            try:
                children.append({"order_id": self.take(msgspec.structs.replace(order, quantity=quantity)).order_id})
            except KiteError as error:
                told = {"code": error.status, "error_type": error.error_type, "message": error.message, "data": None}
                children.append({"error": told})
        return {"order_id": first.order_id, "children": children}

    # -- changing ---------------------------------------------------------------------------------------------

    def modify(self, variety: str, order_id: str, form: Form) -> dict[str, object]:
        """PUT /orders/{variety}/{order_id}."""
        order = self._live(variety, order_id)
        if order.modifications >= self.book.rules.limits.modifications_max > 0:
            raise bad_order("Maximum allowed order modifications exceeded.")
        if self.book.faults.strike(Fault.REFUSED, "amend"):
            raise bad_order("The change was refused.")
        instrument, price = self.book.lookup(order.key)
        wanted = changed(order, form, instrument, price)
        now_ns = self.book.clock.now_ns()
        order = msgspec.structs.replace(order, order_ns=now_ns, modifications=order.modifications + 1)
        if order.status in WAITING:
            wanted = msgspec.structs.replace(wanted, order_ns=now_ns, modifications=order.modifications, modified=True)
            self.book.step(wanted, AMO_MODIFIED)
            return {"order_id": order_id}
        for status in (MODIFY_VALIDATING, MODIFY_PENDING, MODIFIED):
            order = self.book.step(order, status)
        self.book.desk.hop("modified")
        self._modified(order, wanted)
        return {"order_id": order_id}

    def _modified(self, order: Order, wanted: Order) -> None:
        """The exchange has made the change."""
        book, waits = self.book, wanted.order_type in ("SL", "SL-M")
        wanted = msgspec.structs.replace(wanted, order_ns=order.order_ns, modifications=order.modifications)
        protected_px = 0 if waits or wanted.order_type not in UNPRICED else book.protected_px(wanted)
        stamps = book.at_exchange()
        wanted = book.step(
            wanted, TRIGGER_PENDING if waits else OPEN, modified=True, protected_px=protected_px, **stamps
        )
        book.note(wanted, UPDATE)
        book.match(wanted)

    def cancel(self, variety: str, order_id: str) -> dict[str, object]:
        """DELETE /orders/{variety}/{order_id}."""
        book, strike = self.book, self.book.faults.strike
        order = self._live(variety, order_id)
        if order.status in WAITING:
            order = book.step(order, AMO_CANCELLED, cancelled_quantity=order.leaves_qty)
            return {"order_id": order_id}
        if order.variety == "co" and order.parent_order_id:
            self._exit_cover(order)
            return {"order_id": order_id}
        if strike(Fault.REFUSED, "cancel"):
            raise bad_order("The cancellation was refused.")
        if strike(Fault.CANCEL_FILL_RACE, "cancel"):
            book.execute(_opened(order), self._px_of(order), order.leaves_qty)
            raise bad_order("Order cannot be cancelled as it is being processed. Try later.")
        order = book.step(order, CANCEL_PENDING, order_ns=book.clock.now_ns())
        book.desk.hop("canceling")
        self._end(order)
        return {"order_id": order_id}

    def _end(self, order: Order) -> None:
        book, strike = self.book, self.book.faults.strike
        if order.leaves_qty > 1 and strike(Fault.END_BEFORE_FILLS, "cancel"):
            order = book.execute(order, self._px_of(order), order.leaves_qty // 2, hidden=True)
            book.desk.streams.forget()
            order_id = order.order_id
            book.later(book.desk.short_ms, lambda: self._unhide(order_id))
        order = book.end(order)
        if strike(Fault.LATE_FILL, "cancel"):
            order_id = order.order_id
            book.later(book.desk.short_ms, lambda: self._fill_late(order_id))

    def _live(self, variety: str, order_id: str) -> Order:
        order = self.book.store.orders.get(order_id)
        if order is None or order.day != self.book.day:
            raise bad_order(f"Couldn't find that `order_id`: {order_id}.")
        if order.variety != variety:
            raise bad_input("Invalid `variety`: the order is of another one.")
        if order.status not in RESTING and order.status not in WAITING:
            raise bad_order(f"Order cannot be changed: it is {order.status}.")
        return order

    def _px_of(self, order: Order) -> int:
        """The price of an execution that a fault brings about: the order's own limit, else that of the market."""
        return order.limit_px or self.book.lookup(order.key)[1].last

    def _unhide(self, order_id: str) -> None:
        for trade in self.book.store.trades.values():
            if trade.order_id == order_id and trade.hidden:
                self.book.store.trades.put(trade.trade_id, msgspec.structs.replace(trade, hidden=False))
        self.book.note(self.book.store.orders[order_id], UPDATE)

    def _fill_late(self, order_id: str) -> None:
        order = self.book.store.orders[order_id]
        if order.cancelled_quantity:
            self.book.execute(order, self._px_of(order), max(order.cancelled_quantity // 2, 1))

    # -- what follows a fill ----------------------------------------------------------------------------------

    def restart(self) -> None:
        """Go on where the process died, also between a full order and the one that follows it."""
        self.book.restart()
        orders = self.book.store.orders.values()
        for order in orders:
            if order.status == COMPLETE and not any(each.follows == order.order_id for each in orders):
                self._completed(order)

    def _completed(self, order: Order) -> None:
        if order.variety == "iceberg":
            self._next_leg(order)
        elif order.variety == "co" and not order.parent_order_id:
            self._place_cover(order)

    def _next_leg(self, order: Order) -> None:
        leg = order.meta["iceberg"]
        assert isinstance(leg, dict)
        if not leg["remaining_quantity"]:
            return
        quantity = min(leg["leg_quantity"], leg["remaining_quantity"])
        following = {**leg, "leg": leg["leg"] + 1, "remaining_quantity": leg["remaining_quantity"] - quantity}
        self._place_more(order, quantity=quantity, meta={"iceberg": following})

    def _place_cover(self, order: Order) -> None:
        self._place_more(
            order,
            transaction_type=SELL if order.side > 0 else BUY,
            order_type="SL-M",
            price=0,
            trigger_price=order.cover_px,
            market_protection=-1,
            parent_order_id=order.order_id,
        )

    def _place_more(self, order: Order, **changes: object) -> None:
        fresh: dict[str, object] = {
            "filled_quantity": 0, "value": 0, "exchange_order_id": "", "exchange_ns": 0, "exchange_update_ns": 0,
            "protected_px": 0, "number": 0, "follows": order.order_id,
        }  # fmt: skip
        order = self.book.receive(msgspec.structs.replace(order, **{**fresh, **changes}))
        self.book.forward(order)

    def _exit_cover(self, order: Order) -> None:
        """Cancelling the stop of a cover order closes the position at the market."""
        order = msgspec.structs.replace(order, order_type="MARKET", trigger_price=0, order_ns=self.book.clock.now_ns())
        order = self.book.step(order, OPEN, protected_px=self.book.protected_px(order), **self.book.at_exchange())
        self.book.match(order)


def _opened(order: Order) -> Order:
    return msgspec.structs.replace(order, status=OPEN)
