"""How well it went: figures of trades and of an equity curve. Sums are integers in money quanta, ratios floats.

================  ====================================================================================================
a trade's net     what it realised, less the fees of all its fills
win, loss         a trade whose net is above, below zero (a trade that made exactly nothing is neither)
win_rate          wins / trades
profit_factor     sum of the nets of wins / -(sum of the nets of losses)
payoff            average win / -(average loss)
expectancy        sum of all nets / trades
winning_streak    the most wins in a row, in the order in which trades ended; losing_streak the most losses
max_drawdown      the largest fall from an earlier peak of the curve, in money; its beginning counts as a peak
max_drawdown_pct  the largest such fall as a percentage of the peak that it began at
exposure          closes at which something was held / closes
turnover          value of all fills / mean equity of all closes, per year: times P / n (`views.daily_figures`)
monthly           the last equity of a calendar month / that of the month before - 1; the first one from the start
================  ====================================================================================================

A ratio that has nothing below its line is None. Ratios by the year: `views.daily_figures`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from surefill.units import datetime_from_ns
from surefill.views.trades import Trade


class TradeFigures(msgspec.Struct, frozen=True):
    """Closed trades in figures; money in money quanta. `gross_loss` is zero or negative; so is `worst`, usually."""

    trades: int
    wins: int
    losses: int
    net: int
    fees: int
    gross_profit: int
    gross_loss: int
    best: int
    worst: int
    held_ns: int
    win_rate: float | None
    profit_factor: float | None
    payoff: float | None
    expectancy: float | None
    winning_streak: int
    losing_streak: int


class Drawdown(NamedTuple):
    """A fall of a curve: how deep, from which point of it to which."""

    depth: int
    peak_at: int
    trough_at: int


class CurveFigures(msgspec.Struct, frozen=True):
    """An equity curve in figures; money in money quanta, rates as fractions of one."""

    start: int
    end: int
    max_drawdown: int
    max_drawdown_pct: float


class Month(NamedTuple):
    """A calendar month (UTC) and what the account made in it, as a fraction of what it was worth before."""

    year: int
    month: int
    change: float


def net(trade: Trade) -> int:
    """What a trade made after fees, in money quanta."""
    return trade.realised - trade.fees


def trade_figures(trades: Sequence[Trade]) -> TradeFigures:
    """Figures of closed trades."""
    nets = [net(trade) for trade in trades]
    won, lost = [n for n in nets if n > 0], [n for n in nets if n < 0]
    profit, loss = sum(won), sum(lost)
    return TradeFigures(
        trades=len(nets),
        wins=len(won),
        losses=len(lost),
        net=sum(nets),
        fees=sum(trade.fees for trade in trades),
        gross_profit=profit,
        gross_loss=loss,
        best=max(nets, default=0),
        worst=min(nets, default=0),
        held_ns=sum(trade.exit_ns - trade.entry_ns for trade in trades),
        win_rate=_ratio(len(won), len(nets)),
        profit_factor=_ratio(profit, -loss),
        payoff=_ratio(profit * len(lost), -loss * len(won)),
        expectancy=_ratio(sum(nets), len(nets)),
        winning_streak=_streak([made > 0 for made in nets]),
        losing_streak=_streak([made < 0 for made in nets]),
    )


def turnover(traded: int, closes: int, worth: int, days: int, per_year: int) -> float | None:
    """How often the account was turned over in a year. `traded` and `worth`, the sum of the equity at `closes`: money.

    None of an account that was worth nothing, or of no days.
    """
    return traded * closes / worth * per_year / days if days and worth > 0 else None


def curve_figures(start: int, equity: Sequence[int]) -> CurveFigures:
    """Figures of the equity at successive closes, which began with `start`."""
    return CurveFigures(
        start=start,
        end=equity[-1] if equity else start,
        max_drawdown=max_drawdown([start, *equity]).depth,
        max_drawdown_pct=100 * max(underwater(start, equity), default=0.0),
    )


def max_drawdown(curve: Iterable[int]) -> Drawdown:
    """The deepest fall of a curve, the earliest of equals; depth 0 of a curve that never falls."""
    deepest = Drawdown(0, 0, 0)
    peak, peak_at = None, 0
    for at, value in enumerate(curve):
        if peak is None or value > peak:
            peak, peak_at = value, at
        elif peak - value > deepest.depth:
            deepest = Drawdown(peak - value, peak_at, at)
    return deepest


def underwater(start: int, equity: Sequence[int]) -> list[float]:
    """At each close, how far the equity is below its highest until then, as a fraction of that (0: at its highest)."""
    peak, depths = start, []
    for value in equity:
        peak = max(peak, value)
        depths.append((peak - value) / peak if peak > 0 else 0.0)
    return depths


def monthly(start: int, times: Sequence[int], equity: Sequence[int]) -> list[Month]:
    """The change of each calendar month (UTC) that has a close."""
    ends: dict[tuple[int, int], int] = {}
    for ts_ns, value in zip(times, equity, strict=True):
        when = datetime_from_ns(ts_ns)
        ends[when.year, when.month] = value
    changes = _changes([start, *ends.values()])
    return [Month(year, month, change) for (year, month), change in zip(ends, changes, strict=True)]


def _streak(counts: Iterable[bool]) -> int:
    longest = run = 0
    for one in counts:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest


def _changes(values: Sequence[int]) -> list[float]:
    return [now / before - 1 if before > 0 else 0.0 for before, now in pairwise(values)]


def _ratio(above: int, below: int) -> float | None:
    return above / below if below else None
