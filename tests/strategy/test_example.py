"""The example of a strategy of one's own, as its reader would use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.strategy.books import Book, Held, daily, spec_of

from surefill.strategy import StrategyRegistry, StrategyRunner

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "my_strategy.py"


def test_example_runs_by_itself() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "2000-03-30 OPEN_LONG 159 AAPL: 31.4375 is more than 15.0 % below 37.595"
    assert [line.split()[1] for line in lines[:4]] == ["OPEN_LONG", "CLOSE_LONG", "OPEN_LONG", "CLOSE_LONG"]


def test_example_runs_by_its_path() -> None:
    registry = StrategyRegistry()
    assert registry.load(f"{EXAMPLE}:BuyTheDip") == "buy_the_dip"
    runner = StrategyRunner(registry)
    spec = spec_of({"type": "buy_the_dip", "params": {"bars": 2}})
    bought = runner.evaluate(spec, daily([100, 100, 94]), Book())
    assert [intent.action.value for intent in bought.intents] == ["OPEN_LONG"]
    sold = runner.evaluate(spec, daily([100, 94, 95]), Book(positions={"AAPL": Held(10, 94.0)}))
    assert [intent.action.value for intent in sold.intents] == ["CLOSE_LONG"]
