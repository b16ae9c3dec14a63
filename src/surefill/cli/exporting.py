"""The command export: the files that the documents promise, made from the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefill.cli.loading import journal_to_read, known_workspace, settings_from, verified_records
from surefill.cli.options import AsJson, ConfigFile, JournalFile, Overrides, WorkspaceId
from surefill.cli.output import show, table
from surefill.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    folder: Annotated[
        Path | None, typer.Argument(help="Where; without it the configured artifacts.dir.", show_default=False)
    ] = None,
    config: ConfigFile = None,
    override: Overrides = None,
    journal: JournalFile = None,
    workspace: WorkspaceId = None,
    as_json: AsJson = False,
) -> None:
    """Make orders.csv, the daily journals, the position checkpoint and the metrics from the journal."""
    from surefill.views.projector import Projector

    settings = settings_from(config, override, journal, workspace)
    root = folder or settings.artifacts_dir
    found = journal_to_read(settings)
    try:
        known_workspace(found, settings.workspace.id)
        for _ in verified_records(found, settings.workspace.id):
            pass  # all of it before the first file is touched: the files of a forged journal would look like any other
        projector = Projector(root, found, settings.workspace.id)
        projector.catch_up()
        projector.close()
    except OSError as error:
        raise InputError(f"{root} cannot be written: {error}", code="FILE_WRITE_ERROR") from error
    finally:
        found.close()
    files = sorted(
        path for path in root.rglob("*") if path.is_file() and ".surefill" not in path.relative_to(root).parts
    )
    told = {
        "folder": str(root),
        "events": projector.seq,
        "files": [{"file": str(path.relative_to(root)), "bytes": path.stat().st_size} for path in files],
    }

    def draw(console: object) -> None:
        from rich.console import Console

        assert isinstance(console, Console)
        rows = [(each["file"], each["bytes"]) for each in told["files"] if isinstance(each, dict)]  # type: ignore[attr-defined]
        console.print(table(f"{root}, from {projector.seq} events", ("file", "bytes"), rows, right=("bytes",)))

    show(told, draw, as_json=as_json)
