"""How a sweep is asked for in words, and how its results are drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import typer

from surefill.cli.output import table

if TYPE_CHECKING:
    from surefill.sweep.result import RunResult
    from surefill.sweep.split import Split

_SPAN: Final = re.compile(r"([^:,]+):([^:,]+)(?::([^:,]+))?")
_FIGURES: Final = (
    ("return_pct", "return %", "{:.2f}"),
    ("max_drawdown_pct", "max dd %", "{:.2f}"),
    ("sharpe", "Sharpe", "{:.3f}"),
    ("trade_count", "trades", "{}"),
    ("win_rate", "won", "{:.0%}"),
    ("profit_factor", "profit factor", "{:.2f}"),
    ("daily_sharpe", "Sharpe p.a.", "{:.2f}"),
    ("daily_calmar", "Calmar", "{:.2f}"),
    ("exposure", "held", "{:.0%}"),
)


def axis_of(text: str, paths: Sequence[str]) -> tuple[str, object]:
    """`NAME=1,2,5` or `NAME=MIN:MAX[:STEP]`; a name without dots is the end of one of the paths."""
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise typer.BadParameter(f"--sweep {text!r} must be NAME=VALUES, such as --sweep fast=5,10,20 or fast=5:50:5")
    found = [path for path in paths if path.rpartition(".")[2] == name] if "." not in name else [name]
    path = found[0] if found else name
    span = _SPAN.fullmatch(values)
    if span is None:
        return path, [_value(part) for part in values.split(",")]
    low, high, step = span.groups()
    return path, {"min": _value(low), "max": _value(high)} | ({} if step is None else {"step": _value(step)})


def _value(text: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def sampling_of(
    sample: str | None, samples: int, search: str | None, trials: int, batch: int | None
) -> dict[str, object]:
    """How the values of a plan are chosen: all, samples of them, or by a search."""
    if search is None:
        if trials or batch is not None:
            raise typer.BadParameter("--trials and --batch belong to --search bayes")
        if sample == "bayes":
            raise typer.BadParameter("a search is asked for with --search bayes --trials N")
        return {"sampling": sample or "grid", "samples": samples}
    if search != "bayes":
        raise typer.BadParameter(f"--search {search!r} must be bayes")
    if sample is not None or samples:
        raise typer.BadParameter("--search and --sample exclude each other; a search takes --trials N")
    if trials < 1:
        raise typer.BadParameter("--search needs --trials N, such as --trials 100")
    return {"sampling": search, "samples": trials} | ({} if batch is None else {"batch": batch})


def split_of(train: float | None, walk_forward: str | None, *, anchored: bool) -> Split | None:
    """The split that --train or --walk-forward TRAIN:TEST asks for."""
    from surefill.sweep.split import TrainTest, WalkForward

    if walk_forward is None:
        if anchored:
            raise typer.BadParameter("--anchored belongs to --walk-forward")
        if train is not None and not 0 < train < 1:
            raise typer.BadParameter(f"--train {train} must be between 0 and 1")
        return None if train is None else TrainTest(train)
    if train is not None:
        raise typer.BadParameter("--train and --walk-forward exclude each other")
    found = re.fullmatch(r"(\d+):(\d+)", walk_forward)
    if found is None or int(found[1]) < 2 or int(found[2]) < 1:
        raise typer.BadParameter(f"--walk-forward {walk_forward!r} must be TRAIN:TEST in bars, such as 500:100")
    return WalkForward(int(found[1]), int(found[2]), anchored)


def told(result: RunResult, money_decimals: int) -> dict[str, Any]:
    """A run's results as one JSON document."""
    import msgspec

    from surefill.sweep.result_rows import result_rows, window_row

    plan = result.plan
    return {
        "run_plan_id": result.run_plan_id,
        "status": result.status,
        "objective": plan.objective,
        "variants": len(plan.variants),
        "refused": plan.refused,
        "beyond_max": plan.beyond_max,
        "completed": result.completed,
        "failed": result.failed,
        "best": result.best,
        "deflated_sharpe": result.deflated_sharpe,
        "windows": [window_row(window, money_decimals) for window in result.windows],
        "out_of_sample": msgspec.to_builtins(result.out_of_sample),
        "rows": result_rows(result, money_decimals),
    }


