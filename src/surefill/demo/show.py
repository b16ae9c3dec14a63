"""The demonstration from beginning to end, as `surefill demo` runs it."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from surefill.demo import tables
from surefill.demo.backtests import RunFigures, run_into
from surefill.demo.crash import Crash, run_killed
from surefill.demo.place import JOURNAL, REPORT, TITLE, prepare
from surefill.demo.plan import CURRENCY, MONEY_DECIMALS, SPECS, STARTING_CASH, VENUE_WORDS
from surefill.demo.proof import Proof, prove
from surefill.domain import codec
from surefill.journal import Journal, SqliteJournal, verify
from surefill.market.dataset import load_demo_bars
from surefill.market.series import BarSeries
from surefill.strategy import ExecutionSpec
from surefill.units import iso_from_ns
from surefill.views.performance import Performance, performance
from surefill.views.report import Shown, report_of


class Result(msgspec.Struct, frozen=True):
    """One strategy on one symbol, or on all ("total"). Money as decimal text in the account's currency."""

    workspace_id: str
    symbol: str
    trades: int
    win_rate: float | None
    profit_factor: float | None
    net: str
    open_net: str
    fees: str
    max_drawdown: str
    exposure: float | None


class DemoResult(msgspec.Struct, frozen=True):
    """What the demonstration made. `ok`: everything that it set out to prove was proved."""

    ok: bool
    report: Path
    journal: Path
    killed_journal: Path
    undisturbed: RunFigures
    crash: Crash
    proof: Proof
    results: tuple[Result, ...]
    seconds: float


def run(folder: Path, *, console: Console, json: bool, open_report: bool = False) -> DemoResult:
    """Run the demonstration into `folder`, which is made, and whose former demonstration is replaced.

    With `json` the result goes to standard output, as one document. Raises JournalLocked while another demonstration
    runs there, InputError where something of another's is in the way, LocalError (DEMO_FAILED) where the crash could
    not be staged.
    """
    began = time.perf_counter()
    quiet = Console(quiet=True) if json else console
    journal_path, killed_path = prepare(folder)
    series = load_demo_bars()
    _announce(quiet, series)
    with _progress(quiet) as bar:
        undisturbed = _run_undisturbed(bar, journal_path, series)
        quiet.print(
            f"  {undisturbed.bars:,} bars made {undisturbed.events:,} events,"
            f" in {undisturbed.commits:,} durable commits and {undisturbed.run_s:.1f} s\n",
            highlight=False,
        )
        quiet.print("[bold]2. The same in another process, killed in the middle[/]")
        crash = _run_killed(bar, killed_path, undisturbed.events)
    _tell_crash(quiet, crash, undisturbed.events)
    with closing(SqliteJournal(journal_path, readonly=True)) as journal:
        with closing(SqliteJournal(killed_path, readonly=True)) as killed:
            proof = prove(journal, killed, [spec.workspace_id for spec in SPECS])
        quiet.print("[bold]3. What that proves[/]")
        tables.show_findings(quiet, proof.findings)
        found = {spec.workspace_id: _folded(journal, spec, series) for spec in SPECS}
        report_path = folder / REPORT
        report_path.write_text(_report(journal, found, series, crash, undisturbed), encoding="utf-8")
    _show(quiet, found, folder)
    result = DemoResult(
        proof.ok,
        report_path,
        journal_path,
        killed_path,
        undisturbed,
        crash,
        proof,
        tuple(line for spec in SPECS for line in _results(found[spec.workspace_id])),
        round(time.perf_counter() - began, 3),
    )
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(result, enc_hook=str), indent=2).decode() + "\n")
    if open_report:
        webbrowser.open(report_path.absolute().as_uri())
    return result


def _announce(console: Console, series: Mapping[str, BarSeries]) -> None:
    names = " and ".join(spec.name for spec in SPECS)
    cash = tables.money(STARTING_CASH, MONEY_DECIMALS)
    console.print(f"[bold]1. Two strategies on {len(series)} shares, {' to '.join(_span(series))}[/]")
    console.print(f"  {names}, with {cash} {CURRENCY} each\n  {VENUE_WORDS}", highlight=False)


