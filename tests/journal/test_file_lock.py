"""One writer per file: between processes, within one, and never beyond the life of its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from surefill.errors import JournalError, JournalLocked
from surefill.journal import Batch, SqliteJournal

HOLDER = """
import sys, time
from surefill.journal import Batch, SqliteJournal
journal = SqliteJournal(sys.argv[1])
lease = journal.open_stream("main")
assert journal.append([Batch(lease, [b"from the other process"])]) == [None]
print("holding", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the journal open for writing, and one event in it."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        yield process
        process.kill()


def test_second_process_is_refused_and_told_who_holds_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with another_process(path) as holder:
        with pytest.raises(JournalLocked, match=f"in process {holder.pid}") as caught:
            SqliteJournal(path)
        assert caught.value.values["pid"] == holder.pid
        reader = SqliteJournal(path, readonly=True)
        assert [record.payload for record in reader.read_all()] == [b"from the other process"]


def test_lock_dies_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with another_process(path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        journal = SqliteJournal(path)
        lease = journal.open_stream("main")
        assert (lease.epoch, lease.next_seq) == (2, 2)
        assert journal.append([Batch(lease, [b"from this one"])]) == [None]


def test_second_writer_in_the_same_process_is_refused_until_the_first_closes(tmp_path: Path) -> None:
    first = SqliteJournal(tmp_path / "journal.db")
    with pytest.raises(JournalLocked, match=f"in process {os.getpid()}"):
        SqliteJournal(tmp_path / "journal.db")
    first.close()
    second = SqliteJournal(tmp_path / "journal.db")
    with pytest.raises(JournalLocked):
        first.reopen()
    second.close()
    first.reopen()
    assert first.heads() == {}


@pytest.mark.parametrize("name", ["link.db", "folder/journal.db", "chain.db"])
def test_second_writer_by_another_name_of_the_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "link.db").symlink_to("journal.db")
    (tmp_path / "chain.db").symlink_to("link.db")
    (tmp_path / "folder").symlink_to(tmp_path)
    first = SqliteJournal(tmp_path / name)
    for other in ("journal.db", "link.db", "folder/journal.db", "chain.db"):
        with pytest.raises(JournalLocked, match=f"journal.db is open for writing in process {os.getpid()}"):
            SqliteJournal(tmp_path / other)
    first.close()
    assert sorted(path.name for path in tmp_path.glob("*.lock")) == ["journal.db.lock"]


def test_link_to_nothing_begins_the_journal_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("journal.db")
    lease = (first := SqliteJournal(tmp_path / "link.db")).open_stream("main")
    assert first.append([Batch(lease, [b"1"])]) == [None]
    assert [record.payload for record in SqliteJournal(tmp_path / "journal.db", readonly=True).read_all()] == [b"1"]
    assert (tmp_path / "journal.db.lock").exists()


@pytest.mark.parametrize("readonly", [False, True])
def test_journal_with_two_hard_links_is_refused_by_both_names(tmp_path: Path, readonly: bool) -> None:
    SqliteJournal(tmp_path / "journal.db").close()
    os.link(tmp_path / "journal.db", tmp_path / "other.db")
    for name in ("journal.db", "other.db"):
        with pytest.raises(JournalError, match=r"2 names.*remove the others") as caught:
            SqliteJournal(tmp_path / name, readonly=readonly)
        assert caught.value.code == "JOURNAL_LINKED"
    assert not (tmp_path / "other.db.lock").exists()
    (tmp_path / "other.db").unlink()
    SqliteJournal(tmp_path / "journal.db", readonly=readonly).close()


@pytest.mark.parametrize("readonly", [False, True])
def test_folder_as_a_journal_is_called_one(tmp_path: Path, readonly: bool) -> None:
    with pytest.raises(JournalError, match="is a folder: name the journal's file in it"):
        SqliteJournal(tmp_path, readonly=readonly)
    assert not Path(f"{tmp_path}.lock").exists()


def test_refused_second_writer_leaves_the_first_its_name_and_its_lock(tmp_path: Path) -> None:
    first = SqliteJournal(tmp_path / "journal.db")
    lease = first.open_stream("main")
    for _ in range(2):
        with pytest.raises(JournalLocked, match=f"in process {os.getpid()}"):
            SqliteJournal(tmp_path / "journal.db")
    assert first.append([Batch(lease, [b"1"])]) == [None]


def test_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    ready, write_ready = os.pipe()
    wait, write_wait = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_ready, b"x")
        os.read(wait, 1)
        os._exit(0)
    try:
        os.read(ready, 1)
        journal.close()
        SqliteJournal(tmp_path / "journal.db").close()
    finally:
        os.write(write_wait, b"x")
        os.waitpid(child, 0)
        for fd in (ready, write_ready, wait, write_wait):
            os.close(fd)


def test_writer_that_lost_its_lock_is_still_refused_by_its_epoch(tmp_path: Path) -> None:
    """What a broken lock leaves (a network file system, a removed lock file): the compare-and-set."""
    first = SqliteJournal(tmp_path / "journal.db")
    lease = first.open_stream("main")
    assert first.append([Batch(lease, [b"1"])]) == [None]
    (tmp_path / "journal.db.lock").unlink()
    second = SqliteJournal(tmp_path / "journal.db")
    taken_over = second.open_stream("main")
    assert second.append([Batch(taken_over, [b"2"])]) == [None]
    (refused,) = first.append([Batch(lease, [b"stale"])])
    assert refused is not None
    assert refused.code == "STALE_WRITER"
    assert [record.payload for record in second.read_all()] == [b"1", b"2"]
