"""The contract's figures and the standard set, each by hand or by a slow definition of its own."""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from surefill.domain.market import Bar
from surefill.market.series import BarSeries
from surefill.sweep.metrics import Booked, VariantMetrics, metrics_of
from surefill.units import NS_PER_DAY
from surefill.views.daily_figures import daily_equity
from surefill.views.excursions import excursion
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
