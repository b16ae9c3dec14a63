"""The command report: pages of journals and of runs, tables as files, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from tests.cli.running import cut_off, on_a_full_disk, surefill, tampered, traded
from tests.sweep.sweeps import MISCHIEF
from tests.views.reports import data_of

BARS = (
    "--data",
    "synthetic",
    "--timeframe",
    "1h",
    "--set",
    "feed.bars=120",
    "--set",
    "instruments.default.calendar=24x7",
)
CROSS = ("sma_cross", "-p", "slow=6", "-p", "fast=2", *BARS)
TABLES = ("trades", "orders", "fills", "equity")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _report(*words: str | Path) -> Any:
    ran = surefill("report", *words, "--json")
    assert ran.code == 0, ran.err
    return ran.json()


def _backtest(*words: str | Path) -> Any:
    ran = surefill("backtest", *CROSS, "--json", *words)
    assert ran.code == 0, ran.err
    return ran.json()


def _run_plan(*words: str) -> str:
    ran = surefill("sweep", "run", *CROSS, "-S", "fast=2,3", "-S", "slow=5:9:2", "--workers", "0", "--json", *words)
    assert ran.code == 0, ran.err
    return str(ran.json()["run_plan_id"])


def test_report_of_a_backtests_journal_says_what_the_backtest_said() -> None:
    told = _backtest("--journal", "kept")["results"][0]
    found = _report(*BARS, "--journal", "kept")
    (result,) = found["results"]
    assert {key: value for key, value in told.items() if key != "strategy"} == {
        key: value for key, value in result.items() if key != "remark"
    }
    assert (found["report"], found["files"], result["remark"]) == ("report.html", [], "")
    page = Path("report.html").read_text()
    assert found["bytes"] == len(page.encode())
    (run,) = data_of(page)["runs"]
    assert run["seal"]["ok"] is True
    assert ["mode", "backtest"] in run["about"]


def test_report_shows_where_it_is_and_what_came_of_it() -> None:
    _backtest("--journal", "kept")
    ran = surefill("report", *BARS, "-j", "kept", "-o", "deep/page.html")
    assert ran.code == 0
    assert "deep/page.html" in ran.out
    assert "trades, 10000 became" in ran.out
    assert Path("deep/page.html").is_file()


def test_report_of_a_traded_workspace_needs_no_more_than_its_configuration(tmp_path: Path) -> None:
    file = traded(tmp_path)
    (result,) = _report("-c", file)["results"]
    assert result["total"]["trades"] > 5
    assert result["daily"]["days"] > 0
    status = surefill("status", "-c", file, "--json").json()
    assert result["total"]["fees_paid"] == status["fees"]


def test_report_without_bars_says_so_and_leaves_daily_figures_out(tmp_path: Path) -> None:
    file = traded(tmp_path)
    whole = _report("-c", file)["results"][0]
    found = _report("-c", file, "--data", "demo", "--symbols", "IBM")["results"][0]
    assert "There were no bars of A, B" in found["remark"]
    assert found["daily"]["sharpe"] is None
    assert (found["turnover"], found["total"]["exposure"]) == (None, None)
    assert found["total"]["net"] == whole["total"]["net"]
    assert found["remark"] == data_of(Path("report.html").read_text())["runs"][0]["remark"]


def test_bars_of_another_market_are_refused(tmp_path: Path) -> None:
    file = traded(tmp_path)
    rows = [f"2024-01-{day:02},10,11,9,10.5,1" for day in range(1, 29)]
    (tmp_path / "A.csv").write_text("ts,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    ran = surefill("report", "-c", file, "--data", "A.csv", "--timeframe", "1d", "--set", "feed.symbols=[A]", "--json")
    assert ran.code == 4
    assert json.loads(ran.err.splitlines()[-1])["error"]["code"] == "BARS_DO_NOT_FIT"
    assert not Path("report.html").exists()


def test_strategies_of_one_backtest_are_one_page(tmp_path: Path) -> None:
    text = """
feed: {source: synthetic, timeframe: 1m, bars: 100}
strategies:
  - {entry: {type: ema_cross, params: {fast: 3, slow: 8}}, risk: {dollars_per_trade: 1000}}
  - {name: quick, entry: {type: sma_cross, params: {fast: 2, slow: 4}}, risk: {dollars_per_trade: 1000}}
