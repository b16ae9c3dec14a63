"""Backtests as the configuration describes them: each strategy in a workspace of its own, through the same engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from surefill.config import Settings, paper_settings_of
from surefill.domain import codec
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import ConfigError
from surefill.intake.feed import Market
from surefill.intake.specs import specs_of
from surefill.journal.protocol import Journal
from surefill.market.series import BarSeries
from surefill.strategy import ExecutionSpec, StrategyRunner
from surefill.strategy.backtest import Backtest, FillAt
from surefill.strategy.backtest_workspace import in_workspace, open_for_backtest
from surefill.venues.paper import PaperVenue
from surefill.views.performance import Performance, performance

Progress = Callable[[int, int], None]


class Tested(NamedTuple):
    """One strategy's backtest. `series` are the bars that it traded."""

    spec: ExecutionSpec
    series: dict[str, BarSeries]
    performance: Performance


def backtest_all(
    market: Market, journal: Journal, *, fill_at: FillAt = "next_open", on_progress: Progress | None = None
) -> list[Tested]:
    """Run every configured strategy over the market, into workspaces of the journal.

    One strategy alone has the configured workspace, several have `<workspace>-<strategy>` each. A journal that holds
    such runs already is gone on with. Raises ConfigError, InputError, JournalError, StrategyError.
    """
    specs, runner = specs_of(market.settings, list(market.series))
    names = [spec.strategy_id for spec in specs]
    if len(set(names)) < len(names):
        raise ConfigError("two strategies have the same name: give each its own `name`", key="strategies")
    total = sum(len(market.series[symbol]) for spec in specs for symbol in spec.symbols)
    tested = []
    done = 0
    for spec in specs:
        settings = market.settings
        if len(specs) > 1:
            settings = in_workspace(settings, f"{settings.workspace.id}-{spec.strategy_id}")
            spec = spec.model_copy(update={"workspace_id": settings.workspace.id})
        series = {symbol: market.series[symbol] for symbol in spec.symbols}
        tell = _further(done, total, on_progress)
        found = _backtest(settings, journal, spec, series, runner, fill_at, tell)
        tested.append(Tested(spec, series, found))
        done += sum(len(bars) for bars in series.values())
    return tested


def _backtest(
    settings: Settings,
    journal: Journal,
    spec: ExecutionSpec,
    series: dict[str, BarSeries],
    runner: StrategyRunner,
    fill_at: FillAt,
    on_progress: Progress | None,
) -> Performance:
    writer = WorkspaceWriter(journal, spec.workspace_id, PaperVenue(paper_settings_of(settings)))
    open_for_backtest(writer, settings, series)
    Backtest(writer, spec, series, runner=runner, fill_at=fill_at, on_progress=on_progress).run()
    return performance((codec.decode(record.payload) for record in journal.read(spec.workspace_id)), series)


def _further(before: int, total: int, tell: Progress | None) -> Progress | None:
    """Progress of one run as progress of them all."""
    return None if tell is None else lambda done, _: tell(before + done, total)
