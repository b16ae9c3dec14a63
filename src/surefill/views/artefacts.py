"""The files that the documents promise, as bytes: which there are, and what is in them at a point of the journal."""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.domain.state import Book
from surefill.market.sessions import Calendar, calendar_named
from surefill.views.csv_rows import DAILY_HEADER, ORDERS_HEADER, csv_bytes, daily_record, orders_record, row_of
from surefill.views.fold import Fold
from surefill.views.order_lines import OrderLine
from surefill.views.positions import position_rows, totals

ORDERS: Final = "orders.csv"
DAILY_PATTERN: Final = f"journal/????-??-??/{ORDERS}"
METRICS: Final = "analytics/runtime_metrics.json"

_HEADERS = {ORDERS: csv_bytes(ORDERS_HEADER)}
_DAILY_HEADER = csv_bytes(DAILY_HEADER)
_JSON = msgspec.json.Encoder(order="deterministic")


def checkpoint_name(book: Book) -> str:
    """Where the positions are kept: paper_state_latest.json for a paper workspace."""
    return f"checkpoints/{book.mode or 'paper'}_state_latest.json"


def documents(fold: Fold) -> dict[str, bytes]:
    """The files that are replaced whole, by relative path."""
    book = fold.book
    rows = position_rows(book, fold.marks)
    return {
        checkpoint_name(book): _pretty({"positions": rows}),
        METRICS: _pretty(totals(book, fold.marks, fold.orders)),
    }


def header_of(name: str) -> bytes:
    """The first line of an appended file."""
    return _HEADERS.get(name, _DAILY_HEADER)


class RowMaker:
    """Turns order lines into rows of the appended files."""

    def __init__(self) -> None:
        self._calendars: dict[str, Calendar] = {}

    def rows(self, line: OrderLine, mode: str) -> tuple[tuple[str, bytes], ...]:
        """The rows of a line: (file, bytes)."""
        return (
            (ORDERS, row_of(orders_record(line, mode))),
            (f"journal/{self._day(line)}/{ORDERS}", row_of(daily_record(line, mode))),
        )

    def _day(self, line: OrderLine) -> str:
        """The venue's trading day; of an instrument that nobody knows, the UTC date."""
        name = line.instrument.calendar if line.instrument else "24x7"
        calendar = self._calendars.get(name)
        if calendar is None:
            calendar = self._calendars[name] = calendar_named(name)
        return calendar.trading_day(line.ts_ns)


def _pretty(document: object) -> bytes:
    return msgspec.json.format(_JSON.encode(document), indent=2) + b"\n"
