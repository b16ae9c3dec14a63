"""The page about reports lists the columns that files have."""

from __future__ import annotations

import pytest
from tests.docs.pages import ROOT

from surefill.views.table_files import Column
from surefill.views.tables import EQUITY, FILLS, ORDERS, TRADES


@pytest.mark.parametrize(
    ("name", "columns"), [("trades", TRADES), ("orders", ORDERS), ("fills", FILLS), ("equity", EQUITY)]
)
def test_page_lists_every_column_in_order(name: str, columns: tuple[Column, ...]) -> None:
    lines = [f"| `{column.name}` | {column.kind} | {column.meaning} |" for column in columns]
    table = "\n".join([f"### {name}", "", "| column | kind | meaning |", "|---|---|---|", *lines, ""])
    assert table in (ROOT / "docs/reports.md").read_text()
