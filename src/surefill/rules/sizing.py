"""How much to trade: budgets become quantities, always rounded down.

Every method and every cap comes to the same division: so much money, at so much per unit. What differs is the
money (a share of the equity, what a limit leaves) and the unit (a price, the distance to the stop, the ATR).
Where something is missing the quantity is 0.
"""

from __future__ import annotations

from surefill.rules.arithmetic import floor_to, mul_div_floor, rate_ceil, rate_floor
from surefill.rules.exits import initial_risk
from surefill.units import MONEY_MAX, PPB


def share_floor(base_money: int, share_ppb: int) -> int:
    """`share_ppb` of an amount, rounded down; never more than MONEY_MAX. Nothing of nothing, or of a debt.

    Bounds: base_money <= 2**62, 0 <= share_ppb <= 10**12 (a thousand times the amount).
    """
    if base_money <= 0:
        return 0
    whole = share_ppb // PPB
    if whole > 0 and base_money > MONEY_MAX // whole:
        return MONEY_MAX
    # Both parts are at most 2**62 and the second is below the amount: the sum stays within 64 bits.
    return min(MONEY_MAX, base_money * whole + rate_floor(base_money, share_ppb % PPB))


def before_costs(budget_money: int, cost_ppb: int) -> int:
    """The largest value that, with `cost_ppb` of it rounded up on top, fits into the budget.

    Bounds: 0 <= budget_money <= 2**62, 0 <= cost_ppb <= 10**9.
    """
    return mul_div_floor(PPB, budget_money, PPB + cost_ppb)


def loss_px(side: int, entry_px: int, stop_px: int, cost_ppb: int) -> int:
    """What one unit loses when it is stopped at `stop_px`, costs of both ways included, in price quanta.

    `cost_ppb` is what one order costs beyond its price; both ways together are rounded up to the quantum. 0
    without a stop, and for a stop on the wrong side: that risk is not known.

    Bounds: prices <= 2**40, 0 <= cost_ppb <= 10**9. The result is at most 2**42.
    """
    distance = initial_risk(side, entry_px, stop_px)
    if distance == 0:
        return 0
    return distance + rate_ceil(entry_px + stop_px, cost_ppb)


def qty_within(budget_money: int, unit_px: int, money_per_notional: int) -> int:
    """The largest quantity whose value (or loss) at `unit_px` per unit is within the budget.

    `unit_px` is a price or a distance, in price quanta; `money_per_notional` is the instrument's. 0 without a
    budget or a price. The quantity is in quanta, not yet in lots, and as large as the budget at most.

    Bounds: budget_money <= 2**62, unit_px <= 2**42, 1 <= money_per_notional <= 2**62. The divisor is never
    multiplied out, so nothing here grows.
    """
    if budget_money <= 0 or unit_px <= 0 or money_per_notional <= 0:
        return 0
    return budget_money // money_per_notional // unit_px


def kelly_fraction(win_ppb: int, payoff_ppb: int) -> int:
    """The Kelly fraction p - (1 - p) / b, in parts per billion, rounded down; 0 where there is no edge.

    `win_ppb` is p, the share of trades that win; `payoff_ppb` is b, the average win over the average loss.
    Source: J. L. Kelly, A New Interpretation of Information Rate, 1956. It is the fraction of the equity to
    *lose* in a losing trade.

    Bounds: 0 <= win_ppb <= 10**9, payoff_ppb <= 10**12.
    """
    if payoff_ppb <= 0:
        return 0
    return max(0, win_ppb + (win_ppb - PPB) * PPB // payoff_ppb)


def kelly_stake(kelly_ppb: int, portion_ppb: int, cap_ppb: int) -> int:
    """The fraction to stake: `portion_ppb` of the Kelly fraction (half Kelly: 500 000 000), `cap_ppb` at most.

    Bounds: abs(kelly_ppb) <= 10**12, 0 <= portion_ppb, cap_ppb <= 10**9.
    """
    return max(0, min(rate_floor(kelly_ppb, portion_ppb), cap_ppb))


def overlap_money(side: int, exposure_money: int, correlation_ppb: int) -> int:
    """How much of what is held moves with a new position: side * correlation * exposure, rounded up; 0 at least.

    `exposure_money` is signed: a short is below 0. What moves against the new position (a hedge) earns it no
    room: correlations are least to be trusted when they are needed.

    Bounds: abs(exposure_money) <= 2**62, abs(correlation_ppb) <= 10**9.
    """
    return max(0, rate_ceil(side * exposure_money, correlation_ppb))


def order_lots(qty: int, lot: int, min_qty: int) -> int:
    """`qty` rounded down to the lot; 0 when that is below the smallest order."""
    lots_qty = floor_to(max(0, qty), lot)
    return lots_qty if lots_qty >= min_qty else 0
