"""What the account is worth and what it stands in for, at the prices of now. Money in money quanta.

Nothing is assumed: where a position has no price, the equity is not known (None), and whoever needs it says no.
Exposure is always known: without a price a position counts at its cost, an order at the worst price it may trade at.
"""

from __future__ import annotations

from surefill.domain.account import WorkingOrder
from surefill.domain.orders import Order
from surefill.domain.position import Position
from surefill.domain.state import Book, State


def mark_px(state: State, position: Position) -> int:
    """The last price of what is held, without one the price it could be closed at; 0: none has been seen."""
    quote = state.quotes.get(position.instrument_id)
    if quote is None:
        return 0
    return quote.last_px or (quote.bid_px if position.qty > 0 else quote.ask_px)


def equity(state: State) -> int | None:
    """Cash and what all positions would fetch at their marks; None where one has no price."""
    book = state.book
    total = book.cash
    for position in book.positions.values():
        if position.qty:
            px = mark_px(state, position)
            if px <= 0:
                return None
            total += px * position.qty * book.instruments[position.instrument_id].money_per_notional
    return total


def position_value(state: State, position: Position) -> int:
    """What a position stands in for, without its sign: at its mark, without one at its cost."""
    px = mark_px(state, position)
    notional = px * position.qty if px > 0 else position.cost
    return abs(notional) * state.book.instruments[position.instrument_id].money_per_notional


def order_value(book: Book, order: Order) -> int:
    """What the open part of an entry would stand in for: at its limit, its trigger, or the price it was decided at."""
    request = order.request
    px = request.px or max(request.stop_px, request.arrival_px)
    return px * order.leaves_qty * book.instruments[request.instrument_id].money_per_notional


def external_px(state: State, order: WorkingOrder) -> int:
    """What an order made elsewhere may trade at: its limit, its trigger, the market; 0 where nobody can say."""
    px = order.px or order.stop_px
    if not px:
        quote = state.quotes.get(order.instrument_id)
        px = 0 if quote is None else max(quote.last_px, quote.ask_px, quote.bid_px)
    return px


def external_value(state: State, order: WorkingOrder) -> int:
    """What the open part of an order made elsewhere would stand in for; 0 for an instrument that is not ours."""
    instrument = state.book.instruments.get(order.instrument_id)
    if instrument is None:
        return 0
    return external_px(state, order) * order.leaves_qty * instrument.money_per_notional


def exposures(state: State) -> dict[str, int]:
    """By instrument: what is held and what is on its way, in full, UNKNOWN orders and those made elsewhere too."""
    return _exposures(state, signed=False)


def signed_exposures(state: State) -> dict[str, int]:
    """The same, below 0 for what is short or sold: what is held and what is on its way against it offset."""
    return _exposures(state, signed=True)


def _exposures(state: State, *, signed: bool) -> dict[str, int]:
    book = state.book
    found: dict[str, int] = {}
    for position in book.positions.values():
        if position.qty:
            name, value = position.instrument_id, position_value(state, position)
            found[name] = found.get(name, 0) + (-value if signed and position.qty < 0 else value)
    for order in book.orders.values():
        if not order.request.reduce_only:
            name, value = order.request.instrument_id, order_value(book, order)
            found[name] = found.get(name, 0) + (-value if signed and order.request.side < 0 else value)
    for other in book.external_orders.values():
        name, value = other.instrument_id, external_value(state, other)
        if value:
            found[name] = found.get(name, 0) + (-value if signed and other.side < 0 else value)
    return found


def open_risk(state: State) -> int | None:
    """What all positions lose together when every stop is hit; None as soon as one has no stop."""
    total = 0
    for position in state.book.positions.values():
        if position.qty:
            stop_px = position.protection.stop_px if position.protection is not None else 0
            if not stop_px:
                return None
            loss = position.cost - stop_px * position.qty
            total += max(loss, 0) * state.book.instruments[position.instrument_id].money_per_notional
    return total
