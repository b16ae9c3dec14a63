"""Gates on the intent's own terms: known instrument, allowed action and type, lots, ticks, bounds, a sound plan."""

from __future__ import annotations

import enum

from surefill.domain.gates.question import NOWHERE, Question
from surefill.domain.gates.wording import pct_text, share_text
from surefill.domain.intent import HOLD_MAX_NS, Action, ExitPlan
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.rules.codes import OrdType, TimeInForce
from surefill.units import NOTIONAL_MAX, PPB, PRICE_MAX, quanta_text

_ADD, _MARKET = Action.ADD, OrdType.MARKET
_TIMES_IN_FORCE = tuple(map(int, TimeInForce))


def instrument(q: Question) -> Refusal | None:
    """The instrument is defined in this workspace, and its bucket does not take the name of another."""
    name = q.intent.instrument_id
    if q.instrument is not NOWHERE:
        if q.key is name or (q.key not in q.book.instruments and "|" not in q.intent.bucket):
            return None
        return Refusal(
            RefusalCode.INVALID_INPUT, f"bucket {q.intent.bucket!r} of {name} cannot be told from another position"
        )
    return Refusal(
        RefusalCode.UNKNOWN_INSTRUMENT,
        f"{name!r} is not an instrument of workspace {q.book.workspace_id}: define it in the configuration first",
    )


def action(q: Question) -> Refusal | None:
    """The profile allows the action, an addition has something to add to, and a plain order says which side."""
    if q.intent.action not in q.profile.actions:
        name = _name(Action, q.intent.action)
        return Refusal(RefusalCode.UNSUPPORTED_ACTION, f"profile {q.profile.name} does not allow {name}")
    if q.intent.action == _ADD and (not q.position_qty or q.book.positions[q.key].dust):
        return Refusal(RefusalCode.NO_POSITION, f"no position in {q.intent.instrument_id} to add to")
    if not q.closes and q.side not in (1, -1):
        return Refusal(RefusalCode.UNSUPPORTED_ACTION, f"the side must be +1 or -1, not {q.side}")
    return None


def _name(kind: type[enum.IntEnum], value: int) -> str:
    """The name of a code, or the code itself where it has none."""
    try:
        return kind(value).name
    except ValueError:
        return str(value)


def order_type(q: Question) -> Refusal | None:
    """The profile allows the type, and the type has the prices it needs."""
    intent = q.intent
    if intent.ord_type not in q.profile.ord_types:
        name = _name(OrdType, intent.ord_type)
        return Refusal(RefusalCode.UNSUPPORTED_ORDER_TYPE, f"profile {q.profile.name} does not allow {name} orders")
    if intent.time_in_force not in _TIMES_IN_FORCE:
        return Refusal(RefusalCode.UNSUPPORTED_TIME_IN_FORCE, f"there is no time in force {intent.time_in_force}")
    if intent.ord_type == _MARKET:
        return None
    if intent.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT) and intent.px <= 0:
        return Refusal(RefusalCode.PRICE_REQUIRED, f"a {OrdType(intent.ord_type).name} order needs a price above 0")
    if intent.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT) and intent.stop_px <= 0:
        return Refusal(
            RefusalCode.TRIGGER_REQUIRED,
            f"a {OrdType(intent.ord_type).name} order needs a trigger price above 0",
        )
    return None


def quantity(q: Question) -> Refusal | None:
    """Positive, a whole number of lots, within the venue's bounds. The last odd lot may leave if the terms say so."""
    qty, lot = q.qty, q.terms.lot
    if q.closes and not q.position_qty:
        return Refusal(RefusalCode.NO_POSITION, f"no position in {q.intent.instrument_id} to close")
    if q.closes and not q.leaving_qty:
        return Refusal(
            RefusalCode.NO_POSITION,
            f"{q.qty_text(abs(q.position_qty))} of {q.intent.instrument_id} is held, too little for an order at its"
            " venue: there is nothing to close",
        )
    if qty <= 0:
        return Refusal(RefusalCode.INVALID_QUANTITY, f"quantity {q.qty_text(qty)} must be above 0")
    if qty % lot and not q.flattens:
        return Refusal(
            RefusalCode.OFF_LOT,
            f"quantity {q.qty_text(qty)} is not a multiple of the lot {q.qty_text(lot)}:"
            f" use {q.qty_text(qty - qty % lot) if qty > lot else q.qty_text(lot)}",
        )
    if qty > q.terms.max_qty or (qty < q.terms.min_qty and not q.flattens):
        low, high = q.qty_text(q.terms.min_qty), q.qty_text(q.terms.max_qty)
        return Refusal(
            RefusalCode.QUANTITY_OUT_OF_RANGE,
            f"quantity {q.qty_text(qty)} is outside {low} to {high} of one order",
        )
    return None


def tick(q: Question) -> Refusal | None:
    """The prices of our order are whole ticks. Observed prices are never asked."""
    if not q.intent.px and not q.intent.stop_px:
        return None
    size = q.terms.tick
    for name, px in (("price", q.intent.px), ("trigger price", q.intent.stop_px)):
        if px % size or not 0 <= px <= PRICE_MAX:
            return Refusal(
                RefusalCode.OFF_TICK,
                f"{name} {q.px_text(px)} is not a multiple of the tick {q.px_text(size)}",
            )
    return None


