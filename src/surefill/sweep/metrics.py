"""A variant in figures: the contract's, and beside them the standard set.

The contract's, on the curve that has a point at each closed trade (a trade's net is what it made after its fees):

================  ====================================================================================================
return_pct        (ending equity / starting - 1) * 100; open positions count at the last price
max_drawdown_pct  the largest fall of that curve from an earlier point, as a percentage of it, positive
sharpe            mean / deviation (over n) of the trades' returns, each on the equity before it; None below 2 trades
                  and where the deviation is 0
win_rate          trades with a net above zero / trades, 0.0 without trades
trade_count       closed trades
profit_factor     sum of the nets above zero / -(sum of those below), None without a loss
================  ====================================================================================================

exposure is the share of closes at which something was held, turnover the value of all fills over the average equity,
per year; mae and mfe are means of the trades' excursions in percent. `daily` has its own definitions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from surefill.sweep.contract_figures import contract_figures, turnover
from surefill.views.daily_figures import DailyFigures, daily_figures, known
from surefill.views.excursions import Excursion
from surefill.views.metrics import net
from surefill.views.trades import Trade


class Booked(NamedTuple):
    """What a run left behind, whichever path ran it. Money in money quanta.

    `times` are the closes, `worth` the sum of the equity at them; `daily` is when each day ended and what the account
    was worth then. `trades` are closed, in the order in which they ended, `went` is how far each went; `running` are
    open. `per_notional` by instrument: money for one quantum of price and quantity.
    """

    starting_equity: int
    times: Sequence[int]
    worth: int
    daily: tuple[Sequence[int], Sequence[int]]
    trades: Sequence[Trade]
    running: Sequence[Trade]
    went: Sequence[Excursion]
    fees: int
    per_notional: Mapping[str, int]


class VariantMetrics(msgspec.Struct, frozen=True, gc=False):
    """The figures. Money in money quanta; what ends in pct is a percentage, every other rate a fraction of one."""

    return_pct: float
    max_drawdown_pct: float
    sharpe: float | None
    win_rate: float
    trade_count: int
    profit_factor: float | None
    starting_equity: int
    ending_equity: int
    fees: int
    expectancy: float | None
    exposure: float
    turnover: float | None
    winning_streak: int
    losing_streak: int
    mae_pct: float | None
    mfe_pct: float | None
    daily: DailyFigures


def metrics_of(booked: Booked, per_year: int) -> VariantMetrics:
    """The figures of a run; `per_year`: `views.daily_figures.periods_per_year`."""
    start, daily = booked.starting_equity, booked.daily[1]
    end = daily[-1] if daily else start
    return_pct, fall, sharpe, win_rate, profit_factor, expectancy, winning, losing = contract_figures(
        start, end, [net(trade) for trade in booked.trades]
    )
    return VariantMetrics(
        return_pct=return_pct,
        max_drawdown_pct=fall,
        sharpe=known(sharpe),
        win_rate=win_rate,
        trade_count=len(booked.trades),
        profit_factor=known(profit_factor),
        starting_equity=start,
        ending_equity=end,
        fees=booked.fees,
        expectancy=known(expectancy),
        exposure=_exposure(booked),
        turnover=_turnover(booked, len(daily), per_year),
        winning_streak=winning,
        losing_streak=losing,
        mae_pct=_mean_pct([each.adverse for each in booked.went]),
        mfe_pct=_mean_pct([each.favourable for each in booked.went]),
        daily=daily_figures(start, daily, per_year),
    )


def _exposure(booked: Booked) -> float:
    """Of a trade that was entered or left at a close, that close counts as after it."""
    times = booked.times
    if not times:
        return 0.0
    held = free_from = 0
    spans = [(trade.entry_ns, trade.exit_ns) for trade in booked.trades]
    spans += [(trade.entry_ns, times[-1] + 1) for trade in booked.running]
    for entry_ns, exit_ns in sorted(spans):
        begin, end = max(bisect_left(times, entry_ns), free_from), bisect_left(times, exit_ns)
        held += max(end - begin, 0)
        free_from = max(free_from, end)
    return held / len(times)


def _turnover(booked: Booked, days: int, per_year: int) -> float | None:
    traded = sum(
        (trade.entry_notional + trade.exit_notional) * booked.per_notional[trade.instrument_id]
        for trade in (*booked.trades, *booked.running)
    )
    return known(turnover(float(traded), float(booked.worth), len(booked.times), days, per_year))


def _mean_pct(fractions: Sequence[float]) -> float | None:
    """In the order of the trades, as the kernel adds them up."""
    total = 0.0
    for each in fractions:
        total += each
    return 100 * total / len(fractions) if fractions else None
