"""One account through its bars, as the engine takes it: the source of the kernel.

Plain functions over integers. Called as they are they are slow Python; `compiling` makes machine code of them and of
the rules that they call. The order of things at one moment is that of `surefill.strategy.backtest`, the order of things
inside a bar that of `surefill.domain.decide.exits`; `tests/sweep/test_kernel_parity.py` holds them to it.
Market orders, one strategy: what else there is goes through the engine (`coverage`). `side` is +1 or -1 throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from surefill.rules.arithmetic import rate_ceil
from surefill.rules.codes import ExitReason, FeeKind, IntrabarPolicy
from surefill.rules.exits import (
    bar_exit,
    distance_away,
    level_away,
    stop_breached,
    target_reached,
    tick_exit,
    time_stop_due,
    trail_due,
    trailed_stop,
)
from surefill.rules.fees import fill_fee, order_charge
from surefill.rules.prices import market_px
from surefill.rules.sizing import qty_within
from surefill.strategy.forms import CLOSES_LONG, CLOSES_SHORT
from surefill.sweep.kernels import tables as t

if TYPE_CHECKING:
    from surefill.sweep.kernels.tables import Books, Costs, Flags, Ints, Market, Signals

_SIGNAL: Final = int(ExitReason.NONE)
_STOP: Final = int(ExitReason.STOP)
_TRAILING: Final = int(ExitReason.TRAILING)
_TIME_STOP: Final = int(ExitReason.TIME_STOP)
_END_OF_DAY: Final = int(ExitReason.END_OF_DAY)
_WORST_CASE: Final = int(IntrabarPolicy.WORST_CASE)
_NO_CHARGE: Final = int(FeeKind.NONE)
_PASSES: Final = 0
_NO_LEVEL: Final = 2**62
_ANY: Final = -1


def simulate(
    market: Market, signals: Signals, instruments: Ints, rules: Ints, variant: Ints, costs: Costs, books: Books
) -> None:
    """Trade one variant over all bars. `books` begins with nothing but the cash in `result`."""
    result, positions = books.result, books.positions
    at_close, positions_max = variant[t.AT_CLOSE], variant[t.POSITIONS_MAX]
    time_stop_bars, day_ends = variant[t.TIME_STOP_BARS], variant[t.END_OF_DAY]
    granularity, policy = rules[t.STOP_GRANULARITY], rules[t.INTRABAR]
    held = entering = leaving = 0
    moments, moment = len(market.moments) - 1, -1
    while moment + 1 < moments:
        moment += 1
        if not entering and not leaving:
            moment = _next_event(moment, held, market, signals, instruments, variant, books)
            if moment == moments:
                break
        first, end = market.moments[moment, t.MOMENT_FROM], market.moments[moment + 1, t.MOMENT_FROM]
        now_ns = market.moments[moment, t.MOMENT_NS]
        if held:
            for place in range(first, end):
                at = market.moment_bars[place]
                number = market.bars[at, t.BAR_INSTRUMENT]
                reason = _at_open(positions, number, market.bars[at, t.BAR_OPEN], granularity)
                if reason:
                    _leave(number, at, market.bars[at, t.BAR_OPEN], now_ns, reason, instruments, rules, costs, books)
                    held -= 1
        if leaving:
            for place in range(first, end):
                at = market.moment_bars[place]
                number = market.bars[at, t.BAR_INSTRUMENT]
                if positions[number, t.WAITING] == t.CLOSE:
                    positions[number, t.WAITING] = t.NOTHING
                    leaving -= 1
                    if positions[number, t.QTY]:
                        _leave(
                            number, at, market.bars[at, t.BAR_OPEN], now_ns, _SIGNAL, instruments, rules, costs, books
                        )
                        held -= 1
                    else:
                        result[t.NO_POSITION] += 1
        if entering:
            for place in range(first, end):
                at = market.moment_bars[place]
                number = market.bars[at, t.BAR_INSTRUMENT]
                if positions[number, t.WAITING] == t.OPEN:
                    positions[number, t.WAITING] = t.NOTHING
                    entering -= 1
                    held += _enter(number, at, market.bars[at, t.BAR_OPEN], now_ns, instruments, rules, costs, books)
        last_ns = now_ns
        for place in range(first, end):
            at = market.moment_bars[place]
            number = market.bars[at, t.BAR_INSTRUMENT]
            if positions[number, t.QTY]:
                reason, px = _in_bar(
                    positions,
                    number,
                    market.bars[at, t.BAR_OPEN],
                    market.bars[at, t.BAR_HIGH],
                    market.bars[at, t.BAR_LOW],
                    market.bars[at, t.BAR_CLOSE],
                    policy,
                    positions[number, t.OPENED_NS] > market.bars[at, t.BAR_OPEN_NS],
                    granularity,
                )
                if not reason:
                    px = market.bars[at, t.BAR_CLOSE]
                    reason = _at_close(
                        positions, number, time_stop_bars, day_ends and market.bars[at, t.BAR_ENDS] & t.ENDS_SESSION
                    )
                if reason:
                    _leave(number, at, px, market.bars[at, t.BAR_TS_NS], reason, instruments, rules, costs, books)
                    held -= 1
            positions[number, t.CLOSE_PX] = market.bars[at, t.BAR_CLOSE]
            last_ns = max(last_ns, market.bars[at, t.BAR_TS_NS])
        for place in range(first, end):
            at = market.moment_bars[place]
            number = market.bars[at, t.BAR_INSTRUMENT]
            if positions[number, t.QTY]:
                day_is_over = variant[t.EXIT_AT_DAY_END] and market.bars[at, t.BAR_ENDS] & t.ENDS_SESSION
                leaves = signals.leaves[at] & _closing(positions[number, t.QTY])
                if day_is_over or (at_close and leaves):
                    _leave(number, at, market.bars[at, t.BAR_CLOSE], last_ns, _SIGNAL, instruments, rules, costs, books)
                    held -= 1
                elif leaves:
                    positions[number, t.WAITING] = t.CLOSE
                    leaving += 1
            elif signals.enters[at] and variant[t.ENABLED] and held + entering < positions_max:
                if market.bars[at, t.BAR_ENDS] & t.IS_FIRST or not _plan(
                    positions, number, signals.enters[at], market.bars[at, t.BAR_CLOSE], instruments, variant
                ):
                    continue
                if at_close:
                    held += _enter(number, at, market.bars[at, t.BAR_CLOSE], last_ns, instruments, rules, costs, books)
                elif not market.bars[at, t.BAR_ENDS] & t.IS_LAST:
                    positions[number, t.WAITING] = t.OPEN
                    entering += 1
        worth = result[t.CASH]
        if held:
            for number in range(len(positions)):
                worth += positions[number, t.QTY] * positions[number, t.CLOSE_PX] * instruments[number, t.PER_NOTIONAL]
        books.equity[moment] = worth


def _next_event(
    moment: int, held: int, market: Market, signals: Signals, instruments: Ints, variant: Ints, books: Books
) -> int:
    """The first moment from this one on at which something may happen, where nothing waits; the equity until then.

    A position that trails, counts bars or leaves by the clock is looked at every time, and so is one among others.
    """
    positions = books.positions
    cash, worth, until = books.result[t.CASH], 0, moment
    if len(positions) > 1:
        while not held and until < len(market.moments) - 1 and not _enters(until, market, signals):
            until += 1
    elif not held:  # of one instrument bar and moment have the same number
        until += _unset(signals.enters[moment:], _ANY)
    elif not (
        positions[0, t.TRAIL] or variant[t.TIME_STOP_BARS] or variant[t.END_OF_DAY] or variant[t.EXIT_AT_DAY_END]
    ):
        worth = positions[0, t.QTY] * instruments[0, t.PER_NOTIONAL]
        until += _unset(signals.leaves[moment:], _closing(positions[0, t.QTY]))
        stop_px, target_px = positions[0, t.STOP], positions[0, t.TARGET]
        if stop_px or target_px:
            below, above = (stop_px, target_px) if positions[0, t.QTY] > 0 else (target_px, stop_px)
            until = moment + _between(market.low_px[moment:until], market.high_px[moment:until], below, above)
        positions[0, t.BARS_HELD] += until - moment
        positions[0, t.CLOSE_PX] = market.close_px[until - 1]
    equity, close_px = books.equity[moment:until], market.close_px[moment:until]
    if worth:
        for at in range(len(equity)):
            equity[at] = cash + worth * close_px[at]
    else:
        equity[:] = cash
    return until


def _enters(moment: int, market: Market, signals: Signals) -> bool:
    for place in range(market.moments[moment, t.MOMENT_FROM], market.moments[moment + 1, t.MOMENT_FROM]):
        if signals.enters[market.moment_bars[place]]:
            return True
    return False


def _unset(flags: Flags, bits: int) -> int:
    """How many flags come before the first that has one of these bits."""
    for at in range(len(flags)):  # from 0 on: an index that cannot be negative costs no test
        if flags[at] & bits:
            return at
    return len(flags)


def _closing(qty: int) -> int:
    """The signal that closes such a position."""
    return CLOSES_LONG if qty > 0 else CLOSES_SHORT


def _between(low_px: Ints, high_px: Ints, below_px: int, above_px: int) -> int:
    """How many bars come before the first that touches a level below or above; 0 is none."""
    above = above_px or _NO_LEVEL
    for at in range(len(low_px)):
        if low_px[at] <= below_px or high_px[at] >= above:
            return at
    return len(low_px)


def _plan(positions: Ints, number: int, side: int, px: int, instruments: Ints, variant: Ints) -> bool:
    """Size an entry decided at `px`, and say where it leaves; whether there is anything to trade."""
    positions[number, t.PLAN_QTY] = qty_within(instruments[number, t.LOTS_BUDGET], px, 1) * instruments[number, t.LOT]
    tick = instruments[number, t.TICK]
    positions[number, t.PLAN_SIDE] = side
    positions[number, t.PLAN_STOP] = positions[number, t.PLAN_TARGET] = positions[number, t.PLAN_TRAIL] = 0
    if variant[t.STOP_AWAY]:
        positions[number, t.PLAN_STOP] = level_away(px, tick, variant[t.STOP_AWAY], variant[t.STOP_OF], -side)
    if variant[t.TARGET_AWAY]:
        positions[number, t.PLAN_TARGET] = level_away(px, tick, variant[t.TARGET_AWAY], variant[t.TARGET_OF], side)
    if variant[t.TRAIL_AWAY]:
        positions[number, t.PLAN_TRAIL] = distance_away(px, tick, variant[t.TRAIL_AWAY], variant[t.TRAIL_OF])
    return bool(positions[number, t.PLAN_QTY] > 0)


def _refusal(positions: Ints, number: int, px: int, instruments: Ints, rules: Ints, cash: int) -> int:
    """Which gate refuses the planned entry at `px`, as a column of the result; 0: none."""
    qty, side = positions[number, t.PLAN_QTY], positions[number, t.PLAN_SIDE]
    if qty > instruments[number, t.MAX_QTY] or qty < instruments[number, t.MIN_QTY]:
        return t.OUT_OF_RANGE
    if stop_breached(side, px, positions[number, t.PLAN_STOP]):
        return t.STOP_SIDE
    if target_reached(side, px, positions[number, t.PLAN_TARGET]):
        return t.TARGET_SIDE
    if side < 0:
        return _PASSES if rules[t.ALLOW_SHORT] else t.NO_SHORT
    price = px * qty * instruments[number, t.PER_NOTIONAL]
    if not rules[t.NEGATIVE_CASH] and price + rate_ceil(price, rules[t.CUSHION_PPB]) > cash:
        return t.NO_CASH
    return _PASSES


def _enter(
    number: int,
    at: int,
    px: int,
    ts_ns: int,
    instruments: Ints,
    rules: Ints,
    costs: Costs,
    books: Books,
) -> int:
    """Make the planned entry at a market price of `px`; 1 if it passed the gates, else 0."""
    positions, result = books.positions, books.result
    refused = _refusal(positions, number, px, instruments, rules, result[t.CASH])
    if refused:
        result[refused] += 1
        return 0
    qty, side = positions[number, t.PLAN_QTY], positions[number, t.PLAN_SIDE]
    _fill(number, at, side, px, qty, ts_ns, _SIGNAL, instruments, rules, costs, books)
    positions[number, t.QTY], positions[number, t.OPENED_NS] = side * qty, ts_ns
    positions[number, t.STOP] = positions[number, t.PLAN_STOP]
    positions[number, t.TARGET] = positions[number, t.PLAN_TARGET]
    positions[number, t.TRAIL] = positions[number, t.PLAN_TRAIL]
    positions[number, t.TRAILED] = positions[number, t.BARS_HELD] = 0
    return 1


def _leave(
    number: int,
    at: int,
    px: int,
    ts_ns: int,
    reason: int,
    instruments: Ints,
    rules: Ints,
    costs: Costs,
    books: Books,
) -> None:
    """Leave whole, at a market price of `px`."""
    positions = books.positions
    held = positions[number, t.QTY]
    _fill(number, at, -_side_of(held), px, abs(held), ts_ns, reason, instruments, rules, costs, books)
    positions[number, t.QTY] = positions[number, t.STOP] = positions[number, t.TARGET] = positions[number, t.TRAIL] = 0


def _fill(
    instrument: int,
    at: int,
    side: int,
    market_at_px: int,
    qty: int,
    ts_ns: int,
    reason: int,
    instruments: Ints,
    rules: Ints,
    costs: Costs,
    books: Books,
) -> None:
    """Trade, pay, and keep it."""
    result = books.result
    px = market_px(
        rules[t.FILL_MODE],
        side,
        0,
        0,
        market_at_px,
        rules[t.SPREAD_PPB],
        rules[t.SLIPPAGE_PPB],
        instruments[instrument, t.TICK],
    )
    money = px * qty * instruments[instrument, t.PER_NOTIONAL]
    fee = _fee(instrument, side, money, qty, ts_ns, costs, books.scratch)
    result[t.CASH] -= side * money + fee
    number = result[t.FILLS]
    result[t.FILLS] = number + 1
    if number < len(books.fills):
        fills = books.fills
        fills[number, t.INSTRUMENT], fills[number, t.BAR], fills[number, t.TS_NS] = instrument, at, ts_ns
        fills[number, t.SIDE], fills[number, t.PX], fills[number, t.LAST_QTY] = side, px, qty
        fills[number, t.FEE], fills[number, t.REASON] = fee, reason


def _fee(instrument: int, side: int, money: int, qty: int, ts_ns: int, costs: Costs, scratch: Ints) -> int:
    """What a fill costs that is all of its order."""
    fee = 0
    fees = costs.fees
    for rule in range(len(fees)):
        fee += fill_fee(
            fees[rule, t.FEE_KIND],
            fees[rule, t.FEE_RATE],
            fees[rule, t.FEE_PER_UNIT],
            fees[rule, t.FEE_PER_ORDER],
            money,
            qty,
            True,
        )
    table = 0
    while table < len(costs.changes_ns) and costs.changes_ns[table] <= ts_ns:
        table += 1
    charges, way = costs.charges, (side + 1) // 2
    for number in range(charges.shape[3]):
        if charges[instrument, table, way, number, t.CHARGE_KIND] == _NO_CHARGE:
            break
        base = 0
        for other in range(number):
            if charges[instrument, table, way, number, t.CHARGE_BASE] >> other & 1:
                base += scratch[other]
        scratch[number] = order_charge(
            charges[instrument, table, way, number, t.CHARGE_KIND],
            charges[instrument, table, way, number, t.CHARGE_RATE],
            charges[instrument, table, way, number, t.CHARGE_PER_ORDER],
            charges[instrument, table, way, number, t.CHARGE_MIN],
            charges[instrument, table, way, number, t.CHARGE_MAX],
            charges[instrument, table, way, number, t.CHARGE_STEP],
            money,
            qty,
            base,
        )
        fee += scratch[number]
    return fee


def _at_open(positions: Ints, number: int, px: int, granularity: int) -> int:
    """What the first price of a bar makes of a position: the reason to leave, else a stop that may have trailed."""
    if not positions[number, t.QTY]:
        return _SIGNAL
    reason = tick_exit(_side_of(positions[number, t.QTY]), px, positions[number, t.STOP], positions[number, t.TARGET])
    if reason == _STOP:
        return _stop_reason(positions, number)
    if not reason:
        _trail(positions, number, px, granularity)
    return reason


def _in_bar(
    positions: Ints,
    number: int,
    open_px: int,
    high_px: int,
    low_px: int,
    close_px: int,
    policy: int,
    entered_inside: bool,
    granularity: int,
) -> tuple[int, int]:
    """The reason to leave inside a bar, and the price of it; (NONE, 0): it is held on, its stop may have trailed."""
    side = _side_of(positions[number, t.QTY])
    reason, px = bar_exit(
        side, open_px, high_px, low_px, positions[number, t.STOP], positions[number, t.TARGET], policy, entered_inside
    )
    if reason == _STOP:
        return _stop_reason(positions, number), px
    if not reason:
        best_px = high_px if side > 0 else low_px
        seen_px = close_px if entered_inside and policy == _WORST_CASE else best_px
        _trail(positions, number, seen_px, granularity)
    return reason, px


def _at_close(positions: Ints, number: int, time_stop_bars: int, session_ends: int) -> int:
    """Whether time is up at a bar's close: the reason to leave there."""
    positions[number, t.BARS_HELD] += 1
    if time_stop_due(positions[number, t.BARS_HELD], time_stop_bars):
        return _TIME_STOP
    return _END_OF_DAY if session_ends else _SIGNAL


def _side_of(qty: int) -> int:
    return 1 if qty > 0 else -1


def _stop_reason(positions: Ints, number: int) -> int:
    return _TRAILING if positions[number, t.TRAILED] else _STOP


def _trail(positions: Ints, number: int, seen_px: int, granularity: int) -> None:
    if positions[number, t.TRAIL]:
        side = _side_of(positions[number, t.QTY])
        stop_px = trailed_stop(side, positions[number, t.STOP], seen_px, positions[number, t.TRAIL])
        if trail_due(side, positions[number, t.STOP], stop_px, granularity):
            positions[number, t.STOP], positions[number, t.TRAILED] = stop_px, 1
