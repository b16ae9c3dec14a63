"""Stops only tighten, exits lie inside the bar, partial exits are never nothing and never too much."""

from hypothesis import given
from hypothesis import strategies as st

from surefill.rules.codes import ExitReason, IntrabarPolicy
from surefill.rules.exits import (
    bar_exit,
    extreme_after,
    partial_exit_qty,
    stop_breached,
    target_reached,
    tick_exit,
    trailed_stop,
)
from surefill.units import PPB

SIDES = st.sampled_from((1, -1))
NEAR = st.integers(90, 110)
LEVEL = st.just(0) | NEAR
BAR = st.tuples(NEAR, NEAR, NEAR).map(lambda prices: (sorted(prices)[1], max(prices), min(prices)))
WORST, BEST = IntrabarPolicy


@given(SIDES, LEVEL, st.integers(0, 30), st.lists(BAR, max_size=30))
def test_trailed_stop_only_ever_moves_towards_profit(
    side: int, stop: int, distance: int, bars: list[tuple[int, int, int]]
) -> None:
    extreme = 0
    for _, high, low in bars:
        extreme = extreme_after(side, extreme, high, low)
        moved = trailed_stop(side, stop, extreme, distance)
        if stop:
            assert side * (moved - stop) >= 0
        if moved != stop:
            assert moved == extreme - side * distance
        assert trailed_stop(side, moved, extreme, distance) == moved
        stop = moved


@given(SIDES, BAR, LEVEL, LEVEL, st.sampled_from(IntrabarPolicy), st.booleans())
def test_bar_exit_trades_inside_the_bar_for_a_reason(
    side: int, bar: tuple[int, int, int], stop: int, target: int, policy: int, entered: bool
) -> None:
    open_px, high, low = bar
    reason, px = bar_exit(side, open_px, high, low, stop, target, policy, entered)
    if reason == ExitReason.STOP:
        assert stop_breached(side, px, stop)
    elif reason == ExitReason.TARGET:
        assert target_reached(side, px, target)
    else:
        assert (reason, px) == (ExitReason.NONE, 0)
        assert not stop_breached(side, low if side > 0 else high, stop)
        return
    if not entered:
        assert low <= px <= high


@given(SIDES, BAR, st.integers(1, 8), st.integers(1, 8), st.integers(95, 105), st.booleans())
def test_bar_exit_worst_case_is_never_better_than_best_case(
    side: int, bar: tuple[int, int, int], risk: int, reward: int, entry: int, entered: bool
) -> None:
    levels = entry - side * risk, entry + side * reward
    worst_reason, worst_px = bar_exit(side, *bar, *levels, WORST, entered)
    best_reason, best_px = bar_exit(side, *bar, *levels, BEST, entered)
    if worst_reason and best_reason:
        assert side * (best_px - worst_px) >= 0
    if worst_reason == ExitReason.TARGET:
        assert (best_reason, best_px) == (worst_reason, worst_px)
    assert not worst_reason or best_reason  # the worst case never holds on where the best case gets out


@given(SIDES, NEAR, LEVEL, LEVEL)
def test_bar_exit_of_a_one_price_bar_agrees_with_the_tick(side: int, px: int, stop: int, target: int) -> None:
    if stop and target and side * (target - stop) <= 0:
        return  # crossed levels: one tick takes the target, a bar's open the stop
    assert bar_exit(side, px, px, px, stop, target, WORST, False)[0] == tick_exit(side, px, stop, target)


@given(st.integers(1, 2**40), st.integers(0, 2 * PPB), st.integers(1, 2**40) | st.integers(1, 1000))
def test_partial_exit_qty_is_never_nothing_and_never_too_much(qty: int, fraction_ppb: int, lot: int) -> None:
    closing = partial_exit_qty(qty, fraction_ppb, lot)
    assert 0 < closing <= qty
    assert closing == qty or closing % lot == 0
    if closing not in (lot, qty):
        assert closing * PPB <= qty * fraction_ppb < (closing + lot) * PPB
