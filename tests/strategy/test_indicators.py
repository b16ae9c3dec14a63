from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.strategy.indicators import ema, ema_step, ema_weight, highest, lowest, rsi, rsi_of, wilder_step

PRICES = st.lists(st.integers(1, 10**7).map(lambda n: n / 100), min_size=1, max_size=80)


@given(PRICES, st.integers(1, 60))
def test_ema_is_its_definition_within_rounding(values: list[float], period: int) -> None:
    weight = Fraction(2, period + 1)
    expected = Fraction(values[0])
    for value, average in zip(values, ema(values, period), strict=True):
        expected = weight * Fraction(value) + (1 - weight) * expected
        assert average == pytest.approx(float(expected), abs=1e-12 * max(values))


@given(PRICES, st.integers(1, 60))
def test_ema_column_is_its_step_repeated(values: list[float], period: int) -> None:
    current = values[0]
    stepped = [current := ema_step(current, value, ema_weight(period)) for value in values]
    assert ema(values, period).tolist() == stepped


@given(PRICES, st.integers(1, 60))
def test_columns_cut_at_a_bar_are_what_was_known_there(values: list[float], period: int) -> None:
    for column in (ema, rsi):
        whole = column(values, period).tolist()
        for count in range(len(values) + 1):
            assert column(values[:count], period).tolist() == whole[:count]


@pytest.mark.parametrize(
    ("values", "period", "expected"),
    [
        ([10.0, 20.0, 20.0], 3, [10.0, 15.0, 17.5]),
        ([5.0], 20, [5.0]),
        ([], 20, []),
        ([1.0, 2.0, 3.0], 1, [1.0, 2.0, 3.0]),
    ],
)
def test_ema_starts_at_the_first_value(values: list[float], period: int, expected: list[float]) -> None:
    assert ema(values, period).tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([10.0, 10.0, 10.0], [50.0, 50.0, 50.0]),
        ([10.0, 11.0, 12.0], [50.0, 100.0, 100.0]),
        ([10.0, 9.0, 8.0], [50.0, 0.0, 0.0]),
        # Averages of two: gains 0, 1, .5, and losses 0, 0, 2: the last index is 100 * .5 / 2.5.
        ([10.0, 12.0, 8.0], [50.0, 100.0, 20.0]),
        ([], []),
    ],
)
def test_rsi_of_plain_moves_is_plain(values: list[float], expected: list[float]) -> None:
    assert rsi(values, 2).tolist() == expected


@given(PRICES, st.integers(1, 60))
def test_rsi_stays_within_its_bounds(values: list[float], period: int) -> None:
    assert all(0.0 <= strength <= 100.0 for strength in rsi(values, period))


def test_wilder_step_weighs_the_newest_by_one_over_the_period() -> None:
    assert wilder_step(10.0, 20.0, 4) == 12.5
    assert rsi_of(1.0, 3.0) == 25.0


@pytest.mark.parametrize(("count", "high", "low"), [(1, 3, 3), (2, 9, 3), (3, 9, 1), (99, 9, 1)])
def test_highest_and_lowest_leave_the_last_value_out(count: int, high: float, low: float) -> None:
    values = [1, 9, 3, 100]
    assert (highest(values, count), lowest([*values[:3], 0], count)) == (high, low)
