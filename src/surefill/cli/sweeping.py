"""The group sweep: run a plan, and go on with one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from surefill.cli import sweep_runs
from surefill.cli.exit_codes import ExitCode
from surefill.cli.loading import settings_from
from surefill.cli.options import AsJson, ConfigFile, Overrides
from surefill.cli.output import note, show, table
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
from surefill.cli.sweep_store import DEFAULT_JOURNAL, RunId, Store, Top, record_at, settings_of, show_result
from surefill.cli.sweep_where import Cluster, Workers, executor_of
from surefill.cli.sweep_words import axis_of, sampling_of, split_of
from surefill.errors import ConfigError, InputError

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.strategy import ExecutionSpec, StrategyRegistry
    from surefill.sweep.orchestrator import Market
    from surefill.sweep.plan import RunPlan

group = typer.Typer(name="sweep", help="Run many variants of a strategy, and compare them.", no_args_is_help=True)


class _How(NamedTuple):
    """How a plan is run and shown."""

    strategies: tuple[str, ...]
    fill_at: FillAt
    path: str
    workers: int | None
    cluster: str | None
    keep_journals: bool
    top: int
    as_json: bool
    again: bool = False


def register(app: typer.Typer) -> None:
    """Add the group."""
    sweep_runs.register(group)
    app.add_typer(group)


@group.command("run")
def run(
    strategy: StrategyName = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            "-S",
            metavar="NAME=VALUES",
            help="What to vary: NAME=1,2,5 or NAME=MIN:MAX[:STEP]; may be repeated.",
            show_default=False,
        ),
    ] = None,
    objective: Annotated[
        str, typer.Option(help="What is best: sharpe, sharpe_dd_penalty, return, return_dd_penalty or calmar.")
    ] = "sharpe",
    sample: Annotated[
        str | None,
        typer.Option("--sample", help="random or latin_hypercube instead of all combinations.", show_default=False),
    ] = None,
    samples: Annotated[int, typer.Option("--samples", help="How many, with --sample.")] = 0,
    search: Annotated[
        str | None,
        typer.Option("--search", help="bayes: learn from results what to try next.", show_default=False),
    ] = None,
    trials: Annotated[int, typer.Option("--trials", help="How many variants a search tries.")] = 0,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="How many of them it asks for at a time.", show_default="8")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="By which chance, with --sample and --search.")] = 0,
    max_variants: Annotated[
        int | None, typer.Option("--max-variants", help="At most so many.", show_default="no limit")
    ] = None,
    no_ablations: Annotated[bool, typer.Option("--no-ablations", help="Leave the ablations out.")] = False,
    train: Annotated[
        float | None,
        typer.Option("--train", help="Choose on this fraction of the bars, judge by the rest.", show_default=False),
    ] = None,
    walk_forward: Annotated[
        str | None,
        typer.Option(
            "--walk-forward",
            metavar="TRAIN:TEST",
            help="Choose on so many bars, judge by so many after them, move on.",
            show_default=False,
        ),
    ] = None,
    anchored: Annotated[bool, typer.Option("--anchored", help="Choose on all bars before, not the last ones.")] = False,
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
    path: Annotated[str, typer.Option("--path", help="auto, or engine: how variants are run.")] = "auto",
    workers: Workers = None,
    cluster: Cluster = None,
    keep_journals: Annotated[
        bool, typer.Option("--keep-journals", help="Keep every variant's own journal too; they are large.")
    ] = False,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Show the plan, and run nothing.")] = False,
    top: Top = 10,
    journal: Store = DEFAULT_JOURNAL,
    config: ConfigFile = None,
    override: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Run a strategy with many settings, each through the engine, into a journal; show which did best.

    The same command again goes on where it was stopped, and shows what is known. 130 if it was canceled.
    """
    from surefill.sweep.paths import PATHS
    from surefill.sweep.workbench import AUTO

    if path not in (AUTO, *PATHS):
        raise typer.BadParameter(f"--path {path!r} must be one of {', '.join((AUTO, *PATHS))}")
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
        **strategy_flags(strategy, param, lookback, good_for_bars, exits, dollars, max_positions),
        "workspace.mode": "backtest",
    }
    market, base, registry, files = _base_of(settings_from(config, override, more=flags))

    from surefill.sweep.objectives import objective_named
    from surefill.sweep.orchestrator import conditions_of
    from surefill.sweep.overrides import Sweepable
    from surefill.sweep.plan import generate

    paths = list(Sweepable(base, registry).paths)
    constraints: dict[str, object] = {
        "sweep": dict(axis_of(text, paths) for text in sweep or ()),
        "max_variants": max_variants,
        "ablations": not no_ablations,
        **sampling_of(sample, samples, search, trials, batch),
        "seed": seed,
    }
    plan = generate(
        base,
        constraints,
        objective=objective_named(objective),
        split=split_of(train, walk_forward, anchored=anchored),
        conditions=conditions_of(market, fill_at=fill, strategies=files),
        registry=registry,
    )
    if plan_only:
        _show_plan(plan, as_json=as_json)
        return
    _execute(plan, market, journal, _How(files, fill, path, workers, cluster, keep_journals, top, as_json))


