"""The command backtest: a strategy, or the configured ones, over a market."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefill.cli.loading import settings_from
from surefill.cli.options import AsJson, ConfigFile, Overrides
from surefill.cli.output import note, progress, show, table
from surefill.cli.performances import ExportFolder, ExportFormat, checked_format, told, write_file, write_tables
from surefill.cli.strategy_flags import (
    Cash,
    Data,
    Dollars,
    Exit,
    FeeBps,
    FillAt,
    FillAtName,
    GoodForBars,
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

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.intake.backtesting import Tested
    from surefill.journal import Journal


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
    good_for_bars: GoodForBars = None,
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
    export: ExportFolder = None,
    format_: ExportFormat = "csv",
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
    fill, form = fill_at_of(fill_at), checked_format(format_)
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
        **strategy_flags(strategy, param, lookback, good_for_bars, exits, dollars, max_positions),
        "workspace.mode": "backtest",
    }
    settings = settings_from(config, override, more=flags)
    _run(settings, journal, report, (export, form), fill, as_json=as_json)


def _run(
    settings: Settings,
    journal_path: Path | None,
    report: Path | None,
    export: tuple[Path | None, str],
    fill_at: FillAt,
    *,
    as_json: bool,
) -> None:
    from surefill.domain import codec
    from surefill.intake.backtesting import backtest_all
    from surefill.intake.feed import load_market
    from surefill.journal import MemoryJournal, SqliteJournal

    market = load_market(settings)
    journal: Journal = MemoryJournal() if journal_path is None else SqliteJournal(journal_path)
    with closing(journal), progress("bars", as_json=as_json) as moved:
        tested = backtest_all(market, journal, fill_at=fill_at, on_progress=moved)
        if report is not None:
            _write_report(report, journal, tested, settings, fill_at)
        folder, form = export
        runs = {
            name: ((codec.decode(record.payload) for record in journal.read(name)), each.performance)
            for name, each in ((each.spec.workspace_id, each) for each in tested)
        }
        files = write_tables(folder, form, runs) if folder is not None else []

    def draw(console: Any) -> None:
        from surefill.demo.tables import show_results

        for each in tested:
            show_results(console, each.spec.name, each.performance)

    results = [{"strategy": each.spec.strategy_id, **told(each.performance)} for each in tested]
    result = {"fill_at": fill_at, "report": report, "journal": journal_path, "files": files, "results": results}
    show(result, draw, as_json=as_json)
    if not as_json:
        note(f"Intents are filled at {'the close they were made on' if fill_at == 'close' else 'the next open'}.")
        if report is not None:
            note(f"The report is {report}.")
        for file in files:
            note(f"Written: {file}")


def _write_report(path: Path, journal: Journal, tested: list[Tested], settings: Settings, fill_at: FillAt) -> None:
    from surefill.config.listing import listing
    from surefill.journal import verify
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
    write_file(path, page.encode())


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
