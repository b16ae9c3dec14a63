"""The command backtest: markets, strategies, costs, reports, journals."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import configured, on_a_full_disk, surefill

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--data", "synthetic", "--timeframe", "1m", "--set", "feed.bars=200")
CROSS = ("sma_cross", "-p", "fast=2", "-p", "slow=5", *QUICK)


def _result(*words: str | Path) -> Any:
    ran = surefill("backtest", *words, "--json")
    assert ran.code == 0, ran.err
    return ran.json()["results"][0]


def test_backtest_of_shipped_prices_needs_a_name_only() -> None:
    ran = surefill("backtest", "ema_cross", "--symbols", "IBM, MSFT")
    assert ran.code == 0
    assert "IBM" in ran.out
    assert "10,000.00 USD became" in ran.out
    assert "filled at the next open" in ran.err


def test_backtest_trades_as_trade_does(tmp_path: Path) -> None:
    file = configured(tmp_path)
    tested = _result("-c", file)
    traded = surefill("trade", "-c", file, "--json", "--no-artefacts").json()["status"]
    assert tested["total"]["trades"] > 5
    realised = sum(Decimal(line["net"]) + Decimal(line["fees"]) for line in tested["symbols"].values())
    assert Decimal(traded["realised"]) == realised
    assert tested["total"]["fees_paid"] == traded["fees"]


def test_backtest_leaves_no_journal_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _result(*CROSS)
    assert list(tmp_path.iterdir()) == []
    _result(*CROSS, "--journal", "kept")
    assert surefill("replay", "--journal", "kept", "--json").json()["proved"]
    assert surefill("status", "--journal", "kept", "--json").json()["mode"] == "backtest"


def test_backtest_into_its_own_journal_again_adds_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first, again = (_result(*CROSS, "--journal", kept) for _ in range(2))
    assert first == again


def test_backtest_with_other_settings_into_that_journal_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    _result(*CROSS, "--journal", kept)
    ran = surefill("backtest", *CROSS, "--slippage-bps", "7", "--journal", kept)
    assert (ran.code, "with other settings" in ran.err) == (3, True)


def test_costs_make_it_worse_by_what_they_are() -> None:
    free = _result(*CROSS)
    costly = _result(*CROSS, "--fee-bps", "10", "--slippage-bps", "5", "--spread-bps", "4")
    assert Decimal(free["total"]["fees_paid"]) == 0
    assert Decimal(costly["total"]["fees_paid"]) > 0
    assert Decimal(costly["equity"]["end"]) < Decimal(free["equity"]["end"])


def test_fill_at_close_is_another_run_than_at_the_next_open() -> None:
    opens, closes = _result(*CROSS), _result(*CROSS, "--fill-at", "close")
    assert opens["equity"]["end"] != closes["equity"]["end"]


def test_report_is_one_page(tmp_path: Path) -> None:
    ran = surefill("backtest", *CROSS, "--report", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert ran.code == 0
    assert page.startswith("<!doctype html>")
    assert "sma_cross" in page


def test_strategy_from_a_file_is_run() -> None:
    path = f"{ROOT / 'examples' / 'my_strategy.py'}:BuyTheDip"
    found = _result(path, "--symbols", "AAPL", "-p", "drop_pct=15.0", "--exit", "none")
    assert (found["strategy"], found["total"]["trades"] > 5) == ("buy_the_dip", True)


def test_exit_options_make_a_guarded_plan() -> None:
    found = _result(*CROSS, "--stop-loss-pct", "0.2", "--time-stop-bars", "3")
    assert {"stop_loss", "time_stop"} & set(found["exits"])


def test_configured_strategies_have_a_workspace_each(tmp_path: Path) -> None:
    text = """
feed: {source: synthetic, timeframe: 1m, bars: 100}
strategies:
  - {entry: {type: ema_cross}, risk: {dollars_per_trade: 1000}}
  - {name: quick, entry: {type: sma_cross, params: {fast: 2, slow: 4}}, risk: {dollars_per_trade: 1000}}
"""
    results = surefill("backtest", "-c", configured(tmp_path, text), "--json").json()["results"]
    assert [each["workspace"] for each in results] == ["main-ema_cross", "main-quick"]


def test_csv_file_and_folder_are_markets(tmp_path: Path) -> None:
    rows = [f"2024-01-{day:02},{10 + day % 5},{11 + day % 5},{9 + day % 5},{10.5 + day % 5},1" for day in range(1, 29)]
    (tmp_path / "XYZ.csv").write_text("ts,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    words = ("sma_cross", "-p", "fast=1", "-p", "slow=2")
    one, folder = _result(*words, "--data", tmp_path / "XYZ.csv"), _result(*words, "--data", tmp_path)
    assert one == folder
    assert list(one["symbols"]) == ["XYZ"]


def test_list_shows_strategies_and_their_parameters() -> None:
    told = surefill("backtest", "--list", "--json").json()
    assert {"name", "default", "minimum", "maximum", "meaning", "sweepable"} == set(told["ema_cross"][0])
    assert "breakout_52w_high" in surefill("backtest", "--list").out


FAILURES = [
    (["magic"], 4, "'magic' is not known"),
    (["ema_cross", "-p", "fast=high"], 4, "entry.params.fast must be a whole number"),
    (["ema_cross", "-p", "fast"], 2, "must be NAME=VALUE"),
    (["ema_cross", "--exit", "later"], 3, "strategies.0.exit.type is 'later'"),
    (["ema_cross", "--symbols", "TSLA"], 3, "feed.symbols"),
    (["ema_cross", "--data", "nowhere.csv"], 4, "nowhere.csv"),
    (["ema_cross", "--cash", "-1"], 3, "workspace.starting_equity"),
    (["ema_cross", "--fill-at", "yesterday"], 2, "next_open or close"),
    (["nowhere.py:Mine"], 4, "nowhere.py does not exist"),
    (["-p", "fast=3"], 2, "belong to a STRATEGY"),
    ([], 3, "no strategy is configured"),
]


@pytest.mark.parametrize(("words", "code", "told"), FAILURES)
def test_backtest_that_cannot_be_is_refused(tmp_path: Path, words: list[str], code: int, told: str) -> None:
    ran = surefill("backtest", *words, "-c", configured(tmp_path, ""))
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err


def test_strategy_that_raises_ends_the_run_with_its_moment(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    name = 'mine'\n\n    def evaluate(self, *seen):\n        raise ValueError('no')\n"
    )
    ran = surefill("backtest", f"{tmp_path / 'mine.py'}:Mine", *QUICK)
    assert (ran.code, "ValueError: no" in ran.err, "Traceback" in ran.err) == (4, True, False)


@pytest.mark.parametrize("there", ["", "an older report"])
def test_report_that_does_not_fit_on_the_disk_leaves_what_was_there(tmp_path: Path, there: str) -> None:
    file = tmp_path / "r.html"
    if there:
        file.write_text(there)
    ran = on_a_full_disk(tmp_path, "backtest", "ema_cross", "--symbols", "IBM", "--report", "r.html", bytes_max=10_000)
    assert (ran.code, "r.html cannot be written" in ran.err) == (4, True), ran.err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == ({"r.html": there} if there else {})


def test_report_may_go_into_a_pipe() -> None:
    ran = surefill("backtest", "ema_cross", "--symbols", "IBM", "--report", "/dev/null", "--json")
    assert (ran.code, Path("/dev/null").is_char_device()) == (0, True)
