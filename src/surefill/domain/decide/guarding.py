"""Binding an order's exit plan to the position that it opened, or joining it to the plan that is there.

An addition never makes a position worse guarded than it was: what its plan does not name stays, a stop moves towards
profit only, a limit of time becomes shorter only, bars go on being counted, and R is what it was at entry.
"""

from __future__ import annotations

from surefill.domain.decide.holding import set_hold_timer
from surefill.domain.decide.step import Step
from surefill.domain.events import ProtectionSet
from surefill.domain.intent import ExitPlan
from surefill.domain.orders import Order
from surefill.domain.position import Protection
from surefill.rules.exits import initial_risk, tightened_stop, trail_distance_r

#: What the position has before it is guarded.
_NOTHING = Protection()


def protect(this: Step, order: Order, entry_px: int, *, first: bool) -> None:
    """Guard what the order has just opened or added to; R is fixed with the first stop.

    Later fills change nothing, unless they find the position naked: the order has turned it round, or an exit had
    closed it while a fill was on its way.
    """
    plan = order.plan
    position = this.book.positions[order.position]
    if plan is None or plan.is_empty() or position.qty * order.request.side <= 0:
        return
    held = position.protection
    if not first and held is not None:
        return
    told = _joined(this, order, plan, held or _NOTHING, entry_px)
    if held is None or _changes(told, held):
        this.emit(told)
        set_hold_timer(this, order.position, position)


def _joined(this: Step, order: Order, plan: ExitPlan, held: Protection, entry_px: int) -> ProtectionSet:
    """What guards the position from here on."""
    side = order.request.side
    stop_px = tightened_stop(side, held.stop_px, plan.stop_px)
    moved = stop_px != held.stop_px
    risk = held.initial_risk or initial_risk(side, entry_px, stop_px)
    return ProtectionSet(
        this.ts_ns,
        order.correlation_id,
        this.book.seq,
        order.position,
        stop_px,
        plan.target_px or held.target_px,
        risk,
        plan.trail_distance or trail_distance_r(risk, plan.trail_step_ppb) or held.trail_distance,
        plan.stop_partial_ppb if moved else held.stop_partial_ppb,  # it belongs to its stop
        plan.ladder or held.ladder,
        _shorter(plan.time_stop_bars, held.time_stop_bars),
        plan.end_of_day or held.end_of_day,
        _shorter(plan.max_hold_ns, held.max_hold_ns),
        held.bars_held,
        held.trailed and not moved,
    )


def _shorter(one: int, other: int) -> int:
    """The shorter of two limits; 0 is none."""
    return min(one, other) if one and other else one or other


def _changes(told: ProtectionSet, held: Protection) -> bool:
    """Whether the addition brought anything that was not there."""
    return any(getattr(told, name) != getattr(held, name) for name in _LEVELS)


_LEVELS = tuple(name for name in Protection.__struct_fields__ if name in ProtectionSet.__struct_fields__)
