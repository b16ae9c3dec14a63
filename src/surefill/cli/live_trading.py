"""Trading at a real venue: what must be true before it begins, and the run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.manners import keep_artefacts, stopping, told_status
from surefill.cli.output import facts, note, show
from surefill.errors import ConfigError

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.domain.market import Bar
    from surefill.intake.real_venue import RealVenue


def trade_live(settings: Settings, consent: RealVenue, *, artefacts: bool, as_json: bool) -> None:
    """Run the configured strategies on the venue's prices until they are stopped; in mode live the orders are real."""
    from surefill.intake.live_run import LiveRun
    from surefill.intake.real_venue import place_of
    from surefill.intake.session import Session
    from surefill.intake.specs import specs_of
    from surefill.intake.trading import spec_by_symbol
    from surefill.views.projector import cursor_of

    if not settings.strategies:
        raise ConfigError("no strategy is configured: add one under `strategies`", key="strategies")
    symbols = settings.feed.symbols or sorted({symbol for each in settings.strategies for symbol in each.symbols})
    if not symbols:
        raise ConfigError("name what to trade: feed.symbols, or the symbols of each strategy", key="feed.symbols")
    specs, runner = specs_of(settings, symbols)
    spec_by_symbol(specs)
    if artefacts:
        cursor_of(settings.artifacts_dir, settings.workspace.id)
    place = place_of(settings, consent)
    venue = place.market
    assert venue is not None  # a workspace at a real venue has one
    stop = threading.Event()
    with stopping(stop), Session.open(settings, **place._asdict()) as session:
        close_artefacts = keep_artefacts(session, settings) if artefacts else None
        path = session.serve_control(on_stop=stop.set)
        real = "REAL orders at" if settings.workspace.mode == "live" else "simulated orders, prices of"
        note(f"Workspace {session.workspace_id}: {real} {settings.workspace.venue}; operated at {path}; Ctrl-C stops.")
        run = LiveRun(session, venue, specs, settings.feed.timeframe, runner=runner, stop=stop, on_bar=_bar_noted)
        summary = run.run()
        session.check_writing()
        status = told_status(session)
    if close_artefacts is not None:
        close_artefacts()
    told = {**summary._asdict(), "status": status}
    pairs = [(key, told[key]) for key in ("prices", "bars", "intents")] + [
        ("open positions", status["open_positions"]),
        ("unknown orders", status["unknown_orders"]),
        ("cash", f"{status['cash']} {status['currency']}"),
        ("state hash", status["state_hash"]),
    ]
    pairs += [(f"strategy {name} failed", why) for name, why in summary.failed.items()]
    show(told, lambda console: console.print(facts("", pairs)), as_json=as_json)
    if summary.failed:
        raise typer.Exit(ExitCode.REFUSED)


def _bar_noted(bar: Bar) -> None:
    from surefill.units import iso_from_ns

    note(f"{iso_from_ns(bar.ts_ns)} {bar.instrument_id} closed")
