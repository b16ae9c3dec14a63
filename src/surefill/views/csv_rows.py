"""The two order logs as CSV rows. Text cells can never be read as formulas by a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from surefill.units import iso_from_ns, quanta_text
from surefill.views.order_lines import OrderLine
from surefill.views.wording import avg_px, float_text, one_line, ord_type_word, px_text, side_word, underlying_of

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


def orders_row(line: OrderLine, mode: str) -> bytes:
    """The row of `orders.csv`."""
    instrument, context = line.instrument, line.labels.context
    price_decimals, qty_decimals = (instrument.price_decimals, instrument.qty_decimals) if instrument else (0, 0)
    return csv_bytes(
        (
            iso_from_ns(line.ts_ns),
            line.order_ref,
            text_cell(line.instrument_id),
            side_word(line.side),
            quanta_text(line.qty, qty_decimals),
            px_text(line.px, price_decimals),
            line.status,
            text_cell(context.get("exchange", "")),
            text_cell(context.get("product", "")),
            text_cell(line.strategy_id),
            text_cell(context.get("tf", "")),
            mode,
            text_cell((instrument.underlying if instrument else "") or underlying_of(line.instrument_id)),
        )
    )


def daily_row(line: OrderLine, mode: str) -> bytes:
    """The row of a day's `journal/<date>/orders.csv`."""
    instrument = line.instrument
    price_decimals, qty_decimals = (instrument.price_decimals, instrument.qty_decimals) if instrument else (0, 0)
    return csv_bytes(
        (
            line.order_ref,
            iso_from_ns(line.ts_ns),
            text_cell(line.instrument_id),
            text_cell(line.strategy_id),
            side_word(line.side),
            quanta_text(line.cum_qty or line.order_qty, qty_decimals),
            ord_type_word(line.ord_type),
            line.status,
            float_text(avg_px(line.cum_notional, line.cum_qty, price_decimals)),
            text_cell(line.message),
            mode,
            text_cell(line.reason),
        )
    )
