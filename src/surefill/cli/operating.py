"""Commands for a person in charge: halt, resume, reconcile, stop.

A running engine does them, through its control socket. Without one the command takes the journal's lock itself, and
is refused (exit code 5) if another process holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.loading import ask, known_workspace, operator, settings_from
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides, WorkspaceId
from surefill.cli.output import note, show, table
from surefill.errors import ConfigError, JournalError, RemoteError, SurefillError

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.domain.events import Event
    from surefill.domain.inputs import Halt, Rearm, Resume
    from surefill.engine.writer import WorkspaceWriter

By = Annotated[str, typer.Option("--by", default_factory=operator, show_default="you", help="Who decides.")]
Instrument = Annotated[str | None, typer.Option("--instrument", "-i", help="Only this symbol.", show_default=False)]
Strategy = Annotated[str | None, typer.Option("--strategy", help="Only this strategy.", show_default=False)]
Scope = Annotated[
    Literal["workspace", "venue", "engine"],
    typer.Option("--scope", metavar="SCOPE", help="workspace, venue (all of it) or engine (everything)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("halt")(halt)
    app.command("resume")(resume)
    app.command("reconcile")(reconcile)
    app.command("resolve")(resolve)
    app.command("stop")(stop)


def halt(
    reason: Annotated[str, typer.Argument(help="Why; it is journaled.")],
    by: By,
    instrument: Instrument = None,
    strategy: Strategy = None,
    scope: Scope = "workspace",
    level: Annotated[
        Literal["throttle", "suspend", "shutdown"],
        typer.Option(
            "--level", metavar="LEVEL", help="suspend: no entries; throttle: few; shutdown: also sell, if configured."
        ),
    ] = "suspend",
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Throw a kill switch: no entries from here on; exits and cancels go on. Ends with `resume` only."""
    _one_thing(instrument, strategy, scope)
    settings = settings_from(config, override, journal, workspace)
    told = _decide(
        settings, "halt", by=by, reason=reason, instrument=instrument, strategy=strategy, scope=scope, level=level
    )
    switch = f"symbol:{instrument}" if instrument else f"strategy:{strategy}" if strategy else scope
    told = {**told, "already": _was_thrown(told, switch, reason)}
    if instrument or strategy:
        told = {**told, "known": _warned_if_unknown(settings, instrument or "", strategy or "")}
    _show_halts(told, as_json=as_json)


def _one_thing(instrument: str | None, strategy: str | None, scope: str) -> None:
    """Each switch is one thing's: of two options one would be dropped silently, so both are refused."""
    if sum((bool(instrument), bool(strategy), scope != "workspace")) > 1:
        raise typer.BadParameter("name one thing: an --instrument, a --strategy or a --scope; use a command for each")


def _was_thrown(told: dict[str, Any], switch: str, reason: str) -> bool:
    """Whether a switch had been thrown already; then it keeps its reason, and the person is told."""
    how = told["switches"].get(switch, "")
    before = bool(how) and f": {reason})" not in how
    if before:
        note(f"It had been thrown already, and stays as it was: {switch}, {how}.")
    return before


def _warned_if_unknown(settings: Settings, instrument: str, strategy: str) -> bool:
    """Whether what was halted is known here; asked after the halt, which must never wait for it or fail over it.

    A halt of what is not there yet is a good one: it holds as soon as it comes. A misspelt one halts nothing.
    """
    from surefill.cli.loading import state_at_rest

    try:
        book = state_at_rest(settings).book
    except SurefillError as error:
        note(f"Whether that is known here cannot be told: {error}")
        return False
    if instrument:
        known = {*book.instruments, *settings.instruments, *settings.feed.symbols} - {"default"}
    else:
        held = [position.strategy_id for position in book.positions.values()]
        sent = [order.strategy_id for order in (*book.orders.values(), *book.done.values())]
        known = {*held, *sent, *(each.name or each.entry.type for each in settings.strategies)} - {""}
    name = instrument or strategy
    if name not in known:
        note(f"{name} is not known here; known: {', '.join(sorted(known)) or 'none'}. It is halted all the same.")
    return name in known


