"""The contract's figures of a run's trades: plain Python as it stands, and machine code inside the kernel.

One operation after the other, so that both give the same bits. NaN is a figure that there is none of.
"""

from __future__ import annotations

from math import nan, sqrt
from typing import Final

from surefill.views.daily_figures import Column

NAN: Final = nan
_HALF: Final = 30
_LOW: Final = (1 << _HALF) - 1
_HIGH: Final = float(1 << _HALF)


def contract_figures(start: int, end: int, nets: Column) -> tuple[float, float, float, float, float, float, int, int]:
    """return_pct, max_drawdown_pct, sharpe, win_rate, profit_factor, expectancy, winning and losing streak.

    `start` and `end` are equities, `nets` what each closed trade made after fees, in money quanta, in the order in
    which they ended; definitions are those of `sweep.metrics`.
    """
    trades = len(nets)
    wins = losses = won = lost = won_longest = lost_longest = 0
    profit_high = profit_low = loss_high = loss_low = 0
    total = fall = 0.0
    curve = peak = start
    returns = 0
    for at in range(trades):
        made = nets[at]
        if made > 0:
            wins, won, lost = wins + 1, won + 1, 0
            high, low = halves(made)
            profit_high, profit_low = profit_high + high, profit_low + low
        elif made < 0:
            losses, won, lost = losses + 1, 0, lost + 1
            high, low = halves(-made)
            loss_high, loss_low = loss_high + high, loss_low + low
        else:
            won = lost = 0
        won_longest, lost_longest = max(won_longest, won), max(lost_longest, lost)
        if curve > 0:
            returns += 1
            total += float(curve + made) / float(curve) - 1.0
        curve += made
        peak = max(peak, curve)
        if peak > 0:
            fall = max(fall, float(peak - curve) / float(peak))
    profit, loss = joined(profit_high, profit_low), joined(loss_high, loss_low)
    return (
        (float(end) / float(start) - 1.0) * 100.0 if start else 0.0,
        100.0 * fall,
        _sharpe(start, nets, total / returns if returns else 0.0, returns),
        wins / trades if trades else 0.0,
        profit / loss if losses else NAN,
        (profit - loss) / trades if trades else NAN,
        won_longest,
        lost_longest,
    )


def halves(number: int) -> tuple[int, int]:
    """A number in two that may be summed up apart from it: a sum of money may be beyond 64 bits."""
    return number >> _HALF, number & _LOW


def joined(high: int, low: int) -> float:
    """The number whose halves were summed up apart (`halves`), rounded once."""
    return float(high) * _HIGH + float(low)


def turnover(traded: float, worth: float, closes: int, days: int, per_year: int) -> float:
    """What was traded over the average equity, per year; `worth` is the sum of the equity at so many closes."""
    return traded * closes / worth * per_year / days if days and worth > 0.0 else NAN


def _sharpe(start: int, nets: Column, mean: float, returns: int) -> float:
    if returns < 2:
        return NAN
    curve, squares = start, 0.0
    for at in range(len(nets)):
        if curve > 0:
            away = float(curve + nets[at]) / float(curve) - 1.0 - mean
            squares += away * away
        curve += nets[at]
    deviation = sqrt(squares / returns)
    return mean / deviation if deviation else NAN
