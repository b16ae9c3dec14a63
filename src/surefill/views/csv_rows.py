"""The two order logs, as records and as CSV rows. Text cells can never be read as formulas by a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from surefill.units import NS_PER_S, iso_from_ns, quanta_float
from surefill.views.order_lines import OrderLine
from surefill.views.wording import avg_px, float_text, one_line, ord_type_word, side_word, underlying_of

Record = dict[str, str | int | float]

#: Door 1's log: one row per step of an order, its executions one by one.
ORDERS_HEADER = (
    "timestamp",
    "order_id",
    "symbol",
    "side",
    "quantity",
    "price",
    "status",
    "exchange",
    "product",
    "strategy",
    "tf",
    "mode",
    "underlying",
)
#: Door 2's daily log: where the order stands after each step (quantity filled so far, at its average price).
DAILY_HEADER = (
    "order_id",
    "timestamp",
    "symbol",
    "strategy",
    "side",
    "qty",
    "order_type",
    "status",
    "avg_price",
    "message",
    "mode",
    "reason",
)

_FORMULA_STARTS = ("=", "+", "-", "@")


def text_cell(text: str) -> str:
    """`text` as a cell that is text for every spreadsheet: control characters become spaces, and what a spreadsheet
    would calculate (it starts with =, +, - or @) gets an apostrophe in front."""
    text = one_line(text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA_STARTS) else text


def csv_bytes(cells: Sequence[str]) -> bytes:
    """One row, ended by a line feed, UTF-8."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode("utf-8", "replace")


def orders_record(line: OrderLine, mode: str) -> Record:
    """A step of an order under the columns of `orders.csv`."""
    context = line.labels.context
    values = (
        _second(line.ts_ns),
        line.order_ref,
        line.instrument_id,
        side_word(line.side),
        _quantity(line, line.qty),
        quanta_float(line.px, _price_decimals(line)),
        line.status,
        context.get("exchange", ""),
        context.get("product", ""),
        line.strategy_id,
        context.get("tf", ""),
        mode,
        (line.instrument.underlying if line.instrument else "") or underlying_of(line.instrument_id),
    )
    return dict(zip(ORDERS_HEADER, values, strict=True))


def daily_record(line: OrderLine, mode: str) -> Record:
    """A step of an order under the columns of a day's `journal/<date>/orders.csv`."""
    values = (
        line.order_ref,
        _second(line.ts_ns),
        line.instrument_id,
        line.strategy_id,
        side_word(line.side),
        _quantity(line, line.cum_qty or line.order_qty),
        ord_type_word(line.ord_type),
        line.status,
        avg_px(line.cum_notional, line.cum_qty, _price_decimals(line)),
        line.message,
        mode,
        line.reason,
    )
    return dict(zip(DAILY_HEADER, values, strict=True))


def row_of(record: Record) -> bytes:
    """A record as one CSV row."""
    return csv_bytes([_cell(value) for value in record.values()])


def _cell(value: str | int | float) -> str:
    if isinstance(value, str):
        return text_cell(value)
    return float_text(value) if isinstance(value, float) else str(value)


def _second(ts_ns: int) -> str:
    """The documents' time: UTC, to the second. The journal has the nanosecond."""
    return iso_from_ns(ts_ns - ts_ns % NS_PER_S)


def _price_decimals(line: OrderLine) -> int:
    return line.instrument.price_decimals if line.instrument else 0


def _quantity(line: OrderLine, qty: int) -> int | float:
    """A whole number where the instrument trades in whole units."""
    decimals = line.instrument.qty_decimals if line.instrument else 0
    return quanta_float(qty, decimals) if decimals else qty
