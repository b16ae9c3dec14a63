"""Entering: sized, asked of the gates, made at the market or left to wait for a price. The source of machine code.

Orders that wait meet the market as they do at `surefill.venues.paper`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from surefill.rules.arithmetic import ceil_to, floor_to, rate_ceil
from surefill.rules.codes import ExitReason, OrdType
from surefill.rules.exits import distance_away, level_away, stop_breached, target_reached
from surefill.rules.matching import limit_bar_px, limit_marketable, stop_bar_px, stop_limit_bar_px, stop_triggered
from surefill.rules.sizing import qty_within
from surefill.sweep.kernels import tables as t
from surefill.sweep.kernels.fills import at_market, fill

if TYPE_CHECKING:
    from surefill.sweep.kernels.tables import Books, Costs, Ints, Market, Signals

_SIGNAL: Final = int(ExitReason.NONE)
_MARKET, _LIMIT, _STOP, _STOP_LIMIT = map(int, OrdType)
_PASSES: Final = 0


def plan(
    positions: Ints, number: int, at: int, signals: Signals, close_px: int, instruments: Ints, variant: Ints
) -> bool:
    """Size the entry that is decided after bar `at`, and say where it leaves; whether there is anything to trade."""
    side, tick, px = signals.enters[at], instruments[number, t.TICK], close_px
    positions[number, t.PLAN_SIDE] = side
    positions[number, t.PLAN_PX] = positions[number, t.PLAN_STOP_PX] = 0
    if len(signals.stop_px) and signals.stop_px[at]:
        px = signals.stop_px[at]
        px = ceil_to(px, tick) if side > 0 else floor_to(px, tick)
        positions[number, t.PLAN_STOP_PX] = px
        if not px:
            return False
    if len(signals.px) and signals.px[at]:
        px = signals.px[at]
        px = floor_to(px, tick) if side > 0 else ceil_to(px, tick)
        positions[number, t.PLAN_PX] = px
        if not px:
            return False
    positions[number, t.PLAN_QTY] = qty_within(instruments[number, t.LOTS_BUDGET], px, 1) * instruments[number, t.LOT]
    positions[number, t.PLAN_STOP] = positions[number, t.PLAN_TARGET] = positions[number, t.PLAN_TRAIL] = 0
    if variant[t.STOP_AWAY]:
        positions[number, t.PLAN_STOP] = level_away(px, tick, variant[t.STOP_AWAY], variant[t.STOP_OF], -side)
    if variant[t.TARGET_AWAY]:
        positions[number, t.PLAN_TARGET] = level_away(px, tick, variant[t.TARGET_AWAY], variant[t.TARGET_OF], side)
    if variant[t.TRAIL_AWAY]:
        positions[number, t.PLAN_TRAIL] = distance_away(px, tick, variant[t.TRAIL_AWAY], variant[t.TRAIL_OF])
    for rung in range(variant[t.RUNGS]):
        at = t.RUNG + rung * t.RUNG_COLUMNS
        level_px = level_away(px, tick, variant[at + t.RUNG_AWAY], variant[at + t.RUNG_OF], side)
        positions[number, t.PLAN_LADDER + rung] = level_px
    return bool(positions[number, t.PLAN_QTY] > 0)


def enter(
    number: int,
    at: int,
    px: int,
    ts_ns: int,
    instruments: Ints,
    rules: Ints,
    costs: Costs,
    variant: Ints,
    books: Books,
) -> int:
    """Make the planned entry while the market is at `px`; 1 if it is held at once. It may also be refused, or rest."""
    positions, result = books.positions, books.result
    refused = _refusal(positions, number, px, instruments, rules, variant, result[t.CASH])
    if refused:
        result[refused] += 1
        return 0
    side, limit_px = positions[number, t.PLAN_SIDE], positions[number, t.PLAN_PX]
    set_off = not positions[number, t.PLAN_STOP_PX] or stop_triggered(side, positions[number, t.PLAN_STOP_PX], px)
    traded_px = 0
    if set_off and not limit_px:
        traded_px = at_market(number, side, px, instruments, rules)
    elif set_off and limit_marketable(side, limit_px, 0, 0, px):
        traded_px = limit_px
    if traded_px:
        return _open(number, at, traded_px, ts_ns, 0, instruments, costs, variant, books)
    positions[number, t.RESTS] = t.LIMIT if set_off else t.TRIGGER
    positions[number, t.RESTS_NS], positions[number, t.RESTS_BARS] = ts_ns, 0
    if side > 0:
        worth = positions[number, t.PLAN_QTY] * instruments[number, t.PER_NOTIONAL]
        positions[number, t.PROMISED] = _worst_px(positions, number, px) * worth
    return 0


def meet_bar(
    number: int, at: int, market: Market, instruments: Ints, rules: Ints, costs: Costs, variant: Ints, books: Books
) -> int:
    """A bar runs past an order that rests: 1 if it trades."""
    ts_ns, rests_ns = market.bars[at, t.BAR_TS_NS], books.positions[number, t.RESTS_NS]
    if ts_ns < rests_ns:
        return 0
    open_px, high_px = market.bars[at, t.BAR_OPEN], market.bars[at, t.BAR_HIGH]
    low_px, close_px = market.bars[at, t.BAR_LOW], market.bars[at, t.BAR_CLOSE]
    if rests_ns > market.bars[at, t.BAR_OPEN_NS]:  # it came while the bar was under way
        open_px = 0
        if books.positions[number, t.RESTS] == t.LIMIT:
            open_px = high_px = low_px = close_px
    return meet(number, at, open_px, high_px, low_px, close_px, ts_ns, instruments, rules, costs, variant, books)


def meet(
    number: int,
    at: int,
    open_px: int,
    high_px: int,
    low_px: int,
    close_px: int,
    ts_ns: int,
    instruments: Ints,
    rules: Ints,
    costs: Costs,
    variant: Ints,
    books: Books,
) -> int:
    """An order that rests meets prices, as at the simulated market: 1 if it trades."""
    positions = books.positions
    side, limit_px, stop_px = (
        positions[number, t.PLAN_SIDE],
        positions[number, t.PLAN_PX],
        positions[number, t.PLAN_STOP_PX],
    )
    rested = int(positions[number, t.RESTS] == t.LIMIT)
    if rested:
        px = limit_bar_px(side, limit_px, open_px, high_px, low_px)
    else:
        px = stop_bar_px(side, stop_px, open_px, high_px, low_px)
        if px and limit_px:
            positions[number, t.RESTS] = t.LIMIT
            px = stop_limit_bar_px(side, stop_px, limit_px, open_px, high_px, low_px, close_px)
        elif px:
            px = at_market(number, side, px, instruments, rules)
    if px:
        return _open(number, at, px, ts_ns, rested, instruments, costs, variant, books)
    return 0


def _open(
    number: int, at: int, px: int, ts_ns: int, rested: int, instruments: Ints, costs: Costs, variant: Ints, books: Books
) -> int:
    """The planned entry trades at `px`."""
    positions = books.positions
    qty, side = positions[number, t.PLAN_QTY], positions[number, t.PLAN_SIDE]
    fill(number, at, side, px, qty, ts_ns, _SIGNAL, rested, instruments, costs, books)
    positions[number, t.QTY], positions[number, t.OPENED_NS] = side * qty, ts_ns
    positions[number, t.STOP] = positions[number, t.PLAN_STOP]
    positions[number, t.TARGET] = positions[number, t.PLAN_TARGET]
    positions[number, t.TRAIL] = positions[number, t.PLAN_TRAIL]
    positions[number, t.TRAILED] = positions[number, t.BARS_HELD] = 0
    positions[number, t.STOP_PARTIAL] = variant[t.STOP_PARTIAL_PPB]
    for rung in range(variant[t.RUNGS]):
        positions[number, t.LADDER + rung] = positions[number, t.PLAN_LADDER + rung]
    positions[number, t.RESTS] = positions[number, t.PROMISED] = 0
    return 1


def _refusal(positions: Ints, number: int, px: int, instruments: Ints, rules: Ints, variant: Ints, cash: int) -> int:
    """Which gate refuses the planned entry while the market is at `px`, as a column of the result; 0: none."""
    qty, side = positions[number, t.PLAN_QTY], positions[number, t.PLAN_SIDE]
    limit_px, stop_px = positions[number, t.PLAN_PX], positions[number, t.PLAN_STOP_PX]
    entry_px, ord_type = px, _MARKET
    if limit_px:
        ord_type = _STOP_LIMIT if stop_px else _LIMIT
        entry_px = limit_px if stop_px or side * (limit_px - px) < 0 else px
    elif stop_px:
        ord_type = _STOP
        entry_px = stop_px if side * (stop_px - px) > 0 else px
    if not rules[t.ORD_TYPES] >> ord_type & 1:
        return t.NO_ORD_TYPE
    if qty > instruments[number, t.MAX_QTY] or qty < instruments[number, t.MIN_QTY]:
        return t.OUT_OF_RANGE
    if stop_breached(side, entry_px, positions[number, t.PLAN_STOP]):
        return t.STOP_SIDE
    if target_reached(side, entry_px, positions[number, t.PLAN_TARGET]):
        return t.TARGET_SIDE
    for rung in range(variant[t.RUNGS]):
        if target_reached(side, entry_px, positions[number, t.PLAN_LADDER + rung]):
            return t.TARGET_SIDE
    if side < 0:
        return _PASSES if rules[t.ALLOW_SHORT] else t.NO_SHORT
    promised = 0
    for other in range(len(positions)):
        promised += positions[other, t.PROMISED]
    price = _worst_px(positions, number, px) * qty * instruments[number, t.PER_NOTIONAL]
    free = cash - promised - rate_ceil(promised, rules[t.CUSHION_PPB])
    if not rules[t.NEGATIVE_CASH] and price + rate_ceil(price, rules[t.CUSHION_PPB]) > free:
        return t.NO_CASH
    return _PASSES


def _worst_px(positions: Ints, number: int, px: int) -> int:
    """What a purchase is reckoned at beforehand: its limit, else what sets it off or the market."""
    limit_px: int = positions[number, t.PLAN_PX]
    return limit_px or max(positions[number, t.PLAN_STOP_PX], px)
