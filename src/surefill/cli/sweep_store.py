"""The journal that sweeps are kept in, as commands find it: what is in it, and one run of it shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefill.cli.output import show
from surefill.cli.sweep_words import draw, told
from surefill.errors import JournalError

if TYPE_CHECKING:
    from surefill.config import Settings
    from surefill.journal import SqliteJournal
    from surefill.sweep.run_record import RunRecord

DEFAULT_JOURNAL = Path("sweeps.journal")

Store = Annotated[Path, typer.Option("--journal", "-j", metavar="FILE", help="The journal that runs are kept in.")]
RunId = Annotated[str, typer.Argument(help="The run's id, or the beginning of it.")]
Top = Annotated[int, typer.Option("--top", help="Show so many variants.")]


@contextmanager
def reading(path: Path) -> Iterator[SqliteJournal]:
    """The journal, read-only. Raises JournalError."""
    from surefill.journal import SqliteJournal

    if not path.exists():
        raise JournalError(
            f"there is no journal at {path}: name another with --journal, or begin one with 'surefill sweep run'",
            code="JOURNAL_MISSING",
        )
    journal = SqliteJournal(path, readonly=True)
    try:
        yield journal
    finally:
        journal.close()


def record_at(path: Path, run: str) -> RunRecord:
    """A run of a journal. Raises JournalError, InputError."""
    from surefill.sweep.run_record import run_in

    with reading(path) as journal:
        return run_in(journal, run)


def settings_of(record: RunRecord) -> Settings:
    """The settings that a run was begun with."""
    from surefill.config import Settings

    return Settings.model_validate(record.begun.settings)


def money_decimals(record: RunRecord) -> int:
    """How finely a run's money is counted."""
    from surefill.config.core import money_decimals_of

    return money_decimals_of(settings_of(record))


def show_result(record: RunRecord, top: int, *, as_json: bool) -> None:
    """Print what came of a run so far."""
    from surefill.sweep.result import result_of

    found = told(result_of(record), money_decimals(record))
    paths = list(record.begun.plan.constraints.sweep)
    show(found, lambda console: draw(console, found, paths, top), as_json=as_json)
