"""One account through its bars, as the engine takes it: the source of the kernel.

Plain functions over integers. Called as they are they are slow Python; `compiling` makes machine code of them and of
the rules that they call. The order of things at one moment is that of `surefill.strategy.backtest`;
`tests/sweep/test_kernel_parity.py` holds them to it. One strategy: what else there is goes through the engine
(`coverage`). `side` is +1 or -1 throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from surefill.rules.codes import ExitReason
from surefill.strategy.forms import CLOSES_LONG, CLOSES_SHORT
from surefill.sweep.kernels import tables as t
from surefill.sweep.kernels.entries import enter, meet, meet_bar, plan
from surefill.sweep.kernels.exits import at_open, in_bar, leave, time_up

if TYPE_CHECKING:
    from surefill.sweep.kernels.tables import Books, Costs, Flags, Ints, Market, Signals

_SIGNAL: Final = int(ExitReason.NONE)
_NO_LEVEL: Final = 2**62


def simulate(
    market: Market, signals: Signals, instruments: Ints, rules: Ints, variant: Ints, costs: Costs, books: Books
) -> None:
    """Trade one variant over all bars. `books` begins with nothing but the cash in `result`."""
    result, positions = books.result, books.positions
    at_close, positions_max = variant[t.AT_CLOSE], variant[t.POSITIONS_MAX]
    time_stop_bars, day_ends = variant[t.TIME_STOP_BARS], variant[t.END_OF_DAY]
    granularity, policy = rules[t.STOP_GRANULARITY], rules[t.INTRABAR]
    held = entering = leaving = resting = 0
    moments, moment = len(market.closes_ns), -1
    while moment + 1 < moments:
        moment += 1
        if not entering and not leaving and not resting:
            moment = _next_event(moment, held, market, signals, instruments, variant, books)
            if moment == moments:
                break
        first, end = _bars_of(market, moment)
        now_ns = market.bars[_bar(market, first), t.BAR_OPEN_NS]
        if held or resting:
            for place in range(first, end):
                at = _bar(market, place)
                number = market.bars[at, t.BAR_INSTRUMENT]
                if positions[number, t.RESTS] and now_ns >= positions[number, t.RESTS_NS]:
                    open_px = market.bars[at, t.BAR_OPEN]
                    if meet(
                        number,
                        at,
                        open_px,
                        open_px,
                        open_px,
                        open_px,
                        now_ns,
                        instruments,
                        rules,
                        costs,
                        variant,
                        books,
                    ):
                        held, resting = held + 1, resting - 1
                reason = at_open(
                    positions, number, market.bars[at, t.BAR_OPEN], granularity, instruments[number, t.LOT], variant
                )
                if reason:
                    held -= leave(
                        number, at, market.bars[at, t.BAR_OPEN], now_ns, reason, instruments, rules, costs, books
                    )
        if leaving:
            for place in range(first, end):
                at = _bar(market, place)
                number = market.bars[at, t.BAR_INSTRUMENT]
                if positions[number, t.WAITING] == t.CLOSE:
                    positions[number, t.WAITING] = t.NOTHING
                    leaving -= 1
                    if positions[number, t.QTY]:
                        positions[number, t.LEAVING] = abs(positions[number, t.QTY])
                        held -= leave(
                            number, at, market.bars[at, t.BAR_OPEN], now_ns, _SIGNAL, instruments, rules, costs, books
                        )
                    else:
                        result[t.NO_POSITION] += 1
        if entering:
            for place in range(first, end):
                at = _bar(market, place)
                number = market.bars[at, t.BAR_INSTRUMENT]
                if positions[number, t.WAITING] == t.OPEN:
                    positions[number, t.WAITING] = t.NOTHING
                    entering -= 1
                    held += enter(
                        number, at, market.bars[at, t.BAR_OPEN], now_ns, instruments, rules, costs, variant, books
                    )
                    resting += positions[number, t.RESTS] != t.NOWHERE
        last_ns = now_ns
        for place in range(first, end):
            at = _bar(market, place)
            number = market.bars[at, t.BAR_INSTRUMENT]
            if positions[number, t.RESTS] and meet_bar(number, at, market, instruments, rules, costs, variant, books):
                held, resting = held + 1, resting - 1
            if positions[number, t.QTY]:
                reason, px = in_bar(
                    positions,
                    number,
                    market.bars[at, t.BAR_OPEN],
                    market.bars[at, t.BAR_HIGH],
                    market.bars[at, t.BAR_LOW],
                    market.bars[at, t.BAR_CLOSE],
                    policy,
                    positions[number, t.OPENED_NS] > market.bars[at, t.BAR_OPEN_NS],
                    granularity,
                    instruments[number, t.LOT],
                    variant,
                )
                if reason:
                    held -= leave(
                        number, at, px, market.bars[at, t.BAR_TS_NS], reason, instruments, rules, costs, books
                    )
                if positions[number, t.QTY]:
                    px = market.bars[at, t.BAR_CLOSE]
                    reason = time_up(
                        positions, number, time_stop_bars, day_ends and market.bars[at, t.BAR_ENDS] & t.ENDS_SESSION
                    )
                    if reason:
                        held -= leave(
                            number, at, px, market.bars[at, t.BAR_TS_NS], reason, instruments, rules, costs, books
                        )
            positions[number, t.CLOSE_PX] = market.bars[at, t.BAR_CLOSE]
            last_ns = max(last_ns, market.bars[at, t.BAR_TS_NS])
        if resting:
            for place in range(first, end):
                at = _bar(market, place)
                number = market.bars[at, t.BAR_INSTRUMENT]
                if positions[number, t.RESTS] and market.bars[at, t.BAR_TS_NS] > positions[number, t.RESTS_NS]:
                    positions[number, t.RESTS_BARS] += 1
                    if positions[number, t.RESTS_BARS] >= variant[t.GOOD_FOR_BARS]:
                        positions[number, t.RESTS] = positions[number, t.PROMISED] = 0
                        resting -= 1
        for place in range(first, end):
            at = _bar(market, place)
            number = market.bars[at, t.BAR_INSTRUMENT]
            if positions[number, t.QTY]:
                day_is_over = variant[t.EXIT_AT_DAY_END] and market.bars[at, t.BAR_ENDS] & t.ENDS_SESSION
                leaves = signals.leaves[at] & _closing(positions[number, t.QTY])
                if day_is_over or (at_close and leaves):
                    positions[number, t.LEAVING] = abs(positions[number, t.QTY])
                    held -= leave(
                        number, at, market.bars[at, t.BAR_CLOSE], last_ns, _SIGNAL, instruments, rules, costs, books
                    )
                elif leaves:
                    positions[number, t.WAITING] = t.CLOSE
                    leaving += 1
            elif (
                signals.enters[at]
                and variant[t.ENABLED]
                and not positions[number, t.RESTS]
                and held + entering + resting < positions_max
            ):
                close_px = market.bars[at, t.BAR_CLOSE]
                if market.bars[at, t.BAR_ENDS] & t.IS_FIRST or not plan(
                    positions, number, at, signals, close_px, instruments, variant
                ):
                    continue
                if at_close:
                    held += enter(number, at, close_px, last_ns, instruments, rules, costs, variant, books)
                    resting += positions[number, t.RESTS] != t.NOWHERE
                elif not market.bars[at, t.BAR_ENDS] & t.IS_LAST:
                    positions[number, t.WAITING] = t.OPEN
                    entering += 1
        worth = result[t.CASH]
        if held:
            for number in range(len(positions)):
                worth += positions[number, t.QTY] * positions[number, t.CLOSE_PX] * instruments[number, t.PER_NOTIONAL]
        books.equity[moment] = worth


def _bars_of(market: Market, moment: int) -> tuple[int, int]:
    """The places of a moment's bars. Of one instrument bars, places and moments have the same numbers."""
    if len(market.moment_bars):
        return market.moment_from[moment], market.moment_from[moment + 1]
    return moment, moment + 1


