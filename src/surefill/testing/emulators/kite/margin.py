"""What an order needs and what is there: money, and shares held. Far simpler than the broker's own margins."""

from __future__ import annotations

from typing import Final

from surefill.testing.emulators.kite.amounts import in_paise
from surefill.testing.emulators.kite.book import Book
from surefill.testing.emulators.kite.errors import no_holding, no_margin
from surefill.testing.emulators.kite.orders import ENDED, SELL, Order
from surefill.testing.emulators.kite.portfolio import legs_of

SEGMENT_MARGIN_PCT: Final = 20


def check_means(book: Book, order: Order) -> None:
    """Raises KiteError where there is too little of either."""
    if order.product == "CNC" and order.transaction_type == SELL:
        _check_shares(book, order)
        return
    wanted, free = needed(book, order), book.rules.cash - used(book)
    if book.rules.check_margin and wanted > free:
        raise no_margin(in_paise(wanted), in_paise(free))


def _check_shares(book: Book, order: Order) -> None:
    held = legs_of(book.store.trades.values()).get((order.key, "CNC"))
    selling = sum(
        each.leaves_qty
        for each in book.store.orders.values()
        if (each.key, each.product, each.side) == (order.key, "CNC", -1) and each.status not in ENDED
    )
    free = (held.net if held else 0) - selling
    if order.quantity > free:
        raise no_holding(order.tradingsymbol, max(free, 0))


def needed(book: Book, order: Order) -> int:
    """What an order binds: the whole worth of shares and of options bought, a part of everything else."""
    instrument, price = book.lookup(order.key)
    worth = (order.price or price.last) * order.leaves_qty * instrument.multiplier
    if order.product in ("MIS", "CO"):
        return worth // book.rules.mis_leverage
    if order.product == "NRML" and not (instrument.instrument_type in ("CE", "PE") and order.side > 0):
        return worth * SEGMENT_MARGIN_PCT // 100
    return worth


def used(book: Book) -> int:
    """What open positions and open orders bind of the cash; orders that reduce a position bind as well."""
    total = sum(needed(book, order) for order in book.store.orders.values() if order.status not in ENDED)
    for (key, product), legs in legs_of(book.store.trades.values()).items():
        instrument, price = book.lookup(key)
        worth = abs(legs.net) * price.last * instrument.multiplier
        part = 100 // book.rules.mis_leverage if product in ("MIS", "CO") else SEGMENT_MARGIN_PCT
        total += worth if product in ("CNC", "MTF") else worth * part // 100
    return total
