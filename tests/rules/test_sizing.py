from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.rules.sizing import (
    before_costs,
    kelly_fraction,
    kelly_stake,
    loss_px,
    order_lots,
    overlap_money,
    qty_within,
    share_floor,
)
from surefill.units import MONEY_MAX, PPB, PRICE_MAX, RATE_MAX_PPB

MONEY = st.integers(0, MONEY_MAX) | st.integers(0, 10**6)
RATE = st.integers(0, PPB)


@pytest.mark.parametrize(
    ("base", "share_ppb", "expected"),
    [
        (100_000, 20_000_000, 2_000),  # 2 %
        (99_999, 20_000_000, 1_999),
        (49, 20_000_000, 0),
        (50, 20_000_000, 1),
        (100, 0, 0),
        (101, 2_500_000_000, 252),  # two and a half times, with leverage
        (0, PPB, 0),
        (-1, PPB, 0),  # a debt
        (MONEY_MAX, PPB - 1, MONEY_MAX - 4_611_686_019),
        (MONEY_MAX, PPB, MONEY_MAX),
        (MONEY_MAX, PPB + 1, MONEY_MAX),
        (MONEY_MAX, 2 * PPB - 1, MONEY_MAX),
        (MONEY_MAX // 2, 2 * PPB, MONEY_MAX),
        (MONEY_MAX // 3, 3 * PPB, MONEY_MAX - 1),  # the last one that is not cut
        (MONEY_MAX // 2 + 1, 2 * PPB, MONEY_MAX),
        (MONEY_MAX, RATE_MAX_PPB, MONEY_MAX),
    ],
)
def test_share_floor_row(base: int, share_ppb: int, expected: int) -> None:
    assert share_floor(base, share_ppb) == expected


@given(MONEY, st.integers(0, RATE_MAX_PPB))
def test_share_floor_any_numbers_is_exact_until_the_largest_money(base: int, share_ppb: int) -> None:
    assert share_floor(base, share_ppb) == min(MONEY_MAX, base * share_ppb // PPB)


@pytest.mark.parametrize(
    ("budget", "cost_ppb", "expected"),
    [
        (1_000, 0, 1_000),
        (1_001, 1_000_000, 1_000),  # 0.1 % of 1000 is 1: exactly
        (1_000, 1_000_000, 999),  # 0.1 % of 999 is 1, rounded up
        (1_002, 1_000_000, 1_000),  # 1001 would cost 2, rounded up
        (0, 1_000_000, 0),
        (MONEY_MAX, PPB, MONEY_MAX // 2),
    ],
)
def test_before_costs_row(budget: int, cost_ppb: int, expected: int) -> None:
    assert before_costs(budget, cost_ppb) == expected


@given(MONEY, RATE)
def test_before_costs_is_the_largest_value_that_fits_with_its_costs(budget: int, cost_ppb: int) -> None:
    value = before_costs(budget, cost_ppb)
    assert value + ceil(Fraction(value * cost_ppb, PPB)) <= budget
    assert value + 1 + ceil(Fraction((value + 1) * cost_ppb, PPB)) > budget


@pytest.mark.parametrize(
    ("side", "entry", "stop", "cost_ppb", "expected"),
    [
        (1, 10_000, 9_800, 0, 200),
        (-1, 10_000, 10_200, 0, 200),
        (1, 10_000, 9_999, 0, 1),
        (1, 10_000, 9_800, 1_000_000, 220),  # 0.1 % of 10000 and of 9800 is 19.8
        (-1, 10_000, 10_200, 1_000_000, 221),  # 20.2
        (1, 10_000, 10_000, 1_000_000, 0),  # at the entry: not a stop
        (1, 10_000, 10_200, 0, 0),
        (-1, 10_000, 9_800, 0, 0),
        (1, 10_000, 0, 1_000_000, 0),
        (1, PRICE_MAX, 1, PPB, 2 * PRICE_MAX),
        (-1, 1, PRICE_MAX, PPB, 2 * PRICE_MAX),
    ],
)
def test_loss_px_row(side: int, entry: int, stop: int, cost_ppb: int, expected: int) -> None:
    assert loss_px(side, entry, stop, cost_ppb) == expected


@pytest.mark.parametrize(
    ("budget", "unit_px", "money_per_notional", "expected"),
    [
        (1_000, 100, 1, 10),
        (999, 100, 1, 9),
        (1_000, 100, 10, 1),
        (999, 100, 10, 0),
        (MONEY_MAX, 1, 1, MONEY_MAX),
        (MONEY_MAX, 2**42, 2**20, 1),
        (MONEY_MAX - 1, 2**42, 2**20, 0),
        (MONEY_MAX, 2**42, MONEY_MAX, 0),  # one unit is worth 2**104
        (1_000, 0, 1, 0),
        (0, 100, 1, 0),
        (-1_000, 100, 1, 0),
        (1_000, 100, 0, 0),
    ],
)
def test_qty_within_row(budget: int, unit_px: int, money_per_notional: int, expected: int) -> None:
    assert qty_within(budget, unit_px, money_per_notional) == expected


@given(MONEY, st.integers(1, 2**42) | st.integers(1, 1000), st.integers(1, MONEY_MAX) | st.integers(1, 1000))
def test_qty_within_is_the_largest_that_the_budget_holds(budget: int, unit_px: int, per_notional: int) -> None:
    qty = qty_within(budget, unit_px, per_notional)
    assert qty * unit_px * per_notional <= budget < (qty + 1) * unit_px * per_notional


@pytest.mark.parametrize(
    ("win_ppb", "payoff_ppb", "expected"),
    [
        (600_000_000, PPB, 200_000_000),  # 60 % at even odds: a fifth
        (500_000_000, 2 * PPB, 250_000_000),
        (500_000_000, PPB, 0),
        (500_000_001, PPB, 2),
        (400_000_000, PPB, 0),  # worse than even
        (400_000_000, 3 * PPB, 200_000_000),
        (700_000_000, 700_000_000, 271_428_571),  # 0.7 - 0.3 / 0.7 = 0.2714285714…
        (PPB, 1, PPB),
        (0, RATE_MAX_PPB, 0),
        (600_000_000, 0, 0),  # no payoff known
        (600_000_000, -PPB, 0),
    ],
)
def test_kelly_fraction_row(win_ppb: int, payoff_ppb: int, expected: int) -> None:
    assert kelly_fraction(win_ppb, payoff_ppb) == expected


@given(RATE, st.integers(1, RATE_MAX_PPB))
def test_kelly_fraction_any_numbers_is_the_formula_rounded_down(win_ppb: int, payoff_ppb: int) -> None:
    p, b = Fraction(win_ppb, PPB), Fraction(payoff_ppb, PPB)
    assert kelly_fraction(win_ppb, payoff_ppb) == max(0, floor((p - (1 - p) / b) * PPB))


@pytest.mark.parametrize(
    ("kelly", "portion", "cap", "expected"),
    [
        (200_000_000, PPB, 250_000_000, 200_000_000),
        (200_000_000, 500_000_000, 250_000_000, 100_000_000),  # half Kelly
        (250_000_000, PPB, 250_000_000, 250_000_000),
        (250_000_001, PPB, 250_000_000, 250_000_000),
        (3, 500_000_000, PPB, 1),
        (RATE_MAX_PPB, PPB, PPB, PPB),
        (0, PPB, PPB, 0),
        (-200_000_000, PPB, PPB, 0),
        (200_000_000, PPB, 0, 0),
    ],
)
def test_kelly_stake_row(kelly: int, portion: int, cap: int, expected: int) -> None:
    assert kelly_stake(kelly, portion, cap) == expected


@pytest.mark.parametrize(
    ("side", "exposure", "correlation", "expected"),
    [
        (1, 1_000, 800_000_000, 800),
        (1, -1_000, 800_000_000, 0),  # a hedge earns no room
        (-1, -1_000, 800_000_000, 800),
        (-1, 1_000, -800_000_000, 800),  # short against what falls when this rises
        (1, 1_000, -800_000_000, 0),
        (1, 1_001, 500_000_000, 501),
        (-1, 1_001, -500_000_000, 501),
        (1, 1_000, 0, 0),
        (1, 0, PPB, 0),
        (1, MONEY_MAX, PPB, MONEY_MAX),
        (-1, MONEY_MAX, -PPB, MONEY_MAX),
    ],
)
def test_overlap_money_row(side: int, exposure: int, correlation: int, expected: int) -> None:
    assert overlap_money(side, exposure, correlation) == expected


@pytest.mark.parametrize(
    ("qty", "lot", "min_qty", "expected"),
    [
        (75, 75, 0, 75),
        (74, 75, 0, 0),
        (149, 75, 0, 75),
        (150, 75, 0, 150),
        (150, 75, 150, 150),
        (149, 75, 150, 0),
        (160, 75, 151, 0),  # two lots are below the smallest order
        (7, 1, 0, 7),
        (0, 1, 0, 0),
        (-3, 2, 0, 0),
    ],
)
def test_order_lots_row(qty: int, lot: int, min_qty: int, expected: int) -> None:
    assert order_lots(qty, lot, min_qty) == expected
