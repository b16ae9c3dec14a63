"""The price at which a simulated market trades with us. Every rounding is against us."""

from __future__ import annotations

from surefill.rules.arithmetic import ceil_to, floor_to, rate_ceil
from surefill.rules.codes import FillMode

_MID = int(FillMode.MID)
_BID_ASK = int(FillMode.BID_ASK)


def slipped_px(px: int, side: int, slippage_ppb: int, tick: int) -> int:
    """`px` made worse for `side` by `slippage_ppb`, on the tick grid.

    Without slippage `px` comes back exactly, even off the grid: an observed price is taken as it is. With it,
    a buyer pays the next tick up, a seller gets the next tick down, but never less than one tick (nor than
    `px`, should that be below one tick already). 0 (no price) stays 0.

    Bounds: px <= 2**40, 0 <= slippage_ppb <= 10**9, 1 <= tick <= 2**40. The result is at most 2**42; whoever
    multiplies it checks the notional.
    """
    if slippage_ppb <= 0 or px <= 0:
        return px
    slippage = rate_ceil(px, slippage_ppb)
    if side > 0:
        return ceil_to(px + slippage, tick)
    return max(floor_to(px - slippage, tick), min(px, tick))


def market_px(
    fill_mode: int,
    side: int,
    bid: int,
    ask: int,
    last: int,
    spread_ppb: int,
    slippage_ppb: int,
    tick: int,
) -> int:
    """The price of a market order now; 0 when there is no price to trade at.

    LTP: the last price. MID: the middle of the quote, rounded against us to the quantum; the last price when
    either side of the quote is missing. BID_ASK: the ask for a buyer, the bid for a seller; when that side is
    missing, half of `spread_ppb` around the last price, on the tick grid; with no spread configured, the last
    price. Slippage comes on top, as in `slipped_px`.

    Bounds: prices and tick <= 2**40, spread_ppb and slippage_ppb <= 10**9. The result is at most 2**43.
    """
    px = last
    if fill_mode == _MID:
        if bid > 0 and ask > 0:
            px = (bid + ask + 1) // 2 if side > 0 else (bid + ask) // 2
    elif fill_mode == _BID_ASK:
        quoted = ask if side > 0 else bid
        px = quoted if quoted > 0 else slipped_px(last, side, (spread_ppb + 1) // 2, tick)
    return slipped_px(px, side, slippage_ppb, tick)
