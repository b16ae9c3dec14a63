"""The command backtest: a strategy, or the configured ones, over a market."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefill.cli.loading import settings_from
from surefill.cli.options import AsJson, ConfigFile, Overrides
from surefill.cli.output import note, progress, show, table
from surefill.cli.strategy_flags import (
    Cash,
    Data,
    Dollars,
    Exit,
    FeeBps,
    FillAt,
    FillAtName,
    Lookback,
    MaxPositions,
    Parameters,
    SlippageBps,
    SpreadBps,
    StopLossPct,
    StrategyName,
    Symbols,
    TakeProfitPct,
    Timeframe,
    TimeStopBars,
    TrailingPct,
    feed_flags,
    fill_at_of,
    market_flags,
    strategy_flags,
)
from surefill.errors import InputError

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.intake.backtesting import Tested
    from surefill.journal import Journal
    from surefill.views.performance import Line, Performance


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    strategy: StrategyName = None,
    data: Data = None,
    symbols: Symbols = None,
    timeframe: Timeframe = None,
    param: Parameters = None,
    lookback: Lookback = None,
    dollars: Dollars = 1_000.0,
    max_positions: MaxPositions = 5,
    exit_: Exit = None,
    stop_loss_pct: StopLossPct = None,
    take_profit_pct: TakeProfitPct = None,
    trailing_pct: TrailingPct = None,
    time_stop_bars: TimeStopBars = None,
    cash: Cash = None,
    slippage_bps: SlippageBps = None,
    spread_bps: SpreadBps = None,
    fee_bps: FeeBps = None,
    fill_at: FillAtName = "next_open",
    report: Annotated[
        Path | None, typer.Option("--report", "-r", help="Write an HTML report there.", show_default=False)
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", "-j", help="Keep the journal there; else it is forgotten.", show_default=False),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the strategies and their parameters, and end.")] = False,
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Run a strategy over a market, through the same engine as trading; show what came of it.

    Intents made on a bar's close are filled at the next bar's open, unless --fill-at says otherwise.
    """
    if list_:
        _show_strategies(as_json=as_json)
        return
    fill = fill_at_of(fill_at)
    exits: dict[str, object] = {
        "type": exit_,
        "stop_loss_pct": stop_loss_pct,
        "take_profit_pct": take_profit_pct,
        "trailing_pct": trailing_pct,
        "time_stop_bars": time_stop_bars,
    }
    flags = {
        **feed_flags(data, symbols, timeframe),
        **market_flags(cash, slippage_bps, spread_bps, fee_bps),
        **strategy_flags(strategy, param, lookback, exits, dollars, max_positions),
        "workspace.mode": "backtest",
    }
    settings = settings_from(config, override, more=flags)
    _run(settings, journal, report, fill, as_json=as_json)


def _run(settings: Settings, journal_path: Path | None, report: Path | None, fill_at: FillAt, *, as_json: bool) -> None:
    from surefill.intake.backtesting import backtest_all
    from surefill.intake.feed import load_market
    from surefill.journal import MemoryJournal, SqliteJournal

    market = load_market(settings)
    journal: Journal = MemoryJournal() if journal_path is None else SqliteJournal(journal_path)
    with closing(journal), progress("bars", as_json=as_json) as moved:
        tested = backtest_all(market, journal, fill_at=fill_at, on_progress=moved)
        if report is not None:
            _write_report(report, journal, tested, settings, fill_at)

    def draw(console: Any) -> None:
        from surefill.demo.tables import show_results

        for each in tested:
            show_results(console, each.spec.name, each.performance)

    results = [_result(each) for each in tested]
    told = {"fill_at": fill_at, "report": report, "journal": journal_path, "results": results}
    show(told, draw, as_json=as_json)
    if not as_json:
        note(f"Intents are filled at {'the close they were made on' if fill_at == 'close' else 'the next open'}.")
        if report is not None:
            note(f"The report is {report}.")


def _write_report(path: Path, journal: Journal, tested: list[Tested], settings: Settings, fill_at: FillAt) -> None:
    from surefill.config.listing import listing
    from surefill.journal import verify
    from surefill.views.appended_file import replace_file
    from surefill.views.report import Shown, report_of

    told = ("workspace.starting_equity", "execution.slippage_bps", "execution.spread_bps", "execution.fill_mode")
    values = {each.key: each.value or each.meant for each in listing(settings)}
    about = {key.partition(".")[2].replace("_", " "): values[key] for key in told} | {
        "fills at": fill_at.replace("_", " ")
    }
    shown = {each.spec.workspace_id: Shown(each.spec.name, about) for each in tested}
    found = {each.spec.workspace_id: each.performance for each in tested}
    series = {symbol: bars for each in tested for symbol, bars in each.series.items()}
    page = report_of(
        f"Backtest of {', '.join(each.spec.name for each in tested)}", shown, found, series, verify(journal)
    )
    try:
        if path.exists() and not path.is_file():
            path.write_text(page, encoding="utf-8")  # a pipe, a terminal
        else:
            replace_file(path.resolve(), page.encode())
    except OSError as error:
        raise InputError(f"the report cannot be written to {path}: {error}", code="FILE_WRITE_ERROR") from error


def _result(each: Tested) -> dict[str, Any]:
    import msgspec

    found = each.performance
    curve = msgspec.to_builtins(found.curve)
    money_of_curve = {key: _money(found, curve.pop(key)) for key in ("start", "end", "max_drawdown")}
    return {
        "strategy": each.spec.strategy_id,
        "workspace": each.spec.workspace_id,
        "currency": found.currency,
        "total": _line(found, found.total),
        "symbols": {line.name: _line(found, line) for line in found.lines},
        "equity": {**money_of_curve, **curve},
        "daily": msgspec.to_builtins(found.daily),
        "exits": {why: {"count": ends.count, "net": _money(found, ends.net)} for why, ends in found.exits.items()},
        "refused": msgspec.to_builtins(found.refused),
        "events": sum(found.events.values()),
    }


def _line(found: Performance, line: Line) -> dict[str, Any]:
    import msgspec

    figures = msgspec.to_builtins(line.figures)
    for key in ("net", "fees", "gross_profit", "gross_loss", "best", "worst"):
        figures[key] = _money(found, figures[key])
    expectancy = figures["expectancy"]
    figures["expectancy"] = None if expectancy is None else expectancy / 10**found.money_decimals
    figures["fees_paid"] = _money(found, line.fees)
    figures["open_net"] = _money(found, line.open_net)
    figures["max_drawdown"] = _money(found, line.max_drawdown)
    figures["exposure"] = line.exposure
    return dict(figures)


def _money(found: Performance, quanta: int) -> str:
    from surefill.units import quanta_text

    return quanta_text(quanta, found.money_decimals)


def _show_strategies(*, as_json: bool) -> None:
    import msgspec

    from surefill.strategy import StrategyRegistry

    registry = StrategyRegistry()
    told = {name: msgspec.to_builtins(registry.parameters(name)) for name in registry.names()}

    def draw(console: Any) -> None:
        rows = [
            (name, each["name"], each["default"], f"{each['minimum']} to {each['maximum']}", each["meaning"])
            for name, parameters in told.items()
            for each in parameters or ()
        ]
        rows += [(name, "", "", "", "no parameters") for name, parameters in told.items() if not parameters]
        console.print(table("", ("strategy", "parameter", "default", "range", "meaning"), rows))

    show(told, draw, as_json=as_json)
