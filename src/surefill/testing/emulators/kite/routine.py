"""What happens without a client's order: orders expire, the broker closes positions, days end, positions move."""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.testing.emulators.kite.book import Book
from surefill.testing.emulators.kite.errors import bad_input
from surefill.testing.emulators.kite.forms import PRODUCTS, Form, instrument_key, one_of, whole
from surefill.testing.emulators.kite.orders import BUY, OPEN_PENDING, RESTING, SELL, WAITING, Order, Trade
from surefill.testing.emulators.kite.portfolio import legs_of
from surefill.units import NS_PER_MIN

#: Who the broker's own orders are by. The name is this emulator's; a client must not depend on it.
SQUARE_OFF: Final = "SQUAREOFF"


def expire_due(book: Book) -> None:
    """End the TTL orders whose minutes are over by the venue's clock."""
    now_ns = book.clock.now_ns()
    for order in book.store.orders.values():
        over = order.order_ns + order.validity_ttl * NS_PER_MIN <= now_ns
        if order.validity == "TTL" and order.status in RESTING and over:
            book.end(order, "Order validity expired")


def square_off(book: Book) -> list[str]:
    """Close everything intraday, as the broker does before the end of the day; the ids of its orders."""
    for order in book.store.orders.values():
        if order.product in ("MIS", "CO") and order.status in RESTING:
            book.end(order, "Cancelled by the broker: intraday square-off")
    return [
        _close(book, key, product, legs.net)
        for (key, product), legs in legs_of(book.store.trades.values()).items()
        if product in ("MIS", "CO") and legs.net
    ]


def _close(book: Book, key: str, product: str, net: int) -> str:
    instrument, _ = book.lookup(key)
    order = Order(
        order_id="",
        exchange=instrument.exchange,
        tradingsymbol=instrument.tradingsymbol,
        instrument_token=instrument.instrument_token,
        transaction_type=SELL if net > 0 else BUY,
        quantity=abs(net),
        product=product,
        order_type="MARKET",
        market_protection=-1,
        placed_by=SQUARE_OFF,
    )
    return book.forward(book.receive(order)).order_id


def open_market(book: Book, *, is_open: bool) -> None:
    """The market opens (orders that waited go on) or closes."""
    book.rules = msgspec.structs.replace(book.rules, market_open=is_open)
    if is_open:
        for order in book.store.orders.values():
            if order.status in WAITING:
                book.forward(order)


def next_day(book: Book) -> None:
    """The day ends: what rests is cancelled, the books begin anew, positions are carried over."""
    for order in book.store.orders.values():
        if order.status in RESTING or order.status == OPEN_PENDING:
            book.end(msgspec.structs.replace(order, hung=False), "Order validity expired")
    book.store.state.put("day", {"day": book.day + 1})
    for order in book.store.orders.values():
        if order.status in WAITING:
            book.store.put_order(msgspec.structs.replace(order, day=book.day))
    for instrument in book.store.instruments.values():
        price = book.lookup(instrument.key)[1]
        fresh = msgspec.structs.replace(instrument, last_px=price.last)
        book.store.instruments.put(instrument.key, fresh)
        book.store.prices.remove(instrument.key)


def convert(book: Book, form: Form) -> bool:
    """PUT /portfolio/positions: an open position goes over to another product."""
    key = instrument_key({**form, "product": form.get("old_product", ""), "order_type": "-"})
    quantity, side = whole(form, "quantity"), one_of(form, "transaction_type", frozenset({BUY, SELL}))
    new_product = one_of(form, "new_product", PRODUCTS)
    legs = legs_of(book.store.trades.values()).get((key, form["old_product"]))
    open_qty = (legs.net if side == BUY else -legs.net) if legs else 0
    if not 0 < quantity <= open_qty:
        raise bad_input("Invalid `quantity`: there is no such position to convert.")
    assert legs is not None
    value, count = (legs.bought_value, legs.bought) if side == BUY else (legs.sold_value, legs.sold)
    back = SELL if side == BUY else BUY
    move(book, key, form["old_product"], back, quantity, value // count)
    move(book, key, new_product, side, quantity, value // count)
    return True


def move(book: Book, key: str, product: str, side: str, quantity: int, px: int, *, day: int = -1) -> None:
    """Put a quantity into a position without an order; `day` 0: it was there before."""
    instrument, _ = book.lookup(key)
    book.store.put_trade(
        Trade(
            trade_id=f"{book.store.next_number('trade'):08d}",
            order_id="",
            exchange_order_id="",
            exchange=instrument.exchange,
            tradingsymbol=instrument.tradingsymbol,
            instrument_token=instrument.instrument_token,
            product=product,
            transaction_type=side,
            px=px,
            quantity=quantity,
            ts_ns=book.clock.now_ns(),
            day=book.day if day < 0 else day,
        ),
        0,
    )
