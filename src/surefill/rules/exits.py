"""When and where a position is closed: stops, targets, trailing, partial exits, time stops.

`side` is the direction of the *position*: +1 long, -1 short. A level of 0 is not set. Comparisons with a
level are inclusive: a long position's stop at 100 is breached at 100.
"""

from __future__ import annotations

from surefill.rules.arithmetic import floor_to, rate_ceil, rate_floor
from surefill.rules.codes import ExitReason, IntrabarPolicy
from surefill.units import PPB

_NO_EXIT = int(ExitReason.NONE)
_STOP = int(ExitReason.STOP)
_TARGET = int(ExitReason.TARGET)
_BEST_CASE = int(IntrabarPolicy.BEST_CASE)


def initial_risk(side: int, entry_px: int, stop_px: int) -> int:
    """The distance from entry to the first stop ("R"), in price quanta: fixed for the position's life.

    0 without a stop, and for a stop on the wrong side of the entry: nothing that counts in R applies then.
    """
    if stop_px <= 0:
        return 0
    return max(0, side * (entry_px - stop_px))


def stop_breached(side: int, px: int, stop_px: int) -> bool:
    """Whether `px` is at or beyond the stop, on the losing side."""
    if stop_px <= 0 or px <= 0:
        return False
    return side * (px - stop_px) <= 0


def target_reached(side: int, px: int, target_px: int) -> bool:
    """Whether `px` is at or beyond the target, on the winning side."""
    if target_px <= 0 or px <= 0:
        return False
    return side * (px - target_px) >= 0


def level_away(entry_px: int, tick: int, away: int, of: int, direction: int) -> int:
    """The price `away` parts in `of` of the entry price away from it: up (`direction` +1) or down (-1).

    In whole ticks, rounded towards the entry, so that neither risk nor target is larger than asked; but at least one
    tick away from it. 0 where that would be no price.

    Bounds: entry_px, tick <= 2**40, 0 <= away, 1 <= of, entry_px * (of + away) and of * tick <= 2**62.
    """
    wanted = entry_px * (of + direction * away)
    if direction > 0:
        ticks = max(wanted // (of * tick), entry_px // tick + 1)
    else:
        ticks = min(-(-wanted // (of * tick)), -(-entry_px // tick) - 1)
    return max(0, ticks * tick)


def distance_away(entry_px: int, tick: int, away: int, of: int) -> int:
    """`away` parts in `of` of the entry price, down to whole ticks; at least one. Bounds as for `level_away`."""
    return max(1, entry_px * away // (of * tick)) * tick


def tick_exit(side: int, px: int, stop_px: int, target_px: int) -> int:
    """The ExitReason that one tick at `px` gives: TARGET before STOP, else NONE.

    One tick has one price, so both can hold only when the levels are crossed; the target then wins.
    """
    if target_reached(side, px, target_px):
        return _TARGET
    if stop_breached(side, px, stop_px):
        return _STOP
    return _NO_EXIT


def bar_exit(
    side: int,
    open_px: int,
    high_px: int,
    low_px: int,
    stop_px: int,
    target_px: int,
    policy: int,
    entered_in_bar: bool,
) -> tuple[int, int]:
    """The ExitReason that one bar gives, and the price of the exit: (NONE, 0), (STOP, px) or (TARGET, px).

    The open comes first: a bar that opens beyond a level exits there, at the open (a gap: worse than the
    stop, better than the target). Inside the bar the levels trade at their own price. When the range holds
    both, `policy` decides: WORST_CASE believes in the stop, BEST_CASE in the target.

    `entered_in_bar`: the position was opened inside this bar, after its open. The open is then in the past
    and is not tested, and under WORST_CASE the target is not granted: the bar may have been there before we
    were.
    """
    if not entered_in_bar:
        if stop_breached(side, open_px, stop_px):
            return _STOP, open_px
        if target_reached(side, open_px, target_px):
            return _TARGET, open_px
    best_px = high_px if side > 0 else low_px
    worst_px = low_px if side > 0 else high_px
    stopped = stop_breached(side, worst_px, stop_px)
    reached = target_reached(side, best_px, target_px)
    if policy == _BEST_CASE:
        if reached:
            return _TARGET, target_px
    elif entered_in_bar:
        reached = False
    if stopped:
        return _STOP, stop_px
    if reached:
        return _TARGET, target_px
    return _NO_EXIT, 0


def trail_distance_r(initial_risk: int, step_ppb: int) -> int:
    """How far a trailing stop follows behind the extreme: `step_ppb` of R, rounded up, in price quanta.

    Bounds: initial_risk <= 2**40, step_ppb <= 2**50.
    """
    return rate_ceil(initial_risk, step_ppb)


def extreme_after(side: int, extreme_px: int, high_px: int, low_px: int) -> int:
    """The position's best price since entry, after a bar (for a tick, give its price twice). 0: none yet."""
    seen_px = high_px if side > 0 else low_px
    if seen_px <= 0:
        return extreme_px
    if extreme_px <= 0:
        return seen_px
    return max(extreme_px, seen_px) if side > 0 else min(extreme_px, seen_px)


def trailed_stop(side: int, stop_px: int, extreme_px: int, distance: int) -> int:
    """The stop after trailing: `distance` behind the extreme, and only ever moved towards profit.

    A `stop_px` of 0 is "none yet" and takes the first level. Without an extreme, without a distance, or where
    the level would not be a price (0 or below), the stop stays. The result is in quanta; rounding to a tick
    is the caller's.
    """
    level_px = extreme_px - side * distance
    if extreme_px <= 0 or distance <= 0 or level_px <= 0:
        return stop_px
    if stop_px <= 0:
        return level_px
    return max(stop_px, level_px) if side > 0 else min(stop_px, level_px)


def tightened_stop(side: int, stop_px: int, new_stop_px: int) -> int:
    """The stop after an addition that brings its own: taken where there was none, or where it is nearer to profit."""
    if stop_px <= 0 or new_stop_px <= 0:
        return max(stop_px, new_stop_px)
    return max(stop_px, new_stop_px) if side > 0 else min(stop_px, new_stop_px)


def trail_due(side: int, old_stop_px: int, new_stop_px: int, granularity: int) -> bool:
    """Whether a trailed stop has moved far enough to be declared: `granularity` price quanta, at least 1.

    A first stop is always due.
    """
    if new_stop_px <= 0:
        return False
    if old_stop_px <= 0:
        return True
    return side * (new_stop_px - old_stop_px) >= max(1, granularity)


def partial_exit_qty(position_qty_abs: int, fraction_ppb: int, lot: int) -> int:
    """How much of a position one partial exit closes: the fraction, down to whole lots, at least one lot.

    All of it when the position is one lot or less, and when the fraction is one or more. Never 0 for an open
    position, never more than the position. Bounds: position_qty_abs <= 2**40, fraction_ppb >= 0, lot >= 1.
    """
    if position_qty_abs <= lot or fraction_ppb >= PPB:
        return position_qty_abs
    return max(lot, floor_to(rate_floor(position_qty_abs, fraction_ppb), lot))


def ladder_level_reached(side: int, high_px: int, low_px: int, level_px: int) -> bool:
    """Whether a bar (or a tick: give its price twice) touched one profit level of a partial-exit ladder."""
    return target_reached(side, high_px if side > 0 else low_px, level_px)


def time_stop_due(bars_held: int, time_stop_bars: int) -> bool:
    """Whether a position has been held for its limit of closed bars. A limit of 0 is none."""
    return 0 < time_stop_bars <= bars_held
