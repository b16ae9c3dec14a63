"""Gates on what the account holds: cash, the position, who owns it."""

from __future__ import annotations

from surefill.domain.gates.question import Question
from surefill.domain.intent import Action
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.valuation import external_value
from surefill.rules.arithmetic import rate_ceil


def position(q: Question) -> Refusal | None:
    """A close has something to close and closes no more; an opening does not reduce; shorts where allowed."""
    held = q.position_qty
    if q.closes:
        return _closing(q, held)
    if held * q.side < 0 and q.intent.action == Action.OPEN:
        return Refusal(
            RefusalCode.OPENS_AGAINST_POSITION,
            f"{q.intent.instrument_id} is held the other way ({q.qty_text(held)}): close it first",
        )
    if not q.profile.allow_short and held + q.side * q.qty < 0:
        return Refusal(
            RefusalCode.SHORT_NOT_ALLOWED,
            f"selling {q.qty_text(q.qty)} would leave {q.qty_text(held - q.qty)}: {q.profile.name} is long only",
        )
    if held * q.side < 0:
        return _reduction(q, held)
    return None


def _closing(q: Question, held: int) -> Refusal | None:
    if not held:
        return Refusal(RefusalCode.NO_POSITION, f"no position in {q.intent.instrument_id} to close")
    if q.intent.side and q.intent.side != q.side:
        return Refusal(
            RefusalCode.NO_POSITION,
            f"the position in {q.intent.instrument_id} is {q.qty_text(held)}, there is nothing on that side to close",
        )
    if q.profile.full_close_only and q.qty != q.leaving_qty:
        return Refusal(
            RefusalCode.PARTIAL_CLOSE_NOT_SUPPORTED,
            f"{q.profile.name} closes positions whole: {q.qty_text(q.leaving_qty)}, not {q.qty_text(q.qty)}",
        )
    if q.qty > abs(held):
        return Refusal(
            RefusalCode.REDUCTION_EXCEEDS_POSITION,
            f"closing {q.qty_text(q.qty)} of {q.qty_text(abs(held))} in {q.intent.instrument_id}: ask for less",
        )
    return _reduction(q, held)


def _reduction(q: Question, held: int) -> Refusal | None:
    """Live reducing orders sum to at most the position, so that two exits can never turn it round."""
    working = q.state.closing_qty(q.key)
    if not working or working + q.qty <= abs(held):
        return None
    return Refusal(
        RefusalCode.REDUCTION_EXCEEDS_POSITION,
        f"{q.qty_text(working)} of {q.qty_text(abs(held))} in {q.intent.instrument_id} is already being closed:"
        " cancel that order or wait for it",
    )


def owner(q: Question) -> Refusal | None:
    """A strategy owns the symbol that it holds or has orders working for.

    Another strategy may not close it either, for it cannot mean what it does not hold. A person may: a close that
    names no strategy, or the owner, passes.
    """
    strategy_id = q.intent.strategy_id
    if q.closes and not strategy_id:
        return None
    held = q.book.positions.get(q.key)
    owner_id = held.strategy_id if held is not None and held.qty else ""
    if not owner_id:
        for order in q.book.orders.values():
            if order.position == q.key and order.strategy_id != strategy_id:
                owner_id = order.strategy_id
                break
    if owner_id in ("", strategy_id):
        return None
    remedy = "close it there, or without naming a strategy" if q.closes else "trade it there or in another workspace"
    return Refusal(RefusalCode.SYMBOL_OWNED, f"{q.intent.instrument_id} belongs to {owner_id}: {remedy}")


def cash(q: Question) -> Refusal | None:
    """A purchase is paid for, beside what is promised to the purchases that still work."""
    limits = q.profile.limits
    if limits.allow_negative_cash or q.closes:
        return None
    buys = q.qty - max(0, -q.position_qty) if q.side > 0 else 0
    if buys <= 0:
        return None
    if q.limit_px <= 0:
        return Refusal(RefusalCode.NO_MARKET_DATA, f"no price for {q.intent.instrument_id} to reckon the cost with")
    price = q.limit_px * q.qty * q.instrument.money_per_notional  # what covers a short is paid for as well
    cost = price + rate_ceil(price, limits.cost_cushion_ppb)
    promised = promised_cash(q)
    if cost <= q.book.cash - promised:
        return None
    return Refusal(
        RefusalCode.INSUFFICIENT_CASH,
        f"{q.money_text(cost)} needed, {q.money_text(q.book.cash - promised)} free"
        + (f" ({q.money_text(promised)} promised to working orders)" if promised else ""),
    )


def promised_cash(q: Question) -> int:
    """What the purchases that still work will cost at worst."""
    promised = 0
    for order in q.book.orders.values():
        request = order.request
        if request.side > 0 and not request.reduce_only:
            px = request.px or max(request.stop_px, request.arrival_px)
            promised += px * order.leaves_qty * q.book.instruments[request.instrument_id].money_per_notional
    promised += sum(external_value(q.state, each) for each in q.book.external_orders.values() if each.side > 0)
    return promised + rate_ceil(promised, q.profile.limits.cost_cushion_ppb)
