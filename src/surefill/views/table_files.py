"""Tables as files: CSV and Parquet, whose values read back are those that were written.

=========  =============================================  ============================================================
kind       in CSV                                         in Parquet
=========  =============================================  ============================================================
text       as it is, but see `csv_rows.text_cell`         string
exact      plain decimal text, no exponent, no zeros to   decimal128 of as many decimals as its finest value has
           the right ("19500.05")
time       ISO 8601, UTC, to the nanosecond if need be    timestamp of nanoseconds, UTC
count      digits                                         int64
share      shortest text of the double                    double
=========  =============================================  ============================================================

What is missing is an empty cell, or null.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from surefill.errors import ConfigError
from surefill.units import iso_from_ns
from surefill.views.csv_rows import text_cell
from surefill.views.wording import float_text

Kind = Literal["text", "exact", "time", "count", "share"]
Value = str | Decimal | int | float | None
FORMATS: Final = ("csv", "parquet")
_PRECISION: Final = 38


class Column(NamedTuple):
    """A column: its name, its kind, what it means and in which unit."""

    name: str
    kind: Kind
    meaning: str


class Table(NamedTuple):
    """Rows under columns, each value of its column's kind: Decimal, nanoseconds UTC, int, float, text, or None."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]


def table_bytes(table: Table, form: str) -> bytes:
    """A table as a file of that format. Raises ConfigError (MISSING_EXTRA) for Parquet without pyarrow."""
    return _csv(table) if form == "csv" else _parquet(table)


def pyarrow() -> Any:
    """The library, with its Parquet part. Raises ConfigError (MISSING_EXTRA)."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise ConfigError(
            "writing Parquet needs pyarrow; install it with: pip install 'surefill[parquet]'", code="MISSING_EXTRA"
        ) from error
    return pyarrow


def _csv(table: Table) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    kinds = [column.kind for column in table.columns]
    writer.writerows([_cell(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in table.rows)
    return out.getvalue().encode("utf-8", "replace")


def _cell(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    if kind == "text":
        return text_cell(value)
    if kind == "exact":
        return format(value, "f")
    if kind == "time":
        return iso_from_ns(value)
    return float_text(value) if kind == "share" else str(value)


def _parquet(table: Table) -> bytes:
    arrow = pyarrow()
    kinds = {
        "text": arrow.string(),
        "time": arrow.timestamp("ns", tz="UTC"),
        "count": arrow.int64(),
        "share": arrow.float64(),
    }
    fields, arrays = [], []
    for at, column in enumerate(table.columns):
        values = [row[at] for row in table.rows]
        kind = kinds.get(column.kind) or arrow.decimal128(_PRECISION, _decimals(values))
        fields.append(arrow.field(column.name, kind, metadata={"meaning": column.meaning}))
        arrays.append(arrow.array(values, kind))
    sink = arrow.BufferOutputStream()
    arrow.parquet.write_table(arrow.Table.from_arrays(arrays, schema=arrow.schema(fields)), sink)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _decimals(values: Sequence[Any]) -> int:
    return max((-value.as_tuple().exponent for value in values if value is not None), default=0)
