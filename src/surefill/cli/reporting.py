"""The command report: a workspace's journal, or a run of variants, as one HTML page; its tables as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.loading import journal_to_read, known_workspace, settings_from, verified_records
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides, WorkspaceId
from surefill.cli.output import facts, note, show
from surefill.cli.performances import ExportFolder, ExportFormat, checked_format, told, write_file, write_tables
from surefill.cli.strategy_flags import Data, Symbols, Timeframe, feed_flags
from surefill.errors import InputError

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.domain.events import Event
    from surefill.domain.state import Book
    from surefill.journal import SqliteJournal
    from surefill.sweep.rerun import Rerun
    from surefill.sweep.run_record import RunRecord
    from surefill.views.performance import Performance

DEFAULT_PAGE = Path("report.html")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    run: Annotated[
        str | None,
        typer.Option("--run", help="A run of variants, by the beginning of its id.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page.", show_default="report.html, without --export"),
    ] = None,
    export: ExportFolder = None,
    format_: ExportFormat = "csv",
    top: Annotated[int, typer.Option("--top", help="With --run: draw the equity of so many variants.")] = 5,
    data: Data = None,
    symbols: Symbols = None,
    timeframe: Timeframe = None,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Make a page of a workspace's journal over the bars that it traded, or of a run of variants; nothing is loaded.

    With --run the journal is sweeps.journal, unless --journal names another. 7 where the journal does not verify, or a
    variant that is run again comes out otherwise than recorded.
    """
    form = checked_format(format_)
    if run is not None:
        if export is not None:
            raise typer.BadParameter("--export is of a workspace; a run's variants: surefill sweep export")
        if any((data, symbols, timeframe, override, workspace)):
            raise typer.BadParameter("--run has its bars and settings from its own beginning: leave those options out")
        _report_run(run, output or DEFAULT_PAGE, journal, top, as_json=as_json)
        return
    flags = feed_flags(data, symbols, timeframe)
    settings = settings_from(config, override, journal, workspace, more=flags)
    page = output if output is not None or export is not None else DEFAULT_PAGE
    found = journal_to_read(settings)
    try:
        result = _report_workspaces(found, settings, page, export, form, named=workspace is not None)
    finally:
        found.close()
    show(result, lambda console: console.print(facts("", _lines(result))), as_json=as_json)


def _report_workspaces(
    journal: SqliteJournal, settings: Settings, page: Path | None, export: Path | None, form: str, *, named: bool
) -> dict[str, Any]:
    from surefill.intake.feed import load_market
    from surefill.journal import verify
    from surefill.views.performance import performance
    from surefill.views.report import Shown, report_of
    from surefill.views.traded_prices import bars_for, traded_in

    names = _workspaces(journal, settings.workspace.id, named=named)
    given = load_market(settings).series
    runs: dict[str, Performance] = {}
    shown, series = {}, {}
    for name in names:
        traded = traded_in(_events(journal, name, checked=True))
        bars, own = bars_for(traded, given)
        if own and len(names) > 1:
            raise InputError(
                f"there are no bars of {', '.join(own)}: give them with --data, or name one workspace with --workspace",
                code="NO_BARS",
            )
        runs[name] = performance(_events(journal, name), bars, by_day=not own)
        shown[name] = Shown(name, _about(traded.book), _remark(own))
        series.update(bars)
    html = b""
    if page is not None:
        html = report_of(f"Report of {', '.join(names)}", shown, runs, series, verify(journal)).encode()
        write_file(page, html)
    tables = {name: (_events(journal, name), found) for name, found in runs.items()}
    files = write_tables(export, form, tables) if export is not None else []
    return {
        "report": page,
        "bytes": len(html) or None,
        "files": files,
        "results": [{**told(found), "remark": shown[name].remark} for name, found in runs.items()],
    }


