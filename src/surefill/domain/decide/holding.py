"""How long a position may be held: a timer of the core's, counted from when it was opened, set again after a start."""

from __future__ import annotations

from surefill.domain.decide.step import Step
from surefill.domain.effects import SetTimer
from surefill.domain.position import Position

HOLD_TIMER = "hold:"


def hold_until_ns(position: Position) -> int:
    """When it is to be left; 0: whenever."""
    protection = position.protection
    if protection is None or not protection.max_hold_ns or not position.qty:
        return 0
    return position.opened_ns + protection.max_hold_ns


def set_hold_timer(this: Step, key: str, position: Position) -> None:
    """Be woken when the position's time is up."""
    at_ns = hold_until_ns(position)
    if at_ns:
        this.ask(SetTimer(HOLD_TIMER + key, at_ns))
