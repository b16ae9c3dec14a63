"""Daily figures, against slow definitions of their own."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.units import NS_PER_HOUR
from surefill.views.daily_figures import daily_equity, daily_figures, periods_per_year

MONEY = st.lists(st.integers(500, 1_500), min_size=3, max_size=60)


@given(MONEY, st.sampled_from([0.0, 0.05]))
def test_daily_figures_are_their_definitions(equity: list[int], rf: float) -> None:
    found = daily_figures(1_000, equity, 252, rf=rf)
    daily_rf = (1 + rf) ** (1 / 252) - 1
    returns = [after / before - 1 - daily_rf for before, after in pairwise([1_000, *equity])]
    mean, deviation = statistics.fmean(returns), statistics.stdev(returns)
    if deviation < 1e-9:
        return
    assert found.sharpe == pytest.approx(mean / deviation * math.sqrt(252), rel=1e-6, abs=1e-9)
    assert found.volatility == pytest.approx(deviation * math.sqrt(252))
    downside = math.sqrt(sum(min(change, 0) ** 2 for change in returns) / len(returns))
    assert found.sortino == (pytest.approx(mean / downside * math.sqrt(252)) if downside else None)
    assert found.cagr == pytest.approx((equity[-1] / 1_000) ** (252 / len(equity)) - 1)
    highs = [max([1_000, *equity[: at + 1]]) for at in range(len(equity))]
    falls = [1 - value / high for value, high in zip(equity, highs, strict=True)]
    assert found.max_drawdown_pct == pytest.approx(100 * max(falls))
    below = "".join("x" if fall > 0 else " " for fall in falls)
    assert found.drawdown_days == max(map(len, below.split()), default=0)
    spread = statistics.pstdev(returns)
    moments = [sum((each - mean) ** power for each in returns) / len(returns) / spread**power for power in (3, 4)]
    assert (found.skew, found.kurtosis) == pytest.approx(tuple(moments))
    assert (found.periods_per_year, found.rf, found.ddof, found.days) == (252, rf, 1, len(equity))


@pytest.mark.parametrize("equity", [[], [1_000], [1_000, 1_000, 1_000]])
def test_daily_figures_without_movement_are_none_not_numbers(equity: list[int]) -> None:
    found = daily_figures(1_000, equity, 252)
    assert (found.sharpe, found.sortino, found.calmar, found.volatility, found.skew) == (None,) * 5
    assert (found.max_drawdown_pct, found.drawdown_days) == (0.0, 0)


def test_daily_figures_of_a_ruined_account_have_no_growth() -> None:
    found = daily_figures(1_000, [500, -10, -20], 252)
    assert (found.cagr, found.calmar) == (None, None)
    assert found.max_drawdown_pct == pytest.approx(102.0)


def test_daily_equity_is_the_last_of_each_day_and_midnight_ends_one() -> None:
    hours = [20, 22, 24, 25, 48, 49]
    times, equity = daily_equity([hour * NS_PER_HOUR for hour in hours], list(range(6)))
    assert (times, equity) == ([24 * NS_PER_HOUR, 48 * NS_PER_HOUR, 49 * NS_PER_HOUR], [2, 4, 5])


@pytest.mark.parametrize(
    ("calendars", "timeframe", "periods"),
    [
        (["us_equities"], "1d", 252),
        (["nse"], "5m", 252),
        (["24x7"], "1m", 365),
        (["forex"], "1h", 260),
        (["us_equities", "24x7"], "1d", 365),
        (["24x7"], "1w", 52),
        ([], "1d", 252),
    ],
)
def test_periods_per_year_are_those_of_the_calendar(calendars: list[str], timeframe: str, periods: int) -> None:
    assert periods_per_year(calendars, timeframe) == periods
