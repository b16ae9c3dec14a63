"""Positions and totals, as the documents show them.

The books are the state's; here integers become the floats of a document, each from exact integers in one division.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from surefill.domain.state import Book
from surefill.rules.position import unrealised
from surefill.units import quanta_float
from surefill.views.wording import avg_px


class PositionRow(msgspec.Struct, frozen=True):
    """One position. `quantity` is signed; money in the workspace's currency, gross of `fees`."""

    quantity: int | float
    avg_price: float
    realized_pnl: float
    unrealized_pnl: float


class Totals(msgspec.Struct, frozen=True):
    """The figures of `runtime_metrics.json`. Money in the workspace's currency, gross of fees."""

    total_orders: int
    active_positions: int
    realized_pnl: float
    unrealized_pnl: float
    total_pnl: float


def position_rows(book: Book, marks: Mapping[str, int]) -> dict[str, PositionRow]:
    """Every position ever held, flat ones too, by its key (the symbol, where the venue has no buckets).

    `marks`: the price in quanta that values an instrument; one without a mark shows 0.0 unrealised.
    """
    return {key: _row(book, key, money) for key, money in _unrealised(book, marks)}


def totals(book: Book, marks: Mapping[str, int], orders: int) -> Totals:
    """The workspace in five figures; `orders` is the number of orders created."""
    open_money = sum(money for _, money in _unrealised(book, marks))
    decimals = book.money_decimals
    return Totals(
        orders,
        sum(1 for position in book.positions.values() if position.qty),
        quanta_float(book.realised, decimals),
        quanta_float(open_money, decimals),
        quanta_float(book.realised + open_money, decimals),
    )


def _unrealised(book: Book, marks: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """What closing each position at its mark would realise, in money quanta."""
    for key in sorted(book.positions):
        position = book.positions[key]
        px = marks.get(position.instrument_id, 0)
        per_notional = book.instruments[position.instrument_id].money_per_notional
        yield key, unrealised(position.qty, position.cost, px) * per_notional if px and position.qty else 0


def _row(book: Book, key: str, open_money: int) -> PositionRow:
    position = book.positions[key]
    instrument = book.instruments[position.instrument_id]
    return PositionRow(
        _quantity(position.qty, instrument.qty_decimals),
        avg_px(position.cost, position.qty, instrument.price_decimals),
        quanta_float(position.realised, book.money_decimals),
        quanta_float(open_money, book.money_decimals),
    )


def _quantity(qty: int, decimals: int) -> int | float:
    """A whole number where the instrument is traded in whole units."""
    return quanta_float(qty, decimals) if decimals else qty
