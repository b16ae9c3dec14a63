"""Rounding goes where its name says, and where there is a choice, against us."""

from fractions import Fraction
from math import ceil, floor

from hypothesis import assume, given
from hypothesis import strategies as st

from surefill.rules.arithmetic import ceil_to, floor_to, mul_div_ceil, mul_div_floor, rate_ceil, rate_floor
from surefill.rules.codes import FeeKind, FillMode
from surefill.rules.fees import fill_fee
from surefill.rules.matching import limit_bar_px, limit_tick_px, stop_bar_px
from surefill.rules.prices import market_px, slipped_px
from surefill.units import PPB

SIDES = st.sampled_from((1, -1))
PX = st.integers(1, 2**40)
PX_OR_NONE = st.just(0) | PX
NEAR = st.integers(9_990, 10_010)
NEAR_OR_NONE = st.just(0) | NEAR
RATE = st.integers(0, PPB) | st.integers(0, 100 * 100_000)
TICK = st.integers(1, 2**20) | st.sampled_from((1, 5, 25, 2**40))


@given(st.integers(1, 2**40), st.integers(0, 2**62), st.data())
def test_mul_div_any_numbers_is_exact(c: int, b: int, data: st.DataObject) -> None:
    a = data.draw(st.integers(-c, c))
    assert mul_div_floor(a, b, c) == a * b // c == floor(Fraction(a * b, c))
    assert mul_div_ceil(a, b, c) == ceil(Fraction(a * b, c))


@given(st.integers(-(2**62), 2**62), st.integers(-(2**50), 2**50))
def test_rate_any_numbers_is_exact(amount: int, rate_ppb: int) -> None:
    exact = Fraction(amount * rate_ppb, PPB)
    assume(abs(exact) <= 2**62)
    assert rate_floor(amount, rate_ppb) == floor(exact)
    assert rate_ceil(amount, rate_ppb) == ceil(exact)


@given(st.integers(-(2**60), 2**60), st.integers(1, 2**40))
def test_floor_to_and_ceil_to_enclose_the_number(x: int, step: int) -> None:
    below, above = floor_to(x, step), ceil_to(x, step)
    assert below <= x <= above
    assert below % step == above % step == 0
    assert above - below == (0 if x % step == 0 else step)


@given(PX, SIDES, RATE, TICK)
def test_slipped_px_is_never_better_than_asked_for(px: int, side: int, slippage_ppb: int, tick: int) -> None:
    slipped = slipped_px(px, side, slippage_ppb, tick)
    exact = px + side * Fraction(px * slippage_ppb, PPB)
    assert slipped > 0
    assert side * (slipped - px) >= 0
    if slippage_ppb == 0:
        assert slipped == px
    elif slipped > tick:
        assert slipped % tick == 0
        assert 0 <= side * (slipped - exact) < tick


@given(st.sampled_from(list(FillMode)), PX_OR_NONE, PX_OR_NONE, PX_OR_NONE, RATE, RATE, TICK)
def test_market_px_a_round_trip_never_gains(
    mode: int, bid: int, ask: int, last: int, spread_ppb: int, slippage_ppb: int, tick: int
) -> None:
    assume(not bid > ask > 0)
    if mode == FillMode.BID_ASK:  # a last price outside half a quote is two markets at once
        assume((bid == 0) == (ask == 0))
    bought = market_px(mode, 1, bid, ask, last, spread_ppb, slippage_ppb, tick)
    sold = market_px(mode, -1, bid, ask, last, spread_ppb, slippage_ppb, tick)
    assert (bought == 0) == (sold == 0)
    assert bought >= sold >= 0


@given(st.sampled_from(list(FillMode)), SIDES, NEAR, NEAR_OR_NONE, NEAR_OR_NONE, NEAR_OR_NONE, RATE, TICK)
def test_limit_tick_px_is_never_worse_than_the_limit(
    mode: int, side: int, limit: int, bid: int, ask: int, last: int, slippage_ppb: int, tick: int
) -> None:
    px = limit_tick_px(mode, side, limit, bid, ask, last, slippage_ppb, tick)
    if px:
        assert side * (limit - px) >= 0


@given(SIDES, NEAR, st.tuples(NEAR, NEAR, NEAR))
def test_bar_prices_lie_within_the_bar_and_on_the_right_side(
    side: int, level: int, prices: tuple[int, int, int]
) -> None:
    low, open_px, high = sorted(prices)
    limit_px = limit_bar_px(side, level, open_px, high, low)
    stop_px = stop_bar_px(side, level, open_px, high, low)
    if limit_px:
        assert low <= limit_px <= high
        assert side * (level - limit_px) >= 0
    else:
        assert side * (level - (low if side > 0 else high)) < 0
    if stop_px:
        assert low <= stop_px <= high
        assert side * (stop_px - level) >= 0
    else:
        assert side * ((high if side > 0 else low) - level) < 0


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=10), st.integers(-PPB, PPB))
def test_fill_fee_in_parts_costs_at_least_as_much_as_in_one(notionals: list[int], rate_ppb: int) -> None:
    def fee(notional: int) -> int:
        return fill_fee(FeeKind.PER_NOTIONAL, rate_ppb, 0, 0, notional, 1, True)

    parts = sum(fee(notional) for notional in notionals)
    assert 0 <= parts - fee(sum(notionals)) < len(notionals)
