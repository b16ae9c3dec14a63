"""Reports for tests: the demonstration's, and small ones."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.strategy import runs
from tests.strategy.runs import days

from surefill.demo.backtests import run_backtests
from surefill.demo.plan import SPECS
from surefill.journal import MemoryJournal
from surefill.market.dataset import load_demo_bars
from surefill.market.series import BarSeries
from surefill.strategy.backtest import Backtest
from surefill.views.report import Shown, report


def demo_report() -> str:
    """The report of the demonstration's runs, made in memory."""
    journal, series = MemoryJournal(), load_demo_bars()
    run_backtests(journal, series)
    return report("demonstration", journal, {spec.workspace_id: Shown(spec.name) for spec in SPECS}, series)


def small_journal(strategy_id: str = "dice") -> tuple[MemoryJournal, dict[str, BarSeries]]:
    """A month of two instruments."""
    journal = MemoryJournal()
    series = {symbol: runs.series_of(symbol, days(14, 7), 1, "1d") for symbol in ("A", "B")}
    writer = runs.opened(journal, sorted(series))
    spec = runs.spec_for(series, strategy_id=strategy_id)
    Backtest(writer, spec, series, runner=runs.dice_runner(at_close=False)).run()
    return journal, series


def small_report(title: str = "small", about: Mapping[str, str] | None = None, name: str = "Dice") -> str:
    """The report of a month of two instruments."""
    journal, series = small_journal()
    return report(title, journal, {runs.WORKSPACE: Shown(name, about or {})}, series)


def data_of(html: str) -> Any:
    """What is embedded in a report."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def unpacked(packed: Mapping[str, Any]) -> list[int]:
    """The integers of packed steps."""
    values = [packed["first"]][: packed["count"]]
    for step in packed["steps"]:
        values.append(values[-1] + step * packed["unit"])
    return values
