"""An account in daily figures: one value a day, marked to the market, and the ratios that people compare by.

`r` are the returns from day to day (the first one from the starting equity), less `rf`, the riskless rate of one day;
`n` is how many, `P` the periods per year. Definitions are those of quantstats.

================  ====================================================================================================
sharpe            mean(r) / deviation(r) * sqrt(P), the deviation over n - ddof
sortino           mean(r) / sqrt(sum of the squares of the negative r / n) * sqrt(P)
volatility        deviation(r) * sqrt(P)
cagr              (last equity / first) ** (P / n) - 1
max_drawdown_pct  the largest fall from an earlier high, as a percentage of that high; the start is one
drawdown_days     the longest run of days that ended below an earlier high
calmar            cagr / (max_drawdown_pct / 100)
skew, kurtosis    third and fourth standardised moment, over n (a bell curve has 0 and 3)
================  ====================================================================================================

A day is one of UTC (a close at midnight belongs to the day that it ends). A ratio with nothing below its line is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import fsum, sqrt
from typing import Final

import msgspec

from surefill.units import NS_PER_DAY
from surefill.views.metrics import underwater

DDOF: Final = 1
#: Trading days in a year, by calendar; exchanges have 252.
PER_YEAR: Final = {"24x7": 365, "forex": 260}
PER_YEAR_EXCHANGE: Final = 252
PER_YEAR_WEEKLY: Final = 52


class DailyFigures(msgspec.Struct, frozen=True):
    """The figures, and what they were made with. Rates and ratios are floats; `sharpe_per_day` is not annualised."""

    days: int
    periods_per_year: int
    rf: float
    ddof: int
    sharpe: float | None
    sortino: float | None
    cagr: float | None
    calmar: float | None
    volatility: float | None
    max_drawdown_pct: float
    drawdown_days: int
    sharpe_per_day: float | None
    skew: float | None
    kurtosis: float | None


def periods_per_year(calendars: Iterable[str], timeframe: str = "1d") -> int:
    """Days of trading in a year, by the calendars of what is traded; the busiest counts. Of weekly bars, weeks."""
    if timeframe == "1w":
        return PER_YEAR_WEEKLY
    return max((PER_YEAR.get(name, PER_YEAR_EXCHANGE) for name in calendars), default=PER_YEAR_EXCHANGE)


def daily_equity(times: Sequence[int], equity: Sequence[int]) -> tuple[list[int], list[int]]:
    """The last value of each day (UTC), and when it was."""
    last: dict[int, tuple[int, int]] = {}
    for ts_ns, value in zip(times, equity, strict=True):
        last[(ts_ns - 1) // NS_PER_DAY] = ts_ns, value
    return [ts_ns for ts_ns, _ in last.values()], [value for _, value in last.values()]


def daily_figures(start: int, equity: Sequence[int], per_year: int, *, rf: float = 0.0) -> DailyFigures:
    """Figures of an account that had `start` before the first day and `equity` at the end of each; `rf` is annual."""
    rf_per_day = (1.0 + rf) ** (1.0 / per_year) - 1.0
    returns = [now / before - 1 - rf_per_day if before > 0 else 0.0 for before, now in pairwise([start, *equity])]
    count = len(returns)
    mean = fsum(returns) / count if count else 0.0
    deviation = sqrt(_central(returns, mean, 2) / (count - DDOF)) if count > DDOF else 0.0
    downside = sqrt(fsum(change * change for change in returns if change < 0) / count) if count else 0.0
    depths = underwater(start, equity)
    drawdown = max(depths, default=0.0)
    end = equity[-1] if equity else start
    cagr = (end / start) ** (per_year / count) - 1 if count and start > 0 and end > 0 else None
    spread = sqrt(_central(returns, mean, 2) / count) if count else 0.0
    return DailyFigures(
        days=count,
        periods_per_year=per_year,
        rf=rf,
        ddof=DDOF,
        sharpe=mean / deviation * sqrt(per_year) if deviation else None,
        sortino=mean / downside * sqrt(per_year) if downside else None,
        cagr=cagr,
        calmar=cagr / drawdown if cagr is not None and drawdown else None,
        volatility=deviation * sqrt(per_year) if deviation else None,
        max_drawdown_pct=100 * drawdown,
        drawdown_days=_longest(depth > 0 for depth in depths),
        sharpe_per_day=mean / deviation if deviation else None,
        skew=_central(returns, mean, 3) / count / spread**3 if spread else None,
        kurtosis=_central(returns, mean, 4) / count / spread**4 if spread else None,
    )


def _central(values: Iterable[float], mean: float, power: int) -> float:
    return fsum((value - mean) ** power for value in values)


def _longest(flags: Iterable[bool]) -> int:
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest
