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


class Ahead(NamedTuple):
    """When the next bar opens that matters; `still`: to the strategy alone, the engine would decide nothing."""

    open_ns: int
    still: bool


class Quiet:
    """Looks ahead. `leaves_at_day_end`: the spec's exit is the end of the day."""

    def __init__(self, series: Mapping[str, BarSeries], advice: Advice, *, leaves_at_day_end: bool) -> None:
        self._series = series
        self._advice = advice
        self._leaves_at_day_end = leaves_at_day_end
        self._ends = {symbol: bytes(bars.session_end) for symbol, bars in series.items()}
        self._seen: dict[str, tuple[_Watch, tuple[int, bool]]] = {}

    def ahead(self, state: State, at: Mapping[str, int], waiting: Mapping[str, object], session_ns: int) -> Ahead:
        """The next bar that matters, from the bars `at` on; far away if there is none.

        `waiting`: instruments whose next open executes something. At `session_ns` the known sessions end.
        """
        if state.book.orders or state.breakers or state.watches_equity:
            return Ahead(0, False)
        open_ns, still = _NEVER, True
        for symbol, first in at.items():
            series = self._series[symbol]
            if first < len(series):
                needed, wish = (first, False) if symbol in waiting else self._needed(state, symbol, first)
                session_end = bisect_left(series.ts_ns, session_ns, first)
                if session_end <= needed:
                    needed, wish = session_end, False
                if needed < len(series):
                    opens_ns = series.open_ns[needed]
                    still = wish and (still or opens_ns < open_ns) if opens_ns <= open_ns else still
                    open_ns = min(open_ns, opens_ns)
        return Ahead(open_ns, still)

    def _needed(self, state: State, symbol: str, first: int) -> tuple[int, bool]:
        """The first bar from `first` on at which a level is touched or the strategy wishes, and whether it only wishes;
        all of them if there is none.
        """
        watch, series = self._watch(state, symbol), self._series[symbol]
        if watch.always:
            return first, False
        seen = self._seen.get(symbol)
        if seen is not None and seen[0] == watch and seen[1][0] >= first:
            return seen[1]
        end = len(series)
        if watch.day_end:
            end = _first(self._ends[symbol], first, end)
        needed = self._searched(watch, symbol, first, end)
        self._seen[symbol] = watch, needed
        return needed

    def _searched(self, watch: _Watch, symbol: str, first: int, end: int) -> tuple[int, bool]:
        """Where a level is touched or the strategy wishes; a stretch at a time, since the nearer of the two counts."""
        position = watch.position
        if watch.low_px < 0 and watch.high_px == _NEVER:
            needed = self._advice.next_wish(symbol, first, end, position)
            return needed, needed < end
        needed, stretch = first, _STRETCH
        while needed < end:
            until = min(needed + stretch, end)
            touched = _touched(self._series[symbol], needed, until, watch.low_px, watch.high_px)
            needed = self._advice.next_wish(symbol, needed, touched, position)
            if needed < until:
                return needed, needed < touched
            stretch *= 2
        return end, False

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
