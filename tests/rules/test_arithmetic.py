from fractions import Fraction
from math import ceil, floor

import pytest

from surefill.rules.arithmetic import ceil_to, floor_to, mul_div_ceil, mul_div_floor, rate_ceil, rate_floor

TOP = 2**40


@pytest.mark.parametrize(
    ("a", "b", "c"),
    [
        (1, 1, 1),
        (0, 5, 3),
        (1, 10, 3),
        (2, 10, 3),
        (3, 10, 3),
        (-1, 10, 3),
        (TOP, TOP, TOP),
        (TOP - 1, TOP, TOP),
        (TOP - 1, TOP - 1, TOP),
        (TOP - 2, TOP - 1, TOP - 1),
        (TOP - 1, 2**62, TOP),
        (TOP, 2**62, TOP),
        (-TOP, 2**62, TOP),
        (-TOP + 1, 2**62 - 1, TOP),
        (1, 2**62, TOP - 1),
        (2**31, 2**31, 2**31),
        (2**31 - 1, 2**31 + 1, 2**31),
        (2**31, 2**31, 2**31 + 1),
    ],
)
def test_mul_div_row_is_exact(a: int, b: int, c: int) -> None:
    assert mul_div_floor(a, b, c) == floor(Fraction(a * b, c))
    assert mul_div_ceil(a, b, c) == ceil(Fraction(a * b, c))


@pytest.mark.parametrize(
    ("amount", "rate_ppb", "below", "above"),
    [
        (100, 10**9, 100, 100),
        (100, 0, 0, 0),
        (0, 123, 0, 0),
        (1, 1, 0, 1),
        (999_999_999, 1, 0, 1),
        (10**9, 1, 1, 1),
        (1_950_005, 500_000, 975, 976),  # 5 bps of 19500.05
        (100, 25 * 10**8, 250, 250),  # above one
        (100, -250_000_000, -25, -25),
        (101, -250_000_000, -26, -25),  # a rebate
        (-101, 250_000_000, -26, -25),
        (2**62, 10**9, 2**62, 2**62),
        (2**62, -(10**9), -(2**62), -(2**62)),
    ],
)
def test_rate_row_rounds_by_name(amount: int, rate_ppb: int, below: int, above: int) -> None:
    assert rate_floor(amount, rate_ppb) == below
    assert rate_ceil(amount, rate_ppb) == above


@pytest.mark.parametrize(
    ("x", "step", "below", "above"),
    [
        (10, 5, 10, 10),
        (11, 5, 10, 15),
        (14, 5, 10, 15),
        (0, 5, 0, 0),
        (3, 5, 0, 5),
        (-1, 5, -5, 0),
        (7, 2, 6, 8),
        (7, 1, 7, 7),
        (7, 0, 7, 7),
        (7, -3, 7, 7),
        (TOP - 1, TOP, 0, TOP),
    ],
)
def test_floor_to_and_ceil_to_row_is_on_the_grid(x: int, step: int, below: int, above: int) -> None:
    assert floor_to(x, step) == below
    assert ceil_to(x, step) == above
