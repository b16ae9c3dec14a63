"""Quotes from CSV: `ts,bid,ask`, with `last`, `bid_size` and `ask_size` where the file has them.

An empty or zero cell says that the feed had none at that moment. Timestamps are read as in `csv_bars` and may repeat,
but not run backwards. A bid above its ask is taken as it is: markets do cross, and judging a quote is the gates' work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from surefill.domain.market import Quote
from surefill.errors import InputError
from surefill.market.bar_format import located
from surefill.market.csv_bars import TIME_NAMES
from surefill.market.csv_rows import INVALID_CSV, CsvRows, CsvSource, OnFault, column_indexes
from surefill.market.timestamps import TimestampReader
from surefill.units import QTY_MAX, iso_from_ns, to_quanta

_NAMES: Final = {
    "ts": TIME_NAMES,
    "last": ("last", "last_price", "price", "ltp"),
    "bid": ("bid", "bid_price", "bid_px"),
    "ask": ("ask", "ask_price", "ask_px"),
    "bid_size": ("bid_size", "bid_qty", "bidsize"),
    "ask_size": ("ask_size", "ask_qty", "asksize"),
}
_OPTIONAL: Final = frozenset(_NAMES) - {"ts"}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteFormat:
    """How to read quotes that a file holds; see `BarFormat` for the fields."""

    instrument_id: str
    price_decimals: int = 2
    qty_decimals: int = 0
    zone: str = "UTC"


def iter_csv_quotes(source: CsvSource, fmt: QuoteFormat, *, name: str = "", delimiter: str = ",") -> Iterator[Quote]:
    """The quotes of a CSV file (plain or gzip), one at a time. Raises InputError: INVALID_CSV, FILE_READ_ERROR."""
    for _, quote in sound_csv_quotes(CsvRows(source, name=name, delimiter=delimiter), fmt, None):
        yield quote


def sound_csv_quotes(rows: CsvRows, fmt: QuoteFormat, on_fault: OnFault | None) -> Iterator[tuple[int, Quote]]:
    """The quotes that rows make, with their line numbers; what is wrong with the others is told to `on_fault`.

    Without that the first fault is raised, as is what makes all further reading impossible.
    """
    times = TimestampReader(fmt.zone)
    columns: dict[str, int] = {}
    latest_ns = -(2**63)
    for row in rows:
        columns = columns or _columns(rows)
        try:
            quote = _quote({column: row[at].strip() for column, at in columns.items()}, fmt, times)
            before_ns, latest_ns = latest_ns, quote.ts_ns
            if quote.ts_ns < before_ns:
                raise InputError(
                    f"{iso_from_ns(quote.ts_ns)} comes after {iso_from_ns(before_ns)}; sort the rows by time",
                    code="UNSORTED_QUOTES",
                    field="ts",
                )
        except InputError as error:
            header = {column: rows.header[at] for column, at in columns.items()}
            fault = located(error, INVALID_CSV, f"{rows.name}, line", rows.line, header)
            if on_fault is None:
                raise fault from None
            on_fault(fault)
            continue
        yield rows.line, quote
    if not columns:
        rows.refuse("there is a header but no quote; add rows")


def _columns(rows: CsvRows) -> dict[str, int]:
    columns = column_indexes(rows, _NAMES, _OPTIONAL)
    if "last" not in columns and not {"bid", "ask"} <= set(columns):
        rows.refuse("there are no columns bid and ask, nor last; name them in the header", line=1)
    return columns


def _quote(text: dict[str, str], fmt: QuoteFormat, times: TimestampReader) -> Quote:
    def px(column: str) -> int:
        return to_quanta(text.get(column) or "0", fmt.price_decimals, field=column)

    def qty(column: str) -> int:
        return to_quanta(text.get(column) or "0", fmt.qty_decimals, field=column, max_quanta=QTY_MAX)

    ts_ns = times.ns_from_text(text["ts"], "ts")
    quote = Quote(fmt.instrument_id, ts_ns, px("last"), px("bid"), px("ask"), qty("bid_size"), qty("ask_size"))
    if not (quote.last_px or quote.bid_px or quote.ask_px):
        raise InputError("there is no price at all; remove the row", field="bid" if "bid" in text else "last")
    return quote
