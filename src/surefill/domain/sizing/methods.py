"""What each method asks for, before any cap and before the lot."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing.spec import SizeMethod, SizingMoment, SizingSpec
from surefill.domain.sizing.wording import missing, money_text, pct_text, px_text, qty_text
from surefill.rules.sizing import before_costs, kelly_stake, loss_px, qty_within, share_floor
from surefill.units import MONEY_MAX, PPB, PRICE_MAX, QTY_MAX, RATE_MAX_PPB


class Wish(msgspec.Struct, frozen=True):
    """A quantity in quanta, and how it was reckoned."""

    qty: int
    figures: str


def wanted(spec: SizingSpec, moment: SizingMoment) -> Wish | Refusal:
    """What the method alone gives; a refusal where it cannot see what it needs."""
    if spec.method not in METHODS:
        return Refusal(RefusalCode.INVALID_INPUT, f"there is no sizing method {spec.method}")
    for name, value, highest in _parameters(spec):
        if not 0 <= value <= highest:
            return Refusal(
                RefusalCode.INVALID_INPUT, f"{name} {value} of the sizing is outside 0 to {highest}: correct it"
            )
        if not value:
            return missing(f"{name} is not given", "set it in the sizing")
    return METHODS[spec.method](spec, moment)


def stop_loss_px(moment: SizingMoment) -> int | Refusal:
    """What one unit loses at the stop, costs included."""
    if moment.entry_px <= 0:
        return no_price(moment)
    if moment.stop_px <= 0:
        return missing("there is no stop to measure the risk by", "give a stop, or size by value")
    distance = loss_px(moment.side, moment.entry_px, moment.stop_px, moment.cost_ppb)
    if distance > 0:
        return distance
    losing = "below" if moment.side > 0 else "above"
    return Refusal(
        RefusalCode.STOP_ON_WRONG_SIDE,
        f"stop {px_text(moment, moment.stop_px)} must be {losing} the entry {px_text(moment, moment.entry_px)}",
    )


def no_price(moment: SizingMoment) -> Refusal:
    """Nothing that is reckoned in money can do without a price."""
    return missing(f"no price for {moment.instrument.instrument_id}", "wait for market data, or give a price")


def _parameters(spec: SizingSpec) -> tuple[tuple[str, int, int], ...]:
    """What the method reads, with the highest value that makes sense (more than all of the equity is not a risk)."""
    match spec.method:
        case SizeMethod.FIXED_QTY:
            return (("qty", spec.qty, QTY_MAX),)
        case SizeMethod.FIXED_CASH:
            return (("cash_money", spec.cash_money, MONEY_MAX),)
        case SizeMethod.FIXED_RISK:
            return (("fraction_ppb", spec.fraction_ppb, PPB),)
        case SizeMethod.VOLATILITY:
            return (("atr", spec.atr, PRICE_MAX), ("target_ppb", spec.target_ppb, PPB))
        case SizeMethod.KELLY:
            return (
                ("kelly_portion_ppb", spec.kelly_portion_ppb, PPB),
                ("kelly_cap_ppb", spec.kelly_cap_ppb, PPB),
            )
        case _:
            return (("fraction_ppb", spec.fraction_ppb, RATE_MAX_PPB),)


def _fixed_qty(spec: SizingSpec, moment: SizingMoment) -> Wish | Refusal:
    return Wish(spec.qty, f"fixed quantity {qty_text(moment, spec.qty)}")


def _fixed_cash(spec: SizingSpec, moment: SizingMoment) -> Wish | Refusal:
    return _by_value(spec.cash_money, f"fixed cash {money_text(moment, spec.cash_money)}", moment)


def _balance_share(spec: SizingSpec, moment: SizingMoment) -> Wish | Refusal:
    if moment.cash is None:
        return missing("the balance is not known", "wait until the account has been read")
    budget, figures = _share(moment.cash, spec.fraction_ppb, "the balance", moment)
    return _by_value(budget, figures, moment)


def _equity_share(spec: SizingSpec, moment: SizingMoment) -> Wish | Refusal:
    if moment.equity is None:
        return no_equity()
    budget, figures = _share(moment.equity, spec.fraction_ppb, "the equity", moment)
    return _by_value(budget, figures, moment)


def _fixed_risk(spec: SizingSpec, moment: SizingMoment) -> Wish | Refusal:
    if moment.equity is None:
        return no_equity()
    budget, figures = _share(moment.equity, spec.fraction_ppb, "the equity", moment)
    return _by_loss(budget, figures, moment)


def _volatility(spec: SizingSpec, moment: SizingMoment) -> Wish | Refusal:
    if moment.equity is None:
        return no_equity()
    budget, figures = _share(moment.equity, spec.target_ppb, "the equity", moment)
    qty = qty_within(budget, spec.atr, moment.instrument.money_per_notional)
    return Wish(qty, f"{figures} for one ATR of {px_text(moment, spec.atr)}: {qty_text(moment, qty)}")


def _kelly(spec: SizingSpec, moment: SizingMoment) -> Wish | Refusal:
    if abs(spec.kelly_ppb) > RATE_MAX_PPB:
        return Refusal(
            RefusalCode.INVALID_INPUT, f"kelly_ppb {spec.kelly_ppb} is beyond {RATE_MAX_PPB}: it cannot be a fraction"
        )
    if spec.kelly_ppb <= 0:
        return Refusal(
            RefusalCode.SIZE_ZERO_LOTS, f"the Kelly fraction is {pct_text(spec.kelly_ppb)}: no edge, so no trade"
        )
    if moment.equity is None:
        return no_equity()
    stake_ppb = kelly_stake(spec.kelly_ppb, spec.kelly_portion_ppb, spec.kelly_cap_ppb)
    budget, figures = _share(moment.equity, stake_ppb, "the equity", moment)
    figures = (
        f"Kelly fraction {pct_text(spec.kelly_ppb)}, {pct_text(spec.kelly_portion_ppb)} of it,"
        f" at most {pct_text(spec.kelly_cap_ppb)}: {figures}"
    )
    return _by_loss(budget, figures, moment) if spec.kelly_at_risk else _by_value(budget, figures, moment)


def no_equity() -> Refusal:
    """A share of the equity needs the equity."""
    return missing("the equity is not known", "wait until the account and the price of every position are known")


def _share(base_money: int, share_ppb: int, of_what: str, moment: SizingMoment) -> tuple[int, str]:
    budget = share_floor(base_money, share_ppb)
    return budget, (
        f"{pct_text(share_ppb)} of {of_what} {money_text(moment, base_money)} is {money_text(moment, budget)}"
    )


def _by_value(budget_money: int, figures: str, moment: SizingMoment) -> Wish | Refusal:
    """What the budget buys, costs included."""
    if moment.entry_px <= 0:
        return no_price(moment)
    value_money = before_costs(budget_money, moment.cost_ppb)
    qty = qty_within(value_money, moment.entry_px, moment.instrument.money_per_notional)
    costs = f" and {pct_text(moment.cost_ppb)} costs" if moment.cost_ppb else ""
    return Wish(qty, f"{figures} at {px_text(moment, moment.entry_px)}{costs}: {qty_text(moment, qty)}")


def _by_loss(budget_money: int, figures: str, moment: SizingMoment) -> Wish | Refusal:
    """What loses the budget at the stop, costs included."""
    distance = stop_loss_px(moment)
    if isinstance(distance, Refusal):
        return distance
    qty = qty_within(budget_money, distance, moment.instrument.money_per_notional)
    at_risk = f"to lose, {px_text(moment, distance)} per unit from {px_text(moment, moment.entry_px)}"
    costs = " with costs" if moment.cost_ppb else ""
    return Wish(qty, f"{figures} {at_risk} to {px_text(moment, moment.stop_px)}{costs}: {qty_text(moment, qty)}")


METHODS: dict[int, Callable[[SizingSpec, SizingMoment], Wish | Refusal]] = {
    SizeMethod.FIXED_QTY: _fixed_qty,
    SizeMethod.FIXED_CASH: _fixed_cash,
    SizeMethod.BALANCE_SHARE: _balance_share,
    SizeMethod.EQUITY_SHARE: _equity_share,
    SizeMethod.FIXED_RISK: _fixed_risk,
    SizeMethod.VOLATILITY: _volatility,
    SizeMethod.KELLY: _kelly,
}
