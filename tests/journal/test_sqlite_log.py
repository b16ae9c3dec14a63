"""The write-ahead log stays small, whoever reads, and commits are what was asked for."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from surefill.journal import Batch, KeyClaim, SqliteJournal, sqlite_schema
from surefill.testing.power_cut import Act, RecordingDisk


@pytest.fixture
def disk() -> Iterator[RecordingDisk]:
    disk = RecordingDisk()
    yield disk
    disk.unregister()


def test_reader_that_stops_midway_does_not_let_the_log_grow(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", checkpoint_pages=50)
    lease = journal.open_stream("main")
    assert journal.append([Batch(lease, [b"x" * 400] * 3_000)]) == [None]
    readings = [journal.read("main"), journal.read_all(), SqliteJournal(journal.path, readonly=True).read_all()]
    for reading in readings:
        next(reading)
    sizes = []
    for _ in range(200):
        assert journal.append([Batch(lease, [b"x" * 400] * 30)]) == [None]
        sizes.append((tmp_path / "journal.db-wal").stat().st_size)
    assert max(sizes[20:]) == sizes[20], "the log is used again, not extended"
    assert [sum(1 for _ in reading) for reading in readings] == [2_999] * 3


def test_group_commit_costs_one_sync(tmp_path: Path, disk: RecordingDisk) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", vfs=disk.vfs_name)
    leases = [journal.open_stream(f"w{n}") for n in range(20)]
    taken = KeyClaim("paper", "k", b"", 1, "c")
    assert journal.append([Batch(lease, [b"1"], [taken]) for lease in leases]) == [None] * 20
    for refused in (0, 1):
        before = sum(op.act is Act.SYNC for op in disk.ops)
        batches = [Batch(lease, [b"x"] * 5) for lease in leases]
        if refused:
            batches[3] = batches[3]._replace(keys=[taken._replace(seq=leases[3].next_seq)])
        results = journal.append(batches)
        assert sum(result is not None for result in results) == refused
        assert sum(op.act is Act.SYNC for op in disk.ops) - before == 1


def test_acknowledged_append_is_synced_before_it_returns(tmp_path: Path, disk: RecordingDisk) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", vfs=disk.vfs_name)
    lease = journal.open_stream("main")
    for _ in range(5):
        assert journal.append([Batch(lease, [b"x"])]) == [None]
        assert disk.ops[-1].act is Act.SYNC
        assert disk.ops[-1].name.endswith("-wal")
    journal.open_stream("other")
    assert disk.ops[-1].act is Act.SYNC


def test_readers_cannot_write(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.open_stream("main")
    conn = sqlite_schema.open_reader(journal.path, None)
    with pytest.raises(apsw.ReadOnlyError):
        conn.execute("INSERT INTO streams VALUES (9, 'x', 1, 1, zeroblob(32))")


WATCHER = """
import sys
from surefill.journal import Head, SqliteJournal, genesis, verified
journal = SqliteJournal(sys.argv[1], readonly=True)
seen = set()
while max(seen, default=0) < 700:
    count = sum(1 for _ in verified(journal.read("main"), Head(0, 0, genesis("main"))))
    assert count % 7 == 0, count
    assert journal.heads()["main"].seq >= count
    if not seen:
        print("watching", flush=True)
    seen.add(count)
print(len(seen))
"""


def test_reader_in_another_process_sees_whole_batches_only(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db", checkpoint_pages=20)
    lease = journal.open_stream("main")
    command = [sys.executable, "-c", WATCHER, journal.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "watching\n"
        for _ in range(100):
            assert journal.append([Batch(lease, [b"x" * 300] * 7)]) == [None]
            time.sleep(0.002)
        rest, _ = watcher.communicate(timeout=20)
    assert watcher.returncode == 0
    assert int(rest) > 2, "it saw the journal grow"
