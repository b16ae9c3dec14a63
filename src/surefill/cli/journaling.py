"""The group journal: verify, anchor, export, import, tail."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.help_pages import Commands
from surefill.cli.loading import journal_to_read, known_workspace, settings_from
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides, WorkspaceId
from surefill.cli.output import note, show, show_line
from surefill.errors import InputError, JournalError

if TYPE_CHECKING:
    from surefill.journal import Record, SqliteJournal

POLL_S = 0.2

group = typer.Typer(
    name="journal", cls=Commands, help="Verify, anchor, export, import and read the journal.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group)


@contextmanager
def _reading(config: Path | None, override: list[str] | None, journal: Path | None) -> Iterator[SqliteJournal]:
    found = journal_to_read(settings_from(config, override, journal))
    try:
        yield found
    finally:
        found.close()


@group.command("verify")
def verify(
    anchors: Annotated[
        list[Path] | None,
        typer.Option("--anchor", "-a", help="A file of anchors made earlier; may be repeated.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    as_json: AsJson = False,
) -> None:
    """Prove that no event was edited, lost, added or moved; with anchors, that none was replaced. 7 if not."""
    from surefill.engine.claims import ClaimsReader
    from surefill.journal import Anchor, verify

    made = [Anchor.from_json(line) for file in anchors or () for line in _text_of(file).splitlines() if line.strip()]
    with _reading(config, override, journal) as found:
        verdict = verify(found, made, ClaimsReader())
    told = {
        "ok": verdict.ok,
        "events": verdict.events,
        "storage_faults": verdict.storage_faults,
        "streams": verdict.streams,
    }
    show(told, lambda console: console.print(verdict.text(), markup=False, highlight=False), as_json=as_json)
    if not verdict.ok:
        raise typer.Exit(ExitCode.VERIFICATION)


@group.command("anchor")
def anchor(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Append it to this file too.")] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    _as_json: Annotated[bool, typer.Option("--json", help="The line is a JSON document with or without this.")] = False,
) -> None:
    """Print the present end of every stream, as one line: keep it where whoever can write the journal cannot."""
    from surefill.journal import anchor

    with _reading(config, override, journal) as found:
        line = anchor(found, time.time_ns()).to_json()
    if out is not None:
        try:
            with out.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise InputError(f"{out} cannot be written: {error}", code="FILE_WRITE_ERROR") from error
    sys.stdout.write(line + "\n")


@group.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="The file to write; - is standard output.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole journal as lines of JSON, every hash checked; a running engine is not disturbed.

    A journal that does not verify ends it with 7, and a file that was there stays as it is.
    """
    from surefill.journal import export_journal

    with _reading(config, override, journal) as found, _output(out, force) as file:
        done = export_journal(found, file)
    told = {"file": str(out), "events": done.events, "keys": done.keys}
    if str(out) == "-":
        note(f"{done.events} events and {done.keys} keys exported")
    else:
        show(told, lambda console: console.print(_said("Exported", told), markup=False), as_json=as_json)


@contextmanager
def _output(out: Path, force: bool) -> Iterator[BinaryIO]:
    """The file under a name of its own until it is complete."""
    if str(out) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if out.exists() and not force:
        raise InputError(f"{out} exists: name another file, or replace it with --force", code="FILE_EXISTS")
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error}", code="FILE_WRITE_ERROR") from error
    finally:
        part.unlink(missing_ok=True)


@group.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="An exported journal.")],
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    as_json: AsJson = False,
) -> None:
    """Fill a new journal from an export: every hash is checked, and all of it is taken in or nothing."""
    from surefill.intake.session import open_journal
    from surefill.journal import import_journal

    settings = settings_from(config, override, journal)
    path = settings.journal_path
    if path.exists():
        raise JournalError(f"{path} exists: name a file that does not, with --journal", code="JOURNAL_EXISTS")
    if not source.is_file():
        raise InputError(f"{source} does not exist", code="FILE_READ_ERROR")
    target = open_journal(settings)
    complete = False
    try:
        with source.open("rb") as lines:
            done = import_journal(lines, target)
        complete = True
    finally:
        target.close()
        if not complete:
            for suffix in ("", ".lock", "-wal", "-shm"):
                Path(f"{path.resolve()}{suffix}").unlink(missing_ok=True)
    told = {"file": str(path), "events": done.events, "keys": done.keys}
    show(told, lambda console: console.print(_said("Imported", told), markup=False), as_json=as_json)


@group.command("tail")
def tail(
    count: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many events.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as events come, until Ctrl-C.")] = False,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Show the last events of a workspace; with --json one document per line."""
    settings = settings_from(config, override, journal, workspace)
    found = journal_to_read(settings)
    workspace_id = settings.workspace.id
    try:
        known_workspace(found, workspace_id)
        last = found.heads()[workspace_id].seq
        seq = max(0, last - count)
        while True:
            for record in found.read(workspace_id, seq + 1):
                _show_event(record, as_json=as_json)
                seq = record.seq
            if not follow:
                return
            sys.stdout.flush()
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        return  # that is how following ends
    finally:
        found.close()


def _show_event(record: Record, *, as_json: bool) -> None:
    import msgspec

    from surefill.units import iso_from_ns

    event: dict[str, Any] = msgspec.json.decode(record.payload)
    if as_json:
        show_line({"seq": record.seq, "epoch": record.epoch, "event": event})
        return
    kind, ts_ns = event.pop("type", "?"), event.pop("ts_ns", 0)
    rest = ", ".join(f"{key}={_short(value)}" for key, value in event.items())
    sys.stdout.write(f"{record.seq:>8}  {iso_from_ns(ts_ns)}  {kind:<18}  {rest}\n")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _said(verb: str, told: dict[str, Any]) -> str:
    return f"{verb} {told['events']} events and {told['keys']} keys: {told['file']}"


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}", code="FILE_READ_ERROR") from error
