"""Bars at which nothing can happen, found without asking the engine or the strategy.

A strategy that can say quickly after which bars it may want something (`surefill.strategy.advice`) leaves most bars
quiet: no order rests, no level of a position is touched, no session ends. The engine would take such a bar in and
decide nothing, so a backtest steps over it, and its journal is the same to the byte.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Final, NamedTuple

from surefill.domain.position import Protection
from surefill.domain.state import State
from surefill.market.series import BarSeries
from surefill.strategy.advice import Advice
from surefill.strategy.ledger import HeldPosition, held_of

_NEVER: Final = 2**62
_STRETCH: Final = 32


class _Watch(NamedTuple):
    """What makes a bar matter: a low at or below, a high at or above, the end of a session; or it always does."""

    position: HeldPosition | None
    always: bool = False
    low_px: int = -1
    high_px: int = _NEVER
    day_end: bool = False


class Quiet:
    """Looks ahead. `leaves_at_day_end`: the spec's exit is the end of the day."""

    def __init__(self, series: Mapping[str, BarSeries], advice: Advice, *, leaves_at_day_end: bool) -> None:
        self._series = series
        self._advice = advice
        self._leaves_at_day_end = leaves_at_day_end
        self._ends = {symbol: bytes(bars.session_end) for symbol, bars in series.items()}
        self._seen: dict[str, tuple[_Watch, int]] = {}

    def until_ns(self, state: State, at: Mapping[str, int], waiting: Mapping[str, object], session_ns: int) -> int:
        """When the next bar opens that the engine must see, from the bars `at` on; far away if there is none.

        `waiting`: instruments whose next open executes something. At `session_ns` the known sessions end.
        """
        if state.book.orders or state.breakers or state.watches_equity:
            return 0
        open_ns = _NEVER
        for symbol, first in at.items():
            series = self._series[symbol]
            if first < len(series):
                needed = first if symbol in waiting else self._needed(state, symbol, first)
                needed = min(needed, bisect_left(series.ts_ns, session_ns, first))
                if needed < len(series):
                    open_ns = min(open_ns, series.open_ns[needed])
        return open_ns

    def _needed(self, state: State, symbol: str, first: int) -> int:
        """The first bar from `first` on at which a level is touched or the strategy wishes; all of them if none is."""
        watch, series = self._watch(state, symbol), self._series[symbol]
        if watch.always:
            return first
        seen = self._seen.get(symbol)
        if seen is not None and seen[0] == watch and seen[1] >= first:
            return seen[1]
        end = len(series)
        if watch.day_end:
            end = _first(self._ends[symbol], first, end)
        needed = self._searched(watch, symbol, first, end)
        self._seen[symbol] = watch, needed
        return needed

    def _searched(self, watch: _Watch, symbol: str, first: int, end: int) -> int:
        """Where a level is touched or the strategy wishes; a stretch at a time, since the nearer of the two counts."""
        if watch.low_px < 0 and watch.high_px == _NEVER:
            return self._advice.next_wish(symbol, first, end, watch.position)
        needed, stretch = first, _STRETCH
        while needed < end:
            until = min(needed + stretch, end)
            touched = _touched(self._series[symbol], needed, until, watch.low_px, watch.high_px)
            needed = self._advice.next_wish(symbol, needed, touched, watch.position)
            if needed < until:
                break
            stretch *= 2
        return needed

    def _watch(self, state: State, symbol: str) -> _Watch:
        position = state.book.positions.get(symbol)
        held = held_of(state.book, symbol)
        if position is None or held is None:
            return _Watch(None)
        if position.protection is None:
            return _Watch(held, day_end=self._leaves_at_day_end)
        return _guarded(held, position.protection, max(state.book.profile.limits.stop_granularity, 1))


def _guarded(held: HeldPosition, plan: Protection, granularity: int) -> _Watch:
    """What a guarded position waits for; a plan that counts bars or is on its way out watches each of them."""
    busy = plan.time_stop_bars or plan.ladder or plan.due or plan.exit_cl_ord_id or plan.max_hold_ns
    if busy or (plan.trail_distance and not plan.stop_px):
        return _Watch(held, True)
    if held.quantity > 0:
        above = [plan.target_px or _NEVER]
        if plan.trail_distance:
            above.append(plan.stop_px + granularity + plan.trail_distance)
        return _Watch(held, False, plan.stop_px or -1, min(above), plan.end_of_day)
    below = [plan.target_px or -1]
    if plan.trail_distance:
        below.append(plan.stop_px - granularity - plan.trail_distance)
    return _Watch(held, False, max(below), plan.stop_px or _NEVER, plan.end_of_day)


def _first(flags: bytes, first: int, end: int) -> int:
    """Where the next 1 is, before `end`; else `end`."""
    found = flags.find(1, first, end)
    return end if found < 0 else found


def _touched(series: BarSeries, first: int, end: int, low_px: int, high_px: int) -> int:
    """The first bar before `end` that reaches one of the two prices; else `end`."""
    lows, highs = series.low_px[first:end], series.high_px[first:end]
    for at, (low, high) in enumerate(zip(lows, highs, strict=True), first):
        if low <= low_px or high >= high_px:
            return at
    return end
