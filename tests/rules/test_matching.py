import pytest

from surefill.rules.codes import FillMode, Side
from surefill.rules.matching import (
    fill_qty,
    limit_bar_px,
    limit_marketable,
    limit_tick_px,
    stop_bar_px,
    stop_limit_bar_px,
    stop_tick_px,
    stop_triggered,
)
from surefill.units import BPS_PPB

BUY, SELL = int(Side.BUY), int(Side.SELL)
LTP, MID, BID_ASK = (int(mode) for mode in FillMode)


@pytest.mark.parametrize(
    ("side", "limit", "bid", "ask", "last", "expected"),
    [
        (BUY, 100, 98, 100, 105, True),  # at the ask; the last price does not matter then
        (BUY, 99, 98, 100, 90, False),
        (BUY, 100, 0, 0, 100, True),
        (BUY, 100, 99, 0, 101, False),  # no ask: the last price
        (SELL, 98, 98, 100, 90, True),
        (SELL, 99, 98, 100, 105, False),
        (SELL, 100, 0, 0, 100, True),
        (SELL, 100, 0, 101, 99, False),
        (BUY, 100, 0, 0, 0, False),  # no price at all
        (SELL, 100, 0, 0, 0, False),
        (BUY, 1, 0, 1, 9, True),  # one quantum is a price
        (BUY, 1, 0, 0, 1, True),
        (SELL, 0, 98, 100, 99, False),  # no limit is not "any price"
    ],
)
def test_limit_marketable_row(side: int, limit: int, bid: int, ask: int, last: int, expected: bool) -> None:
    assert limit_marketable(side, limit, bid, ask, last) is expected


@pytest.mark.parametrize(
    ("mode", "side", "limit", "bid", "ask", "last", "slippage_ppb", "expected"),
    [
        pytest.param(LTP, BUY, 110, 0, 0, 100, 0, 110, id="no quote: the limit, not the better last price"),
        pytest.param(BID_ASK, SELL, 90, 0, 0, 100, 0, 90, id="no quote: the limit, sell"),
        pytest.param(BID_ASK, BUY, 110, 98, 102, 100, 0, 102, id="the ask, better than the limit"),
        pytest.param(BID_ASK, SELL, 90, 98, 102, 100, 0, 98, id="the bid, better than the limit"),
        pytest.param(MID, BUY, 110, 98, 102, 105, 0, 100, id="the middle"),
        pytest.param(LTP, BUY, 110, 98, 102, 101, 0, 101, id="the last price"),
        pytest.param(LTP, BUY, 103, 98, 102, 105, 0, 103, id="the last price, but not worse than the limit"),
        pytest.param(LTP, SELL, 97, 98, 102, 95, 0, 97, id="the last price, but not worse than the limit, sell"),
        pytest.param(LTP, BUY, 110, 98, 102, 0, 0, 102, id="no last price: the quote"),
        pytest.param(MID, SELL, 90, 98, 0, 0, 0, 98, id="half a quote, no last price: that half"),
        pytest.param(BID_ASK, BUY, 10_100, 9_990, 10_000, 0, 10 * BPS_PPB, 10_010, id="slipped"),
        pytest.param(BID_ASK, BUY, 10_005, 9_990, 10_000, 0, 10 * BPS_PPB, 10_005, id="slipped up to the limit"),
        pytest.param(BID_ASK, SELL, 9_985, 9_990, 10_000, 0, 10 * BPS_PPB, 9_985, id="slipped down to the limit"),
        pytest.param(BID_ASK, BUY, 5, 0, 1, 0, 0, 1, id="an ask of one quantum"),
        pytest.param(BID_ASK, SELL, 1, 2, 3, 0, 0, 2, id="a limit of one quantum"),
        pytest.param(BID_ASK, SELL, 1, 1, 3, 0, 0, 1, id="a bid of one quantum"),
        pytest.param(LTP, BUY, 5, 2, 3, 1, 0, 1, id="a last price of one quantum"),
        pytest.param(LTP, BUY, 10_005, 9_990, 10_000, 0, 1, 10_001, id="no last price: the quote, slipped"),
        pytest.param(BID_ASK, BUY, 101, 98, 102, 100, 0, 0, id="not marketable"),
    ],
)
def test_limit_tick_px_row(
    mode: int, side: int, limit: int, bid: int, ask: int, last: int, slippage_ppb: int, expected: int
) -> None:
    assert limit_tick_px(mode, side, limit, bid, ask, last, slippage_ppb, 1) == expected


