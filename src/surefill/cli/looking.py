"""Commands that look and change nothing: status, orders, positions. A running engine is asked, else the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.loading import ask, journal_to_read, known_workspace, settings_from, state_at_rest, verified_records
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides, WorkspaceId
from surefill.cli.output import facts, show, table

if TYPE_CHECKING:
    from surefill.config import Settings

_ORDER_COLUMNS = (
    "order_ref",
    "symbol",
    "strategy",
    "side",
    "ord_type",
    "order_qty",
    "cum_qty",
    "px",
    "avg_px",
    "status",
    "exit",
    "created",
    "message",
)
_POSITION_COLUMNS = (
    "symbol",
    "bucket",
    "strategy",
    "qty",
    "avg_px",
    "mark",
    "unrealised",
    "realised",
    "fees",
    "stop_px",
    "target_px",
    "opened",
)
_BLOTTER_COLUMNS = (
    "order_ref",
    "symbol",
    "strategy",
    "side",
    "ord_type",
    "qty",
    "avg_px",
    "status",
    "updated",
    "message",
)
_FIGURES = (
    "order_qty",
    "cum_qty",
    "px",
    "avg_px",
    "qty",
    "mark",
    "unrealised",
    "realised",
    "fees",
    "stop_px",
    "target_px",
)


DISK_BYTES_MIN = 1_000_000  # with less the journal cannot go on for long, whatever floor is configured


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status")(status)
    app.command("orders")(orders)
    app.command("positions")(positions)


def status(
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 6 where it is halted, an order's fate unknown, or the disk full.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show how a workspace stands: halted or not, what works, what is held, and whether an engine runs."""
    import msgspec

    from surefill.engine.status import status_of

    settings = settings_from(config, override, journal, workspace)
    told: dict[str, Any] | None = ask(settings, "status")
    if told is None:
        told = _with_noted_halt(settings, msgspec.to_builtins(status_of(state_at_rest(settings))))
    told = {**told, "disk": _disk_trouble(settings)}
    show(told, lambda console: console.print(facts("", _status_facts(told))), as_json=as_json)
    if check and not _is_well(told):
        raise typer.Exit(ExitCode.REFUSED)


def _with_noted_halt(settings: Settings, told: dict[str, Any]) -> dict[str, Any]:
    """The journal's status, with a halt that an engine could not journal before it ended: the next one does."""
    from surefill.journal.noted_halts import noted_halts

    noted = noted_halts(settings.journal_path).get(settings.workspace.id)
    if noted is not None and not told["halted"]:
        reason = f"{noted.reason} (noted beside the journal: whatever opens it next journals it first)"
        told = {**told, "halted": noted.code, "halted_reason": reason}
    return {**told, "engine": None}


def _disk_trouble(settings: Settings) -> str:
    """Why the journal can, or soon will, not be written; empty where nothing stands in the way."""
    import os
    import shutil

    path = settings.journal_path.resolve()
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        return f"{path} cannot be written by this user"
    free, floor = shutil.disk_usage(path.parent).free, settings.journal.disk_floor_mb * 1_000_000
    return f"{free} bytes are left, the floor is {floor}" if free < max(floor, DISK_BYTES_MIN) else ""


def _is_well(told: dict[str, Any]) -> bool:
    engine = told["engine"]
    broken = engine is not None and bool(engine["broken"])
    return not (
        broken
        or told["disk"]
        or told["halted"]
        or told["halted_instruments"]
        or told["tripped"]
        or told["unknown_orders"]
    )


def _status_facts(told: dict[str, Any]) -> list[tuple[str, object]]:
    engine = told["engine"]
    if engine is None:
        running = "none runs; this is what the journal says"
    elif engine["broken"]:
        running = f"process {engine['pid']}, BROKEN: {engine['broken']}"
    else:
        running = f"process {engine['pid']}, {'takes intents' if engine['accepting'] else 'takes no intents'}"
    pairs: list[tuple[str, object]] = [("workspace", told["workspace"]), ("engine", running), ("disk", told["disk"])]
    if "halted" not in told:
        return pairs
    halted = f"{told['halted']}: {told['halted_reason']}" if told["halted"] else "no"
    stopped = {**told["halted_instruments"], **told["paused_strategies"]}
    return [
        *pairs,
        ("halted", halted),
        ("stopped within it", ", ".join(f"{name} ({why})" for name, why in stopped.items())),
        ("breakers", ", ".join(f"{name} ({why})" for name, why in told["tripped"].items()) or "none has tripped"),
        ("trading day", f"{told['trading_day'] or '-'}: {told['day_trades']} trades, realised {told['day_realised']}"),
        ("mode", f"{told['mode']} at {told['venue']}, account {told['account']}"),
        ("profile", f"{told['profile']}, limits version {told['limits_version']}"),
        ("build", f"{told['build'] or '-'}, configuration {told['config_hash'][:16]}"),
        ("working orders", f"{told['working_orders']}, of which {told['unknown_orders']} of unknown fate"),
        ("open positions", f"{told['open_positions']}, of which {told['unprotected_positions']} without an exit plan"),
        ("cash", f"{told['cash']} {told['currency']}"),
        ("realised", f"{told['realised']} {told['currency']}"),
        ("fees", f"{told['fees']} {told['currency']}"),
        ("events", told["events"]),
        ("state hash", told["state_hash"]),
    ]


def orders(
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every order and refusal ever, from the journal; else live and recent ones.")
    ] = False,
    live: Annotated[bool, typer.Option("--live", help="Live orders only.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show orders: live ones and those that ended lately."""
    settings = settings_from(config, override, journal, workspace)
    if all_:
        _show_lines(_whole_blotter(settings), _BLOTTER_COLUMNS, as_json=as_json)
    else:
        rows = [line for line in _lines(settings, "orders") if line["live"] or not live]
        _show_lines(rows, _ORDER_COLUMNS, as_json=as_json)


def positions(
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are flat.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show positions. Only a running engine knows prices: without one there are no marks."""
    settings = settings_from(config, override, journal, workspace)
    rows = [line for line in _lines(settings, "positions") if all_ or line["qty"] != "0"]
    _show_lines(rows, _POSITION_COLUMNS, as_json=as_json)


def _lines(settings: Settings, what: str) -> list[dict[str, Any]]:
    """The running engine's lines, else the journal's."""
    import msgspec

    from surefill.engine.books import order_lines, position_lines

    told: list[dict[str, Any]] | None = ask(settings, what)
    if told is None:
        state = state_at_rest(settings)
        told = msgspec.to_builtins(order_lines(state) if what == "orders" else position_lines(state))
    return told


def _whole_blotter(settings: Settings) -> list[dict[str, Any]]:
    import msgspec

    from surefill.domain import codec
    from surefill.views.blotter import blotter

    found = journal_to_read(settings)
    try:
        known_workspace(found, settings.workspace.id)
        rows = blotter(codec.decode(record.payload) for record in verified_records(found, settings.workspace.id))
    finally:
        found.close()
    told: list[dict[str, Any]] = msgspec.to_builtins(rows)
    return told


def _show_lines(rows: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool) -> None:
    """A table without the columns that nothing stands in."""
    filled = [column for column in columns if any(row[column] not in ("", 0) for row in rows)]

    def draw(console: Any) -> None:
        if not rows:
            console.print("none")
            return
        cells = [[row[column] for column in filled] for row in rows]
        heads = [column.replace("_", " ") for column in filled]
        console.print(table("", heads, cells, right=[name.replace("_", " ") for name in _FIGURES]))

    show(rows, draw, as_json=as_json)
