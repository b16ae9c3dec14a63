"""A position conserves money exactly, whatever is bought and sold in whatever order."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from surefill.rules.codes import PositionEffect
from surefill.rules.position import apply_fill, avg_px_floor, position_effect, unrealised

Fill = tuple[int, int, int]  # side, px, qty

SIDES = st.sampled_from((1, -1))
SMALL = st.tuples(SIDES, st.integers(1, 50), st.integers(1, 20))
LARGE = st.tuples(SIDES, st.integers(1, 2**26), st.integers(1, 2**26))
FILLS = st.lists(SMALL, max_size=40) | st.lists(LARGE, max_size=40)


@given(FILLS)
def test_apply_fill_any_sequence_conserves_money(fills: list[Fill]) -> None:
    qty = cost = realised = paid = 0
    for side, px, last_qty in fills:
        before = qty, cost
        qty, cost, gained = apply_fill(qty, cost, side, px, last_qty)
        # each fill, as the docstring says it
        assert cost == before[1] + side * px * last_qty + gained
        assert qty == before[0] + side * last_qty
        realised += gained
        paid += side * px * last_qty
        # and all of them together: what was paid is in the position, or was realised
        assert cost - realised == paid
        # marking at any price gives the same total as selling there
        assert realised + unrealised(qty, cost, px) == qty * px - paid


@given(FILLS)
def test_apply_fill_cost_keeps_the_sign_of_the_position(fills: list[Fill]) -> None:
    qty = cost = 0
    for fill in fills:
        qty, cost, _ = apply_fill(qty, cost, *fill)
        assert (cost > 0) == (qty > 0)
        assert (cost < 0) == (qty < 0)


@given(FILLS, st.integers(1, 50))
def test_apply_fill_closing_realises_all_of_it(fills: list[Fill], px: int) -> None:
    qty = cost = 0
    for fill in fills:
        qty, cost, _ = apply_fill(qty, cost, *fill)
    if qty:
        expected = unrealised(qty, cost, px)
        assert apply_fill(qty, cost, -1 if qty > 0 else 1, px, abs(qty)) == (0, 0, expected)


@given(FILLS)
def test_apply_fill_reducing_keeps_the_average_to_less_than_one_notional_quantum(fills: list[Fill]) -> None:
    qty = cost = 0
    for side, px, last_qty in fills:
        before_qty, before_cost = qty, cost
        qty, cost, gained = apply_fill(qty, cost, side, px, last_qty)
        effect = position_effect(before_qty, qty)
        if effect == PositionEffect.REDUCED:
            assert 0 <= abs(cost) - abs(Fraction(before_cost * qty, before_qty)) < 1
        elif effect in (PositionEffect.OPENED, PositionEffect.SCALED):
            assert gained == 0
        elif effect == PositionEffect.FLIPPED:
            assert cost == qty * px


@given(FILLS)
def test_avg_px_floor_lies_within_the_prices_paid(fills: list[Fill]) -> None:
    qty = cost = 0
    lowest = highest = 0
    for side, px, last_qty in fills:
        before = qty
        qty, cost, _ = apply_fill(qty, cost, side, px, last_qty)
        effect = position_effect(before, qty)
        if effect in (PositionEffect.OPENED, PositionEffect.FLIPPED):
            lowest = highest = px
        elif effect == PositionEffect.SCALED:
            lowest, highest = min(lowest, px), max(highest, px)
        if qty:
            # what rounding leaves behind piles up on a small remainder, at most one quantum for each reduction
            assert lowest <= avg_px_floor(qty, cost) <= highest + len(fills) // abs(qty) + 1
        else:
            assert avg_px_floor(qty, cost) == 0
