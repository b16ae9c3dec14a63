"""The group alerts, and watch: who is called, what nobody has acknowledged, and whether the engine lives."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.help_pages import Commands
from surefill.cli.loading import ask, operator, settings_from, state_at_rest
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides, WorkspaceId
from surefill.cli.output import note, show, table

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.engine.channels import Channel

group = typer.Typer(
    name="alerts", cls=Commands, help="List, acknowledge and try the calls for a person.", no_args_is_help=True
)

_COLUMNS = ("key", "text", "count", "raised", "delivered")


def register(app: typer.Typer) -> None:
    """Add the group and the command."""
    app.add_typer(group)
    app.command("watch")(watch)


@group.command("list")
def listed(
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Show what somebody was called about and nobody has acknowledged."""
    import msgspec

    from surefill.engine.books import alert_lines

    settings = settings_from(config, override, journal, workspace)
    told = ask(settings, "alerts")
    if told is None:
        told = msgspec.to_builtins(alert_lines(state_at_rest(settings)))
    _show(told, as_json=as_json)


@group.command("ack")
def acknowledge(
    by: Annotated[str, typer.Option("--by", default_factory=operator, show_default="you", help="Who has seen it.")],
    key: Annotated[str, typer.Argument(help="Its key; without one, all of them.", show_default=False)] = "",
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Say that you have seen an alert. It is journaled; the next of its kind calls anew."""
    from surefill.engine.books import alert_lines

    settings = settings_from(config, override, journal, workspace)
    told = ask(settings, "acknowledge", by=by, key=key)
    if told is None:
        import msgspec

        from surefill.cli.operating import now_ns, writer_of
        from surefill.domain.inputs import AcknowledgeAlert

        with writer_of(settings) as writer:
            writer.feed(AcknowledgeAlert(now_ns(), key, by))
            writer.flush()
            told = msgspec.to_builtins(alert_lines(writer.state))
    _show(told, as_json=as_json)


def _show(told: list[dict[str, Any]], *, as_json: bool) -> None:
    def draw(console: Any) -> None:
        if told:
            rows = [[str(alert[name]) for name in _COLUMNS] for alert in told]
            console.print(table("Nobody has acknowledged", _COLUMNS, rows))
        else:
            console.print("No alert is open.")

    show(told, draw, as_json=as_json)


@group.command("test")
def try_channels(config: ConfigFile = None, override: Overrides = None, as_json: AsJson = False) -> None:
    """Call somebody now, through every configured address. Exits with 8 where one does not take it."""
    channel = _channel(settings_from(config, override))
    channel.deliver("surefill: a test", "This is how surefill calls you. Nothing has happened.")
    show({"delivered": channel.name}, lambda console: console.print(f"Delivered: {channel.name}."), as_json=as_json)


def watch(
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 10.0,
    misses: Annotated[int, typer.Option(min=1, help="So many looks without an answer call somebody.")] = 3,
    once: Annotated[
        bool, typer.Option("--once", help="Look once, call at once, and exit with 8 if it is not well.")
    ] = False,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
) -> None:
    """Watch the engine from outside, for ever: when it dies or hangs, somebody is called. Run it beside `trade`."""
    from surefill.engine.heartbeat import Watch

    settings = settings_from(config, override, journal)
    watcher = Watch(settings.journal_path, _channel(settings), misses=1 if once else misses, timeout_s=max(every, 1.0))
    if once:
        found = watcher.look()
        note(f"The engine is {found}.")
        if found != "alive":
            raise typer.Exit(ExitCode.REMOTE)
        return
    note(f"Watching the engine of {settings.journal_path} every {every:g} s; Ctrl-C stops.")
    before = ""
    while True:
        found = watcher.look()
        if found != before:
            note(f"The engine is {found}.")
        before = found
        time.sleep(every)


def _channel(settings: Settings) -> Channel:
    from surefill.engine.channels import AppriseChannel

    return AppriseChannel(settings.alerts.urls)