def _bar(market: Market, place: int) -> int:
    """The bar at a place."""
    if len(market.moment_bars):
        at: int = market.moment_bars[place]
        return at
    return place


def _next_event(
    moment: int, held: int, market: Market, signals: Signals, instruments: Ints, variant: Ints, books: Books
) -> int:
    """The first moment from this one on at which something may happen, where nothing waits; the equity until then.

    A position that trails, counts bars or leaves by the clock is looked at every time, and so is one among others.
    """
    positions = books.positions
    cash, worth, until = books.result[t.CASH], 0, moment
    if len(positions) > 1:
        while not held and until < len(market.closes_ns) and not _enters(until, market, signals):
            until += 1
    elif not held:  # of one instrument bar and moment have the same number
        until += _unset(signals.enters[moment:])
    elif not (
        positions[0, t.TRAIL]
        or variant[t.RUNGS]
        or variant[t.TIME_STOP_BARS]
        or variant[t.END_OF_DAY]
        or variant[t.EXIT_AT_DAY_END]
    ):
        worth = positions[0, t.QTY] * instruments[0, t.PER_NOTIONAL]
        until += _without(signals.leaves[moment:], _closing(positions[0, t.QTY]))
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
    for place in range(market.moment_from[moment], market.moment_from[moment + 1]):
        if signals.enters[_bar(market, place)]:
            return True
    return False


def _unset(flags: Flags) -> int:
    """How many flags come before the first that is set."""
    for at in range(len(flags)):  # from 0 on: an index that cannot be negative costs no test
        if flags[at]:
            return at
    return len(flags)


def _without(flags: Flags, bit: int) -> int:
    """How many flags come before the first that has this bit."""
    for at in range(len(flags)):
        if flags[at] & bit:
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
