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

from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import Any, Final, NamedTuple

import msgspec

from surefill.units import NS_PER_DAY

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


class DailySums(NamedTuple):
    """What the figures are made of. `m2` to `m4`: sums of the powers of what the returns are away from their mean.

    `below`: the sum of the squares of the negative returns; `drawdown`: a fraction; `longest`: days below a high.
    """

    mean: float
    m2: float
    m3: float
    m4: float
    below: float
    drawdown: float
    longest: int


def daily_sums(
    start: int, equity: Sequence[int], rf_per_day: float
) -> tuple[float, float, float, float, float, float, int]:
    """The fields of `DailySums`, one operation after the other: compiled it gives the same bits."""
    count = len(equity)
    total = below = drawdown = 0.0
    before = peak = float(start)
    longest = run = 0
    for day in range(count):
        now = float(equity[day])
        change = now / before - 1.0 - rf_per_day if before > 0.0 else 0.0
        total += change
        if change < 0.0:
            below += change * change
        if now >= peak or peak <= 0.0:
            peak, run = max(peak, now), 0
        else:
            run += 1
            longest = max(longest, run)
            drawdown = max(drawdown, (peak - now) / peak)
        before = now
    mean = total / count if count else 0.0
    m2 = m3 = m4 = 0.0
    before = float(start)
    for day in range(count):
        now = float(equity[day])
        away = (now / before - 1.0 - rf_per_day if before > 0.0 else 0.0) - mean
        square = away * away
        m2 += square
        m3 += square * away
        m4 += square * square
        before = now
    return mean, m2, m3, m4, below, drawdown, longest


SumUp = Callable[[int, Any, float], tuple[float, float, float, float, float, float, int]]


def daily_figures(
    start: int, equity: Sequence[int], per_year: int, *, rf: float = 0.0, sum_up: SumUp = daily_sums
) -> DailyFigures:
    """Figures of an account that had `start` before the first day and `equity` at the end of each; `rf` is annual.

    `sum_up`: `daily_sums`, or what it was compiled to.
    """
    count, end = len(equity), int(equity[-1]) if len(equity) else start
    sums = DailySums(*sum_up(start, equity, (1.0 + rf) ** (1.0 / per_year) - 1.0))
    deviation = sqrt(sums.m2 / (count - DDOF)) if count > DDOF else 0.0
    downside = sqrt(sums.below / count) if count else 0.0
    spread = sqrt(sums.m2 / count) if count else 0.0
    cagr = (end / start) ** (per_year / count) - 1 if count and start > 0 and end > 0 else None
    return DailyFigures(
        days=count,
        periods_per_year=per_year,
        rf=rf,
        ddof=DDOF,
        sharpe=sums.mean / deviation * sqrt(per_year) if deviation else None,
        sortino=sums.mean / downside * sqrt(per_year) if downside else None,
        cagr=cagr,
        calmar=cagr / sums.drawdown if cagr is not None and sums.drawdown else None,
        volatility=deviation * sqrt(per_year) if deviation else None,
        max_drawdown_pct=100 * sums.drawdown,
        drawdown_days=sums.longest,
        sharpe_per_day=sums.mean / deviation if deviation else None,
        skew=sums.m3 / count / spread**3 if spread else None,
        kurtosis=sums.m4 / count / spread**4 if spread else None,
    )
