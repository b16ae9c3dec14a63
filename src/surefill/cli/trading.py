"""The command trade: the configured strategies on the configured market, until its end or until somebody stops it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from surefill.cli.loading import settings_from
from surefill.cli.manners import keep_artefacts, stopping, told_status
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides, WorkspaceId
from surefill.cli.output import facts, note, progress, show
from surefill.errors import ConfigError, WorkspaceHalted

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.intake.session import Session
    from surefill.intake.trading import TradingRun, TradingSummary


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trade")(trade)


def trade(
    mode: Annotated[
        Literal["paper", "dry_run", "live"] | None,
        typer.Option(
            "--mode",
            "-m",
            metavar="MODE",
            help="paper (a replayed market); at a real venue dry_run (orders are simulated) or live.",
            show_default="paper, or dry_run where workspace.venue is a real one",
        ),
    ] = None,
    real_money: Annotated[
        bool, typer.Option("--real-money", help="With --mode live: yes, these are real orders.")
    ] = False,
    without_alerts: Annotated[
        bool, typer.Option("--without-alerts", help="Trade live though nobody can be called (alerts.urls).")
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0, help="1 is real time, 60 a minute per second, 0 does not wait; else the configured feed.speed."
        ),
    ] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Go on live under another configuration or build than before.")
    ] = False,
    artefacts: Annotated[bool, typer.Option(help="Keep the files under artifacts.dir up to date.")] = True,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Run the configured strategies on the configured market. Ctrl-C stops gracefully; the next run goes on from there.

    Meanwhile status, orders, positions, halt, resume, reconcile and stop work from other terminals.
    """
    from surefill.engine.clock import VirtualClock
    from surefill.intake.feed import load_market
    from surefill.intake.session import Session
    from surefill.intake.specs import specs_of
    from surefill.intake.trading import TradingRun, spec_by_symbol
    from surefill.views.projector import cursor_of

    flags: dict[str, object] = {} if mode is None else {"workspace.mode": mode}
    if speed is not None:
        flags["feed.speed"] = speed
    settings = settings_from(config, override, journal, workspace, flags)
    if settings.workspace.venue != "paper":
        from surefill.cli.live_trading import trade_live
        from surefill.intake.real_venue import RealVenue

        consent = RealVenue(real_money=real_money, without_alerts=without_alerts, accept_changes=accept_changes)
        trade_live(settings, consent, artefacts=artefacts, as_json=as_json)
        return
    _usable(settings)
    market = load_market(settings)
    settings = market.settings
    specs, runner = specs_of(settings, list(market.series))
    spec_by_symbol(specs)  # what is wrong is found before the workspace is begun: it would stay in the journal
    if artefacts:
        cursor_of(settings.artifacts_dir, settings.workspace.id)
    clock = VirtualClock(min(bars.open_ns[0] for bars in market.series.values()))
    stop = threading.Event()
    with stopping(stop), Session.open(settings, clock=clock) as session:
        close_artefacts = keep_artefacts(session, settings) if artefacts else None
        path = session.serve_control(on_stop=stop.set)
        note(f"Trading in workspace {session.workspace_id}; operated at {path}; Ctrl-C stops.")
        with progress("bars", as_json=as_json) as moved:
            run = TradingRun(
                session,
                clock,
                specs,
                market.series,
                runner=runner,
                speed=settings.feed.speed,
                stop=stop,
                on_progress=moved,
            )
            summary = _run(run, session)
        status = told_status(session)
    if close_artefacts is not None:
        close_artefacts()
    _tell(summary, status, as_json=as_json)


def _run(run: TradingRun, session: Session) -> TradingSummary:
    """Run it, and believe its books only if they are still ours to write. Raises JournalError."""
    try:
        summary = run.run()
    except WorkspaceHalted:
        session.check_writing()  # why it was, where the journal is the reason
        raise
    session.check_writing()
    return summary


def _usable(settings: Settings) -> None:
    if settings.workspace.mode != "paper":
        raise ConfigError(
            f"mode {settings.workspace.mode} cannot be traded on a replayed market: a backtest has its own command,"
            " and dry_run and live need a real workspace.venue (`surefill venues`)",
            key="workspace.mode",
        )
    if not settings.strategies:
        raise ConfigError("no strategy is configured: add one under `strategies`", key="strategies")


def _tell(summary: TradingSummary, status: dict[str, Any], *, as_json: bool) -> None:
    from surefill.units import iso_from_ns

    told = {**summary._asdict(), "last": iso_from_ns(summary.last_ns), "status": status}
    pairs = [
        ("run", "to the end of the market" if summary.finished else "stopped; the next run goes on from here"),
        ("bars", summary.bars),
        ("intents", summary.intents),
        ("last moment", told["last"]),
        ("halted", f"{status['halted']}: {status['halted_reason']}" if status["halted"] else "no"),
        ("breakers", ", ".join(f"{name} ({why})" for name, why in status["tripped"].items()) or "none has tripped"),
        ("open positions", status["open_positions"]),
        ("cash", f"{status['cash']} {status['currency']}"),
        ("realised", f"{status['realised']} {status['currency']}, fees {status['fees']}"),
        ("events", status["events"]),
        ("state hash", status["state_hash"]),
    ]
    show(told, lambda console: console.print(facts("", pairs)), as_json=as_json)
