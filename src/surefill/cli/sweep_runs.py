"""Commands on sweeps that have been begun: list, show, cancel, export."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from surefill.cli.options import AsJson
from surefill.cli.output import facts, show, table
from surefill.cli.sweep_store import DEFAULT_JOURNAL, RunId, Store, Top, money_decimals, reading, record_at, show_result
from surefill.errors import InputError, JournalLocked


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("list")(list_)
    group.command("show")(show_)
    group.command("cancel")(cancel)
    group.command("export")(export)


def list_(journal: Store = DEFAULT_JOURNAL, as_json: AsJson = False) -> None:
    """Show the runs of a journal."""
    from surefill.sweep.run_record import runs_in
    from surefill.units import iso_from_ns

    with reading(journal) as found:
        runs = [
            {
                "run_plan_id": name,
                "begun": iso_from_ns(record.begun.ts_ns),
                "strategy": record.begun.plan.base["entry"]["type"],
                "symbols": list(record.begun.plan.base["symbols"]),
                "variants": len(record.plan.variants),
                "outcomes": len(record.outcomes),
                "objective": record.begun.plan.objective,
                "status": record.status,
            }
            for name, record in runs_in(found)
        ]
    runs.sort(key=lambda each: str(each["begun"]))

    def drawn(console: Any) -> None:
        columns = ("run", "begun", "strategy", "symbols", "variants", "outcomes", "by", "status")
        cells = [[", ".join(cell) if isinstance(cell, list) else cell for cell in run.values()] for run in runs]
        console.print(table("", columns, cells, right=("variants", "outcomes")))

    show(runs, drawn, as_json=as_json)


def show_(run: RunId, top: Top = 10, journal: Store = DEFAULT_JOURNAL, as_json: AsJson = False) -> None:
    """Show the results of a run so far."""
    show_result(record_at(journal, run), top, as_json=as_json)


def cancel(run: RunId, journal: Store = DEFAULT_JOURNAL, as_json: AsJson = False) -> None:
    """Stop a run, in whichever process it is; what is known is kept, and resume goes on with it."""
    from surefill.journal import SqliteJournal
    from surefill.sweep.cancel_note import CancelNote
    from surefill.sweep.events import RunCanceled
    from surefill.sweep.run_record import RunStream

    record = record_at(journal, run)
    plan_id, status = record.begun.plan.run_plan_id, "completed"
    if record.status != "completed":
        try:
            mine = SqliteJournal(journal)
        except JournalLocked:
            CancelNote(journal, plan_id).write()
            status = "asked to stop"
        else:
            status = "canceled"
            try:
                if record.status == "running":
                    RunStream(mine, plan_id).append([RunCanceled(time.time_ns(), len(record.outcomes))])
            finally:
                mine.close()
    result = {"run_plan_id": plan_id, "status": status}
    show(result, lambda console: console.print(facts("", result.items())), as_json=as_json)


def export(
    run: RunId,
    file: Annotated[Path, typer.Argument(help="A .csv or a .parquet file.")],
    journal: Store = DEFAULT_JOURNAL,
    as_json: AsJson = False,
) -> None:
    """Write a run's results, a row for each variant and segment, as CSV or Parquet."""
    from surefill.sweep.result import result_of
    from surefill.sweep.result_rows import as_csv, as_parquet, result_rows
    from surefill.views.appended_file import replace_file

    writers = {".csv": as_csv, ".parquet": as_parquet}
    if file.suffix not in writers:
        raise typer.BadParameter(f"{file} must end with .csv or .parquet")
    record = record_at(journal, run)
    rows = result_rows(result_of(record), money_decimals(record))
    try:
        replace_file(file.resolve(), writers[file.suffix](rows))
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error}", code="FILE_WRITE_ERROR") from error
    result = {"file": file, "rows": len(rows)}
    show(result, lambda console: console.print(facts("", result.items())), as_json=as_json)