@group.command("resume")
def resume(
    run: RunId,
    again: Annotated[bool, typer.Option("--again", help="Try variants that failed once more.")] = False,
    workers: Workers = None,
    cluster: Cluster = None,
    keep_journals: Annotated[bool, typer.Option("--keep-journals", help="As with run.")] = False,
    top: Top = 10,
    journal: Store = DEFAULT_JOURNAL,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that was stopped or killed, on the bars and with the settings that it was begun with."""
    record = record_at(journal, run)
    begun = record.begun
    market = _market_of(settings_of(record))
    how = _How(begun.strategies, begun.fill_at, begun.path, workers, cluster, keep_journals, top, as_json, again)
    _execute(begun.plan, market, journal, how)


def _base_of(settings: Settings) -> tuple[Market, ExecutionSpec, StrategyRegistry, tuple[str, ...]]:
    """The market, the base spec, the registry that knows its strategy, and the file that it was loaded from."""
    from surefill.intake.specs import specs_of

    if len(settings.strategies) > 1:
        raise ConfigError("a sweep varies one strategy: name one, or configure only one", key="strategies")
    if settings.feed.path is not None:  # a run is resumed from wherever somebody stands then
        path = (settings.base_dir / settings.feed.path).absolute()
        settings = settings.model_copy(update={"feed": settings.feed.model_copy(update={"path": path})})
    market = _market_of(settings)
    (base,), runner = specs_of(market.settings, list(market.series))
    named = settings.strategies[0].entry.type
    return market, base, runner.registry, (str(Path(named).absolute()),) if ".py:" in named else ()


def _market_of(settings: Settings) -> Market:
    from surefill.intake.feed import load_market
    from surefill.sweep.orchestrator import Market

    return Market(*load_market(settings))


def _execute(plan: RunPlan, market: Market, path: Path, how: _How) -> None:
    """Run the plan and show what came of it."""
    from surefill.cli.manners import stopping
    from surefill.journal import SqliteJournal
    from surefill.sweep.cancel_note import CancelNote
    from surefill.sweep.orchestrator import execute
    from surefill.sweep.run_record import run_in

    series = {symbol: market.series[symbol] for symbol in plan.spec.symbols}
    executor = executor_of(series, how.workers, how.cluster)
    journal = SqliteJournal(path)
    cancel_note, stop = CancelNote(path, plan.run_plan_id), threading.Event()
    cancel_note.remove()
    try:
        with stopping(stop), _progress(as_json=how.as_json) as moved:
            result = execute(
                plan,
                market,
                journal,
                executor=executor,
                strategies=how.strategies,
                fill_at=how.fill_at,
                path=how.path,
                keep_journals=how.keep_journals,
                again=how.again,
                stopping=lambda: stop.is_set() or cancel_note.is_there(),
                on_progress=moved,
            )
        record = run_in(journal, plan.run_plan_id)
    finally:
        journal.close()
        cancel_note.remove()
    show_result(record, how.top, as_json=how.as_json)
    if result.status == "canceled":
        note(f"canceled; go on with: surefill sweep resume {plan.run_plan_id[:8]} --journal {path}")
        raise typer.Exit(ExitCode.INTERRUPTED)
    if result.failed and not result.completed:
        raise InputError(f"all {result.failed} variants failed", code="ALL_FAILED")


@contextmanager
def _progress(*, as_json: bool) -> Iterator[Callable[[Any], None]]:
    """How far a run is: a bar with rate and time left, or one JSON document a line, both on standard error."""
    import sys

    if as_json:
        import msgspec

        yield lambda found: print(
            msgspec.json.encode({"event": "progress", **found._asdict()}).decode(), file=sys.stderr, flush=True
        )
        return
    if not sys.stderr.isatty():
        yield lambda found: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("variants"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("variants", total=None, rate="(a version's first run compiles: some ten seconds)")

        def moved(found: Any) -> None:
            failed = f", {found.failed} failed" if found.failed else ""
            bar.update(task, completed=found.done, total=found.total, rate=f"{found.per_s:.1f}/s{failed}")

        yield moved


def _show_plan(plan: RunPlan, *, as_json: bool) -> None:
    import msgspec

    def drawn(console: Any) -> None:
        rows = [
            (each.index, each.variant_id, each.kind, ", ".join(f"{k}={v}" for k, v in each.overrides.items()))
            for each in plan.variants
        ]
        console.print(table(f"Plan {plan.run_plan_id}", ("", "variant", "kind", "overrides"), rows))
        if plan.constraints.sampling == "bayes":
            console.print("  what else is tried follows from results, while it runs", highlight=False)

    show(msgspec.to_builtins(plan), drawn, as_json=as_json)