def notional(q: Question) -> Refusal | None:
    """Price times quantity stays within what the integers can hold exactly. What only reduces adds nothing."""
    if q.reduces:
        return None
    if q.limit_px <= 0:
        return _no_price(q)
    held = abs(q.position_qty) + q.qty
    if q.limit_px * held * q.instrument.money_per_notional < NOTIONAL_MAX:
        return None
    return Refusal(
        RefusalCode.NOTIONAL_OUT_OF_RANGE,
        f"{q.qty_text(held)} at {q.px_text(q.limit_px)} is more than the ledger holds: split it over workspaces",
    )


def plan(q: Question) -> Refusal | None:
    """A stop is on the losing side of the entry, a target on the winning one, fractions are within 0 to 1.

    An order that only reduces enters nothing: whatever levels it carries are those of the position it leaves.
    """
    plan_ = q.intent.plan
    if plan_ is None or q.closes:
        return None
    return (None if q.reduces else _sides(q, plan_)) or _figures(plan_)


def _sides(q: Question, plan_: ExitPlan) -> Refusal | None:
    entry_px = q.entry_px
    if entry_px <= 0:
        return _no_price(q)
    below, above = ("below", "above") if q.side > 0 else ("above", "below")
    if plan_.stop_px and (entry_px - plan_.stop_px) * q.side <= 0:
        reason = f"stop {q.px_text(plan_.stop_px)} must be {below} the entry {q.px_text(entry_px)}"
        return Refusal(RefusalCode.STOP_ON_WRONG_SIDE, reason)
    targets = (plan_.target_px, *(step.px for step in plan_.ladder))
    for px in targets:
        if px and (px - entry_px) * q.side <= 0:
            reason = f"target {q.px_text(px)} must be {above} the entry {q.px_text(entry_px)}"
            return Refusal(RefusalCode.TARGET_ON_WRONG_SIDE, reason)
    return None


def _figures(plan_: ExitPlan) -> Refusal | None:
    sizes = (plan_.stop_px, plan_.target_px, plan_.trail_distance, plan_.trail_step_ppb, plan_.time_stop_bars)
    steps = all(0 < step.px <= PRICE_MAX and 0 < step.fraction_ppb <= PPB for step in plan_.ladder)
    held = 0 <= plan_.max_hold_ns <= HOLD_MAX_NS
    if min(sizes) < 0 or max(sizes) > PRICE_MAX or not 0 <= plan_.stop_partial_ppb <= PPB or not (steps and held):
        return Refusal(RefusalCode.INVALID_PLAN, "the exit plan has a negative or out-of-range figure")
    if plan_.trail_step_ppb and not plan_.stop_px:
        return Refusal(RefusalCode.INVALID_PLAN, "trailing by R needs a stop: R is the distance from entry to stop")
    return None


def _no_price(q: Question) -> Refusal:
    """A gate that cannot see what it needs refuses."""
    return Refusal(RefusalCode.NO_MARKET_DATA, f"no price for {q.intent.instrument_id} to judge the order by")


def lots(q: Question) -> Refusal | None:
    """One order is no larger than so many lots."""
    if q.is_exit:
        return None
    most = q.profile.limits.order_lots_max
    if q.qty <= most * q.terms.lot:
        return None
    return Refusal(
        RefusalCode.MAX_LOTS_EXCEEDED,
        f"{q.qty_text(q.qty)} is {quanta_text(q.qty * 10 // q.terms.lot, 1)} lots of {q.qty_text(q.terms.lot)}, at most"
        f" {most} go into one order: split it, if it is meant",
    )


def collar(q: Question) -> Refusal | None:
    """The order's prices, and the market it meets, lie within the collar around the last price. No price: no."""
    if q.is_exit:
        return None
    quote, limits = q.quote, q.profile.limits
    reference = 0
    if quote is not None:
        reference = quote.last_px or (quote.bid_px + quote.ask_px) // 2 * (quote.bid_px > 0 < quote.ask_px)
    if reference <= 0:
        return _no_price(q)
    width_ppb = limits.collar_ppb if q.instrument.liquid else limits.collar_illiquid_ppb
    for name, px in (
        ("price", q.intent.px),
        ("trigger price", q.intent.stop_px),
        ("the market's price", q.arrival_px),
    ):
        if px and abs(px - reference) * PPB > width_ppb * reference:
            return Refusal(
                RefusalCode.PRICE_OUTSIDE_COLLAR,
                f"{name} {q.px_text(px)} is {share_text(abs(px - reference), reference)} away from"
                f" {q.px_text(reference)}, at most {pct_text(width_ppb)} is allowed: check it",
            )
    return None


def algo_id(q: Question) -> Refusal | None:
    """The strategy carries the id under which it is registered. An exit is not held up for want of it."""
    if q.is_exit or q.profile.algo_ids.get(q.intent.strategy_id):
        return None
    return Refusal(
        RefusalCode.ALGO_ID_MISSING,
        f"strategy {q.intent.strategy_id or 'without a name'} has no registered algo id: add it to risk.algo_ids",
    )