def resume(
    by: By,
    instrument: Instrument = None,
    strategy: Strategy = None,
    scope: Scope = "workspace",
    level: Annotated[
        Literal["normal", "throttle", "suspend"],
        typer.Option("--level", metavar="LEVEL", help="How far: normal, throttle or suspend."),
    ] = "normal",
    breaker: Annotated[
        str | None, typer.Option("--breaker", help="Re-arm this breaker instead.", show_default=False)
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Loosen a kill switch so that entries are let through again, or re-arm a breaker that has tripped."""
    _one_thing(instrument, strategy, scope)
    settings = settings_from(config, override, journal, workspace)
    told = _decide(
        settings, "resume", by=by, instrument=instrument, strategy=strategy, scope=scope, level=level, breaker=breaker
    )
    _show_halts(told, as_json=as_json)


def _decide(settings: Settings, do: str, **words: str | None) -> dict[str, Any]:
    """Let the running engine do it, else do it ourselves; the status afterwards."""
    import msgspec

    from surefill.engine.control import HaltRequest, ResumeRequest, decision_of

    said = {key: value for key, value in words.items() if value is not None}
    request = msgspec.convert({"do": do, **said}, HaltRequest | ResumeRequest)
    decided = decision_of(request, now_ns())
    told = ask(settings, do, **said)
    return _by_ourselves(settings, decided) if told is None else told


def reconcile(
    by: By,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take over what the venue holds and the books do not know; then resume.")
    ] = False,
    price: Annotated[
        list[str] | None,
        typer.Option("--price", metavar="SYMBOL=PX", help="With --adopt: what it is worth.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Compare positions with the venue. A difference halts the workspace, and exits with 7."""
    settings = settings_from(config, override, journal, workspace)
    if adopt:
        told = _adopted(settings, by, price or [])
    else:
        told = ask(settings, "reconcile")
    if told is None:
        with writer_of(settings) as writer:
            told = {"differences": _compared(writer)}
    differences: dict[str, Any] = told["differences"]

    def draw(console: Any) -> None:
        if not differences:
            console.print("The books agree.")
            return
        rows = [(key, ours, theirs) for key, (ours, theirs) in differences.items()]
        console.print(table("THE BOOKS DIFFER; the workspace is halted", ("position", "ours", "venue's"), rows))

    show(told, draw, as_json=as_json)
    if differences:
        raise typer.Exit(ExitCode.VERIFICATION)


def _adopted(settings: Settings, by: str, prices: list[str]) -> Any:
    from surefill.engine.control_client import ask_engine

    pairs = dict(text.partition("=")[::2] for text in prices)
    request = {"do": "adopt", "workspace": settings.workspace.id, "by": by, "prices": pairs}
    told = ask_engine(settings.journal_path, request)
    if told is None:
        raise RemoteError(f"no engine listens at {settings.journal_path}: start it", code="NOT_RUNNING")
    return told


def resolve(
    cl_ord_id: Annotated[str, typer.Argument(help="The order's client order id.")],
    status: Annotated[
        Literal["canceled", "rejected", "expired"],
        typer.Option("--status", metavar="STATUS", help="How it ended: canceled, rejected or expired."),
    ],
    evidence: Annotated[str, typer.Option("--evidence", help="How you know; it is journaled.")],
    by: By,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """End an order whose fate its venue does not tell. Look there first: what it filled must come from the venue."""
    import msgspec

    from surefill.engine.control import ResolveRequest, resolution_of

    settings = settings_from(config, override, journal, workspace)
    request = ResolveRequest(by, cl_ord_id, status, evidence)
    told = ask(settings, "resolve", by=by, cl_ord_id=cl_ord_id, status=status, evidence=evidence)
    if told is None:
        from surefill.engine.status import status_of

        with writer_of(settings) as writer:
            writer.feed(resolution_of(request, now_ns()))
            writer.flush()
            told = {**msgspec.to_builtins(status_of(writer.state)), "engine": None}
    show(
        {"cl_ord_id": cl_ord_id, "status": status, "unknown_orders": told["unknown_orders"]},
        lambda console: console.print(f"{cl_ord_id} is {status}; {told['unknown_orders']} left unknown."),
        as_json=as_json,
    )


def stop(
    by: By,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask the running engine to end gracefully. Orders stay at their venues."""
    from surefill.engine.control_client import ask_engine

    settings = settings_from(config, override, journal)
    told = ask_engine(settings.journal_path, {"do": "stop", "by": by})
    if told is None:
        raise RemoteError(f"no engine listens at {settings.journal_path}: nothing to stop", code="NOT_RUNNING")
    show(told, lambda console: console.print("It is stopping."), as_json=as_json)


@contextmanager
def writer_of(settings: Settings) -> Iterator[WorkspaceWriter]:
    """The workspace's writer, with the journal's lock taken and nothing of the configuration applied."""
    from surefill.engine.halt_note import HaltNote
    from surefill.engine.writer import WorkspaceWriter
    from surefill.journal import SqliteJournal
    from surefill.venues.paper import PaperVenue

    if not settings.journal_path.exists():
        raise JournalError(
            f"there is no journal at {settings.journal_path}: name the right one with --journal", code="JOURNAL_MISSING"
        )
    found = SqliteJournal(settings.journal_path)
    try:
        known_workspace(found, settings.workspace.id)
        writer = WorkspaceWriter(found, settings.workspace.id, PaperVenue())
        if writer.state.book.venue != "paper":
            raise ConfigError(f"venue {writer.state.book.venue!r} can be asked by a running engine only: start it")
        note_of_halt = HaltNote(found.path, settings.workspace.id)
        writer.subscribers.append(note_of_halt.follow)
        owed = note_of_halt.owed(writer, now_ns())
        if owed is not None:
            writer.feed(owed)
        yield writer
    finally:
        found.close()


def _by_ourselves(settings: Settings, item: Halt | Resume | Rearm) -> dict[str, Any]:
    """Write one decision into the journal; the status after it."""
    import msgspec

    from surefill.domain.inputs import Rearm
    from surefill.engine.control_stream import ControlStream, of_venue
    from surefill.engine.status import status_of

    with writer_of(settings) as writer:
        if isinstance(item, Rearm) or not item.scope:
            writer.feed(item)
        else:
            control = ControlStream(writer.journal)
            control.throw(of_venue(item, writer.state.book.venue))
            for seen in list(control.unseen(writer.state.book, item.ts_ns)):
                writer.feed(seen)
        writer.flush()
        return {**msgspec.to_builtins(status_of(writer.state)), "engine": None}


def _compared(writer: WorkspaceWriter) -> dict[str, tuple[int, int]]:
    """Lay our positions beside the venue's, in the journal; the differences."""
    import asyncio

    from surefill.domain.events import PositionsCompared
    from surefill.domain.inputs import ComparePositions

    found: dict[str, tuple[int, int]] = {}

    def note_differences(_first_seq: int, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, PositionsCompared):
                found.update(event.differences)

    writer.subscribers.append(note_differences)
    theirs = asyncio.run(writer.venue.positions())
    writer.feed(ComparePositions(now_ns(), theirs))
    writer.flush()
    return found


def _show_halts(told: dict[str, Any], *, as_json: bool) -> None:
    def draw(console: Any) -> None:
        name = told["workspace"]
        if told["halted"]:
            console.print(f"{name} is halted ({told['halted']}: {told['halted_reason']})", markup=False)
        else:
            console.print(f"{name} takes entries", markup=False)
        for scope, how in told["switches"].items():
            console.print(f"  {scope}: {how}", markup=False)
        for breaker, why in told["tripped"].items():
            console.print(f"  breaker {breaker} has tripped: {why}", markup=False)

    show(told, draw, as_json=as_json)
    if told["engine"] is None and not as_json:
        note("No engine was running: it was written into the journal directly.")


def now_ns() -> int:
    """The time of this machine."""
    from surefill.engine.clock import LiveClock

    return LiveClock().now_ns()
