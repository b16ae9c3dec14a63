"""The figures of a run's page: of each variant one value, None where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple

import msgspec

from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.objectives import Objective, score

#: pct: in percent; share: a fraction of one; number, fine: to the second, the third decimal; count: whole.
Form = Literal["pct", "share", "number", "fine", "count"]
_DIGITS: Final = 7


class FigureColumn(msgspec.Struct, frozen=True):
    """A figure of all variants, to `_DIGITS` digits: to be looked at; an export has all of them.

    `better`: 1 where more is better, -1 where less is, 0 where neither. `listed`: it has a column in the table.
    """

    key: str
    title: str
    form: Form
    better: int
    listed: bool
    meaning: str
    values: list[float | None]


class _Kind(NamedTuple):
    of: str
    title: str
    form: Form
    better: int
    listed: bool
    meaning: str


_KINDS: Final = (
    _Kind(
        "return_pct", "Return", "pct", 1, True, "ending equity / starting − 1; what is open counts at the last price"
    ),
    _Kind("max_drawdown_pct", "Max drawdown", "pct", -1, True, "largest fall of the curve of closed trades"),
    _Kind("sharpe", "Sharpe, trades", "fine", 1, True, "mean / deviation (over n) of the trades' returns, not annual"),
    _Kind("daily.sharpe", "Sharpe p.a.", "number", 1, True, "of daily equity, per year"),
    _Kind("daily.sortino", "Sortino", "number", 1, True, "of daily equity, per year"),
    _Kind("daily.calmar", "Calmar", "number", 1, True, "CAGR / largest drawdown, both of daily equity"),
    _Kind("daily.cagr", "CAGR", "share", 1, False, "growth per year, of daily equity"),
    _Kind("daily.volatility", "Volatility", "share", -1, False, "deviation of daily returns, per year"),
    _Kind("daily.max_drawdown_pct", "Max drawdown, days", "pct", -1, False, "largest fall of daily equity"),
    _Kind("daily.drawdown_days", "Longest drawdown", "count", -1, False, "days in a row below an earlier high"),
    _Kind("trade_count", "Trades", "count", 0, True, "closed trades"),
    _Kind("win_rate", "Win rate", "share", 1, True, "trades with a net above zero / trades"),
    _Kind("profit_factor", "Profit factor", "number", 1, True, "sum of the nets above zero / −(sum of those below)"),
    _Kind("exposure", "Exposure", "share", 0, True, "closes at which something was held / closes"),
    _Kind("turnover", "Turnover", "number", 0, False, "value of all fills / mean equity, per year"),
    _Kind("winning_streak", "Wins in a row", "count", 1, False, "the longest streak"),
    _Kind("losing_streak", "Losses in a row", "count", -1, False, "the longest streak"),
    _Kind("mae_pct", "MAE", "pct", -1, False, "mean of the trades' largest moves against the entry"),
    _Kind("mfe_pct", "MFE", "pct", 1, False, "mean of the trades' largest moves in favour of it"),
)


def figure_columns(objective: Objective, found: Sequence[VariantMetrics]) -> list[FigureColumn]:
    """All figures of these variants; the first is the score that they are ranked by."""
    scores = [_digits(score(objective, each)) for each in found]
    columns = [FigureColumn("score", "Score", "fine", 1, True, f"what the objective {objective} gives", scores)]
    for kind in _KINDS:
        of = attrgetter(kind.of)
        columns.append(FigureColumn(kind.of, *kind[1:], [_digits(of(each)) for each in found]))
    return columns


def _digits(value: Any) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