@pytest.mark.parametrize(
    ("side", "limit", "bar", "expected"),
    [
        pytest.param(BUY, 100, (98, 103, 97), 98, id="opens through the limit: the open"),
        pytest.param(BUY, 100, (100, 103, 99), 100, id="opens at the limit"),
        pytest.param(BUY, 100, (102, 103, 100), 100, id="touched"),
        pytest.param(BUY, 100, (102, 103, 99), 100, id="traded through"),
        pytest.param(BUY, 100, (102, 103, 101), 0, id="not reached"),
        pytest.param(SELL, 100, (102, 103, 97), 102, id="sell opens through the limit"),
        pytest.param(SELL, 100, (98, 100, 97), 100, id="sell touched"),
        pytest.param(SELL, 100, (98, 99, 97), 0, id="sell not reached"),
        pytest.param(BUY, 1, (3, 4, 1), 1, id="a limit of one quantum"),
        pytest.param(SELL, 0, (98, 99, 97), 0, id="no limit is not any price"),
    ],
)
def test_limit_bar_px_row(side: int, limit: int, bar: tuple[int, int, int], expected: int) -> None:
    assert limit_bar_px(side, limit, *bar) == expected


@pytest.mark.parametrize(
    ("side", "stop", "px", "expected"),
    [
        (BUY, 100, 100, True),
        (BUY, 100, 101, True),
        (BUY, 100, 99, False),
        (SELL, 100, 100, True),
        (SELL, 100, 99, True),
        (SELL, 100, 101, False),
        (BUY, 1, 1, True),
        (BUY, 0, 100, False),
        (SELL, 0, 100, False),
        (SELL, 100, 0, False),
    ],
)
def test_stop_trigger_on_a_tick_row(side: int, stop: int, px: int, expected: bool) -> None:
    assert stop_triggered(side, stop, px) is expected
    assert stop_tick_px(side, stop, px) == (px if expected else 0)


@pytest.mark.parametrize(
    ("side", "stop", "bar", "expected"),
    [
        pytest.param(BUY, 100, (103, 105, 99), 103, id="gap over the stop: the open, worse"),
        pytest.param(BUY, 100, (98, 100, 97), 100, id="touched"),
        pytest.param(BUY, 100, (98, 99, 97), 0, id="not reached"),
        pytest.param(SELL, 100, (97, 101, 95), 97, id="gap under the stop"),
        pytest.param(SELL, 100, (102, 103, 100), 100, id="sell touched"),
        pytest.param(SELL, 100, (102, 103, 101), 0, id="sell not reached"),
    ],
)
def test_stop_bar_px_row(side: int, stop: int, bar: tuple[int, int, int], expected: int) -> None:
    assert stop_bar_px(side, stop, *bar) == expected


@pytest.mark.parametrize(
    ("side", "stop", "limit", "bar", "expected"),
    [
        pytest.param(BUY, 100, 102, (98, 99, 97, 98), 0, id="not triggered"),
        pytest.param(BUY, 100, 102, (98, 105, 97, 104), 100, id="triggered inside, limit beyond: at the stop"),
        pytest.param(BUY, 100, 100, (98, 105, 97, 104), 100, id="triggered inside, limit at the stop"),
        pytest.param(BUY, 100, 102, (101, 105, 97, 104), 101, id="gap within the limit: the open"),
        pytest.param(BUY, 100, 102, (104, 105, 103, 104), 0, id="gap beyond the limit, does not come back"),
        pytest.param(BUY, 100, 102, (104, 105, 101, 104), 102, id="gap beyond the limit, comes back"),
        pytest.param(BUY, 100, 99, (98, 105, 97, 104), 0, id="near-side limit: the low may be from before"),
        pytest.param(BUY, 100, 99, (98, 105, 97, 99), 99, id="near-side limit: the close is from after"),
        pytest.param(BUY, 100, 99, (101, 105, 97, 104), 99, id="near-side limit, triggered by the open"),
        pytest.param(SELL, 100, 98, (102, 103, 95, 96), 100, id="sell triggered inside"),
        pytest.param(SELL, 100, 98, (96, 97, 95, 96), 0, id="sell gap beyond the limit"),
        pytest.param(SELL, 100, 98, (96, 99, 95, 96), 98, id="sell gap beyond the limit, comes back"),
        pytest.param(SELL, 100, 101, (102, 103, 95, 96), 0, id="sell near-side limit"),
        pytest.param(SELL, 100, 101, (102, 103, 95, 101), 101, id="sell near-side limit, closes there"),
    ],
)
def test_stop_limit_bar_px_row(side: int, stop: int, limit: int, bar: tuple[int, int, int, int], expected: int) -> None:
    assert stop_limit_bar_px(side, stop, limit, *bar) == expected


@pytest.mark.parametrize(
    ("leaves", "available", "lot", "whole_only", "expected"),
    [
        (100, 250, 25, False, 100),
        (100, 100, 25, True, 100),
        (100, 99, 25, False, 75),
        (100, 99, 25, True, 0),
        (100, 24, 25, False, 0),
        (10, 10, 25, False, 10),  # an odd remainder
        (10, 9, 25, False, 0),
        (100, 0, 1, False, 0),
        (100, -5, 1, False, 0),
        (0, 5, 1, False, 0),
        (1, 1, 1, False, 1),
        (5, 1, 1, False, 1),
        (100, 33, 1, False, 33),
    ],
)
def test_fill_qty_row(leaves: int, available: int, lot: int, whole_only: bool, expected: int) -> None:
    assert fill_qty(leaves, available, lot, whole_only) == expected
