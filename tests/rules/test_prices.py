import pytest

from surefill.rules.codes import FillMode, Side
from surefill.rules.prices import market_px, slipped_px
from surefill.units import BPS_PPB, PPB

BUY, SELL = int(Side.BUY), int(Side.SELL)
LTP, MID, BID_ASK = (int(mode) for mode in FillMode)


@pytest.mark.parametrize(
    ("px", "side", "slippage_ppb", "tick", "expected"),
    [
        pytest.param(1_950_003, BUY, 0, 5, 1_950_003, id="none: unchanged, even off the tick"),
        pytest.param(1_950_003, SELL, 0, 5, 1_950_003, id="none: unchanged, sell"),
        pytest.param(1_950_005, BUY, 5 * BPS_PPB, 5, 1_950_985, id="5 bps up: 975.0025, to the next tick"),
        pytest.param(1_950_005, SELL, 5 * BPS_PPB, 5, 1_949_025, id="5 bps down, to the next tick"),
        pytest.param(10_000, BUY, 1, 5, 10_005, id="the smallest slippage costs a tick"),
        pytest.param(10_000, SELL, 1, 5, 9_995, id="the smallest slippage costs a tick, sell"),
        pytest.param(10_000, BUY, 5 * BPS_PPB, 5, 10_005, id="exactly one tick"),
        pytest.param(10_003, SELL, 5 * BPS_PPB, 5, 9_995, id="off the tick before: 9997 down to 9995"),
        pytest.param(7, SELL, PPB, 5, 5, id="never below one tick"),
        pytest.param(100, SELL, PPB, 5, 5, id="all of it: one tick is left"),
        pytest.param(3, SELL, BPS_PPB, 5, 3, id="below a tick already: not improved to a tick"),
        pytest.param(0, BUY, BPS_PPB, 5, 0, id="no price stays none"),
        pytest.param(1, BUY, BPS_PPB, 1, 2, id="one quantum is a price"),
        pytest.param(2**40, BUY, PPB, 1, 2**41, id="the bounds"),
    ],
)
def test_slipped_px_row(px: int, side: int, slippage_ppb: int, tick: int, expected: int) -> None:
    assert slipped_px(px, side, slippage_ppb, tick) == expected


@pytest.mark.parametrize(
    ("mode", "side", "bid", "ask", "last", "spread_ppb", "slippage_ppb", "expected"),
    [
        pytest.param(LTP, BUY, 99, 102, 100, 0, 0, 100, id="ltp is the last price"),
        pytest.param(LTP, SELL, 99, 102, 103, 0, 0, 103, id="ltp is the last price, sell"),
        pytest.param(LTP, BUY, 99, 102, 0, 0, 0, 0, id="ltp without a last price: none"),
        pytest.param(LTP, BUY, 0, 0, 10_000, 0, 10 * BPS_PPB, 10_010, id="ltp slipped"),
        pytest.param(MID, BUY, 99, 102, 100, 0, 0, 101, id="mid, rounded up for a buyer"),
        pytest.param(MID, SELL, 99, 102, 100, 0, 0, 100, id="mid, rounded down for a seller"),
        pytest.param(MID, SELL, 98, 102, 90, 0, 0, 100, id="mid, exact"),
        pytest.param(MID, BUY, 98, 102, 90, 0, 0, 100, id="mid, exact for a buyer too"),
        pytest.param(MID, BUY, 1, 1, 9, 0, 0, 1, id="mid of one quantum"),
        pytest.param(BID_ASK, BUY, 1, 1, 9, 0, 0, 1, id="an ask of one quantum"),
        pytest.param(BID_ASK, BUY, 0, 0, 10_000, 1, 0, 10_001, id="no quote: the smallest spread costs a quantum"),
        pytest.param(MID, BUY, 0, 102, 90, 0, 0, 90, id="mid with half a quote: the last price"),
        pytest.param(MID, BUY, 99, 0, 90, 0, 0, 90, id="mid with the other half: the last price"),
        pytest.param(BID_ASK, BUY, 99, 102, 100, 10**7, 0, 102, id="buyer pays the ask"),
        pytest.param(BID_ASK, SELL, 99, 102, 100, 10**7, 0, 99, id="seller gets the bid"),
        pytest.param(BID_ASK, BUY, 99, 102, 0, 0, 0, 102, id="a quote needs no last price"),
        pytest.param(BID_ASK, BUY, 99, 0, 100, 0, 0, 100, id="no ask, no spread: the last price"),
        pytest.param(BID_ASK, BUY, 0, 0, 10_000, 20 * BPS_PPB, 0, 10_010, id="no quote: half of the spread"),
        pytest.param(BID_ASK, SELL, 0, 0, 10_000, 20 * BPS_PPB, 0, 9_990, id="no quote: half of the spread, sell"),
        pytest.param(BID_ASK, SELL, 0, 101, 10_000, 20 * BPS_PPB, 0, 9_990, id="no bid: half of the spread"),
        pytest.param(BID_ASK, BUY, 0, 0, 10_000, 20 * BPS_PPB, BPS_PPB, 10_012, id="spread, then slippage"),
        pytest.param(BID_ASK, BUY, 0, 0, 0, 20 * BPS_PPB, BPS_PPB, 0, id="nothing at all: none"),
        pytest.param(MID, SELL, 0, 0, 0, 0, BPS_PPB, 0, id="nothing at all: none, sell"),
    ],
)
def test_market_px_row(
    mode: int, side: int, bid: int, ask: int, last: int, spread_ppb: int, slippage_ppb: int, expected: int
) -> None:
    assert market_px(mode, side, bid, ask, last, spread_ppb, slippage_ppb, 1) == expected
