from decimal import Decimal
from typing import Any

import pytest

from surefill.errors import ConfigError
from surefill.units import money_per_notional


@pytest.mark.parametrize(
    ("multiplier", "price_decimals", "qty_decimals", "money_decimals", "expected"),
    [
        (1, 2, 0, 8, 10**6),
        ("1", 2, 8, 10, 1),
        ("0.01", 2, 0, 4, 1),
        ("0.5", 0, 0, 1, 5),
        (Decimal("100000"), 5, 2, 8, 10**6),  # one lot of a currency pair
        (100, 2, 2, 2, 1),
        ("1E+2", 2, 2, 2, 1),
        ("2.50", 2, 0, 3, 25),
        (Decimal("100.000"), 2, 0, 0, 1),
        ("4E+18", 0, 0, 0, 4 * 10**18),
        (2**62, 0, 0, 0, 2**62),
    ],
)
def test_money_per_notional_row(
    multiplier: Any, price_decimals: int, qty_decimals: int, money_decimals: int, expected: int
) -> None:
    assert money_per_notional(multiplier, price_decimals, qty_decimals, money_decimals) == expected


@pytest.mark.parametrize(
    ("multiplier", "decimals", "code", "advice"),
    [
        (1, (2, 8, 8), "MONEY_TOO_COARSE", "raise money_decimals"),
        ("0.015", (2, 0, 4), "MONEY_TOO_COARSE", "raise money_decimals"),
        ("0.000000001", (8, 8, 8), "MONEY_TOO_COARSE", "raise money_decimals"),
        (Decimal("1e-99999999"), (2, 0, 8), "MONEY_TOO_COARSE", "raise money_decimals"),
        (0, (2, 0, 8), "INVALID_MULTIPLIER", "above 0"),
        (-1, (2, 0, 8), "INVALID_MULTIPLIER", "above 0"),
        ("one", (2, 0, 8), "INVALID_MULTIPLIER", "not a number"),
        (True, (2, 0, 8), "INVALID_MULTIPLIER", "truth value"),
        ("nan", (2, 0, 8), "INVALID_MULTIPLIER", "finite"),
        (2**62 + 1, (0, 0, 0), "INVALID_MULTIPLIER", "too large"),
        ("5E+18", (0, 0, 0), "INVALID_MULTIPLIER", "too large"),
        (10**19, (0, 0, 0), "INVALID_MULTIPLIER", "too large"),
        (Decimal("1e99999999"), (0, 0, 0), "INVALID_MULTIPLIER", "too large"),
        (1, (0, 0, 30), "INVALID_MULTIPLIER", "too large"),
    ],
)
def test_money_per_notional_not_a_whole_number_is_refused_at_load(
    multiplier: Any, decimals: tuple[int, int, int], code: str, advice: str
) -> None:
    with pytest.raises(ConfigError, match=advice) as caught:
        money_per_notional(multiplier, *decimals)
    assert caught.value.code == code
