"""Rows of the logs: no cell is a formula, no row is two, numbers are plain."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.views.trading import Trading

from surefill.domain.events import IntentAccepted
from surefill.views.csv_rows import (
    DAILY_HEADER,
    ORDERS_HEADER,
    csv_bytes,
    daily_record,
    orders_record,
    row_of,
    text_cell,
)
from surefill.views.fold import Fold
from surefill.views.order_lines import order_line

CELLS = [
    ("plain", "plain"),
    ("", ""),
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("  =1+1", "'  =1+1"),
    ("\t=1+1", "' =1+1"),
    ("\r=1+1", "' =1+1"),
    ("a=1", "a=1"),
    ("one\ntwo\r\nthree", "one two  three"),
    ("nul\0 bell\x07", "nul  bell "),
    ("line\u2028separator", "line separator"),
]


@pytest.mark.parametrize(("text", "cell"), CELLS)
def test_text_cell_of_text_is_never_a_formula(text: str, cell: str) -> None:
    assert text_cell(text) == cell


@given(st.lists(st.text(), min_size=2, max_size=13))
def test_csv_bytes_of_text_cells_is_one_row_of_those_cells(texts: list[str]) -> None:
    cells = [text_cell(text) for text in texts]
    data = csv_bytes(cells)
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    wanted = [cell.encode("utf-8", "replace").decode() for cell in cells]
    assert list(csv.reader(io.StringIO(data.decode()))) == [wanted]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in wanted)


def test_rows_of_hostile_labels_are_defused_in_both_logs() -> None:
    evil = "=cmd|' /C calc'!A0"
    trading = Trading(symbols=["@EVIL"])
    trading.price(1_000, "@EVIL")
    context = {"exchange": evil, "product": "+1", "tf": "-5m"}
    trading.trade(1, 1, "@EVIL", strategy_id=evil, context=context, reason="@now\n=1")
    fold, rows = Fold(), []
    for event in trading.events():
        fold.apply(event)
        line = order_line(fold, event)
        if line is not None:
            rows += [row_of(orders_record(line, "paper")), row_of(daily_record(line, "paper"))]
    orders, daily = (next(csv.reader([row.decode()])) for row in rows)
    assert len(orders) == len(ORDERS_HEADER)
    assert len(daily) == len(DAILY_HEADER)
    assert [orders[at] for at in (2, 7, 8, 9, 10)] == ["'@EVIL", f"'{evil}", "'+1", f"'{evil}", "'-5m"]
    assert [daily[at] for at in (2, 3, 11)] == ["'@EVIL", f"'{evil}", "'@now =1"]


def test_lines_of_an_accepted_intent_are_those_of_its_order_alone() -> None:
    trading = Trading()
    trading.price(1_000)
    trading.trade(1, 1)
    fold = Fold()
    lines = []
    for event in trading.events():
        fold.apply(event)
        lines.append((type(event), order_line(fold, event)))
    assert (IntentAccepted, None) in lines
    assert [line.status for _, line in lines if line is not None] == ["FILLED"]
