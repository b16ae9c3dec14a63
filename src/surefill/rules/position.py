"""A net position: signed quantity and signed cost, both integers, conserved exactly.

A position has no average price inside. It has a cost, in notional quanta (price quanta times quantity
quanta), and the average is a view of it. Rounding therefore never invents or loses anything: what a partial
close cannot split evenly stays in the cost of what remains.
"""

from __future__ import annotations

from surefill.rules.arithmetic import mul_div_floor
from surefill.rules.codes import PositionEffect

_NONE = int(PositionEffect.NONE)
_OPENED = int(PositionEffect.OPENED)
_SCALED = int(PositionEffect.SCALED)
_REDUCED = int(PositionEffect.REDUCED)
_CLOSED = int(PositionEffect.CLOSED)
_FLIPPED = int(PositionEffect.FLIPPED)


def apply_fill(position_qty: int, cost: int, side: int, last_px: int, last_qty: int) -> tuple[int, int, int]:
    """Book one execution into a net position; returns (position_qty, cost, realised).

    `position_qty` is signed, in quantity quanta; `cost` is the signed notional of the open quantity (long:
    above 0, short: below 0), in notional quanta, as is `realised`. `side` is +1 for buys, -1 for sells;
    `last_px`, `last_qty` are positive. Opening and scaling add to the cost and realise nothing. Reducing
    removes the proportional part of the cost, rounded toward zero, and realises the proceeds less what it
    removed. Crossing zero closes, then opens.

    Conservation, for every fill: cost_after = cost_before + side * last_px * last_qty + realised.

    Bounds: abs(position_qty), last_px, last_qty <= 2**40; last_px * last_qty <= 2**60; abs(cost) <= 2**61.
    The results are at most 2**62 in size.
    """
    signed_qty = side * last_qty
    after_qty = position_qty + signed_qty
    traded = signed_qty * last_px
    if position_qty == 0 or (position_qty > 0) == (side > 0):
        return after_qty, cost + traded, 0
    held_qty = abs(position_qty)
    if last_qty < held_qty:
        part = mul_div_floor(last_qty, abs(cost), held_qty)
        removed = part if cost > 0 else -part
        return after_qty, cost - removed, -traded - removed
    # Closed, or crossed: all of the cost goes; what is left over of the fill opens the other side at its
    # price.
    opened = after_qty * last_px
    return after_qty, opened, opened - traded - cost


def position_effect(qty_before: int, qty_after: int) -> int:
    """What a change of the signed position quantity amounts to: a PositionEffect."""
    if qty_before == qty_after:
        return _NONE
    if qty_before == 0:
        return _OPENED
    if qty_after == 0:
        return _CLOSED
    if (qty_before > 0) != (qty_after > 0):
        return _FLIPPED
    if abs(qty_after) > abs(qty_before):
        return _SCALED
    return _REDUCED


def avg_px_floor(qty: int, cost: int) -> int:
    """The average entry price in whole price quanta, rounded down; 0 when flat.

    For display and for comparison with ticks. Never feed it back into money: that is what `cost` is for.
    """
    if qty == 0:
        return 0
    return cost // qty


def unrealised(qty: int, cost: int, px: int) -> int:
    """What closing the whole position at `px` would realise, before costs, in notional quanta.

    Bounds: abs(qty * px) and abs(cost) <= 2**61.
    """
    return qty * px - cost
