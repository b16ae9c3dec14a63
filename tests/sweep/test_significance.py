"""The deflated Sharpe ratio, against its paper."""

from __future__ import annotations

import math
import statistics

import pytest

from surefill.sweep.significance import deflated_sharpe, expected_best
from surefill.views.daily_figures import DailyFigures


def _daily(sharpe: float | None, days: int = 1250, skew: float = 0.0, kurtosis: float = 3.0) -> DailyFigures:
    return DailyFigures(days, 250, 0.0, 1, None, None, None, None, None, 0.0, 0, sharpe, skew, kurtosis)


def test_deflated_sharpe_is_that_of_the_papers_example() -> None:
    # Bailey and López de Prado 2014, "A numerical example": 100 trials whose annual ratios vary by 1/2, five years of
    # daily returns, an annual ratio of 2.5, skew -3, kurtosis 10: SR0 is 0.1132, and the deflated ratio 0.9004.
    half, deviation = 50, math.sqrt(0.5 / 250) * math.sqrt(99 / 100)
    sharpes = [deviation] * half + [-deviation] * half
    assert expected_best(sharpes) == pytest.approx(0.1132, abs=5e-5)
    chosen = _daily(2.5 / math.sqrt(250), skew=-3.0, kurtosis=10.0)
    assert deflated_sharpe(chosen, [_daily(each) for each in sharpes]) == pytest.approx(0.9004, abs=5e-5)


def test_deflated_sharpe_falls_with_the_number_of_trials() -> None:
    chosen = _daily(0.1)
    found = [deflated_sharpe(chosen, [_daily(0.02 * (-1) ** at) for at in range(trials)]) for trials in (2, 10, 100)]
    assert sorted(found, key=lambda each: -(each or 0)) == found
    alone = statistics.NormalDist().cdf(0.1 * math.sqrt(1249) / math.sqrt(1.005))
    assert deflated_sharpe(chosen, [chosen]) == pytest.approx(alone)


@pytest.mark.parametrize("chosen", [_daily(None), _daily(0.1, days=1), _daily(5.0, skew=9.0, kurtosis=1.0)])
def test_deflated_sharpe_of_what_has_none_is_none(chosen: DailyFigures) -> None:
    assert deflated_sharpe(chosen, [chosen]) is None
