"""A disk that fails: said once, never retried, and nothing but a reopened journal tells what was kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from surefill.errors import AppendFailed, JournalClosed, JournalError
from surefill.journal import Batch, Journal, Lease, Snapshot, SqliteJournal, sqlite_schema, verify
from surefill.testing.power_cut import Act, RecordingDisk

PAYLOADS = [b"x" * 400] * 10


@pytest.fixture
def disk() -> Iterator[RecordingDisk]:
    disk = RecordingDisk()
    yield disk
    disk.unregister()


def begun(path: Path, disk: RecordingDisk, checkpoint_pages: int = 1_000) -> tuple[SqliteJournal, Lease]:
    """A journal with ten events."""
    journal = SqliteJournal(path, vfs=disk.vfs_name, checkpoint_pages=checkpoint_pages)
    lease = journal.open_stream("main")
    assert journal.append([Batch(lease, PAYLOADS)]) == [None]
    return journal, lease


def refuses_everything(journal: Journal, lease: Lease) -> bool:
    """Every call says that the journal must be reopened."""
    for call in (journal.heads, journal.read_all, lambda: journal.append([Batch(lease, [b""])])):
        with pytest.raises(JournalClosed, match="reopen"):
            call()
    return True


@pytest.mark.parametrize(
    ("act", "error", "durable", "words"),
    [
        (Act.SYNC, apsw.IOError, "unknown", "check the device"),
        (Act.WRITE, apsw.IOError, "unknown", "check the device"),
        (Act.WRITE, apsw.FullError, "unknown", "free space"),
    ],
)
def test_commit_that_fails_stops_the_journal_until_reopen(
    tmp_path: Path, disk: RecordingDisk, act: Act, error: type[apsw.Error], durable: str, words: str
) -> None:
    journal, lease = begun(tmp_path / "journal.db", disk)
    other = journal.open_stream("other")
    disk.forbid(act, suffix="-wal", error=error)
    with pytest.raises(AppendFailed, match=words) as caught:
        journal.append([Batch(lease, PAYLOADS), Batch(other, [b"1"])])
    assert caught.value.values["durable"] == durable
    assert (lease.next_seq, other.next_seq) == (11, 1)
    assert refuses_everything(journal, lease)
    disk.allow()
    journal.reopen()
    assert verify(journal).ok
    kept = (journal.heads()["main"].seq, journal.heads()["other"].seq)
    assert kept in ((10, 0), (20, 1)), "all of it or nothing"
    lease = journal.open_stream("main")
    assert journal.append([Batch(lease, PAYLOADS)]) == [None]


def test_failed_sync_is_not_tried_again(tmp_path: Path, disk: RecordingDisk) -> None:
    journal, lease = begun(tmp_path / "journal.db", disk)
    disk.forbid(Act.SYNC)
    with pytest.raises(AppendFailed):
        journal.append([Batch(lease, PAYLOADS)])
    assert disk.failures == 1
    written = len(disk.ops)
    journal.close()
    assert (disk.failures, len(disk.ops)) == (1, written), "closing neither syncs nor writes nor deletes"


def test_failed_sync_whose_bytes_are_there_is_kept_when_reopened(tmp_path: Path, disk: RecordingDisk) -> None:
    journal, lease = begun(tmp_path / "journal.db", disk)
    disk.forbid(Act.SYNC, suffix="-wal")
    with pytest.raises(AppendFailed, match="may or may not have been kept"):
        journal.append([Batch(lease, PAYLOADS)])
    disk.allow()
    journal.reopen()
    assert journal.heads()["main"].seq == 20


def test_full_journal_file_keeps_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", page_count_max=30)
    lease = journal.open_stream("main")

    def fill_up() -> None:
        while True:
            journal.append([Batch(lease, PAYLOADS)])

    with pytest.raises(AppendFailed, match="free space, then reopen") as caught:
        fill_up()
    appended = lease.next_seq - 1
    assert caught.value.values["durable"] == "no"
    assert appended > 0
    assert refuses_everything(journal, lease)
    roomy = SqliteJournal(tmp_path / "journal.db")
    assert roomy.heads()["main"].seq == appended
    assert verify(roomy).ok


def test_checkpoint_that_fails_leaves_what_was_acknowledged_and_stops(tmp_path: Path, disk: RecordingDisk) -> None:
    journal, lease = begun(tmp_path / "journal.db", disk, checkpoint_pages=40)
    disk.forbid(Act.SYNC, suffix=".db")
    while disk.failures == 0:
        assert journal.append([Batch(lease, PAYLOADS)]) == [None]
    acknowledged = lease.next_seq - 1
    assert refuses_everything(journal, lease)
    disk.allow()
    journal.reopen()
    assert journal.heads()["main"].seq == acknowledged
    assert verify(journal).ok


def test_snapshot_that_does_not_fit_on_the_disk_leaves_the_journal_working(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", page_count_max=60)
    lease = journal.open_stream("main")
    assert journal.append([Batch(lease, PAYLOADS)]) == [None]
    with pytest.raises(JournalError, match="free space") as caught:
        journal.save_snapshot(Snapshot("main", 10, lease.head_hash, 1, 0, bytes(1_000_000)))
    assert caught.value.code == "DISK_FULL"
    assert journal.append([Batch(lease, PAYLOADS)]) == [None]
    assert journal.load_snapshot("main", 1) is None


def test_snapshot_whose_commit_fails_stops_the_journal(tmp_path: Path, disk: RecordingDisk) -> None:
    journal, lease = begun(tmp_path / "journal.db", disk)
    disk.forbid(Act.SYNC)
    with pytest.raises(AppendFailed):
        journal.save_snapshot(Snapshot("main", 10, lease.head_hash, 1, 0, b"state"))
    assert refuses_everything(journal, lease)


def test_interrupted_append_stops_the_journal_and_stays_an_interrupt(tmp_path: Path, disk: RecordingDisk) -> None:
    journal, lease = begun(tmp_path / "journal.db", disk)

    disk.forbid(Act.WRITE, error=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        journal.append([Batch(lease, PAYLOADS)])
    assert refuses_everything(journal, lease)


def test_log_left_by_a_crash_is_written_and_synced_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing counts as durable that a failed sync left in the kernel's memory only."""
    running = SqliteJournal(tmp_path / "journal.db")
    lease = running.open_stream("main")
    assert running.append([Batch(lease, PAYLOADS * 300)]) == [None]
    crashed = tmp_path / "crashed.db"
    for suffix in ("", "-wal"):
        Path(f"{crashed}{suffix}").write_bytes(Path(f"{running.path}{suffix}").read_bytes())
    log = Path(f"{crashed}-wal")
    assert log.stat().st_size > 1 << 20
    calls: list[str] = []
    pwrite, fsync = os.pwrite, os.fsync

    def noted_write(fd: int, data: bytes, at: int) -> int:
        calls.append("write")
        return pwrite(fd, data, at)

    def noted_sync(fd: int) -> None:
        calls.append("sync")
        fsync(fd)

    monkeypatch.setattr(os, "pwrite", noted_write)
    monkeypatch.setattr(os, "fsync", noted_sync)
    before = log.read_bytes()
    sqlite_schema.settle_wal(str(crashed))
    assert calls == ["write", "write", "sync"]
    assert log.read_bytes() == before
    journal = SqliteJournal(crashed)
    assert calls.count("sync") == 2, "opening settles the log"
    assert journal.heads() == running.heads()
    journal.close()
    SqliteJournal(crashed).close()
    assert calls.count("sync") == 2, "a clean shutdown leaves nothing to settle"
