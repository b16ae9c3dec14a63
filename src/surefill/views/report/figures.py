"""The standard figures of a run as a report prints them: name, value, definition. What has no value is a dash."""

from __future__ import annotations

import msgspec

from surefill.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MIN, quanta_decimal
from surefill.views.performance import Performance

NONE = "–"


class FigureLine(msgspec.Struct, frozen=True):
    """One figure. `tone`: 1 good, -1 bad, 0 neither."""

    name: str
    value: str
    meaning: str
    tone: int = 0


class FigureGroup(msgspec.Struct, frozen=True):
    """Figures that belong together."""

    name: str
    lines: list[FigureLine]


def conventions(found: Performance) -> str:
    """With what the figures were made."""
    daily = found.daily
    return (
        f"{daily.periods_per_year} periods per year, riskless rate {daily.rf:g}, deviations over n − {daily.ddof},"
        f" {daily.days:,} days of UTC; definitions of quantstats; {NONE} where nothing stands below the line"
    )


def figure_groups(found: Performance) -> list[FigureGroup]:
    """The standard set."""
    return [
        FigureGroup("Return and risk", _return_and_risk(found)),
        FigureGroup("Trades", _trades(found)),
        FigureGroup("Activity", _activity(found)),
    ]


def _return_and_risk(found: Performance) -> list[FigureLine]:
    daily, curve = found.daily, found.curve
    made = curve.end / curve.start - 1 if curve.start > 0 else None
    return [
        FigureLine("Total return", percent(made, sign=True), "last equity / first − 1", sign_of(made)),
        FigureLine("CAGR", percent(daily.cagr, sign=True), "(last equity / first) ^ (P / n) − 1", sign_of(daily.cagr)),
        FigureLine("Volatility", percent(daily.volatility), "deviation of the daily returns × √P"),
        FigureLine("Sharpe", ratio(daily.sharpe), "mean of the daily returns / their deviation × √P"),
        FigureLine("Sortino", ratio(daily.sortino), "mean / √(sum of the squares of the negative returns / n) × √P"),
        FigureLine("Calmar", ratio(daily.calmar), "CAGR / largest drawdown, both of daily equity"),
        FigureLine(
            "Max drawdown, closes",
            percent(0.0 - curve.max_drawdown_pct / 100),
            "the largest fall from an earlier high, at the closes of bars; the start is a high",
            -sign_of(curve.max_drawdown_pct),
        ),
        FigureLine(
            "Max drawdown, days",
            _of_days(found, percent(0.0 - daily.max_drawdown_pct / 100)),
            "the same of daily equity",
            -sign_of(daily.max_drawdown_pct),
        ),
        FigureLine(
            "Longest drawdown",
            _of_days(found, f"{daily.drawdown_days:,} days"),
            "the most days in a row that ended below an earlier high",
        ),
        FigureLine("Skew", ratio(daily.skew), "third standardised moment of the daily returns, over n"),
        FigureLine("Kurtosis", ratio(daily.kurtosis), "fourth standardised moment, over n; a bell curve has 3"),
    ]


def _trades(found: Performance) -> list[FigureLine]:
    figures, decimals = found.total.figures, found.money_decimals
    expectancy = None if figures.expectancy is None else figures.expectancy / 10**decimals
    best, worst = (
        money(value, decimals, sign=True) if figures.trades else NONE for value in (figures.best, figures.worst)
    )
    return [
        FigureLine("Trades", f"{figures.trades:,}", "closed round trips"),
        FigureLine("Win rate", percent(figures.win_rate), "trades with a net above zero / trades"),
        FigureLine(
            "Profit factor", ratio(figures.profit_factor), "sum of the nets above zero / −(sum of those below zero)"
        ),
        FigureLine("Payoff", ratio(figures.payoff), "average win / −(average loss)"),
        FigureLine(
            f"Expectancy, {found.currency}",
            NONE if expectancy is None else _minus(f"{expectancy:+,.2f}"),
            "sum of all nets / trades",
            sign_of(expectancy),
        ),
        FigureLine(f"Best, {found.currency}", best, "the largest net of a trade, after its fees"),
        FigureLine(f"Worst, {found.currency}", worst, "the smallest net of a trade, after its fees"),
        FigureLine("Wins in a row", f"{figures.winning_streak}", "the longest streak, in the order of the exits"),
        FigureLine("Losses in a row", f"{figures.losing_streak}", "the longest streak, in the order of the exits"),
    ]


def _activity(found: Performance) -> list[FigureLine]:
    figures, total = found.total.figures, found.total
    held = span(figures.held_ns / figures.trades) if figures.trades else NONE
    return [
        FigureLine("Exposure", percent(total.exposure), "closes at which something was held / closes"),
        FigureLine("Turnover", _times(found.turnover), "value of all fills / mean equity, per year (times P / n)"),
        FigureLine("Held on average", held, "from a trade's first fill to its last; days of 24 hours"),
        FigureLine(
            "MAE", _pct(found.mae_pct), "mean of the trades' largest moves against the entry price, of the bars held in"
        ),
        FigureLine("MFE", _pct(found.mfe_pct), "mean of the trades' largest moves in favour of the entry price"),
        FigureLine(f"Fees, {found.currency}", money(total.fees, found.money_decimals), "all that were paid"),
    ]


def money(quanta: int, decimals: int, *, sign: bool = False) -> str:
    """An amount to the hundredth, half to even."""
    return _minus(f"{quanta_decimal(quanta, decimals):{'+' if sign else ''},.2f}")


def percent(value: float | None, *, sign: bool = False) -> str:
    """A fraction in percent, to the tenth."""
    return NONE if value is None else _minus(f"{100 * value:{'+' if sign else ''},.1f} %")


def ratio(value: float | None) -> str:
    """A ratio to the hundredth."""
    return NONE if value is None else _minus(f"{value:.2f}")


def span(ns: float, decimals: int = 1) -> str:
    """A length of time in its largest unit that leaves two of it: days, hours or minutes."""
    for unit, name in ((NS_PER_DAY, "days"), (NS_PER_HOUR, "hours")):
        if ns >= 2 * unit:
            return f"{ns / unit:,.{decimals}f} {name}"
    return f"{ns / NS_PER_MIN:,.{decimals}f} minutes"


def sign_of(value: float | None) -> int:
    """1, -1 or 0; 0 of nothing."""
    return 0 if value is None else (value > 0) - (value < 0)


def _pct(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f} %"


def _times(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f} ×"


def _of_days(found: Performance, text: str) -> str:
    return text if found.daily.days else NONE


def _minus(text: str) -> str:
    return text.replace("-", "−")
