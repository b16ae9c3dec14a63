"""Predicates of the pre-trade gates. Where something is missing they answer the careful way, never "fine"."""

from __future__ import annotations

from surefill.rules.arithmetic import rate_floor


def is_multiple(x: int, step: int) -> bool:
    """Whether `x` (a price, a quantity) is a multiple of `step` (the tick, the lot). No step: no."""
    return step > 0 and x % step == 0


def within(x: int, lowest: int, highest: int) -> bool:
    """Whether `x` lies between the two limits, both included."""
    return lowest <= x <= highest


def is_stale(now_ns: int, ts_ns: int, max_age_ns: int) -> bool:
    """Whether a price of `ts_ns` is unusable at `now_ns`: older than `max_age_ns`, or as far in the future.

    A price from the future means that one of the two clocks is wrong. No time (0 or below) is stale.
    """
    return ts_ns <= 0 or abs(now_ns - ts_ns) > max_age_ns


def crossed(bid: int, ask: int) -> bool:
    """Whether a quote contradicts itself: the bid above the ask. Equal (locked) or half a quote is not."""
    return bid > ask > 0


def collar_breached(px: int, ref_px: int, collar_ppb: int) -> bool:
    """Whether `px` is more than `collar_ppb` away from the reference price. No reference price: yes.

    Bounds: px, ref_px <= 2**42, collar_ppb <= 2**48.
    """
    return ref_px <= 0 or abs(px - ref_px) > rate_floor(ref_px, collar_ppb)


def cash_sufficient(cash_money: int, cost_money: int, allow_negative_cash: bool) -> bool:
    """Whether `cost_money` (fees included) can be paid: cash never goes below 0 unless that is allowed.

    What brings money in (a cost of 0 or below) is never refused, however low the cash.
    """
    return allow_negative_cash or cost_money <= 0 or cost_money <= cash_money


def reduces_only(position_qty: int, open_reduce_qty: int, side: int, qty: int) -> bool:
    """Whether an order, together with the live reducing orders, can only ever reduce its position.

    `position_qty` is signed; `open_reduce_qty` sums what is left of the live reducing orders; `qty` is the
    new order's.
    """
    return side * position_qty < 0 and open_reduce_qty + qty <= abs(position_qty)
