import pytest

from surefill.rules.codes import FeeKind
from surefill.rules.fees import fill_fee, order_charge
from surefill.units import BPS_PPB, PPB

NONE, PER_NOTIONAL, PER_UNIT, PER_ORDER, ON_CHARGES = (int(kind) for kind in FeeKind)


@pytest.mark.parametrize(
    ("kind", "rate_ppb", "per_unit", "per_order", "notional", "qty", "first", "expected"),
    [
        pytest.param(NONE, PPB, 5, 7, 1000, 10, True, 0, id="none"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 5, 7, 1_000_000, 10, True, 1_000, id="rate, exact"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 0, 0, 1_000_001, 10, True, 1_001, id="rate, rounded up"),
        pytest.param(PER_NOTIONAL, 1, 0, 0, 1, 1, False, 1, id="rate, the smallest still costs"),
        pytest.param(
            PER_NOTIONAL,
            -10 * BPS_PPB,
            0,
            0,
            1_000_999,
            10,
            True,
            -1_000,
            id="rebate, its amount rounded down",
        ),
        pytest.param(PER_NOTIONAL, PPB, 0, 0, 2**62, 1, True, 2**62, id="rate, the bounds"),
        pytest.param(PER_UNIT, PPB, 5, 7, 1000, 10, False, 50, id="per unit"),
        pytest.param(PER_UNIT, 0, -5, 0, 1000, 10, False, -50, id="per unit, rebate"),
        pytest.param(PER_ORDER, PPB, 5, 7, 1000, 10, True, 7, id="per order, first fill"),
        pytest.param(PER_ORDER, PPB, 5, 7, 1000, 10, False, 0, id="per order, later fill"),
        pytest.param(ON_CHARGES, PPB, 5, 7, 1000, 10, True, 0, id="of an order, not of a fill"),
        pytest.param(99, PPB, 5, 7, 1000, 10, True, 0, id="unheard of"),
    ],
)
def test_fill_fee_row(
    kind: int,
    rate_ppb: int,
    per_unit: int,
    per_order: int,
    notional: int,
    qty: int,
    first: bool,
    expected: int,
) -> None:
    assert fill_fee(kind, rate_ppb, per_unit, per_order, notional, qty, first) == expected


@pytest.mark.parametrize(
    ("kind", "rate_ppb", "per_order", "least", "most", "step", "turnover", "qty", "base", "expected"),
    [
        pytest.param(NONE, PPB, 7, 5, 9, 1, 1000, 10, 1000, 0, id="none"),
        pytest.param(99, PPB, 7, 5, 9, 1, 1000, 10, 1000, 0, id="unheard of"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 5, 0, 1, 0, 0, 0, 0, id="nothing traded, not even the floor"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 0, 0, 1, 1_000_001, 10, 0, 1_001, id="rate, rounded up"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 0, 0, 100, 1_000_001, 10, 0, 1_100, id="rate, up to the step"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 0, 0, 100, 1_000_000, 10, 0, 1_000, id="rate, on the step"),
        pytest.param(PER_NOTIONAL, -10 * BPS_PPB, 7, 0, 9, 1, 1_000_999, 10, 0, -1_000, id="rebate, rounded down"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 0, 999, 1, 1_000_000, 10, 0, 999, id="above the cap"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 0, 1_000, 1, 1_000_000, 10, 0, 1_000, id="at the cap"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 0, 1_050, 100, 1_000_001, 10, 0, 1_050, id="cap after the step"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 1_001, 0, 1, 1_000_000, 10, 0, 1_001, id="below the floor"),
        pytest.param(PER_NOTIONAL, 10 * BPS_PPB, 7, 1_000, 0, 1, 1_000_000, 10, 0, 1_000, id="at the floor"),
        pytest.param(PER_UNIT, 3 * PPB // 2, 7, 0, 0, 1, 1000, 3, 0, 5, id="per unit, rounded up"),
        pytest.param(PER_ORDER, PPB, 7, 0, 0, 1, 1000, 10, 0, 7, id="per order, however much"),
        pytest.param(PER_ORDER, PPB, 7, 0, 0, 5, 1000, 10, 0, 10, id="per order, up to the step"),
        pytest.param(ON_CHARGES, 180_000_000, 7, 0, 0, 1, 1000, 10, 51, 10, id="on charges: 9.18"),
        pytest.param(PER_NOTIONAL, PPB, 0, 0, 0, 1, 2**62, 2**40, 0, 2**62, id="the bounds"),
    ],
)
def test_order_charge_row(
    kind: int,
    rate_ppb: int,
    per_order: int,
    least: int,
    most: int,
    step: int,
    turnover: int,
    qty: int,
    base: int,
    expected: int,
) -> None:
    assert order_charge(kind, rate_ppb, per_order, least, most, step, turnover, qty, base) == expected
