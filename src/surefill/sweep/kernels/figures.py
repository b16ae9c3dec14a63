"""What a run is in figures, from the kernel's fills and equity: the source of machine code, as `account` is.

The same definitions as `sweep.metrics` has for the engine's events, and the same bits:
`tests/sweep/test_kernel_path.py` compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefill.sweep.contract_figures import NAN, contract_figures, halves, joined, turnover
from surefill.sweep.kernels import tables as t
from surefill.views.daily_figures import daily_ratios, daily_sums

if TYPE_CHECKING:
    from surefill.sweep.kernels.tables import Account, Books, Floats, Ints, Market, Sums


def sum_up(
    market: Market, instruments: Ints, account: Account, books: Books, sums: Sums, counts: Ints, ratios: Floats
) -> None:
    """Fill in the figures of one variant: `counts` and `ratios` are its rows."""
    equity, days = books.equity, len(market.day_ends)
    for day in range(days):
        sums.daily[day] = equity[market.day_ends[day]]
    end = sums.daily[days - 1] if days else account.cash
    high = low = 0
    for at in range(len(equity)):
        more_high, more_low = halves(equity[at])
        high, low = high + more_high, low + more_low
    trades, held, traded, fees, adverse, favourable = _trips(market, instruments, books, sums)
    contract = contract_figures(account.cash, end, sums.nets[:trades])
    counts[t.ENDING_EQUITY], counts[t.FEES], counts[t.TRADE_COUNT] = end, fees, trades
    counts[t.WINNING_STREAK], counts[t.LOSING_STREAK] = contract[6], contract[7]
    ratios[t.RETURN_PCT], ratios[t.MAX_DRAWDOWN_PCT], ratios[t.SHARPE] = contract[0], contract[1], contract[2]
    ratios[t.WIN_RATE], ratios[t.PROFIT_FACTOR], ratios[t.EXPECTANCY] = contract[3], contract[4], contract[5]
    ratios[t.EXPOSURE] = held / len(equity) if len(equity) else 0.0
    ratios[t.TURNOVER] = turnover(traded, joined(high, low), len(equity), days, account.per_year)
    ratios[t.MAE_PCT] = 100 * adverse / trades if trades else NAN
    ratios[t.MFE_PCT] = 100 * favourable / trades if trades else NAN
    mean, m2, m3, m4, below, fall, longest = daily_sums(account.cash, sums.daily, 0.0)
    daily = daily_ratios(account.cash, end, days, account.per_year, mean, m2, m3, m4, below, fall)
    counts[t.DRAWDOWN_DAYS] = longest
    ratios[t.DAILY_DRAWDOWN_PCT] = 100 * fall
    for at in range(len(daily)):
        ratios[t.DAILY_RATIOS + at] = daily[at]


def _trips(market: Market, instruments: Ints, books: Books, sums: Sums) -> tuple[int, int, float, int, float, float]:
    """Round trips of the fills, into `sums.nets`.

    How many are closed; the closes at which something was held; the value of all fills and their fees; the sums of the
    closed ones' excursions against and in favour, as fractions.
    """
    fills, trips = books.fills, sums.trips
    trips[:] = 0
    trades = running = held = since = fees = high = low = 0
    adverse = favourable = 0.0
    for row in range(books.result[t.FILLS]):
        number, at, ts_ns, qty = (
            fills[row, t.INSTRUMENT],
            fills[row, t.BAR],
            fills[row, t.TS_NS],
            fills[row, t.LAST_QTY],
        )
        notional = fills[row, t.PX] * qty
        fees += fills[row, t.FEE]
        more_high, more_low = halves(notional * instruments[number, t.PER_NOTIONAL])
        high, low = high + more_high, low + more_low
        trips[number, t.TRIP_FEES] += fills[row, t.FEE]
        if not trips[number, t.TRIP_QTY]:
            trips[number, t.TRIP_SIDE], trips[number, t.TRIP_BAR], trips[number, t.TRIP_NS] = (
                fills[row, t.SIDE],
                at,
                ts_ns,
            )
            if not running:
                since = max(_close_after(market, at, ts_ns), since)
            running += 1
        if fills[row, t.SIDE] == trips[number, t.TRIP_SIDE]:
            trips[number, t.TRIP_QTY] += qty
            trips[number, t.TRIP_ENTERED] += qty
            trips[number, t.TRIP_COST] += notional
            continue
        trips[number, t.TRIP_QTY] -= qty
        trips[number, t.TRIP_PROCEEDS] += notional
        if trips[number, t.TRIP_QTY]:
            continue
        made = trips[number, t.TRIP_SIDE] * (trips[number, t.TRIP_PROCEEDS] - trips[number, t.TRIP_COST])
        sums.nets[trades] = made * instruments[number, t.PER_NOTIONAL] - trips[number, t.TRIP_FEES]
        trades += 1
        down, up = _went(market, trips[number], at, ts_ns)
        adverse, favourable = adverse + down, favourable + up
        trips[number] = 0
        running -= 1
        if not running:
            until = _close_after(market, at, ts_ns)
            held += max(until - since, 0)
            since = max(since, until)
    if running:
        held += len(market.closes_ns) - since
    return trades, held, joined(high, low), fees, adverse, favourable


def _close_after(market: Market, at: int, ts_ns: int) -> int:
    """The first moment whose close is not before `ts_ns`, which is within the bar."""
    moment: int = market.bars[at, t.BAR_MOMENT]
    while moment and market.closes_ns[moment - 1] >= ts_ns:
        moment -= 1
    while moment < len(market.closes_ns) and market.closes_ns[moment] < ts_ns:
        moment += 1
    return moment


def _went(market: Market, trip: Ints, exit_bar: int, exit_ns: int) -> tuple[float, float]:
    """How far a trade went against its entry and in its favour, as `views.excursions` has it."""
    entry_px = _average(trip[t.TRIP_COST], trip[t.TRIP_ENTERED])
    exit_px = _average(trip[t.TRIP_PROCEEDS], trip[t.TRIP_ENTERED])
    begin, end, number = trip[t.TRIP_BAR], exit_bar, market.bars[exit_bar, t.BAR_INSTRUMENT]
    while (
        end < len(market.bars)
        and market.bars[end, t.BAR_OPEN_NS] < exit_ns
        and market.bars[end, t.BAR_INSTRUMENT] == number
    ):
        end += 1
    while begin < end and market.bars[begin, t.BAR_TS_NS] <= trip[t.TRIP_NS]:
        begin += 1
    low, high = min(entry_px, exit_px), max(entry_px, exit_px)
    lows, highs = market.low_px[begin:end], market.high_px[begin:end]
    if len(lows):
        lowest, highest = lows[0], highs[0]
        for at in range(len(lows)):
            lowest, highest = min(lowest, lows[at]), max(highest, highs[at])
        low, high = min(low, float(lowest)), max(high, float(highest))
    down, up = (entry_px - low) / entry_px, (high - entry_px) / entry_px
    if trip[t.TRIP_SIDE] > 0:
        return down, up
    return up, down


def _average(notional: int, qty: int) -> float:
    if notional % qty:
        return float(notional) / float(qty)
    return float(notional // qty)
