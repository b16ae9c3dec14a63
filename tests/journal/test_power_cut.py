"""Whatever moment the power goes: the journal opens, verifies, and holds all that was acknowledged."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from surefill.errors import JournalCorrupt
from surefill.journal import Anchor, Batch, KeyClaim, Snapshot, SqliteJournal, anchor, verify
from surefill.testing.power_cut import Act, Op, RecordingDisk, image, write_image

CUTS = 600
PAYLOAD = b'{"type":"OrderAccepted","note":"' + b"x" * 300 + b'"}'


class Acknowledged(NamedTuple):
    """What a caller was told is done."""

    anchor: Anchor
    keys: dict[str, KeyClaim]
    snapshots: dict[str, int]


@contextmanager
def recording() -> Iterator[RecordingDisk]:
    disk = RecordingDisk()
    try:
        yield disk
    finally:
        disk.unregister()


def record_a_day(directory: Path, disk: RecordingDisk, synchronous: str) -> None:
    """Three workspaces write, claim keys and save snapshots, with checkpoints, a restart and a lost lease between."""
    chance = random.Random(5)
    directory.mkdir()
    journal = SqliteJournal(
        directory / "journal.db", vfs=disk.vfs_name, checkpoint_pages=24, unsafe_synchronous=synchronous
    )
    disk.mark(Acknowledged(anchor(journal), {}, {}))
    keys: dict[str, KeyClaim] = {}
    snapshots: dict[str, int] = {}
    for spell in range(3):
        leases = [journal.open_stream(name) for name in ("a", "b", "c")]
        disk.mark(Acknowledged(anchor(journal), dict(keys), dict(snapshots)))
        for n in range(30):
            batches = []
            for lease in chance.sample(leases, chance.randint(1, 3)):
                claim = KeyClaim("paper", f"{lease.workspace_id}-{spell}-{n}", b"digest", lease.next_seq, "c")
                batches.append(Batch(lease, [b"%d" % n + PAYLOAD] * chance.randint(1, 6), [claim]))
            assert journal.append(batches) == [None] * len(batches)
            keys.update((batch.keys[0].key, batch.keys[0]) for batch in batches)
            if n % 10 == 5:
                lease = leases[0]
                state = b"state" * 2_000
                journal.save_snapshot(Snapshot("a", lease.next_seq - 1, lease.head_hash, 1, 0, state))
                snapshots["a"] = lease.next_seq - 1
            disk.mark(Acknowledged(anchor(journal), dict(keys), dict(snapshots)))
        journal.reopen()
    journal.close()


def losses(ops: list[Op], cut: int, seed: int, directory: Path) -> list[str]:
    """Cut the power, open what is left, and say what of the acknowledged is missing or wrong."""
    told = next((op.mark for op in reversed(ops[:cut]) if op.act is Act.MARK), None)
    directory.mkdir()
    write_image(image(ops, cut, seed), directory)
    if told is not None:
        (directory / "journal.db.lock").write_text("1\nbegun\n")
    try:
        journal = SqliteJournal(directory / "journal.db")
    except JournalCorrupt as error:
        shutil.rmtree(directory)
        return [error.message]
    found: list[str] = []
    if isinstance(told, Acknowledged):
        verification = verify(journal, [told.anchor])
        found += [fault for stream in verification.streams for fault in stream.faults]
        found += verification.storage_faults
        found += [f"key {key}" for key, claim in told.keys.items() if journal.find_key(key[0], "paper", key) != claim]
        for name, seq in told.snapshots.items():
            snapshot = journal.load_snapshot(name, 1)
            if snapshot is None or snapshot.seq < seq:
                found.append(f"snapshot of {name} at {seq}")
    lease = journal.open_stream("a")
    assert journal.append([Batch(lease, [b"life goes on"])]) == [None]
    journal.close()
    shutil.rmtree(directory)
    return found


def test_power_cut_anywhere_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with recording() as disk:
        record_a_day(tmp_path / "day", disk, "FULL")
        ops = disk.ops
    checkpoints = sum(op.act is Act.SYNC and op.name == "journal.db" for op in ops)
    assert checkpoints > 10, "the day must be long enough to move the log into the file many times"
    assert any(op.act is Act.DELETE and op.name.endswith("-wal") for op in ops)
    cuts = random.Random(1).choices(range(len(ops) + 1), k=CUTS)
    for seed, cut in enumerate(cuts):
        assert losses(ops, cut, seed, tmp_path / "cut") == [], f"cut {cut} of {len(ops)}, seed {seed}"


def test_power_cut_without_full_synchronous_loses_what_was_acknowledged(tmp_path: Path) -> None:
    """The control: the same day, one setting weaker, and the test above would see it."""
    with recording() as disk:
        record_a_day(tmp_path / "day", disk, "NORMAL")
        ops = disk.ops
    cuts = random.Random(1).choices(range(len(ops) + 1), k=60)
    lost = sum(bool(losses(ops, cut, seed, tmp_path / "cut")) for seed, cut in enumerate(cuts))
    assert 10 < lost < 60


def test_image_keeps_what_was_synced_and_may_lose_the_rest() -> None:
    ops = [
        Op(Act.CREATE, "f"),
        Op(Act.WRITE, "f", 0, b"aaaa"),
        Op(Act.SYNC, "f"),
        Op(Act.WRITE, "f", 0, b"bbbb"),
        Op(Act.WRITE, "f", 8, b"cc"),
    ]
    images = {image(ops, len(ops), seed)["f"] for seed in range(200)}
    assert images == {b"aaaa", b"bbbb", b"aaaa\0\0\0\0cc", b"bbbb\0\0\0\0cc"}
    assert image(ops, 3, 0) == {"f": b"aaaa"}


def test_image_tears_unsynced_writes_at_sectors() -> None:
    ops = [Op(Act.WRITE, "f", 0, b"a" * 1_024), Op(Act.SYNC, "f"), Op(Act.WRITE, "f", 0, b"b" * 1_024)]
    images = {image(ops, len(ops), seed)["f"] for seed in range(200)}
    assert images == {first * 512 + second * 512 for first in (b"a", b"b") for second in (b"a", b"b")}
