"""What a journal file may be found to be, and what is said about it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from surefill.errors import JournalCorrupt, JournalError, JournalForeign, JournalNewer
from surefill.journal import Batch, Snapshot, SqliteJournal, sqlite_schema, verify

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def filled(path: Path, events: int = 300) -> SqliteJournal:
    journal = SqliteJournal(path)
    lease = journal.open_stream("main")
    for n in range(events // 3):
        assert journal.append([Batch(lease, [b"%d" % n + b"x" * 400] * 3)]) == [None]
    return journal


def copy_of_a_running_journal(journal: SqliteJournal, to: Path) -> Path:
    """What a crash of the process leaves: the file and its log as they are."""
    source = Path(journal.path)
    for suffix in ("", "-wal"):
        (to / ("journal.db" + suffix)).write_bytes(Path(f"{source}{suffix}").read_bytes())
    return to / "journal.db"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the right of root to write everywhere; tests may or may not run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def raw(path: Path, sql: str) -> None:
    conn = apsw.Connection(str(path))
    conn.execute(sql)
    conn.close()


# Settings


def test_writer_is_as_durable_as_it_says(path: Path) -> None:
    conn = sqlite_schema.open_writer(str(path), None, "FULL")
    settings = {
        name: conn.pragma(name)
        for name in ("journal_mode", "synchronous", "recursive_triggers", "trusted_schema", "wal_autocheckpoint")
    }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "recursive_triggers": 1,
        "trusted_schema": 0,
        "wal_autocheckpoint": 0,
    }


def test_writer_on_a_disk_without_wal_is_refused() -> None:
    with pytest.raises(JournalError, match="did not accept journal_mode = WAL") as caught:
        sqlite_schema.open_writer(":memory:", None, "FULL")
    assert caught.value.code == "NOT_DURABLE"


@pytest.mark.parametrize(
    ("version", "fine"),
    [("3.51.2", False), ("3.9.99", False), ("3.51.3", True), ("3.52.0", True), ("4.0.0", True)],
)
def test_sqlite_version_below_the_fix_is_refused(
    monkeypatch: pytest.MonkeyPatch, path: Path, version: str, fine: bool
) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    if fine:
        SqliteJournal(path).close()
        return
    with pytest.raises(JournalError, match="pip install --upgrade apsw") as caught:
        SqliteJournal(path)
    assert caught.value.code == "SQLITE_TOO_OLD"
    assert not path.exists()


# What the file is


def test_open_of_a_text_file_says_it_is_foreign(path: Path) -> None:
    path.write_text("cl_ord_id,side\n" * 100)
    with pytest.raises(JournalForeign, match="not a surefill journal"):
        SqliteJournal(path)
    assert path.read_text() == "cl_ord_id,side\n" * 100


@pytest.mark.parametrize("sql", ["CREATE TABLE other (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"])
def test_open_of_another_database_says_it_is_foreign_and_leaves_it(path: Path, sql: str) -> None:
    raw(path, sql)
    before = path.read_bytes()
    for readonly in (False, True):
        with pytest.raises(JournalForeign, match="check the path"):
            SqliteJournal(path, readonly=readonly)
    assert path.read_bytes() == before


def test_open_of_a_newer_schema_is_refused_and_leaves_it(path: Path) -> None:
    filled(path).close()
    raw(path, f"PRAGMA user_version = {len(sqlite_schema.STEPS) + 1}")
    before = path.read_bytes()
    for readonly in (False, True):
        with pytest.raises(JournalNewer, match="upgrade surefill"):
            SqliteJournal(path, readonly=readonly)
    assert path.read_bytes() == before


def test_open_of_an_older_schema_migrates_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path).close()
    step = "ALTER TABLE streams ADD COLUMN note TEXT; CREATE INDEX streams_note ON streams (note);"
    monkeypatch.setattr(sqlite_schema, "STEPS", (*sqlite_schema.STEPS, step))
    journal = SqliteJournal(path)
    assert journal.heads()["main"].seq == 300
    assert verify(journal).ok
    journal.close()
    conn = apsw.Connection(str(path))
    assert conn.pragma("user_version") == 2
    assert conn.execute("SELECT note FROM streams").fetchall() == [(None,)]


def test_migration_that_fails_leaves_the_journal_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_schema, "STEPS", (*sqlite_schema.STEPS, "CREATE TABLE half (x); SELECT no_such_thing();"))
        with pytest.raises(JournalError, match="no_such_thing"):
            SqliteJournal(path)
    journal = SqliteJournal(path)
    assert verify(journal).ok


def test_readonly_open_of_an_older_schema_asks_for_a_writer_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path).close()
    monkeypatch.setattr(sqlite_schema, "STEPS", (*sqlite_schema.STEPS, "CREATE TABLE more (x);"))
    with pytest.raises(JournalError, match="open it once for writing") as caught:
        SqliteJournal(path, readonly=True)
    assert caught.value.code == "JOURNAL_OLDER"


# Damage


@pytest.mark.parametrize("remains", [0, 1])
def test_open_of_an_emptied_journal_is_refused(path: Path, remains: int) -> None:
    filled(path).close()
    if remains:
        path.write_bytes(b"")
    else:
        path.unlink()
    with pytest.raises(JournalCorrupt, match=r"cut off or removed.*journal\.db\.lock"):
        SqliteJournal(path)
    Path(f"{path}.lock").unlink()
    assert SqliteJournal(path).heads() == {}


@pytest.mark.parametrize("size", [100, 1024, 4096, 5000, 20_000, 65_536])
def test_open_of_a_truncated_file_never_passes_verification(path: Path, size: int) -> None:
    filled(path).close()
    os.truncate(path, size)
    try:
        sound = verify(SqliteJournal(path)).ok
    except (JournalCorrupt, JournalForeign):
        sound = False
    assert not sound


def test_truncated_log_gives_a_journal_that_verifies_up_to_where_it_ends(path: Path, tmp_path: Path) -> None:
    journal = filled(path, events=60)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    copy = copy_of_a_running_journal(journal, crashed)
    log = Path(f"{copy}-wal")
    os.truncate(log, log.stat().st_size // 2 + 100)
    found = SqliteJournal(copy)
    assert verify(found).ok
    assert 0 < found.heads()["main"].seq < 60


def test_crashed_journal_reopens_complete(path: Path, tmp_path: Path) -> None:
    journal = filled(path, events=60)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    found = SqliteJournal(copy_of_a_running_journal(journal, crashed))
    assert found.heads() == journal.heads()
    assert list(found.read_all()) == list(journal.read_all())


def test_damaged_page_is_reported_with_what_to_do(path: Path) -> None:
    filled(path).close()
    content = bytearray(path.read_bytes())
    for page in range(4, len(content) // 4096):
        content[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    path.write_bytes(content)
    journal = SqliteJournal(path)
    with pytest.raises(JournalCorrupt, match="restore from an export or a copy that verifies"):
        list(journal.read_all())


def test_reopen_after_the_file_was_replaced_reads_the_new_one(path: Path, tmp_path: Path) -> None:
    first, second = SqliteJournal(path), SqliteJournal(tmp_path / "other.db")
    for journal, names in ((first, ("a", "b")), (second, ("b", "a"))):
        for name in names:
            assert journal.append([Batch(journal.open_stream(name), [name.encode()])]) == [None]
    assert [record.payload for record in first.read("a")] == [b"a"]
    first.close()
    second.close()
    (tmp_path / "other.db").replace(path)
    first.reopen()
    assert [record.payload for record in first.read("a")] == [b"a"]


# Rights


@pytest.mark.parametrize("locked", ["file", "directory"])
def test_open_without_the_right_to_write_says_so(locked: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own directories are closed to other users
        place = Path(name)
        filled(place / "journal.db").close()
        (place / "journal.db.lock").chmod(0o666)
        (place / "journal.db").chmod(0o444 if locked == "file" else 0o666)
        place.chmod(0o777 if locked == "file" else 0o555)
        with as_nobody(), pytest.raises(JournalError, match="read-only") as caught:
            SqliteJournal(place / "journal.db")
        place.chmod(0o777)
    assert caught.value.code == "READ_ONLY"


def test_open_in_a_directory_that_is_not_there_says_so(tmp_path: Path) -> None:
    for readonly in (False, True):
        with pytest.raises(JournalError, match="check that the directory exists") as caught:
            SqliteJournal(tmp_path / "nowhere" / "journal.db", readonly=readonly)
        assert caught.value.code == "CANNOT_OPEN"


WRITES: list[Callable[[SqliteJournal], object]] = [
    lambda journal: journal.open_stream("main"),
    lambda journal: journal.append([]),
    lambda journal: journal.restore({}, (), ()),
]


@pytest.mark.parametrize("write", WRITES)
def test_readonly_journal_reads_beside_a_writer_and_refuses_to_write(
    path: Path, write: Callable[[SqliteJournal], object]
) -> None:
    writer = filled(path)
    reader = SqliteJournal(path, readonly=True)
    assert reader.heads() == writer.heads()
    assert verify(reader).ok
    with pytest.raises(JournalError, match="opened read-only") as caught:
        write(reader)
    assert caught.value.code == "READ_ONLY"
    lease = writer.open_stream("main")
    assert writer.append([Batch(lease, [b"more"])]) == [None]
    assert reader.heads()["main"].seq == 301


def test_readonly_journal_of_an_empty_file_is_refused(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(JournalError, match="nothing to read"):
        SqliteJournal(path, readonly=True)


# Snapshots


def test_snapshots_beyond_the_latest_two_are_dropped(path: Path) -> None:
    journal = filled(path, events=30)
    for record in journal.read("main"):
        for version in (1, 2):
            journal.save_snapshot(Snapshot("main", record.seq, record.chain_hash, version, 0, b"state"))
    journal.close()
    kept = apsw.Connection(str(path)).execute("SELECT evolve_version, seq FROM snapshots ORDER BY 1, 2").fetchall()
    assert kept == [(1, 29), (1, 30), (2, 29), (2, 30)]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("UPDATE snapshots SET chain_hash = zeroblob(32) WHERE seq = 30", "has hash"),
        ("UPDATE snapshots SET payload = x'00' WHERE seq = 30", "wrong digest"),
        ("UPDATE snapshots SET seq = 31 WHERE seq = 30", "no such event"),
    ],
)
def test_snapshot_that_does_not_fit_is_passed_over_with_a_reason(path: Path, damage: str, reason: str) -> None:
    journal = filled(path, events=30)
    records = list(journal.read("main"))
    for seq in (20, 30):
        journal.save_snapshot(Snapshot("main", seq, records[seq - 1].chain_hash, 1, 0, b"state %d" % seq))
    journal.close()
    raw(path, damage)
    ignored: list[str] = []
    found = SqliteJournal(path).load_snapshot("main", 1, ignored)
    assert found is not None
    assert (found.seq, found.payload) == (20, b"state 20")
    assert len(ignored) == 1
    assert reason in ignored[0]


def test_second_reader_of_a_file_that_is_gone_says_so(path: Path) -> None:
    filled(path).close()
    journal = SqliteJournal(path, readonly=True)
    assert journal._readers is not None

    def gone(_conn: object) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        with pytest.raises(JournalError, match="check that the directory exists") as caught:
            journal.heads()
        assert caught.value.code == "CANNOT_OPEN"

    journal._readers.use(gone)  # holds the pool's one connection while another is asked for
