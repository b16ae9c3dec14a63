"""What is best, and who of equals goes first."""

from __future__ import annotations

from typing import Any

import pytest

from surefill.errors import InputError
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.objectives import OBJECTIVES, objective_named, ranked, score
from surefill.views.daily_figures import DailyFigures


def _found(**figures: Any) -> VariantMetrics:
    calmar = figures.pop("calmar", None)
    told = {"return_pct": 0.0, "max_drawdown_pct": 0.0, "sharpe": None, **figures}
    daily = DailyFigures(0, 252, 0.0, 1, None, None, None, calmar, None, 0.0, 0, None, None, None)
    return VariantMetrics(
        **told,
        win_rate=0.0,
        trade_count=0,
        profit_factor=None,
        starting_equity=0,
        ending_equity=0,
        fees=0,
        expectancy=None,
        exposure=0.0,
        turnover=None,
        winning_streak=0,
        losing_streak=0,
        mae_pct=None,
        mfe_pct=None,
        daily=daily,
    )


@pytest.mark.parametrize(
    ("objective", "value"),
    [
        ("sharpe", 1.5),
        ("sharpe_dd_penalty", 1.5 - 0.5 * 0.2),
        ("return", 30.0),
        ("return_dd_penalty", 30.0 - 0.5 * 20.0),
        ("calmar", 3.0),
    ],
)
def test_objective_scores_what_it_says(objective: Any, value: float) -> None:
    found = _found(sharpe=1.5, return_pct=30.0, max_drawdown_pct=20.0, calmar=3.0)
    assert objective in OBJECTIVES
    assert score(objective, found) == pytest.approx(value)


def test_ranking_breaks_ties_by_return_then_drawdown_then_id() -> None:
    items = {
        "best": _found(sharpe=2.0),
        "richer": _found(sharpe=1.0, return_pct=9.0, max_drawdown_pct=9.0),
        "calmer": _found(sharpe=1.0, return_pct=5.0, max_drawdown_pct=1.0),
        "a": _found(sharpe=1.0, return_pct=5.0, max_drawdown_pct=2.0),
        "b": _found(sharpe=1.0, return_pct=5.0, max_drawdown_pct=2.0),
        "worst": _found(sharpe=-9.0),
        "none, rich": _found(return_pct=99.0),
        "none": _found(),
        "failed": None,
    }
    assert ranked("sharpe", reversed(items), lambda name: (name, items[name])) == list(items)


def test_objective_that_is_not_known_is_refused() -> None:
    assert objective_named("calmar") == "calmar"
    with pytest.raises(InputError, match="not known"):
        objective_named("luck")
