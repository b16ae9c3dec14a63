"""Trades, orders, fills and equity as tables and as files: what is written reads back as what it was."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow.parquet
import pytest
from tests.domain.core import Core, profile
from tests.strategy import runs
from tests.views import reports, trading

from surefill.domain import codec
from surefill.domain.events import OrderCreated, OrderFilled
from surefill.domain.intent import ExitPlan
from surefill.domain.limits import Limits
from surefill.domain.reports import ExecType
from surefill.journal import MemoryJournal
from surefill.units import ns_from_iso, quanta_decimal
from surefill.views.blotter import blotter
from surefill.views.csv_rows import text_cell
from surefill.views.metrics import net
from surefill.views.performance import Performance, performance
from surefill.views.table_files import Column, Table, Value, table_bytes
from surefill.views.tables import EQUITY, FILLS, ORDERS, TRADES, tables_of
from surefill.views.traded_prices import bars_for, traded_in


class Run:
    """A month of two instruments, and its tables by name."""

    def __init__(self, strategy_id: str = "dice") -> None:
        journal, series = reports.small_journal(strategy_id)
        self.journal: MemoryJournal = journal
        self.found: Performance = performance(self.events(), series)
        self.tables = {table.name: table for table in tables_of(self.events(), self.found)}

    def events(self) -> list[Any]:
        return [codec.decode(payload) for payload in runs.payloads_of(self.journal)]

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [_named(self.tables[name], row) for row in self.tables[name].rows]


def _named(table: Table, row: Any) -> dict[str, Any]:
    return dict(zip([column.name for column in table.columns], row, strict=True))


@pytest.fixture(scope="module")
def run() -> Run:
    """The month."""
    return Run()


_READ: dict[str, Callable[[str], Value]] = {
    "exact": Decimal,
    "time": ns_from_iso,
    "count": int,
    "share": float,
    "text": str,
}


def _from_csv(table: Table, data: bytes) -> list[tuple[Value, ...]]:
    """Rows of a CSV file, each cell read by its column's kind."""
    lines = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert lines[0] == [column.name for column in table.columns]
    kinds = [column.kind for column in table.columns]
    return [
        tuple(
            (None if not cell and kind != "text" else _READ[kind](cell)) for kind, cell in zip(kinds, line, strict=True)
        )
        for line in lines[1:]
    ]


def _from_parquet(data: bytes) -> list[tuple[Value, ...]]:
    """Rows of a Parquet file; times as nanoseconds."""
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    columns = []
    for name in table.column_names:
        column = table[name]
        is_time = pyarrow.types.is_timestamp(column.type)
        columns.append((column.cast(pyarrow.int64()) if is_time else column).to_pylist())
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("name", ["trades", "orders", "fills", "equity"])
def test_file_reads_back_as_the_table(run: Run, name: str) -> None:
    table = run.tables[name]
    rows = [tuple(row) for row in table.rows]
    assert len(rows) > 5
    assert _from_csv(table, table_bytes(table, "csv")) == rows
    assert _from_parquet(table_bytes(table, "parquet")) == rows


def test_parquet_columns_have_types_and_say_what_they_mean(run: Run) -> None:
    schema = pyarrow.parquet.read_schema(io.BytesIO(table_bytes(run.tables["fills"], "parquet")))
    assert str(schema.field("time").type) == "timestamp[ns, tz=UTC]"
    assert str(schema.field("price").type) == "decimal128(38, 2)"
    assert str(schema.field("exec_id").type) == "string"
    assert schema.field("qty").metadata[b"meaning"] == b"FIX 32, units"


NS = 1_700_000_000_123_456_789
EVERY = Table(
    "every",
    (
        Column("text", "text", ""),
        Column("exact", "exact", ""),
        Column("time", "time", ""),
        Column("count", "count", ""),
        Column("share", "share", ""),
    ),
    [
        ("plain", Decimal("-0.00000001"), NS, -3, 0.1),
        ('commas, "quotes"', Decimal("123456789012345678.5"), -1, 2**62, 1e-17),
        ("", None, None, None, None),
    ],
)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_values_of_every_kind_survive(form: str) -> None:
    data = table_bytes(EVERY, form)
    assert (_from_csv(EVERY, data) if form == "csv" else _from_parquet(data)) == EVERY.rows


def test_csv_cells_are_plain() -> None:
    first = table_bytes(EVERY, "csv").decode().splitlines()[1]
    assert first == "plain,-0.00000001,2023-11-14T22:13:20.123456789Z,-3,0.1"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_table_without_rows_has_its_head(form: str) -> None:
    data = table_bytes(Table("none", TRADES, []), form)
    names = (
        data.decode().strip().split(",") if form == "csv" else pyarrow.parquet.read_table(io.BytesIO(data)).column_names
    )
    assert names == [column.name for column in TRADES]


def test_text_that_a_spreadsheet_would_calculate_is_text_in_csv_and_itself_in_parquet() -> None:
    table = Table("hostile", (Column("text", "text", ""),), [("=HYPERLINK(1)\n",)])
    assert _from_csv(table, table_bytes(table, "csv")) == [("'=HYPERLINK(1) ",)]
    assert _from_parquet(table_bytes(table, "parquet")) == table.rows


