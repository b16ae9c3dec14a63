"""Numbers through the door: exactly, or not at all, with a message that a person can act on."""

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest

from surefill.errors import InputError
from surefill.units import (
    MONEY_MAX,
    PPB,
    PRICE_MAX,
    figure_ppb,
    observed_quanta,
    quanta_decimal,
    quanta_float,
    quanta_text,
    rate_ppb_from_bps,
    rate_ppb_from_fraction,
    rate_ppb_from_pct,
    to_quanta,
)


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (19500.05, 2, 1_950_005),
        ("19500.05", 2, 1_950_005),
        (Decimal("19500.05"), 2, 1_950_005),
        (19500, 2, 1_950_000),
        (19500.0, 0, 19_500),
        (0.1, 1, 1),
        (0.29, 2, 29),  # 0.29 * 100 is 28.999999999999996
        (1.005, 3, 1005),
        (4.35, 2, 435),
        (1e-8, 8, 1),
        (1.5e3, 0, 1500),
        (0, 8, 0),
        (0.0, 8, 0),
        (-0.0, 8, 0),
        ("-0", 2, 0),
        ("0.000", 0, 0),
        ("1.500000000000000000000000", 1, 15),  # zeros at the end say nothing
        (Decimal("1.50"), 1, 15),
        (Decimal("1E+3"), 2, 100_000),
        ("1e3", 2, 100_000),
        ("1.2E-3", 4, 12),
        ("0.0100", 2, 1),
        ("+5", 0, 5),
        ("5.", 1, 50),
        (".5", 1, 5),
        ("007.50", 2, 750),
        (np.float64(19500.05), 2, 1_950_005),
        (np.int64(7), 2, 700),
        (PRICE_MAX, 0, PRICE_MAX),
        (str(PRICE_MAX), 0, PRICE_MAX),
        (float(PRICE_MAX), 0, PRICE_MAX),
        ("10995116277.76", 2, PRICE_MAX),
        (10995116277.76, 2, PRICE_MAX),
    ],
)
def test_to_quanta_row_is_exact(value: Any, decimals: int, expected: int) -> None:
    n = to_quanta(value, decimals, field="price")
    assert n == expected
    assert type(n) is int


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "NOT_FINITE"),
        (float("inf"), "NOT_FINITE"),
        (float("-inf"), "NOT_FINITE"),
        (Decimal("NaN"), "NOT_FINITE"),
        (Decimal("sNaN"), "NOT_FINITE"),
        (Decimal("-Infinity"), "NOT_FINITE"),
        ("nan", "NOT_FINITE"),
        ("-Infinity", "NOT_FINITE"),
        (True, "NOT_A_NUMBER"),
        (False, "NOT_A_NUMBER"),
        (np.True_, "NOT_A_NUMBER"),
        (None, "NOT_A_NUMBER"),
        ("", "NOT_A_NUMBER"),
        (" 1", "NOT_A_NUMBER"),
        ("1 ", "NOT_A_NUMBER"),
        ("1\n", "NOT_A_NUMBER"),
        ("1_000", "NOT_A_NUMBER"),
        ("1,000", "NOT_A_NUMBER"),
        ("0x10", "NOT_A_NUMBER"),
        ("1.2.3", "NOT_A_NUMBER"),
        (".", "NOT_A_NUMBER"),
        ("-", "NOT_A_NUMBER"),
        ("e5", "NOT_A_NUMBER"),
        ("١٢", "NOT_A_NUMBER"),  # digits, but not ours
        ("²", "NOT_A_NUMBER"),
        ("1" * 101, "NOT_A_NUMBER"),
        ([1], "NOT_A_NUMBER"),
        (1 + 2j, "NOT_A_NUMBER"),
        (-1, "NEGATIVE"),
        (-0.01, "NEGATIVE"),
        ("-1e-30", "NEGATIVE"),
        (0.001, "TOO_FINE"),
        (0.1 + 0.2, "TOO_FINE"),
        ("0.001", "TOO_FINE"),
        (Decimal("0.001"), "TOO_FINE"),
        ("1e-999999", "TOO_FINE"),
        (Decimal("1e-99999999999"), "TOO_FINE"),
        (5e-324, "TOO_FINE"),
        (PRICE_MAX, "OUT_OF_RANGE"),  # with two decimals a hundred times too much
        ("10995116277.77", "OUT_OF_RANGE"),
        (10995116277.77, "OUT_OF_RANGE"),
        (1e308, "OUT_OF_RANGE"),
        ("1e999999", "OUT_OF_RANGE"),
        (Decimal("1e99999999999"), "OUT_OF_RANGE"),
        (10**400, "OUT_OF_RANGE"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_to_quanta_bad_value_is_refused_with_code_field_and_value(value: Any, code: str) -> None:
    with pytest.raises(InputError) as caught:
        to_quanta(value, 2, field="stop_loss")
    assert caught.value.code == code
    assert caught.value.message.startswith("stop_loss ")
    assert caught.value.values["field"] == "stop_loss"
    assert str(caught.value.values["value"]) in caught.value.message
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (0.001, "2 decimals"),
        (-1, "must not be negative"),
        (PRICE_MAX, "10995116277.76"),
        ("abc", "write it like 19500.05"),
        (True, "truth value"),
        (float("nan"), r"finite number \(got NaN\)"),
    ],
)
def test_to_quanta_refusal_says_what_to_do(value: Any, part: str) -> None:
    with pytest.raises(InputError, match=part):
        to_quanta(value, 2, field="price")


