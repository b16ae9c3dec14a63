"""What a fill costs. Fees are money: integers at the workspace's money scale, rounded against us."""

from __future__ import annotations

from surefill.rules.arithmetic import rate_ceil
from surefill.rules.codes import FeeKind

_PER_NOTIONAL = int(FeeKind.PER_NOTIONAL)
_PER_UNIT = int(FeeKind.PER_UNIT)
_PER_ORDER = int(FeeKind.PER_ORDER)


def fill_fee(
    kind: int,
    rate_ppb: int,
    per_unit: int,
    per_order: int,
    notional_money: int,
    last_qty: int,
    is_first_fill: bool,
) -> int:
    """The money that one fee component takes from one fill; negative is a rebate.

    PER_NOTIONAL: `rate_ppb` of `notional_money`, rounded up (a rebate's amount is rounded down). PER_UNIT:
    `per_unit` is money per *quantity quantum*. PER_ORDER: `per_order` is money, once, with the order's first
    fill. NONE: 0.

    Bounds: abs(notional_money) <= 2**62, abs(rate_ppb) <= 10**9, abs(per_unit * last_qty) <= 2**62.
    """
    if kind == _PER_NOTIONAL:
        return rate_ceil(notional_money, rate_ppb)
    if kind == _PER_UNIT:
        return per_unit * last_qty
    if kind == _PER_ORDER and is_first_fill:
        return per_order
    return 0