"""
    (tmp_path / "surefill.yaml").write_text(text)
    assert surefill("backtest", "--journal", "kept", "--export", "first", "--json").code == 0
    found = _report("-j", "kept", "-o", "page.html", "--export", "second")
    names = [each["workspace"] for each in found["results"]]
    assert names == ["main-ema_cross", "main-quick"]
    assert [run["name"] for run in data_of(Path("page.html").read_text())["runs"]] == names
    for name in names:
        for table in TABLES:
            assert Path(f"first/{name}/{table}.csv").read_bytes() == Path(f"second/{name}/{table}.csv").read_bytes()
    assert [each["workspace"] for each in _report("-j", "kept", "-w", "main-quick")["results"]] == ["main-quick"]
    ran = surefill("report", "-j", "kept", "-w", "other")
    assert (ran.code, "name one with --workspace" in ran.err) == (4, True)
    ran = surefill("report", "-j", "kept", "--data", "demo")
    assert (ran.code, "name one workspace with --workspace" in ran.err) == (4, True)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_export_writes_the_tables_alone(form: str) -> None:
    told = _backtest("--journal", "kept", "--export", "first", "--format", form)
    assert told["files"] == [f"first/{name}.{form}" for name in TABLES]
    found = _report(*BARS, "-j", "kept", "--export", "second", "--format", form)
    assert (found["report"], found["files"]) == (None, [f"second/{name}.{form}" for name in TABLES])
    assert not Path("report.html").exists()
    for name in TABLES:
        assert Path(f"first/{name}.{form}").read_bytes() == Path(f"second/{name}.{form}").read_bytes()
    if form == "csv":
        with Path("first/trades.csv").open() as lines:
            count = len(list(csv.DictReader(lines)))
    else:
        count = pyarrow.parquet.read_table("first/trades.parquet").num_rows
    assert count >= told["results"][0]["total"]["trades"] > 0


def test_journal_that_does_not_verify_makes_no_page(tmp_path: Path) -> None:
    file = traded(tmp_path)
    cut_off(tmp_path)
    ran = surefill("report", "-c", file, "--export", "out")
    assert ran.code == 7
    tampered(tmp_path, 5)
    ran = surefill("report", "-c", file)
    assert ran.code == 7
    assert not Path("report.html").exists()
    assert not Path("out").exists()


def test_disk_that_is_full_leaves_the_page_that_was_there(tmp_path: Path) -> None:
    _backtest("--journal", "kept")
    Path("report.html").write_text("older")
    ran = on_a_full_disk(tmp_path, "report", *BARS, "-j", "kept", bytes_max=50_000)  # room for what reading takes
    assert (ran.code, "report.html cannot be written" in ran.err) == (4, True)
    assert Path("report.html").read_text() == "older"


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("--format", "xlsx"), 2, "--format 'xlsx' must be csv or parquet"),
        (("--run", "abc", "--export", "out"), 2, "surefill sweep export"),
        (("--run", "abc", "--data", "demo"), 2, "--run has its bars and settings from its own beginning"),
        (("--run", "abc"), 5, "there is no journal at sweeps.journal"),
        ((), 5, "there is no journal at"),
    ],
)
def test_wrong_command_lines_are_refused(words: tuple[str, ...], code: int, what: str) -> None:
    ran = surefill("report", *words)
    assert (ran.code, what in ran.err) == (code, True), ran.err


def test_report_of_a_run_is_a_page_of_its_variants() -> None:
    run = _run_plan("--train", "0.6")
    found = _report("--run", run[:6], "-o", "run.html")
    assert (found["run_plan_id"], found["report"], found["differs"]) == (run, "run.html", [])
    assert found["best_row"]["variant_id"] == found["best"]
    assert len(found["windows"]) == 1
    page = data_of(Path("run.html").read_text())
    assert len(page["plan"]["variants"]["ids"]) == found["variants"] == 7
    assert [each["name"] for each in page["runs"]] == ["Best variant, train", "Best variant, test"]
    shown = surefill("report", "--run", run, "-o", "run.html")
    assert (shown.code, "run.html" in shown.out) == (0, True)


def test_report_of_a_run_whose_bars_are_gone_has_no_curves_and_says_so(tmp_path: Path) -> None:
    rows = [f"2024-01-{day:02},{10 + day % 5},{11 + day % 5},{9 + day % 5},{10.5 + day % 5},1" for day in range(1, 29)]
    bars = tmp_path / "XYZ.csv"
    bars.write_text("ts,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    words = ("sma_cross", "-p", "fast=1", "-p", "slow=4", "--data", bars, "-S", "slow=2,3", "--workers", "0", "--json")
    run = surefill("sweep", "run", *words).json()["run_plan_id"]
    assert _report("--run", run)["without_curves"] is None
    bars.write_text(bars.read_text().replace("2024-01-28,13", "2024-01-28,12"))
    ran = surefill("report", "--run", run, "--json")
    assert ran.code == 0
    assert "with other bars" in ran.json()["without_curves"]
    assert "without curves and trades" in ran.err
    bars.unlink()
    assert "XYZ.csv" in _report("--run", run)["without_curves"]
    assert len(data_of(Path("report.html").read_text())["plan"]["variants"]["ids"]) == 3


def test_report_of_a_run_that_comes_out_otherwise_exits_with_7(tmp_path: Path) -> None:
    file = tmp_path / "mischief.py"
    file.write_text(MISCHIEF)
    words = (f"{file}:Mischief", *BARS, "--workers", "0", "-S", "n=2,3", "--no-ablations", "--json")
    run = surefill("sweep", "run", *words).json()["run_plan_id"]
    for n in (1, 2, 3):
        (tmp_path / f"raise-{n}").touch()  # what it does does not follow from its file alone
    ran = surefill("report", "--run", run, "--json")
    assert ran.code == 7
    assert len(ran.json()["differs"]) == 3
    assert "came out otherwise than recorded" in ran.err
    assert Path("report.html").is_file()