@pytest.mark.parametrize(
    ("value", "expected"), [(-1.5, -150), ("-1.5", -150), (-2, -200), (Decimal("-0.01"), -1), (3, 300)]
)
def test_to_quanta_negative_allowed_is_exact(value: Any, expected: int) -> None:
    assert to_quanta(value, 2, field="pnl", allow_negative=True) == expected


@pytest.mark.parametrize("value", ["-10995116277.77", -10995116277.77, -(10**30)])
def test_to_quanta_negative_allowed_is_bounded_too(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        to_quanta(value, 2, field="pnl", allow_negative=True)
    assert caught.value.code == "OUT_OF_RANGE"


def test_to_quanta_float_beyond_fifteen_digits_means_its_shortest_text() -> None:
    # 994788204564263.936 is the same double: comparing n / 10**d with the value cannot tell the two apart.
    assert 994788204564263936 / 1000 == 994788204564263.9
    assert to_quanta(994788204564263.9, 3, field="cash", max_quanta=MONEY_MAX) == 994788204564263900


@pytest.mark.parametrize("value", [0, 0.0, "0.00", -1, "-0.01"])
def test_observed_quanta_not_above_zero_is_refused(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        observed_quanta(value, 2, field="ltp")
    assert caught.value.code == "NOT_POSITIVE"


def test_observed_quanta_off_tick_price_is_taken_as_it_is() -> None:
    assert observed_quanta(19500.03, 2, field="ltp") == 1_950_003
    assert observed_quanta(0.01, 2, field="ltp") == 1


@pytest.mark.parametrize("value", [19500.033, "19500.033", Decimal("19500.033")])
def test_observed_quanta_too_fine_is_never_rounded(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        observed_quanta(value, 2, field="ltp")
    assert caught.value.code == "TOO_FINE"


@pytest.mark.parametrize(
    ("n", "decimals", "text"),
    [
        (1_950_005, 2, "19500.05"),
        (1_950_000, 2, "19500"),
        (1_950_050, 2, "19500.5"),
        (-10, 2, "-0.1"),
        (1, 8, "0.00000001"),
        (-1, 8, "-0.00000001"),
        (0, 8, "0"),
        (100, 0, "100"),  # zeros before the point stay
        (10**12, 2, "10000000000"),
        (MONEY_MAX, 8, "46116860184.27387904"),
    ],
)
def test_quanta_text_row_is_plain_and_minimal(n: int, decimals: int, text: str) -> None:
    assert quanta_text(n, decimals) == text


@pytest.mark.parametrize(
    ("n", "decimals", "expected"),
    [(1_950_005, 2, 19500.05), (29, 2, 0.29), (1, 8, 1e-8), (-15, 1, -1.5), (2**62, 18, 4.611686018427388)],
)
def test_quanta_float_row_is_the_nearest_float(n: int, decimals: int, expected: float) -> None:
    assert quanta_float(n, decimals) == expected


def test_quanta_decimal_keeps_its_places_in_any_context() -> None:
    with localcontext() as context:
        context.prec = 3
        shown = quanta_decimal(-123_456_789_000, 3)
    assert str(shown) == "-123456789.000"
    assert str(quanta_decimal(5, 0)) == "5"


@pytest.mark.parametrize(
    ("bps", "pct", "fraction", "ppb"),
    [
        (1, 0.01, 0.0001, 100_000),
        (5, "0.05", Decimal("0.0005"), 500_000),
        (10_000, 100, 1, PPB),
        (0.5, 0.005, 5e-5, 50_000),
    ],
)
def test_rate_ppb_three_ways_of_saying_it_agree(bps: Any, pct: Any, fraction: Any, ppb: int) -> None:
    assert rate_ppb_from_bps(bps, "fee_bps") == ppb
    assert rate_ppb_from_pct(pct, "fee_pct") == ppb
    assert rate_ppb_from_fraction(fraction, "fee") == ppb


def test_rate_ppb_refuses_what_it_cannot_hold() -> None:
    for value, code in ((-1, "NEGATIVE"), (0.000001, "TOO_FINE"), (1e9, "OUT_OF_RANGE"), ("x", "NOT_A_NUMBER")):
        with pytest.raises(InputError) as caught:
            rate_ppb_from_bps(value, "slippage_bps")
        assert caught.value.code == code
    assert rate_ppb_from_bps(-1, "maker_bps", allow_negative=True) == -100_000


@pytest.mark.parametrize(
    ("value", "ppb"),
    [
        (0, 0),
        (-0.0, 0),
        (3, 3 * PPB),
        ("2.5", 5 * PPB // 2),
        (2.9999999999, 3 * PPB),
        (-2.9999999991, -3 * PPB),
        (2.999999999, 3 * PPB - 1),
        (1e-300, 1),
        ("-0.0000000001", -1),
        (Decimal("1E+9"), 10**18),
    ],
)
def test_figure_ppb_row_is_rounded_away_from_zero(value: Any, ppb: int) -> None:
    assert figure_ppb(value, "z") == ppb


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "NOT_FINITE"),
        (float("-inf"), "NOT_FINITE"),
        (True, "NOT_A_NUMBER"),
        ("two", "NOT_A_NUMBER"),
        (1e300, "OUT_OF_RANGE"),
        ("1000000000.0000000001", "OUT_OF_RANGE"),
    ],
)
def test_figure_ppb_that_is_none_is_refused(value: Any, code: str) -> None:
    with pytest.raises(InputError) as raised:
        figure_ppb(value, "z")
    assert raised.value.code == code
