"""The tables of the page on strategies are those of the registry."""

from __future__ import annotations

from tests.docs.pages import ROOT

from surefill.strategy import StrategyRegistry
from surefill.strategy.registry import BUILT_IN

PAGE = (ROOT / "docs" / "strategies.md").read_text()


def rows(columns: int) -> list[list[str]]:
    """The rows of the page's tables with that many columns whose first cell is a name."""
    cells = [[cell.strip(" `") for cell in line[2:-2].split(" | ")] for line in PAGE.splitlines() if line[:3] == "| `"]
    return [row for row in cells if len(row) == columns]


def test_page_tells_every_parameter_of_the_built_in_strategies() -> None:
    registry = StrategyRegistry()
    declared = [
        [strategy.name, it.name, *map(str, (it.default, it.minimum, it.maximum)), it.meaning]
        for strategy in BUILT_IN
        for it in registry.parameters(strategy.name) or ()
    ]

    assert rows(6) == declared


def test_page_tells_every_built_in_strategy_and_its_default_exit() -> None:
    assert [(row[0], row[-1]) for row in rows(4)] == [
        (strategy.name, getattr(strategy, "default_exit", "none")) for strategy in BUILT_IN
    ]
