"""The command replay: fold the journal again from its first event, and prove that it adds up to the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefill.cli.exit_codes import ExitCode
from surefill.cli.loading import journal_to_read, known_workspace, settings_from
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides, WorkspaceId
from surefill.cli.output import Progress, facts, progress, show
from surefill.errors import InputError

if TYPE_CHECKING:
    from surefill.domain.state import State
    from surefill.journal import Head, Record, SqliteJournal

_TOLD_EVERY = 5_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    at: Annotated[
        int | None,
        typer.Option("--at", min=1, help="Show the books as they were after this event.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Fold the journal from its first event; exit with 7 unless snapshot and tail give the same state hash."""
    import msgspec

    from surefill.engine.books import order_lines, position_lines
    from surefill.engine.recovery import fold_journal
    from surefill.engine.status import status_of

    settings = settings_from(config, override, journal, workspace)
    workspace_id = settings.workspace.id
    found = journal_to_read(settings)
    try:
        known_workspace(found, workspace_id)
        head = found.heads()[workspace_id]
        last = head.seq
        if at is not None and at > last:
            raise InputError(
                f"workspace {workspace_id} has {last} events, there is no event {at}", code="NO_SUCH_EVENT"
            )
        began = time.perf_counter()
        with progress("folding", as_json=as_json) as moved:
            state = _folded(found, workspace_id, at, head, moved)
        seconds = time.perf_counter() - began
        from_seq, kept_hash = None, None
        if at is None:
            kept, from_seq = fold_journal(found, workspace_id)
            kept_hash = kept.digest()
    finally:
        found.close()
    digest = state.digest()
    told: dict[str, Any] = {
        "workspace": workspace_id,
        "events": at or last,
        "seconds": round(seconds, 3),
        "events_per_s": round((at or last) / seconds) if seconds else 0,
        "state_hash": digest,
        "snapshot_seq": from_seq,
        "snapshot_and_tail_hash": kept_hash,
        "proved": None if at is not None else digest == kept_hash,
        "status": msgspec.to_builtins(status_of(state)),
        "positions": [line for line in msgspec.to_builtins(position_lines(state)) if line["qty"] != "0"],
        "orders": [line for line in msgspec.to_builtins(order_lines(state)) if line["live"]],
    }
    show(told, lambda console: console.print(facts("", _facts(told))), as_json=as_json)
    if told["proved"] is False:
        raise typer.Exit(ExitCode.VERIFICATION)


def _folded(journal: SqliteJournal, workspace_id: str, at: int | None, head: Head, moved: Progress) -> State:
    """The state after event `at`, or after all that the head promises, from nothing."""
    from surefill.domain.state import State
    from surefill.engine.recovery import fold
    from surefill.journal.chain import genesis, verified
    from surefill.journal.protocol import Head

    state, to_seq = State(), at or head.seq
    records = journal.read(workspace_id, 1, to_seq)
    sound = verified(records, Head(0, 0, genesis(workspace_id)), head if at is None else None)
    fold(state, _counted(sound, to_seq, moved))
    return state


def _counted(records: Iterator[Record], total: int, moved: Progress) -> Iterator[Record]:
    for record in records:
        if record.seq % _TOLD_EVERY == 0 or record.seq == total:
            moved(record.seq, total)
        yield record


def _facts(told: dict[str, Any]) -> Iterator[tuple[str, object]]:
    status = told["status"]
    yield "workspace", told["workspace"]
    yield (
        "folded",
        f"{told['events']} events in {told['seconds']} s ({told['events_per_s']:,} a second), chain verified",
    )
    yield "state hash", told["state_hash"]
    if told["proved"] is not None:
        begun = f"the snapshot at event {told['snapshot_seq']}" if told["snapshot_seq"] else "no snapshot"
        yield "from " + begun, told["snapshot_and_tail_hash"]
        yield (
            "verdict",
            "the same: the journal alone gives this state" if told["proved"] else "NOT THE SAME: do not trade",
        )
    yield "halted", f"{status['halted']}: {status['halted_reason']}" if status["halted"] else "no"
    yield "cash", f"{status['cash']} {status['currency']}"
    yield "realised", f"{status['realised']} {status['currency']}, fees {status['fees']}"
    yield (
        "positions",
        ", ".join(f"{line['symbol']} {line['qty']} at {line['avg_px']}" for line in told["positions"]) or "none",
    )
    yield "working orders", len(told["orders"])
