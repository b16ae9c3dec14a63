import pytest

from surefill.rules.codes import FeeKind
from surefill.rules.fees import fill_fee
from surefill.units import BPS_PPB, PPB

NONE, PER_NOTIONAL, PER_UNIT, PER_ORDER = (int(kind) for kind in FeeKind)


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