def _workspaces(journal: SqliteJournal, name: str, *, named: bool) -> list[str]:
    """The workspace of that name; unless it was named, those of a backtest of several strategies will do."""
    several = [each for each in sorted(journal.heads()) if each.startswith(f"{name}-")]
    if named or name in journal.heads() or not several:
        known_workspace(journal, name)
        return [name]
    return several


def _events(journal: SqliteJournal, name: str, *, checked: bool = False) -> Iterator[Event]:
    from surefill.domain import codec

    records = verified_records(journal, name) if checked else journal.read(name)
    return (codec.decode(record.payload) for record in records)


def _about(book: Book) -> dict[str, str]:
    from surefill.units import quanta_text

    return {
        "mode": book.mode,
        "venue": book.venue,
        "account": book.account,
        "starting cash": f"{quanta_text(book.starting_cash, book.money_decimals)} {book.currency}",
    }


def _remark(own: list[str]) -> str:
    if not own:
        return ""
    return (
        f"There were no bars of {', '.join(own)}: it is valued at the prices that it traded at itself, when it did."
        " Figures by the day and by the close are left out; give the bars with --data for all of them."
    )


def _lines(result: Mapping[str, Any]) -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = [("report", result["report"] or "")]
    lines += [("table", file) for file in result["files"]]
    for found in result["results"]:
        daily = found["daily"]["sharpe"]
        sharpe = "-" if daily is None else f"{daily:.2f}"
        equity = f"{found['equity']['start']} became {found['equity']['end']} {found['currency']}"
        lines.append((found["workspace"], f"{found['total']['trades']} trades, {equity}, Sharpe {sharpe}"))
        lines.append(("", found["remark"]))
    return lines


def _report_run(run: str, page: Path, journal: Path | None, top: int, *, as_json: bool) -> None:
    from surefill.cli.loading import log_to_stderr
    from surefill.cli.sweep_store import DEFAULT_JOURNAL, money_decimals, reading
    from surefill.cli.sweep_words import told as told_run
    from surefill.journal import verify
    from surefill.sweep.events import stream_of
    from surefill.sweep.plan_page import plan_page
    from surefill.sweep.result import result_of
    from surefill.sweep.run_record import run_in

    log_to_stderr()
    with reading(journal or DEFAULT_JOURNAL) as found:
        record = run_in(found, run)
        name = stream_of(record.begun.plan.run_plan_id)
        for _ in verified_records(found, name):
            pass  # before anything is said of it
        (proof,) = (stream for stream in verify(found).streams if stream.workspace_id == name)
    again = _again(record, top)
    html = plan_page(record, again, proof).encode()
    write_file(page, html)
    summary = told_run(result_of(record), money_decimals(record))
    rows = summary.pop("rows")
    result = {
        **summary,
        "best_row": next((row for row in rows if row["variant_id"] == summary["best"]), None),
        "report": page,
        "bytes": len(html),
        "without_curves": again if isinstance(again, str) else None,
        "differs": [] if isinstance(again, str) else again.differs,
    }
    shown = ("report", "bytes", "run_plan_id", "status", "variants", "completed", "failed", "best", "deflated_sharpe")
    show(result, lambda console: console.print(facts("", [(key, result[key]) for key in shown])), as_json=as_json)
    if isinstance(again, str):
        note(f"without curves and trades: {again}")
    elif again.differs:
        note(f"run again, these came out otherwise than recorded: {', '.join(again.differs)}")
        raise typer.Exit(ExitCode.VERIFICATION)


def _again(record: RunRecord, top: int) -> Rerun | str:
    """What is drawn of a run, run again; or why it cannot be: its bars or its strategy are not there any more."""
    from surefill.cli.sweep_store import settings_of
    from surefill.errors import ConfigError, LocalError
    from surefill.intake.feed import load_market
    from surefill.sweep.orchestrator import Market
    from surefill.sweep.rerun import rerun
    from surefill.sweep.result import result_of

    try:
        return rerun(record, result_of(record), Market(*load_market(settings_of(record))), top)
    except (ConfigError, LocalError) as error:
        return error.message
