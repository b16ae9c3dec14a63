"""Entries that wait for their price, and when that is over: `entry.good_for_bars` bars after they were made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence

from surefill.domain.inputs import RequestCancel
from surefill.domain.orders import Order
from surefill.domain.state import Book
from surefill.rules.codes import OrdType
from surefill.strategy.spec import ExecutionSpec

TAKEN_BACK = "good_for_bars"


def resting_entries(book: Book, symbols: Collection[str], strategy_id: str) -> list[Order]:
    """The strategy's entries in these symbols that wait for their price and have not begun to fill."""
    return [order for order in _waiting(book, symbols, strategy_id) if not order.cum_qty]


def overdue(
    book: Book, symbol: str, spec: ExecutionSpec, closes_ns: Sequence[int], closed: int, ts_ns: int
) -> list[RequestCancel]:
    """The requests, at `ts_ns`, to take back what is left of the spec's entries that have stood for so many bars.

    `closes_ns`: when the symbol's bars close, in order; the first `closed` of them have.
    """
    return [
        RequestCancel(ts_ns, order.request.cl_ord_id, TAKEN_BACK)
        for order in _waiting(book, (symbol,), spec.strategy_id)
        if not order.cancel_pending
        and closed - bisect_right(closes_ns, order.created_ns, 0, closed) >= spec.entry.good_for_bars
    ]


def _waiting(book: Book, symbols: Collection[str], strategy_id: str) -> list[Order]:
    """Nobody else's: a person may have an order of his own in the same symbol, another strategy too."""
    return [
        order
        for order in book.orders.values()
        if order.request.instrument_id in symbols
        and order.strategy_id == strategy_id
        and order.request.ord_type != OrdType.MARKET
        and not order.request.reduce_only
    ]
