"""Numbers and times come back from the door as they went in."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from surefill.errors import InputError, SurefillError
from surefill.units import (
    MONEY_MAX,
    PRICE_MAX,
    TIME_MAX_NS,
    datetime_from_ns,
    iso_from_ns,
    money_per_notional,
    ns_from_datetime,
    ns_from_iso,
    quanta_decimal,
    quanta_float,
    quanta_text,
    stamp_from_ns,
    to_quanta,
)

DECIMALS = st.integers(0, 18)
TIMES = st.integers(-TIME_MAX_NS, TIME_MAX_NS)


@given(st.integers(-PRICE_MAX, PRICE_MAX), DECIMALS)
def test_quanta_every_way_out_comes_back(n: int, decimals: int) -> None:
    for written in (quanta_text(n, decimals), quanta_decimal(n, decimals), quanta_float(n, decimals)):
        assert to_quanta(written, decimals, field="px", allow_negative=True) == n


@given(st.integers(-MONEY_MAX, MONEY_MAX), DECIMALS)
def test_money_text_and_decimal_come_back(n: int, decimals: int) -> None:
    for written in (quanta_text(n, decimals), quanta_decimal(n, decimals)):
        assert to_quanta(written, decimals, field="cash", max_quanta=MONEY_MAX, allow_negative=True) == n


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(0, 1e6), DECIMALS)
@example(0.29, 2)
@example(994788204564263.9, 3)
def test_to_quanta_any_float_is_its_shortest_text_or_refused(value: float, decimals: int) -> None:
    exact = Fraction(Decimal(repr(value))) * 10**decimals
    if exact.denominator == 1 and 0 <= exact <= MONEY_MAX:
        assert to_quanta(value, decimals, field="px", max_quanta=MONEY_MAX) == exact
    else:
        with pytest.raises(InputError):
            to_quanta(value, decimals, field="px", max_quanta=MONEY_MAX)


@given(st.text(max_size=20) | st.text("0123456789.+-eE_ nai", max_size=12), DECIMALS)
def test_to_quanta_any_text_is_exact_or_refused(text: str, decimals: int) -> None:
    try:
        n = to_quanta(text, decimals, field="px", allow_negative=True)
    except InputError:
        return
    assert n == Fraction(Decimal(text)) * 10**decimals


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**6, places=4),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 12),
)
def test_money_per_notional_is_exact_or_refused(multiplier: Decimal, price: int, qty: int, money: int) -> None:
    exact = Fraction(multiplier) * Fraction(10) ** (money - price - qty)
    try:
        n = money_per_notional(multiplier, price, qty, money)
    except SurefillError:
        assert exact.denominator > 1 or not 1 <= exact <= MONEY_MAX
    else:
        assert n == exact >= 1


@given(TIMES)
def test_time_every_way_out_comes_back(ns: int) -> None:
    assert ns_from_iso(iso_from_ns(ns)) == ns
    assert ns_from_datetime(datetime_from_ns(ns)) == ns // 1000 * 1000
    assert stamp_from_ns(ns) == iso_from_ns(ns)[:19].translate(str.maketrans("", "", "-T:"))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_time_agrees_with_the_standard_library(moment: datetime) -> None:
    ns = ns_from_datetime(moment)
    assert datetime_from_ns(ns) == moment.replace(tzinfo=UTC)
    assert ns_from_iso(moment.isoformat()) == ns


@given(st.text(max_size=30) | st.text("0123456789-T:Z.+ ", max_size=30))
def test_ns_from_iso_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        ns = ns_from_iso(text)
    except InputError:
        return
    assert abs(ns) <= TIME_MAX_NS
