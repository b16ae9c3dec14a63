import pytest

from surefill.rules.checks import (
    cash_sufficient,
    collar_breached,
    crossed,
    is_multiple,
    is_stale,
    reduces_only,
    within,
)
from surefill.rules.codes import Side
from surefill.units import NS_PER_S

BUY, SELL = int(Side.BUY), int(Side.SELL)
NOW = 1_763_582_400 * NS_PER_S


@pytest.mark.parametrize(
    ("x", "step", "expected"),
    [(10, 5, True), (11, 5, False), (0, 5, True), (7, 1, True), (7, 0, False), (7, -7, False)],
)
def test_is_multiple_row(x: int, step: int, expected: bool) -> None:
    assert is_multiple(x, step) is expected


@pytest.mark.parametrize(
    ("x", "lowest", "highest", "expected"),
    [(1, 1, 3, True), (3, 1, 3, True), (0, 1, 3, False), (4, 1, 3, False), (2, 3, 1, False)],
)
def test_within_row(x: int, lowest: int, highest: int, expected: bool) -> None:
    assert within(x, lowest, highest) is expected


@pytest.mark.parametrize(
    ("ts_ns", "expected"),
    [
        (NOW, False),
        (NOW - 3 * NS_PER_S, False),
        (NOW - 3 * NS_PER_S - 1, True),
        (NOW + 3 * NS_PER_S, False),
        (NOW + 3 * NS_PER_S + 1, True),  # from the future: a clock is wrong
        (0, True),
        (-1, True),
    ],
)
def test_is_stale_row(ts_ns: int, expected: bool) -> None:
    assert is_stale(NOW, ts_ns, 3 * NS_PER_S) is expected


def test_is_stale_no_time_is_stale_however_long_a_price_may_live() -> None:
    assert is_stale(NOW, 0, 2 * NOW)
    assert not is_stale(1, 1, 0)


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [(100, 101, False), (101, 101, False), (102, 101, True), (2, 1, True), (102, 0, False), (0, 101, False)],
)
def test_crossed_row(bid: int, ask: int, expected: bool) -> None:
    assert crossed(bid, ask) is expected


@pytest.mark.parametrize(
    ("px", "ref", "collar_ppb", "expected"),
    [
        (103, 100, 30_000_000, False),
        (104, 100, 30_000_000, True),
        (97, 100, 30_000_000, False),
        (96, 100, 30_000_000, True),
        (103, 99, 40_000_000, True),  # 4 away, 3.96 allowed
        (100, 100, 0, False),
        (101, 100, 0, True),
        (1, 1, 0, False),
        (0, 0, 0, True),
        (100, 0, 30_000_000, True),  # no reference price: no
    ],
)
def test_collar_breached_row(px: int, ref: int, collar_ppb: int, expected: bool) -> None:
    assert collar_breached(px, ref, collar_ppb) is expected


@pytest.mark.parametrize(
    ("cash", "cost", "allow", "expected"),
    [
        (100, 100, False, True),
        (100, 101, False, False),
        (100, 101, True, True),
        (-5, -3, False, True),
        (-5, 0, False, True),
        (-5, 1, False, False),
    ],
)
def test_cash_sufficient_row(cash: int, cost: int, allow: bool, expected: bool) -> None:
    assert cash_sufficient(cash, cost, allow) is expected


@pytest.mark.parametrize(
    ("position", "open_reduce", "side", "qty", "expected"),
    [
        (10, 0, SELL, 10, True),
        (10, 0, SELL, 11, False),  # would cross zero
        (10, 4, SELL, 6, True),
        (10, 4, SELL, 7, False),  # would, if the live orders fill first
        (10, 0, BUY, 1, False),
        (-10, 0, BUY, 10, True),
        (-10, 1, BUY, 10, False),
        (-10, 0, SELL, 1, False),
        (0, 0, SELL, 1, False),
        (0, 0, BUY, 1, False),
    ],
)
def test_reduces_only_row(position: int, open_reduce: int, side: int, qty: int, expected: bool) -> None:
    assert reduces_only(position, open_reduce, side, qty) is expected