def test_trades_are_those_of_the_performance(run: Run) -> None:
    found, rows = run.found, run.rows("trades")
    stories = [*found.stories, *found.running]
    assert len(rows) == len(stories)
    for row, story in zip(rows, stories, strict=True):
        trade = story.trade
        assert row["net"] == row["realised"] - row["fees"] == quanta_decimal(net(trade), found.money_decimals)
        assert (
            row["entry_value"]
            == Decimal(trade.entry_notional) * found.per_notional[row["symbol"]] / 10**found.money_decimals
        )
        assert abs(row["entry_price"] * row["entry_qty"] - row["entry_value"]) < Decimal("1e-9")
        assert (row["exit_time"] is None) == (row["mae"] is None) == (story in found.running)
    assert sum(row["net"] for row in rows if row["exit_time"] is not None) == quanta_decimal(
        found.total.figures.net, found.money_decimals
    )


def test_fills_are_those_of_the_journal_and_lead_to_the_cash(run: Run) -> None:
    events = [event for event in run.events() if isinstance(event, OrderFilled)]
    rows = run.rows("fills")
    assert [row["exec_id"] for row in rows] == [event.exec_id for event in events]
    cash = quanta_decimal(run.found.curve.start, run.found.money_decimals)
    for row in rows:
        cash += (-1 if row["side"] == "BUY" else 1) * row["value"] - row["fee"]
        assert row["cash"] == cash
        assert row["value"] == row["price"] * row["qty"]


def test_orders_are_those_of_the_blotter_with_their_fills(run: Run) -> None:
    rows, fills = run.rows("orders"), run.rows("fills")
    assert [row["order_ref"] for row in rows] == [row.order_ref for row in blotter(run.events())]
    assert {row["status"] for row in rows} >= {"FILLED"}
    for row in rows:
        own = [fill for fill in fills if fill["cl_ord_id"] == row["cl_ord_id"]] if row["cl_ord_id"] else []
        assert row["cum_qty"] == sum(fill["qty"] for fill in own)
        assert row["fees"] == sum(fill["fee"] for fill in own)
        if own:
            assert row["avg_price"] == sum(fill["value"] for fill in own) / row["cum_qty"]


def test_equity_is_the_curve(run: Run) -> None:
    curves = run.found.curves
    rows = run.rows("equity")
    assert [row["time"] for row in rows] == curves.times
    assert [row["equity"] for row in rows] == [
        quanta_decimal(value, run.found.money_decimals) for value in curves.equity
    ]
    assert max(row["drawdown"] for row in rows) * 100 == pytest.approx(run.found.curve.max_drawdown_pct)


@pytest.mark.parametrize("seed", range(3))
def test_tables_of_all_kinds_of_orders_read_back(seed: int) -> None:
    events = trading.at_random(random.Random(seed), 400).events()
    series, _ = bars_for(traded_in(events), {})
    created = {event.request.cl_ord_id: event.request for event in events if isinstance(event, OrderCreated)}
    tables = {table.name: table for table in tables_of(events, performance(events, series, by_day=False))}
    for table in tables.values():
        rows = [tuple(row) for row in table.rows]
        assert len(rows) > 5
        assert _from_parquet(table_bytes(table, "parquet")) == rows
        plain = [tuple(text_cell(cell) if isinstance(cell, str) else cell for cell in row) for row in rows]
        assert _from_csv(table, table_bytes(table, "csv")) == plain
    named = [_named(tables["orders"], row) for row in tables["orders"].rows]
    assert {row["ord_type"] for row in named} >= {"MARKET", "LIMIT", "SL-M"}
    for row in named:
        request = created.get(row["cl_ord_id"])
        assert row["price"] == (quanta_decimal(request.px, 2) if request is not None and request.px else None)
        assert row["stop_price"] == (
            quanta_decimal(request.stop_px, 2) if request is not None and request.stop_px else None
        )


def test_order_that_was_changed_has_its_last_terms() -> None:
    core = Core(profile(limits=Limits(allow_negative_cash=True, stops_at_venue=True)))
    core.hold(1, 100, plan=ExitPlan(stop_px=950, trail_distance=50))
    (stop,) = (order for order in core.live if order.rests)
    core.accept(stop)
    core.quote(1_040)
    core.report(stop, ExecType.REPLACED)
    series, _ = bars_for(traded_in(core.journal), {})
    tables = {table.name: table for table in tables_of(core.journal, performance(core.journal, series, by_day=False))}
    rows = {row["cl_ord_id"]: row for row in (_named(tables["orders"], row) for row in tables["orders"].rows)}
    assert rows[stop.request.cl_ord_id]["stop_price"] == quanta_decimal(
        990, core.state.book.instruments["X"].price_decimals
    )


@pytest.mark.parametrize("columns", [TRADES, ORDERS, FILLS, EQUITY])
def test_columns_have_names_of_their_own_and_say_what_they_mean(columns: tuple[Column, ...]) -> None:
    assert len({column.name for column in columns}) == len(columns)
    assert all(column.meaning for column in columns)
