"""The folder of a demonstration: what a former one left is replaced, what is anybody else's is never touched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from surefill.demo.crash import remove_journal
from surefill.demo.plan import SPECS
from surefill.errors import InputError, JournalError, JournalLocked
from surefill.journal import SqliteJournal
from surefill.journal.file_lock import FileLock, lock_path

JOURNAL: Final = "journal.db"
KILLED: Final = "killed.db"
REPORT: Final = "report.html"
TITLE: Final = "surefill demonstration"

_HEAD_BYTES: Final = 4_096


def prepare(folder: Path) -> tuple[Path, Path]:
    """Make the folder, without what a former demonstration left in it; where the two journals go.

    Everything is looked at before anything is removed. Raises InputError where the folder cannot be, or where a file of
    that name is not a demonstration's; JournalLocked while somebody writes to one.
    """
    paths = folder / JOURNAL, folder / KILLED
    report = folder / REPORT
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            _refuse_unless_ours(path, _holds_a_demonstration)
        _refuse_unless_ours(report, _tells_of_a_demonstration)
        there = [path for path in paths if path.exists()]
        for path in there:
            FileLock(lock_path(path)).release()
        for path in there:
            remove_journal(path)
        report.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"the demonstration cannot use {folder}: {error.strerror or error}; name another folder",
            code="FILE_WRITE_ERROR",
        ) from error
    return paths


def _refuse_unless_ours(path: Path, is_ours: Callable[[Path], bool]) -> None:
    if path.exists() and not is_ours(path):
        raise InputError(
            f"{path} is there, and is not a demonstration's: name another folder, or move it away",
            code="FILE_EXISTS",
        )


def _holds_a_demonstration(path: Path) -> bool:
    """Nothing but workspaces of the demonstration; a file that a killed one had only just begun is empty."""
    if path.is_file() and path.stat().st_size == 0:
        return True
    try:
        with closing(SqliteJournal(path, readonly=True)) as journal:
            return journal.heads().keys() <= {spec.workspace_id for spec in SPECS}
    except JournalLocked:
        raise
    except JournalError:
        return False


def _tells_of_a_demonstration(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return f"<title>{TITLE}</title>".encode() in file.read(_HEAD_BYTES)
