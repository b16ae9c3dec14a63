"""Swap: which nights count, and what they come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.costs import SwapRates, nights_held, swap_cost, swap_from_amounts, swap_from_points
from surefill.domain.instrument import Instrument, Terms
from surefill.errors import InputError
from surefill.units import NS_PER_DAY, NS_PER_HOUR, ns_from_iso

EURUSD = Instrument("EURUSD", "USD", 5, 0, 10, (Terms(),), pip=10)  # money in millionths of a dollar
LOT = 100_000

# 2025-06-02 was a Monday
NIGHTS = [
    ("2025-06-02T15:00:00Z", "2025-06-02T20:59:59Z", 0),
    ("2025-06-02T20:59:59.999999999Z", "2025-06-02T21:00:00Z", 1),
    ("2025-06-02T21:00:00Z", "2025-06-03T20:00:00Z", 0),  # opened as the night began
    ("2025-06-03T15:00:00Z", "2025-06-05T15:00:00Z", 4),  # Tuesday's and Wednesday's
    ("2025-06-04T15:00:00Z", "2025-06-05T15:00:00Z", 3),
    ("2025-06-05T15:00:00Z", "2025-06-06T15:00:00Z", 1),
    ("2025-06-06T15:00:00Z", "2025-06-09T15:00:00Z", 1),  # over the weekend: Friday's only
    ("2025-06-02T15:00:00Z", "2025-06-09T15:00:00Z", 7),
    ("2025-06-02T15:00:00Z", "2025-06-30T15:00:00Z", 28),
    ("2025-06-05T15:00:00Z", "2025-06-02T15:00:00Z", 0),  # closed before it was opened
]


@pytest.mark.parametrize(("opened", "closed", "nights"), NIGHTS)
def test_nights_held(opened: str, closed: str, nights: int) -> None:
    assert nights_held(ns_from_iso(opened), ns_from_iso(closed)) == nights


def test_nights_held_in_winter_begin_an_hour_later() -> None:
    opened, closed = ns_from_iso("2025-01-06T15:00:00Z"), ns_from_iso("2025-01-06T21:30:00Z")
    assert (nights_held(opened, closed), nights_held(opened, closed, 22 * NS_PER_HOUR)) == (1, 0)


@given(st.integers(0, 400), st.integers(0, 60), st.integers(0, NS_PER_DAY - 1), st.integers(0, NS_PER_DAY - 1))
def test_nights_held_is_the_count_day_by_day(first: int, days: int, opened: int, closed: int) -> None:
    opened_ns, closed_ns = first * NS_PER_DAY + opened, (first + days) * NS_PER_DAY + closed
    weights = {"Thu": 1, "Fri": 1, "Sat": 0, "Sun": 0, "Mon": 1, "Tue": 1, "Wed": 3}
    names = list(weights)  # 1970-01-01 was a Thursday
    counted = 0
    for day in range(first - 1, first + days + 2):
        if opened_ns < day * NS_PER_DAY + 21 * NS_PER_HOUR <= closed_ns:
            counted += weights[names[day % 7]]
    assert nights_held(opened_ns, closed_ns) == counted


SWAPS = [
    (LOT, 53_888_000),  # 4 nights at 13.472 points, a point of a lot being a dollar
    (-LOT, -32_800_000),  # 8.2 points a night are paid out
    (1, 4 * 135),  # 134.72 millionths a night, each rounded up
    (-1, -4 * 82),
    (0, 0),
]


@pytest.mark.parametrize(("qty", "money"), SWAPS)
def test_swap_cost_of_four_nights(qty: int, money: int) -> None:
    rates = swap_from_points("-13.472", "8.2", 1)
    opened, closed = ns_from_iso("2025-06-03T15:00:00Z"), ns_from_iso("2025-06-05T15:00:00Z")
    assert swap_cost(EURUSD, qty, rates, opened, closed) == money


def test_swap_in_points_and_in_money_is_the_same() -> None:
    assert swap_from_points("-13.472", "8.2", 1) == swap_from_amounts("-0.00013472", "0.000082", 5)
    assert swap_from_points("-1.3472", "0.82", 10) == SwapRates(-13_472_000_000, 8_200_000_000)


def test_swap_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="is not a number"):
        swap_from_points("free", "0", 1)
