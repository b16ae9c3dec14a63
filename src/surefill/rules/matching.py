"""When a resting order trades, at which price, and how much of it.

The simulated market's side of limits and stops. `side` is the order's: +1 buys, -1 sells. A result of 0 is
"not now". On a bar the open comes first: an order that the open already satisfies trades there, which is
better than its limit or worse than its stop (a gap); else it trades at its own price once the range touches
it.
"""

from __future__ import annotations

from surefill.rules.arithmetic import floor_to
from surefill.rules.codes import FillMode
from surefill.rules.prices import market_px

_BID_ASK = int(FillMode.BID_ASK)


def limit_marketable(side: int, limit_px: int, bid: int, ask: int, last: int) -> bool:
    """Whether a limit order could trade now: against the quote's far side, or without one the last price."""
    quoted = ask if side > 0 else bid
    far_px = quoted if quoted > 0 else last
    return limit_px > 0 and far_px > 0 and side * (limit_px - far_px) >= 0


def limit_tick_px(
    fill_mode: int,
    side: int,
    limit_px: int,
    bid: int,
    ask: int,
    last: int,
    slippage_ppb: int,
    tick: int,
) -> int:
    """The price at which a limit order trades on one tick; 0 when it is not marketable.

    Without a quote on the far side: the limit itself (the conservative choice). With one: what `fill_mode`
    and slippage make of it, but never worse than the limit. Bounds as for `market_px`.
    """
    if not limit_marketable(side, limit_px, bid, ask, last):
        return 0
    if (ask if side > 0 else bid) <= 0:
        return limit_px
    px = market_px(fill_mode, side, bid, ask, last, 0, slippage_ppb, tick)
    if px <= 0:  # LTP without a last price: the quote is all there is
        px = market_px(_BID_ASK, side, bid, ask, last, 0, slippage_ppb, tick)
    return min(px, limit_px) if side > 0 else max(px, limit_px)


def limit_bar_px(side: int, limit_px: int, open_px: int, high_px: int, low_px: int) -> int:
    """The price at which a resting limit order trades in a bar, or 0.

    The open if it is at or through the limit, else the limit if the range touches it.
    """
    if limit_px <= 0:
        return 0
    if side * (limit_px - open_px) >= 0:
        return open_px
    best_px = low_px if side > 0 else high_px
    return limit_px if side * (limit_px - best_px) >= 0 else 0


def stop_triggered(side: int, stop_px: int, px: int) -> bool:
    """Whether `px` triggers a stop order: at or above it for a buy, at or below it for a sell."""
    return px > 0 and stop_px > 0 and side * (px - stop_px) >= 0


def stop_tick_px(side: int, stop_px: int, px: int) -> int:
    """The price that triggers a stop order on one tick: `px` itself, else 0. Slippage is the caller's."""
    return px if stop_triggered(side, stop_px, px) else 0


def stop_bar_px(side: int, stop_px: int, open_px: int, high_px: int, low_px: int) -> int:
    """The price at which a stop order triggers in a bar, or 0.

    The open if it is at or beyond the stop (a gap), else the stop if the range touches it.
    """
    if stop_triggered(side, stop_px, open_px):
        return open_px
    return stop_px if stop_triggered(side, stop_px, high_px if side > 0 else low_px) else 0


def stop_limit_bar_px(
    side: int, stop_px: int, limit_px: int, open_px: int, high_px: int, low_px: int, close_px: int
) -> int:
    """The price at which a stop-limit order that waits for its trigger trades in a bar; 0 when it does not.

    Triggered by the open, it is a limit order for the whole bar. Triggered inside the bar with the limit at
    or beyond the stop, it trades at the stop. With the limit on the near side of the stop, the price has to
    come back, and the bar's range does not tell whether it did so after the trigger; only the close does.
    Whether it was triggered at all is `stop_bar_px(...) > 0`: from the next bar on it is a limit order.
    """
    trigger_px = stop_bar_px(side, stop_px, open_px, high_px, low_px)
    if trigger_px == 0:
        return 0
    if stop_triggered(side, stop_px, open_px):
        return limit_bar_px(side, limit_px, open_px, high_px, low_px)
    if side * (limit_px - stop_px) >= 0:
        return stop_px
    return limit_px if side * (limit_px - close_px) >= 0 else 0


def fill_qty(leaves_qty: int, available_qty: int, lot: int, whole_only: bool) -> int:
    """How much of an order trades against `available_qty`: what is left of it, else whole lots.

    `whole_only` (FOK): all or nothing. A remainder smaller than a lot trades when all of it is available.
    """
    if leaves_qty <= 0 or available_qty <= 0:
        return 0
    if available_qty >= leaves_qty:
        return leaves_qty
    return 0 if whole_only else floor_to(available_qty, lot)