def draw(console: Any, found: dict[str, Any], paths: Sequence[str], top: int) -> None:
    """The best variants of the last segment that was chosen on, what failed, and how far to believe it."""
    segment = found["windows"][-1]["train"] if found["windows"] else ""
    rows = [row for row in found["rows"] if row["segment"] == segment and row["code"] is None]
    rows.sort(key=lambda row: (row["rank"] is None, row["rank"] or row["index"]))
    names = [path.rpartition(".")[2] for path in paths]
    columns = ("rank", "variant", *names, *(title for _, title, _ in _FIGURES), "path")
    cells = [
        (
            row["rank"] or "",
            row["variant_id"],
            *("base" if row[path] is None else row[path] for path in paths),
            *(_figure(row[key], form) for key, _, form in _FIGURES),
            row["path"],
        )
        for row in rows[:top]
    ]
    console.print(table(_title(found, segment, len(rows)), columns, cells, right=columns[:1] + columns[2:-1]))
    failed = [row for row in found["rows"] if row["code"] is not None]
    for row in failed[:top]:
        where = f"{row['variant_id']} {row['segment']}".rstrip()
        console.print(
            f"  failed: {where}: {row['code']}, {row['reason']}", highlight=False, soft_wrap=True, markup=False
        )
    if len(failed) > top:
        console.print(f"  … and {len(failed) - top} more that failed", highlight=False)
    if found["windows"]:
        console.print(_windows(found))
    for line in _remarks(found, segment):
        console.print(line, highlight=False, soft_wrap=True)


def _title(found: dict[str, Any], segment: str, count: int) -> str:
    where = f" over {segment}" if segment else ""
    return f"Run {found['run_plan_id']}: {count} variants{where}, by {found['objective']} ({found['status']})"


def _windows(found: dict[str, Any]) -> Any:
    """In-sample beside out-of-sample, and what the baseline made there."""
    shown = (
        ("in_sample", "in-sample"),
        ("out_of_sample", "out-of-sample"),
        ("baseline_out_of_sample", "baseline o-o-s"),
    )
    columns = ("test", "chosen", *(f"{words}: {what}" for what in ("return %", "Sharpe p.a.") for _, words in shown))
    rows = [
        (
            window["test"],
            window["chosen"],
            *(_figure(window[key] and window[key]["return_pct"], "{:.2f}") for key, _ in shown),
            *(_figure(window[key] and window[key]["daily_sharpe"], "{:.2f}") for key, _ in shown),
        )
        for window in found["windows"]
    ]
    return table("Chosen on the past, judged by what came next", columns, rows, right=columns[2:])


def _remarks(found: dict[str, Any], segment: str) -> list[str]:
    lines = []
    if found["out_of_sample"] is not None:
        together = found["out_of_sample"]
        lines.append(
            f"  out of sample, one test after the other: Sharpe {_figure(together['sharpe'], '{:.2f}')} per year,"
            f" growth {_figure(together['cagr'], '{:.1%}')} per year, largest fall {together['max_drawdown_pct']:.1f} %"
        )
    if found["best"]:
        luck = _figure(found["deflated_sharpe"], "{:.2f}")
        tried = sum(row["segment"] == segment for row in found["rows"])
        lines.append(
            f"  best: {found['best']}; deflated Sharpe ratio {luck} for {tried} variants"
            " (the probability that it is more than luck; 0.95 is called significant)"
        )
    if found["refused"]:
        lines.append(f"  {found['refused']} combinations were left out: the strategy refuses them")
    if found["beyond_max"]:
        lines.append(f"  {found['beyond_max']} combinations or more were cut off by --max-variants")
    conditions = [row for row in found["rows"] if row["code"] is None][:1]
    lines += [
        f"  per year: {row['daily_periods_per_year']} periods, riskless rate {row['daily_rf']:g},"
        f" deviations over n - {row['daily_ddof']}"
        for row in conditions
    ]
    return lines


def _figure(value: Any, form: str) -> str:
    return "-" if value is None else form.format(value)
