"""Results as flat rows: what tables, JSON, CSV and Parquet have in common. Money is text in units."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from surefill.sweep.events import VariantCompleted, VariantFailed
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.result import RunResult, VariantResult, WindowResult
from surefill.units import quanta_text
from surefill.views.daily_figures import DailyFigures
from surefill.views.table_files import pyarrow

MONEY: Final = ("starting_equity", "ending_equity", "fees")
Row = dict[str, Any]


def result_rows(result: RunResult, money_decimals: int) -> list[Row]:
    """A row for each variant and segment; all rows have the same columns, a swept path is one of them."""
    paths = list(result.plan.constraints.sweep)
    return [_row(result, each, paths, money_decimals) for each in result.rows]


def metrics_row(found: VariantMetrics, money_decimals: int) -> Row:
    """The figures in one level: those of `daily` begin with daily_."""
    row: Row = msgspec.to_builtins(found)
    daily = row.pop("daily")
    for name in MONEY:
        row[name] = quanta_text(row[name], money_decimals)
    if row["expectancy"] is not None:
        row["expectancy"] /= 10**money_decimals
    return row | {f"daily_{name}": value for name, value in daily.items()}


def window_row(window: WindowResult, money_decimals: int) -> Row:
    """What was chosen, and how it did before and after."""
    found = {
        "in_sample": window.in_sample,
        "out_of_sample": window.out_of_sample,
        "baseline_out_of_sample": window.baseline_out_of_sample,
    }
    return {
        "train": window.window.train.name,
        "test": window.window.test.name,
        "from_ns": window.window.test.from_ns,
        "chosen": window.chosen,
        **{name: None if each is None else metrics_row(each, money_decimals) for name, each in found.items()},
    }


def as_csv(rows: Sequence[Row]) -> bytes:
    """Rows as CSV; what is missing is empty."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue().encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    """Rows as Parquet; money is text. Raises ConfigError (MISSING_EXTRA) without pyarrow."""
    arrow = pyarrow()
    names = list(rows[0]) if rows else []
    table = arrow.table({name: arrow.array(_one_kind([row[name] for row in rows])) for name in names})
    sink = arrow.BufferOutputStream()
    arrow.parquet.write_table(table, sink)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _one_kind(values: list[Any]) -> list[Any]:
    """A column of one kind: numbers, or else text."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 and not kinds <= {int, float}:
        return [None if value is None else str(value) for value in values]
    return [float(value) if kinds == {int, float} and value is not None else value for value in values]


def _row(result: RunResult, each: VariantResult, paths: Sequence[str], money_decimals: int) -> Row:
    outcome = each.outcome
    found: Mapping[str, Any] = dict.fromkeys(_columns())
    if isinstance(outcome, VariantCompleted):
        found = metrics_row(outcome.metrics, money_decimals)
    failed = outcome if isinstance(outcome, VariantFailed) else None
    return {
        "run_plan_id": result.run_plan_id,
        "index": each.variant.index,
        "variant_id": each.variant.variant_id,
        "kind": each.variant.kind,
        "segment": each.segment,
        "rank": each.rank,
        **{path: each.variant.overrides.get(path) for path in paths},
        **found,
        "path": outcome.path if isinstance(outcome, VariantCompleted) else None,
        "why_not": outcome.why_not if isinstance(outcome, VariantCompleted) else None,
        "events": outcome.events if isinstance(outcome, VariantCompleted) else None,
        "head": outcome.head if isinstance(outcome, VariantCompleted) else None,
        "code": failed.code if failed is not None else None,
        "reason": failed.reason if failed is not None else None,
    }


def _columns() -> list[str]:
    names = [name for name in VariantMetrics.__struct_fields__ if name != "daily"]
    return names + [f"daily_{name}" for name in DailyFigures.__struct_fields__]
