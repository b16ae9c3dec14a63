"""What a fill costs. Fees are money: integers at the workspace's money scale, rounded against us.

Two ways of charging. `fill_fee` looks at one fill by itself. `order_charge` looks at what an order has traded so far;
a fill then costs the difference between after and before, so that however an order is cut into fills, it pays what it
would have paid in one: a cap of 20 an order is met once, and what is rounded is rounded once.
"""

from __future__ import annotations

from surefill.rules.arithmetic import ceil_to, rate_ceil
from surefill.rules.codes import FeeKind

_PER_NOTIONAL = int(FeeKind.PER_NOTIONAL)
_PER_UNIT = int(FeeKind.PER_UNIT)
_PER_ORDER = int(FeeKind.PER_ORDER)
_ON_CHARGES = int(FeeKind.ON_CHARGES)


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


def order_charge(
    kind: int,
    rate_ppb: int,
    per_order: int,
    min_money: int,
    max_money: int,
    step: int,
    turnover_money: int,
    cum_qty: int,
    base_money: int,
) -> int:
    """The money that one component of a cost schedule takes from an order that has traded this much so far.

    PER_NOTIONAL: `rate_ppb` of `turnover_money`. PER_UNIT: `rate_ppb` is money per quantity quantum, in parts per
    billion, times `cum_qty`. PER_ORDER: `per_order`. ON_CHARGES: `rate_ppb` of `base_money`, the sum of the charges
    that it is levied on. Anything else, and an order that has not traded: 0.

    Rounded up to the money quantum, then up to a multiple of `step`; then at least `min_money` and at most
    `max_money`, where these are above 0. With a rate of 0 or more it never falls as the order trades on.

    Bounds: abs(turnover_money), abs(base_money), every result and `per_order` <= 2**62, step <= 2**40.
    """
    if cum_qty <= 0:
        return 0
    if kind == _PER_NOTIONAL:
        charge = rate_ceil(turnover_money, rate_ppb)
    elif kind == _PER_UNIT:
        charge = rate_ceil(cum_qty, rate_ppb)
    elif kind == _PER_ORDER:
        charge = per_order
    elif kind == _ON_CHARGES:
        charge = rate_ceil(base_money, rate_ppb)
    else:
        return 0
    charge = ceil_to(charge, step)
    if charge < min_money and min_money > 0:
        charge = min_money
    if charge > max_money > 0:
        charge = max_money
    return charge
