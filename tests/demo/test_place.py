"""Where a demonstration goes: over a former one, never over anything else."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.running import surefill

from surefill.demo.place import TITLE, prepare
from surefill.demo.plan import SPECS
from surefill.errors import InputError, JournalLocked
from surefill.journal import SqliteJournal


def journal_with(path: Path, *workspaces: str) -> None:
    with closing(SqliteJournal(path)) as journal:
        for name in workspaces:
            journal.open_stream(name)


def test_former_demonstration_is_removed_and_nothing_else(tmp_path: Path) -> None:
    journal_with(tmp_path / "journal.db", *(spec.workspace_id for spec in SPECS))
    (tmp_path / "killed.db").touch()  # killed before it had written anything
    (tmp_path / "report.html").write_text(f"<html><title>{TITLE}</title>")
    (tmp_path / "mine.txt").touch()
    assert prepare(tmp_path) == (tmp_path / "journal.db", tmp_path / "killed.db")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["journal.db", "killed.db", "report.html"])
@pytest.mark.parametrize("what", ["journal", "mixed", "text", "folder"])
def test_file_of_somebody_else_is_refused_and_left_with_all_others(tmp_path: Path, name: str, what: str) -> None:
    journal_with(tmp_path / "journal.db", SPECS[0].workspace_id)
    for suffix in ("", ".lock"):
        (tmp_path / f"journal.db{suffix}").rename(tmp_path / f"killed.db{suffix}")
    (tmp_path / "report.html").write_text(f"<html><title>{TITLE}</title>")
    theirs = tmp_path / name
    theirs.unlink(missing_ok=True)
    (tmp_path / f"{name}.lock").unlink(missing_ok=True)
    if what == "folder":
        theirs.mkdir()
    elif what == "text":
        theirs.write_text("quite another thing " * 100)
    else:
        journal_with(theirs, "main", *([SPECS[0].workspace_id] if what == "mixed" else []))
    there = sorted(path.name for path in tmp_path.iterdir() if path.suffix not in (".db-wal", ".db-shm"))
    with pytest.raises(InputError, match=f"{name} is there, and is not a demonstration's"):
        prepare(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix not in (".db-wal", ".db-shm")) == there


def test_journal_that_somebody_writes_is_refused_and_all_is_left(tmp_path: Path) -> None:
    journal_with(tmp_path / "journal.db", SPECS[0].workspace_id)
    with closing(SqliteJournal(tmp_path / "killed.db")), pytest.raises(JournalLocked):
        prepare(tmp_path)
    assert (tmp_path / "journal.db").exists()


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/x"])
def test_folder_that_cannot_be_is_an_input_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    ran = surefill("demo", tmp_path / place)
    assert (ran.code, "name another folder" in ran.err, "defect" in ran.err) == (4, True, False)
