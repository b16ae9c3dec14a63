import pytest

from surefill.rules.codes import PositionEffect, Side
from surefill.rules.position import apply_fill, avg_px_floor, position_effect, unrealised

BUY, SELL = int(Side.BUY), int(Side.SELL)


@pytest.mark.parametrize(
    ("qty", "cost", "side", "px", "fill", "expected"),
    [
        pytest.param(0, 0, BUY, 100, 10, (10, 1000, 0), id="open long"),
        pytest.param(0, 0, SELL, 100, 10, (-10, -1000, 0), id="open short"),
        pytest.param(10, 1000, BUY, 110, 10, (20, 2100, 0), id="scale long"),
        pytest.param(-10, -1000, SELL, 90, 10, (-20, -1900, 0), id="scale short"),
        pytest.param(20, 2100, SELL, 120, 5, (15, 1575, 75), id="reduce long, average kept"),
        pytest.param(-20, -1900, BUY, 90, 5, (-15, -1425, 25), id="reduce short, average kept"),
        pytest.param(15, 1575, SELL, 100, 15, (0, 0, -75), id="close long at a loss"),
        pytest.param(-15, -1425, BUY, 90, 15, (0, 0, 75), id="close short at a gain"),
        pytest.param(10, 1000, SELL, 110, 25, (-15, -1650, 100), id="flip to short opens at the fill price"),
        pytest.param(-10, -1000, BUY, 90, 25, (15, 1350, 100), id="flip to long opens at the fill price"),
        # 3 for 100: a third costs 33, the rest keeps the odd unit
        pytest.param(3, 100, SELL, 50, 1, (2, 67, 17), id="reduce long rounds the removed cost toward zero"),
        pytest.param(-3, -100, BUY, 20, 1, (-2, -67, 13), id="reduce short rounds the removed cost toward zero"),
        pytest.param(3, 100, SELL, 50, 2, (1, 34, 34), id="two of three remove 66"),
        pytest.param(
            2**40,
            2**60,
            SELL,
            2**20,
            1,
            (2**40 - 1, 2**60 - 2**20, 0),
            id="the largest position, reduced by one",
        ),
        pytest.param(-(2**40), -(2**60), BUY, 2**20, 2**40, (0, 0, 0), id="the largest position, closed in one fill"),
    ],
)
def test_apply_fill_row_books_exactly(
    qty: int, cost: int, side: int, px: int, fill: int, expected: tuple[int, int, int]
) -> None:
    assert apply_fill(qty, cost, side, px, fill) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0, 5, PositionEffect.OPENED),
        (0, -5, PositionEffect.OPENED),
        (5, 7, PositionEffect.SCALED),
        (-5, -7, PositionEffect.SCALED),
        (7, 5, PositionEffect.REDUCED),
        (-7, -5, PositionEffect.REDUCED),
        (5, 0, PositionEffect.CLOSED),
        (-5, 0, PositionEffect.CLOSED),
        (5, -1, PositionEffect.FLIPPED),
        (-1, 5, PositionEffect.FLIPPED),
        (5, 5, PositionEffect.NONE),
        (0, 0, PositionEffect.NONE),
    ],
)
def test_position_effect_row(before: int, after: int, expected: PositionEffect) -> None:
    assert position_effect(before, after) == expected


@pytest.mark.parametrize(
    ("qty", "cost", "expected"), [(0, 0, 0), (3, 300, 100), (3, 301, 100), (-3, -301, 100), (-3, -299, 99)]
)
def test_avg_px_floor_row(qty: int, cost: int, expected: int) -> None:
    assert avg_px_floor(qty, cost) == expected


@pytest.mark.parametrize(
    ("qty", "cost", "px", "expected"),
    [(10, 1000, 110, 100), (-10, -1000, 110, -100), (-10, -1000, 90, 100), (0, 0, 5, 0)],
)
def test_unrealised_row(qty: int, cost: int, px: int, expected: int) -> None:
    assert unrealised(qty, cost, px) == expected
