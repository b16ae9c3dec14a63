"""Leaving: the order of things inside a bar is that of `surefill.domain.decide.exits`. The source of machine code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from surefill.rules.codes import ExitReason, IntrabarPolicy
from surefill.rules.exits import (
    bar_exit,
    ladder_level_reached,
    partial_exit_qty,
    tick_exit,
    time_stop_due,
    trail_due,
    trailed_stop,
)
from surefill.sweep.kernels import tables as t
from surefill.sweep.kernels.fills import at_market, fill

if TYPE_CHECKING:
    from surefill.sweep.kernels.tables import Books, Costs, Ints

_SIGNAL: Final = int(ExitReason.NONE)
_STOP: Final = int(ExitReason.STOP)
_TRAILING: Final = int(ExitReason.TRAILING)
_PARTIAL: Final = int(ExitReason.PARTIAL)
_TIME_STOP: Final = int(ExitReason.TIME_STOP)
_END_OF_DAY: Final = int(ExitReason.END_OF_DAY)
_WORST_CASE: Final = int(IntrabarPolicy.WORST_CASE)


def leave(
    number: int,
    at: int,
    px: int,
    ts_ns: int,
    reason: int,
    instruments: Ints,
    rules: Ints,
    costs: Costs,
    books: Books,
) -> int:
    """Leave with what is to leave now, at a market price of `px`; 1 if nothing is held any more."""
    positions = books.positions
    side, qty = -_side_of(positions[number, t.QTY]), positions[number, t.LEAVING]
    px = at_market(number, side, px, instruments, rules)
    fill(number, at, side, px, qty, ts_ns, reason, 0, instruments, costs, books)
    positions[number, t.QTY] += side * qty
    if positions[number, t.QTY]:
        return 0
    positions[number, t.STOP] = positions[number, t.TARGET] = positions[number, t.TRAIL] = 0
    return 1


def at_open(positions: Ints, number: int, px: int, granularity: int, lot: int, variant: Ints) -> int:
    """What the first price of a bar makes of a position: the reason to leave, else a stop that may have trailed."""
    if not positions[number, t.QTY]:
        return _SIGNAL
    side = _side_of(positions[number, t.QTY])
    reason = _reason(
        positions, number, tick_exit(side, px, positions[number, t.STOP], positions[number, t.TARGET]), lot
    )
    if not reason:
        if _rung(positions, number, side, px, px, lot, variant):
            return _PARTIAL
        _trail(positions, number, side, px, granularity)
    return reason


def in_bar(
    positions: Ints,
    number: int,
    open_px: int,
    high_px: int,
    low_px: int,
    close_px: int,
    policy: int,
    entered_inside: bool,
    granularity: int,
    lot: int,
    variant: Ints,
) -> tuple[int, int]:
    """The reason to leave inside a bar, and the price of it; (NONE, 0): it is held on, its stop may have trailed."""
    side = _side_of(positions[number, t.QTY])
    reason, px = bar_exit(
        side, open_px, high_px, low_px, positions[number, t.STOP], positions[number, t.TARGET], policy, entered_inside
    )
    reason = _reason(positions, number, reason, lot)
    if not reason:
        if entered_inside and policy == _WORST_CASE:
            high_px = low_px = close_px  # the range may be older than the position
        px = _rung(positions, number, side, high_px, low_px, lot, variant)
        if px:
            return _PARTIAL, px
        _trail(positions, number, side, high_px if side > 0 else low_px, granularity)
    return reason, px


def time_up(positions: Ints, number: int, time_stop_bars: int, session_ends: int) -> int:
    """Whether time is up at a bar's close: the reason to leave there."""
    positions[number, t.BARS_HELD] += 1
    positions[number, t.LEAVING] = abs(positions[number, t.QTY])
    if time_stop_due(positions[number, t.BARS_HELD], time_stop_bars):
        return _TIME_STOP
    return _END_OF_DAY if session_ends else _SIGNAL


def _side_of(qty: int) -> int:
    return 1 if qty > 0 else -1


def _reason(positions: Ints, number: int, reason: int, lot: int) -> int:
    """A level has been reached: why it is left then, and with how much."""
    qty = abs(positions[number, t.QTY])
    positions[number, t.LEAVING] = qty
    if reason != _STOP:
        return reason
    if positions[number, t.STOP_PARTIAL]:
        part = partial_exit_qty(qty, positions[number, t.STOP_PARTIAL], lot)
        if part < qty:
            positions[number, t.LEAVING], positions[number, t.STOP_PARTIAL] = part, 0
            return _PARTIAL
    return _TRAILING if positions[number, t.TRAILED] else _STOP


def _rung(positions: Ints, number: int, side: int, high_px: int, low_px: int, lot: int, variant: Ints) -> int:
    """The price of the first rung that is reached, 0 if none is: a part leaves there."""
    for rung in range(variant[t.RUNGS]):
        px: int = positions[number, t.LADDER + rung]
        if ladder_level_reached(side, high_px, low_px, px):
            share_ppb = variant[t.RUNG + rung * t.RUNG_COLUMNS + t.RUNG_PPB]
            positions[number, t.LEAVING] = partial_exit_qty(abs(positions[number, t.QTY]), share_ppb, lot)
            positions[number, t.LADDER + rung] = 0
            return px
    return 0


def _trail(positions: Ints, number: int, side: int, seen_px: int, granularity: int) -> None:
    if positions[number, t.TRAIL]:
        stop_px = trailed_stop(side, positions[number, t.STOP], seen_px, positions[number, t.TRAIL])
        if trail_due(side, positions[number, t.STOP], stop_px, granularity):
            positions[number, t.STOP], positions[number, t.TRAILED] = stop_px, 1
