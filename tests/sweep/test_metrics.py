"""The contract's figures and the standard set, each by hand or by a slow definition of its own."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.series import BarSeries
from surefill.sweep.metrics import Booked, VariantMetrics, metrics_of
from surefill.sweep.objectives import OBJECTIVES, objective_named, ranked, score
from surefill.sweep.significance import deflated_sharpe, expected_best
from surefill.units import NS_PER_DAY, NS_PER_HOUR
from surefill.views.daily_figures import DailyFigures, daily_equity, daily_figures, periods_per_year
from surefill.views.excursions import Excursion, excursion
from surefill.views.trades import Trade

DAYS = 10
SERIES = {
    "X": BarSeries.from_bars(
        [
            Bar("X", at * NS_PER_DAY, (at + 1) * NS_PER_DAY, 100, 110 + at, 90 - at, 100, 1, True)
            for at in range(1, DAYS + 1)
        ],
        instrument_id="X",
        timeframe="1d",
        price_decimals=0,
    )
}


def _trade(entry_day: float, exit_day: float, made: int, fees: int = 0, side: int = 1) -> Trade:
    """Ten units in at 100, out at 100; what was realised is given."""
    times = int(entry_day * NS_PER_DAY), int(exit_day * NS_PER_DAY)
    return Trade("X", "X", "s", "c", side, *times, 10, 1_000, 10, 1_000, made, fees, 2, "signal")


def _metrics(
    trades: list[Trade], equity: list[int], running: tuple[Trade, ...] = (), start: int = 1_000
) -> VariantMetrics:
    times = [(at + 2) * NS_PER_DAY for at in range(len(equity))]
    went = [excursion(trade, SERIES[trade.instrument_id]) for trade in trades]
    fees = sum(trade.fees for trade in trades)
    booked = Booked(start, times, sum(equity), daily_equity(times, equity), trades, running, went, fees, {"X": 2})
    return metrics_of(booked, 252)


def test_contract_metrics_by_hand() -> None:
    # 1000 -> 1100 -> 990 -> 1050: returns 10 %, -10 %, 6.06 %, then 150 that is still open.
    found = _metrics([_trade(1, 2, 110, 10), _trade(3, 4, -110), _trade(5, 6, 60)], [1_100, 990, 1_200])
    assert found.return_pct == pytest.approx(20.0)
    assert found.max_drawdown_pct == pytest.approx(10.0)
    returns = [0.1, -0.1, 60 / 990]
    assert found.sharpe == pytest.approx(statistics.fmean(returns) / statistics.pstdev(returns))
    assert found.trade_count == 3
    assert found.win_rate == pytest.approx(2 / 3)
    assert found.profit_factor == pytest.approx(160 / 110)
    assert (found.starting_equity, found.ending_equity, found.fees) == (1_000, 1_200, 10)
    assert found.expectancy == pytest.approx(50 / 3)


@pytest.mark.parametrize(
    ("nets", "expected"),
    [
        ([], (None, 0.0, 0, None, 0.0)),
        ([50], (None, 1.0, 1, None, 0.0)),
        ([0, 0], (None, 0.0, 2, None, 0.0)),  # no deviation
        ([-100], (None, 0.0, 1, 0.0, 10.0)),
    ],
)
def test_contract_metrics_that_have_no_value_are_none_or_zero(nets: list[int], expected: tuple[Any, ...]) -> None:
    found = _metrics([_trade(at + 1, at + 2, made) for at, made in enumerate(nets)], [1_000])
    told = (found.sharpe, found.win_rate, found.trade_count, found.profit_factor)
    assert (*told, pytest.approx(found.max_drawdown_pct)) == expected


def test_metrics_of_a_run_without_bars_are_empty() -> None:
    found = _metrics([], [])
    assert (found.return_pct, found.exposure, found.turnover, found.daily.days) == (0.0, 0.0, None, 0)


def test_streaks_count_wins_and_losses_in_a_row() -> None:
    nets = [5, 5, 0, 5, -1, -1, -1, 5]
    found = _metrics([_trade(at, at + 1, made) for at, made in enumerate(nets)], [1_000])
    assert (found.winning_streak, found.losing_streak) == (2, 3)


@pytest.mark.parametrize(
    ("spans", "running", "held"),
    [
        ([], [], 0),
        ([(2, 4)], [], 2),  # in at the close of day 2, out at that of day 4: held at 2 and 3
        ([(1.5, 2.5)], [], 1),
        ([(2, 4), (3, 5)], [], 3),
        ([(2, 3), (3, 4)], [], 2),
        ([(2, 9), (3, 4)], [], 4),
        ([], [4], 2),
        ([(2, 3)], [2], 4),
    ],
)
def test_exposure_is_the_share_of_closes_with_a_position(
    spans: list[tuple[float, float]], running: list[float], held: int
) -> None:
    trades = [_trade(*span, 0) for span in spans]
    found = _metrics(trades, [1_000] * 4, tuple(_trade(entry, 0, 0) for entry in running))
    assert found.exposure == held / 4


def test_turnover_is_traded_value_over_average_equity_per_year() -> None:
    found = _metrics([_trade(1, 2, 0)], [1_000, 3_000])
    assert found.turnover == pytest.approx(2_000 * 2 / 2_000 * 252 / 2)


@pytest.mark.parametrize(
    ("entry_day", "exit_day", "side", "expected"),
    [
        (2, 4, 1, (0.13, 0.13)),  # bars that open on days 2 and 3
        (2, 3, 1, (0.12, 0.12)),
        (2.5, 3, 1, (0.12, 0.12)),  # entered within the bar of day 2
        (2, 2, 1, (0.0, 0.0)),
        (2, 3.5, -1, (0.13, 0.13)),
    ],
)
def test_excursion_row(entry_day: float, exit_day: float, side: int, expected: tuple[float, float]) -> None:
    adverse, favourable = expected
    assert excursion(_trade(entry_day, exit_day, 0, side=side), SERIES["X"]) == pytest.approx((adverse, favourable))


def test_excursion_of_a_short_is_that_of_a_long_turned_round() -> None:
    bars = [Bar("X", 0, NS_PER_DAY, 100, 104, 97, 100, 1, True)]
    series = BarSeries.from_bars(bars, instrument_id="X", timeframe="1d", price_decimals=0)
    assert excursion(_trade(0, 1, 0), series) == pytest.approx(Excursion(0.03, 0.04))
    assert excursion(_trade(0, 1, 0, side=-1), series) == pytest.approx(Excursion(0.04, 0.03))


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
