"""The figures as a report prints them: by hand, and a dash where there is none."""

from __future__ import annotations

import msgspec
import pytest
from tests.strategy import runs
from tests.views import reports

from surefill.domain import codec
from surefill.units import NS_PER_DAY, NS_PER_MIN
from surefill.views.daily_figures import daily_figures
from surefill.views.metrics import curve_figures, trade_figures
from surefill.views.performance import Performance, performance
from surefill.views.report.figures import NONE, conventions, figure_groups, span
from surefill.views.trades import Trade


def _nothing() -> Performance:
    return performance([], {})


def _by_hand() -> Performance:
    """1,000.00 became 1,100.00 in four days; three trades made +150, -60 and +10 (cents: of two decimals)."""
    equity = [110_000, 99_000, 104_500, 110_000]
    nets = (15_000, -6_000, 1_000)
    trades = [Trade("A", "A", "s", "c", 1, 0, exit_ns=NS_PER_DAY * 3, realised=made) for made in nets]
    nothing = _nothing()
    total = msgspec.structs.replace(nothing.total, figures=trade_figures(trades), fees=250, exposure=0.25)
    return msgspec.structs.replace(
        nothing,
        currency="USD",
        money_decimals=2,
        total=total,
        curve=curve_figures(100_000, equity),
        daily=daily_figures(100_000, equity, 252),
        turnover=12.34,
        mae_pct=1.5,
        mfe_pct=2.25,
    )


def _values(found: Performance) -> dict[str, str]:
    return {line.name: line.value for group in figure_groups(found) for line in group.lines}


def test_figures_by_hand() -> None:
    # Daily returns +10 %, -10 %, +5.56 %, +5.26 %: mean 2.70 %, deviation 8.74 % over n - 1, 5 % below zero over n.
    # Growth: 1.1 ** (252 / 4) - 1.
    assert _values(_by_hand()) == {
        "Total return": "+10.0 %",
        "CAGR": "+40,426.5 %",
        "Volatility": "138.8 %",
        "Sharpe": "4.91",
        "Sortino": "8.59",
        "Calmar": "4042.65",
        "Max drawdown, closes": "−10.0 %",
        "Max drawdown, days": "−10.0 %",
        "Longest drawdown": "2 days",
        "Skew": "−0.93",
        "Kurtosis": "2.21",
        "Trades": "3",
        "Win rate": "66.7 %",
        "Profit factor": "2.67",
        "Payoff": "1.33",
        "Expectancy, USD": "+33.33",
        "Best, USD": "+150.00",
        "Worst, USD": "−60.00",
        "Wins in a row": "1",
        "Losses in a row": "1",
        "Exposure": "25.0 %",
        "Turnover": "12.3 ×",
        "Held on average": "3.0 days",
        "MAE": "1.50 %",
        "MFE": "2.25 %",
        "Fees, USD": "2.50",
    }


def test_figures_of_nothing_are_dashes_not_numbers() -> None:
    values = _values(_nothing())
    counts = {"Exposure", "Trades", "Wins in a row", "Losses in a row", "Fees, "}
    assert {name for name, value in values.items() if value != NONE} - counts == {"Max drawdown, closes"}


def test_every_figure_says_what_it_is_and_with_what_it_was_made() -> None:
    lines = [line for group in figure_groups(_by_hand()) for line in group.lines]
    assert len(lines) == len({line.name for line in lines}) == 26
    assert all(line.meaning for line in lines)
    for words in ("252 periods per year", "riskless rate 0", "n − 1", "quantstats"):
        assert words in conventions(_by_hand())


def test_figures_of_a_run_are_those_of_its_performance() -> None:
    journal, series = reports.small_journal()
    found = performance((codec.decode(payload) for payload in runs.payloads_of(journal)), series)
    values = _values(found)
    assert values["Sharpe"] == f"{found.daily.sharpe:.2f}".replace("-", "−")
    assert found.mae_pct == pytest.approx(100 * sum(each.adverse for each in found.went) / len(found.went))
    assert len(found.went) == len(found.stories)
    assert found.turnover is not None
    assert found.turnover > 0


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0.0 minutes"),
        (119, "119.0 minutes"),
        (120, "2.0 hours"),
        (2_879, "48.0 hours"),
        (1_440 * 1_500, "1,500.0 days"),
    ],
)
def test_span_row(minutes: int, text: str) -> None:
    assert span(minutes * NS_PER_MIN) == text
