"""Halts kept in the lock file: for whoever opens the journal next, without getting in the lock's way."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from surefill.errors import JournalCorrupt, JournalLocked
from surefill.journal import SqliteJournal
from surefill.journal.noted_halts import BYTES_MAX, NotedHalt, forget_halt, note_halt, noted_halts


def halt(name: str, reason: str = "the disk is full") -> NotedHalt:
    return NotedHalt(name, "APPEND_FAILED", reason)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    SqliteJournal(tmp_path / "journal.db").close()
    return tmp_path / "journal.db"


def test_note_is_kept_until_it_is_forgotten(path: Path) -> None:
    assert noted_halts(path) == {}
    note_halt(path, halt("a", "one\n\x00\N{SNOWMAN}"))
    note_halt(path, halt("b"))
    note_halt(path, halt("a", "two"))
    assert noted_halts(path) == {"b": halt("b"), "a": halt("a", "two")}
    forget_halt(path, "a")
    forget_halt(path, "never")
    assert noted_halts(path) == {"b": halt("b")}
    forget_halt(path, "b")
    assert Path(f"{path}.lock").read_text() == f"{os.getpid()}\nbegun\n"


def test_note_survives_that_the_journal_is_opened_and_the_lock_is_what_it_was(path: Path) -> None:
    note_halt(path, halt("begun"))
    with closing(SqliteJournal(path)):
        assert noted_halts(path) == {"begun": halt("begun")}
        with pytest.raises(JournalLocked, match=f"in process {os.getpid()}:"):
            SqliteJournal(path)
    path.unlink()
    with pytest.raises(JournalCorrupt, match="a journal was begun there"):
        SqliteJournal(path)


def test_note_of_a_workspace_called_begun_does_not_begin_a_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.db.lock").write_text("1\n\n")
    note_halt(tmp_path / "journal.db", halt("begun"))
    SqliteJournal(tmp_path / "journal.db").close()


def test_notes_stay_within_one_block_and_lose_their_words_first(path: Path) -> None:
    for n in range(20):
        note_halt(path, halt(f"workspace {n}", "x" * 5_000))
    assert Path(f"{path}.lock").stat().st_size <= BYTES_MAX
    assert set(noted_halts(path)) == {f"workspace {n}" for n in range(20)}


def test_lock_file_that_holds_something_else_has_no_notes(tmp_path: Path) -> None:
    assert noted_halts(tmp_path / "none") == {}
    (tmp_path / "journal.db.lock").write_bytes(b'1\nbegun\n\xff\n{"x":1}\nwords')
    assert noted_halts(tmp_path / "journal.db") == {}
