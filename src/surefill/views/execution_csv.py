"""The execution log as CSV: the contract's columns, in cells that no spreadsheet calculates."""

from __future__ import annotations

from collections.abc import Iterable

from surefill.views.csv_rows import csv_bytes, text_cell
from surefill.views.execution_rows import COLUMNS, Cell
from surefill.views.execution_table import Stored
from surefill.views.wording import float_text


def executions_csv(rows: Iterable[Stored]) -> bytes:
    """A header and one row for each execution, UTF-8; a cell without a value is empty."""
    return csv_bytes(COLUMNS) + b"".join(csv_bytes([_cell(row.cells[name]) for name in COLUMNS]) for row in rows)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return text_cell(value)
    return float_text(value) if isinstance(value, float) else str(value)
