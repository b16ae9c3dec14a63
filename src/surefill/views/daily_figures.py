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
from math import nan, sqrt
from typing import Any, Final, Protocol

import msgspec

from surefill.units import NS_PER_DAY

DDOF: Final = 1
NAN: Final = nan
#: Trading days in a year, by calendar; exchanges have 252.
PER_YEAR: Final = {"24x7": 365, "forex": 260}
PER_YEAR_EXCHANGE: Final = 252
PER_YEAR_WEEKLY: Final = 52


class DailyFigures(msgspec.Struct, frozen=True, gc=False):
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


class Column(Protocol):
    """Numbers in a row: a list of Python's, an array of numpy's."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> Any: ...


def daily_sums(start: int, equity: Column, rf_per_day: float) -> tuple[float, float, float, float, float, float, int]:
    """What the ratios are made of, one operation after the other: compiled it gives the same bits.

    The mean of the returns; the sums of the second, third and fourth powers of what they are away from it; that of the
    squares of the negative ones; the largest fall, as a fraction; the longest run of days below a high.
    """
    count = len(equity)
    total = below = drawdown = 0.0
    before = peak = float(start)
    longest = run = 0
    for day in range(count):
        now = float(equity[day])
        moved = change(before, now, rf_per_day)
        total += moved
        if moved < 0.0:
            below += moved * moved
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
        away = change(before, now, rf_per_day) - mean
        square = away * away
        m2 += square
        m3 += square * away
        m4 += square * square
        before = now
    return mean, m2, m3, m4, below, drawdown, longest


def change(before: float, now: float, rf_per_day: float) -> float:
    """The return of a day beyond the riskless one; 0 of an account that is worth nothing."""
    if before <= 0.0:
        return 0.0
    return now / before - 1.0 - rf_per_day if now != before else -rf_per_day


def daily_ratios(
    start: int,
    end: int,
    days: int,
    per_year: int,
    mean: float,
    m2: float,
    m3: float,
    m4: float,
    below: float,
    fall: float,
) -> tuple[float, float, float, float, float, float, float, float]:
    """Sharpe, sortino, cagr, calmar, volatility, sharpe of a day, skew and kurtosis, of what `daily_sums` gives.

    NaN: there is none. To be compiled like that.
    """
    deviation = sqrt(m2 / (days - DDOF)) if days > DDOF else 0.0
    downside = sqrt(below / days) if days else 0.0
    spread = sqrt(m2 / days) if days else 0.0
    annual = sqrt(float(per_year))
    cagr = (float(end) / float(start)) ** (float(per_year) / days) - 1.0 if days and start > 0 and end > 0 else NAN
    return (
        mean / deviation * annual if deviation else NAN,
        mean / downside * annual if downside else NAN,
        cagr,
        cagr / fall if fall else NAN,
        deviation * annual if deviation else NAN,
        mean / deviation if deviation else NAN,
        m3 / days / (spread * spread * spread) if spread else NAN,
        m4 / days / (spread * spread * spread * spread) if spread else NAN,
    )


def known(value: float) -> float | None:
    """None for the NaN that stands for it among compiled figures."""
    return value if value == value else None


def daily_figures(start: int, equity: Sequence[int], per_year: int, *, rf: float = 0.0) -> DailyFigures:
    """Figures of an account that had `start` before the first day and `equity` at the end of each; `rf` is annual."""
    days, end = len(equity), int(equity[-1]) if len(equity) else start
    mean, m2, m3, m4, below, fall, longest = daily_sums(start, equity, (1.0 + rf) ** (1.0 / per_year) - 1.0)
    sharpe, sortino, cagr, calmar, volatility, sharpe_per_day, skew, kurtosis = map(
        known, daily_ratios(start, end, days, per_year, mean, m2, m3, m4, below, fall)
    )
    return DailyFigures(
        days=days,
        periods_per_year=per_year,
        rf=rf,
        ddof=DDOF,
        sharpe=sharpe,
        sortino=sortino,
        cagr=cagr,
        calmar=calmar,
        volatility=volatility,
        max_drawdown_pct=100 * fall,
        drawdown_days=longest,
        sharpe_per_day=sharpe_per_day,
        skew=skew,
        kurtosis=kurtosis,
    )
