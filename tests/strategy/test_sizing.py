from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.strategy import ExitSpec
from surefill.strategy.sizing import affordable, exact, exit_prices, whole_lots


@pytest.mark.parametrize(
    ("dollars", "price", "lot", "expected"),
    [
        (1000.0, 187.25, 1.0, 5.0),
        (1000.0, 100.0, 1.0, 10.0),
        (1000.0, 100.01, 1.0, 9.0),
        (0.3, 0.1, 1.0, 3.0),  # 0.3 // 0.1 of doubles is 2
        (1000.0, 43123.45, 1e-8, 0.02318923),
        (1000.0, 50000.0, 0.001, 0.02),
        (1000.0, 19500.0, 75.0, 0.0),
        (2_000_000.0, 19500.0, 75.0, 75.0),
        (100.0, 100.01, 1.0, 0.0),
    ],
)
def test_affordable_quantity_is_whole_lots(dollars: float, price: float, lot: float, expected: float) -> None:
    assert affordable(dollars, price, exact(lot)) == expected


@given(
    st.integers(1, 10**9).map(lambda n: n / 100),
    st.integers(1, 10**8).map(lambda n: n / 100),
    st.sampled_from([1.0, 0.01, 1e-8, 25.0]),
)
def test_affordable_quantity_is_the_largest_that_is(dollars: float, price: float, lot: float) -> None:
    quantity = exact(affordable(dollars, price, exact(lot)))
    assert quantity % exact(lot) == 0
    assert quantity * exact(price) <= exact(dollars) < (quantity + exact(lot)) * exact(price)


def test_whole_lots_of_less_than_one_are_none() -> None:
    assert whole_lots(Fraction(9, 10), Fraction(1)) == 0.0


def _exit(**settings: float) -> ExitSpec:
    return ExitSpec.model_validate({"type": "stop_target", **settings})


@pytest.mark.parametrize(
    ("settings", "price", "tick", "side", "expected"),
    [
        ({"stop_loss_pct": 2.0, "take_profit_pct": 4.0}, 100.0, "0.01", 1, (98.0, 104.0, None)),
        ({"stop_loss_pct": 2.0, "take_profit_pct": 4.0}, 100.0, "0.01", -1, (102.0, 96.0, None)),
        # 187.25 - 2 % = 183.505, + 4 % = 194.74: towards the entry, on the tick
        ({"stop_loss_pct": 2.0, "take_profit_pct": 4.0}, 187.25, "0.05", 1, (183.55, 194.7, None)),
        ({"stop_loss_pct": 2.0, "take_profit_pct": 4.0}, 187.25, "0.05", -1, (190.95, 179.8, None)),
        ({"trailing_pct": 1.5}, 187.25, "0.01", 1, (None, None, 2.8)),
        ({"trailing_pct": 0.001}, 10.0, "0.05", 1, (None, None, 0.05)),
        # so near that the tick is wider: one tick away, never at the entry
        ({"stop_loss_pct": 0.01, "take_profit_pct": 0.01}, 10.0, "0.05", 1, (9.95, 10.05, None)),
        ({"stop_loss_pct": 0.01, "take_profit_pct": 0.01}, 10.0, "0.05", -1, (10.05, 9.95, None)),
        ({"stop_loss_pct": 0.01, "take_profit_pct": 0.01}, 10.02, "0.05", 1, (10.0, 10.05, None)),
        ({"take_profit_pct": 200.0, "stop_loss_pct": 1.0}, 10.0, "0.01", -1, (10.1, None, None)),
        ({"time_stop_bars": 3}, 10.0, "0.01", 1, (None, None, None)),
    ],
)
def test_exit_prices_are_on_the_tick_and_towards_the_entry(
    settings: dict[str, float],
    price: float,
    tick: str,
    side: int,
    expected: tuple[float | None, float | None, float | None],
) -> None:
    assert exit_prices(_exit(**settings), price, Decimal(tick), side) == expected


@given(
    st.integers(1, 10**7).map(lambda n: n / 100),
    st.integers(1, 9_999).map(lambda n: n / 100),
    st.sampled_from(["0.01", "0.05", "1", "0.25"]),
    st.sampled_from([1, -1]),
)
def test_exit_prices_lie_on_their_sides_of_the_entry(price: float, pct: float, tick: str, side: int) -> None:
    stop, target, trail = exit_prices(
        _exit(stop_loss_pct=pct, take_profit_pct=pct, trailing_pct=pct), price, Decimal(tick), side
    )
    assert trail is not None
    assert exact(trail) % Fraction(tick) == 0
    for level, sign in ((stop, -side), (target, side)):
        if level is not None:
            assert level > 0
            assert exact(level) % Fraction(tick) == 0
            assert (exact(level) - exact(price)) * sign > 0
            wanted = abs(exact(price) * exact(pct) / 100)
            assert abs(exact(level) - exact(price)) <= max(wanted, Fraction(tick))


@pytest.mark.parametrize("value", [np.float64(14.2), np.float32(14.2), 14.2])
def test_exact_of_a_numpy_float_is_its_shortest_decimal(value: float) -> None:
    assert exact(value) == Fraction("14.2")
