"""Figures of trades and curves, each against the definition that the module's docstring gives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.units import ns_from_iso
from surefill.views.metrics import curve_figures, max_drawdown, monthly, trade_figures, turnover, underwater
from surefill.views.trades import Trade

DAY_NS = 86_400 * 10**9


def _trades(*nets: int, fee: int = 3) -> list[Trade]:
    return [Trade("A", "A", "s", "c", 1, 0, exit_ns=DAY_NS, realised=net + fee, fees=fee) for net in nets]


# nets; then wins, losses, net, win rate, profit factor, payoff, expectancy
FIGURES = [
    ((), (0, 0, 0, None, None, None, None)),
    ((10,), (1, 0, 10, 1.0, None, None, 10.0)),
    ((-10,), (0, 1, -10, 0.0, 0.0, None, -10.0)),
    ((0,), (0, 0, 0, 0.0, None, None, 0.0)),
    ((30, -10), (1, 1, 20, 0.5, 3.0, 3.0, 10.0)),
    ((30, -10, -20, 0), (1, 2, 0, 0.25, 1.0, 2.0, 0.0)),
    ((5, 7, 12, -6), (3, 1, 18, 0.75, 4.0, 8 / 6, 4.5)),
]


@pytest.mark.parametrize(("nets", "expected"), FIGURES)
def test_trade_figures_of_nets_are_as_defined(nets: tuple[int, ...], expected: tuple[float | None, ...]) -> None:
    found = trade_figures(_trades(*nets))
    assert (found.wins, found.losses, found.net) == expected[:3]
    assert (found.win_rate, found.profit_factor, found.payoff, found.expectancy) == pytest.approx(expected[3:])
    assert (found.trades, found.fees, found.held_ns) == (len(nets), 3 * len(nets), DAY_NS * len(nets))


def test_trade_figures_count_a_gain_that_fees_ate_as_a_loss() -> None:
    found = trade_figures([Trade("A", "A", "s", "c", 1, 0, exit_ns=1, realised=5, fees=6)])
    assert (found.wins, found.losses, found.best, found.worst) == (0, 1, -1, -1)


@pytest.mark.parametrize(
    ("nets", "winning", "losing"),
    [((), 0, 0), ((0,), 0, 0), ((5, 5, 0, 5, -1, -1, -1, 5), 2, 3), ((-1, 2, 2, 2), 3, 1)],
)
def test_streaks_are_the_most_in_a_row(nets: tuple[int, ...], winning: int, losing: int) -> None:
    found = trade_figures(_trades(*nets))
    assert (found.winning_streak, found.losing_streak) == (winning, losing)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((4_000, 2, 4_000, 2, 252), 252.0),  # twice the mean equity of 2,000 in two days of 252
        ((4_000, 8, 16_000, 2, 252), 252.0),  # the same, with four closes a day
        ((0, 2, 4_000, 2, 252), 0.0),
        ((4_000, 2, 0, 2, 252), None),
        ((4_000, 2, 4_000, 0, 252), None),
    ],
)
def test_turnover_row(arguments: tuple[int, int, int, int, int], expected: float | None) -> None:
    assert turnover(*arguments) == expected


# curve; then depth, where its peak is, where its trough is
DRAWDOWNS = [
    ([], (0, 0, 0)),
    ([5], (0, 0, 0)),
    ([5, 6, 7], (0, 0, 0)),
    ([5, 4], (1, 0, 1)),
    ([5, 9, 6, 8, 10, 9], (3, 1, 2)),
    ([5, 9, 6, 9, 6], (3, 1, 2)),
    ([5, 9, 6, 10, 6], (4, 3, 4)),
    ([-1, -5], (4, 0, 1)),
]


@pytest.mark.parametrize(("curve", "expected"), DRAWDOWNS)
def test_max_drawdown_is_the_deepest_fall_from_an_earlier_peak(
    curve: list[int], expected: tuple[int, int, int]
) -> None:
    assert max_drawdown(curve) == expected


@given(st.lists(st.integers(-1000, 1000), max_size=30))
def test_max_drawdown_is_the_largest_difference_of_any_two_points(curve: list[int]) -> None:
    pairs = [curve[a] - curve[b] for a in range(len(curve)) for b in range(a, len(curve))]
    assert max_drawdown(curve).depth == max(pairs, default=0)


def test_underwater_counts_the_beginning_as_a_peak() -> None:
    assert underwater(100, [90, 100, 120, 60]) == pytest.approx([0.1, 0, 0, 0.5])


def test_curve_figures_are_those_of_the_closes() -> None:
    found = curve_figures(100, [100, 110, 99, 104, 126])
    assert (found.start, found.end, found.max_drawdown) == (100, 126, 11)
    assert found.max_drawdown_pct == pytest.approx(10)
    assert curve_figures(100, []) == curve_figures(100, [100])


def test_monthly_changes_multiply_to_the_whole() -> None:
    days = ["2024-01-30", "2024-01-31", "2024-02-01", "2024-02-29", "2024-04-02", "2025-01-02"]
    equity = [90, 110, 120, 99, 99, 132]
    found = monthly(100, [ns_from_iso(day) for day in days], equity)
    assert [(year, month) for year, month, _ in found] == [(2024, 1), (2024, 2), (2024, 4), (2025, 1)]
    assert [change for *_, change in found] == pytest.approx([0.1, -0.1, 0, 1 / 3])
    assert math.prod(1 + change for *_, change in found) == pytest.approx(1.32)