def _span(series: Mapping[str, BarSeries]) -> tuple[str, str]:
    first = min(bars.open_ns[0] for bars in series.values())
    last = max(bars.ts_ns[-1] for bars in series.values())
    return iso_from_ns(first)[:10], iso_from_ns(last)[:10]


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """A bar on standard error, where somebody is looking."""
    hidden = console.quiet or not sys.stderr.isatty()
    columns = (TextColumn("  {task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True, disable=hidden
    ) as progress:
        yield progress


def _run_undisturbed(bar: Progress, path: Path, series: Mapping[str, BarSeries]) -> RunFigures:
    task = bar.add_task("undisturbed", total=None)
    figures = run_into(path, series, lambda done, total: bar.update(task, completed=done, total=total))
    bar.remove_task(task)
    return figures


def _run_killed(bar: Progress, path: Path, events: int) -> Crash:
    task = bar.add_task("killed and taken up", total=events)
    crash = run_killed(path, events // 2, lambda done: bar.update(task, completed=done))
    bar.remove_task(task)
    return crash


def _tell_crash(console: Console, crash: Crash, events: int) -> None:
    after = crash.after
    console.print(
        f"  process {crash.pid} got SIGKILL when {crash.killed_at:,} of {events:,} events were durable\n"
        f"  another one opened its journal, checked every hash, folded the state,\n"
        f"  rehearsed the last moments, and committed the next event after {after.resume_s * 1000:.0f} ms\n"
        f"  it went on to the end, with {after.commits:,} commits of its own\n",
        highlight=False,
    )


def _folded(journal: Journal, spec: ExecutionSpec, series: Mapping[str, BarSeries]) -> Performance:
    traded = {symbol: series[symbol] for symbol in spec.symbols}
    return performance((codec.decode(record.payload) for record in journal.read(spec.workspace_id)), traded)


def _report(
    journal: Journal,
    found: Mapping[str, Performance],
    series: Mapping[str, BarSeries],
    crash: Crash,
    undisturbed: RunFigures,
) -> str:
    span = " to ".join(_span(series))
    staged = f"killed at event {crash.killed_at:,} of {undisturbed.events:,} and taken up: the same bytes"
    shown = {
        spec.workspace_id: Shown(
            spec.name,
            {"strategy": _entry_words(spec), "exits": _exit_words(spec), "days": span, "venue": VENUE_WORDS}
            | {"run again": staged},
        )
        for spec in SPECS
    }
    return report_of(TITLE, shown, found, series, verify(journal))


def _entry_words(spec: ExecutionSpec) -> str:
    params = [f"{name} {value}" for name, value in spec.entry.params.items()]
    return ", ".join([spec.entry.type, *(params or [f"{spec.entry.lookback_days} bars"])])


def _exit_words(spec: ExecutionSpec) -> str:
    plan = spec.exit
    if plan is None:
        return "the strategy's own"
    words = {
        "stop {} %": plan.stop_loss_pct,
        "target {} %": plan.take_profit_pct,
        "trailing {} %": plan.trailing_pct,
        "after {} bars": plan.time_stop_bars,
    }
    return ", ".join(word.format(f"{value:g}") for word, value in words.items() if value is not None)


def _show(console: Console, found: Mapping[str, Performance], folder: Path) -> None:
    console.print("\n[bold]4. What came of it[/]\n")
    for spec in SPECS:
        tables.show_results(console, spec.name, found[spec.workspace_id])
    program = _program()
    journal = f"--journal {folder / JOURNAL}"
    console.print("[bold]5. Go on from here[/]")
    console.print(
        f"  report   {folder / REPORT}   (one file, opens without a network)", highlight=False, soft_wrap=True
    )
    console.print(f"  journal  {folder / JOURNAL}\n", highlight=False, soft_wrap=True)
    workspace = f"--workspace {SPECS[0].workspace_id}"
    tables.show_commands(
        console,
        {
            f"{program} journal verify {journal}": "check every hash",
            f"{program} journal tail {journal} {workspace}": "read what happened",
            f"{program} orders --all {journal} {workspace}": "every order",
            f"{program} --help": "everything else",
        },
    )


def _program() -> str:
    """How to call surefill from where we are: by its name where that is found, else by its path."""
    beside = Path(sys.executable).with_name("surefill")
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else "surefill"


def _results(found: Performance) -> Iterator[Result]:
    decimals = found.money_decimals
    for line in (*found.lines, found.total):
        figures = line.figures
        amounts = (figures.net, line.open_net, line.fees, line.max_drawdown)
        net, open_net, fees, drawdown = (tables.money(amount, decimals).replace(",", "") for amount in amounts)
        yield Result(
            found.workspace_id,
            line.name,
            figures.trades,
            figures.win_rate,
            figures.profit_factor,
            net,
            open_net,
            fees,
            drawdown,
            line.exposure,
        )
