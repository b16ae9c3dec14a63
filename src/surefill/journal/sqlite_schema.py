"""The journal's tables, and how a connection to them is opened.

The database itself enforces what it can: one row per (stream, seq) and per idempotency key; a stream's head
moves only over events that are all there (no gaps), and only forward; events and keys are never changed or
deleted.
"""

from __future__ import annotations

import os
import stat

import apsw

from surefill.errors import JournalCorrupt, JournalError, JournalForeign, JournalNewer

APPLICATION_ID = 0x53464A31  # "SFJ1"
SQLITE_VERSION_MIN = (3, 51, 3)  # the first with the fix for the WAL-reset race

_VERSION_1 = """
CREATE TABLE streams (
    stream INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL UNIQUE,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    next_seq INTEGER NOT NULL CHECK (next_seq >= 1),
    head_hash BLOB NOT NULL CHECK (length(head_hash) = 32)
) STRICT;

CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    chain_hash BLOB NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (stream, seq)
) STRICT;

CREATE TABLE keys (
    stream INTEGER NOT NULL,
    mode TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    seq INTEGER NOT NULL,
    correlation_id TEXT NOT NULL,
    PRIMARY KEY (stream, mode, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    stream INTEGER NOT NULL,
    evolve_version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    chain_hash BLOB NOT NULL,
    digest BLOB NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (stream, evolve_version, seq)
) STRICT;

CREATE TRIGGER streams_move BEFORE UPDATE ON streams
WHEN NEW.stream <> OLD.stream OR NEW.workspace_id <> OLD.workspace_id OR NEW.epoch < OLD.epoch
    OR NEW.next_seq < OLD.next_seq
    OR (SELECT count(*) FROM events WHERE stream = NEW.stream AND seq >= OLD.next_seq)
        <> NEW.next_seq - OLD.next_seq
    OR (NEW.next_seq > 1 AND NEW.head_hash IS NOT
        (SELECT chain_hash FROM events WHERE stream = NEW.stream AND seq = NEW.next_seq - 1))
BEGIN SELECT RAISE(ABORT, 'a stream head moves only forward, over events that are all there'); END;

CREATE TRIGGER streams_delete BEFORE DELETE ON streams
BEGIN SELECT RAISE(ABORT, 'streams are never deleted'); END;
CREATE TRIGGER events_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TRIGGER keys_update BEFORE UPDATE ON keys
BEGIN SELECT RAISE(ABORT, 'keys are never changed'); END;
CREATE TRIGGER keys_delete BEFORE DELETE ON keys
BEGIN SELECT RAISE(ABORT, 'keys are never deleted'); END;
"""

STEPS: tuple[str, ...] = (_VERSION_1,)
"""The script at index n brings a journal from version n to n + 1; version 0 is an empty file."""


def check_sqlite_version() -> None:
    """Refuse a SQLite that can lose commits."""
    found = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if found < SQLITE_VERSION_MIN:
        raise JournalError(
            f"this Python uses SQLite {apsw.sqlite_lib_version()}, whose write-ahead log can lose commits; "
            "3.51.3 or later is needed: `pip install --upgrade apsw`, whose wheels bring their own",
            code="SQLITE_TOO_OLD",
        )


def refuse_no_file(path: str) -> None:
    """Raise where the path is a folder, or one of several hard links to a file.

    SQLite's log, and our lock, stand beside a name: a second name would have a second log over the same pages.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        raise JournalError(f"{path} is a folder: name the journal's file in it", code="CANNOT_OPEN", path=path)
    if found.st_nlink > 1:
        raise JournalError(
            f"{path} has {found.st_nlink} names (hard links), and each would have a write-ahead log and a lock of its"
            f" own, which destroys a journal: remove the others (`find DIR -samefile {path}` tells them); for a copy"
            " use `surefill journal export`",
            code="JOURNAL_LINKED",
            path=path,
            links=found.st_nlink,
        )


def open_writer(path: str, vfs: str | None, synchronous: str) -> apsw.Connection:
    """A connection that may write, on a journal file or an empty one, durable at every commit."""
    conn = apsw.Connection(path, vfs=vfs)
    conn.set_busy_timeout(2_000)
    refuse_foreign(conn, path)
    if conn.readonly("main"):  # SQLite opens a write-protected file all the same, and fails at the first write
        raise apsw.ReadOnlyError("the file is write-protected")
    # A new file becomes a WAL file by way of a rollback journal. Were its deletion lost in a power cut, it would undo
    # everything written since: EXTRA syncs the directory after the deletion.
    conn.execute("PRAGMA synchronous = EXTRA")
    _expect(conn, "journal_mode", "wal", set_to="WAL")
    _expect(conn, "synchronous", {"NORMAL": 1, "FULL": 2}[synchronous], set_to=synchronous)
    _expect(conn, "recursive_triggers", 1, set_to="ON")  # so that REPLACE cannot delete unseen
    _expect(conn, "trusted_schema", 0, set_to="OFF")
    for setting in (
        "fullfsync = ON",
        "checkpoint_fullfsync = ON",
        "wal_autocheckpoint = 0",
        "cache_size = -16384",
        "journal_size_limit = 67108864",
    ):
        conn.execute(f"PRAGMA {setting}").fetchall()
    return conn


def open_reader(path: str, vfs: str | None) -> apsw.Connection:
    """A connection that can only read committed events, and does not hold up the writer."""
    conn = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
    conn.set_busy_timeout(2_000)
    conn.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    conn.execute("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8192").fetchall()
    return conn


def refuse_foreign(conn: apsw.Connection, path: str) -> int:
    """The schema version of a journal, 0 for an empty file; raise for any other kind of file."""
    application_id = conn.pragma("application_id")
    version = conn.pragma("user_version")
    if application_id == 0 and version == 0 and _is_empty(conn):
        return 0
    if application_id != APPLICATION_ID:
        raise JournalForeign(
            f"{path} is a database, but not a surefill journal (application id {application_id:#x}): check the path",
            path=path,
            application_id=application_id,
        )
    if version > len(STEPS):
        raise JournalNewer(
            f"{path} has schema version {version}, this surefill knows up to {len(STEPS)}: upgrade surefill",
            path=path,
            version=version,
        )
    return int(version)


def migrate(conn: apsw.Connection, version: int) -> None:
    """Bring a journal from `version` to the present one, in one transaction."""
    if version == len(STEPS):
        return
    with conn:
        for step in STEPS[version:]:
            conn.execute(step)
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {len(STEPS)}")


def self_check(conn: apsw.Connection) -> list[str]:
    """What SQLite, the schema and a count of the rows say is wrong."""
    damage = [f"page structure: {row[0]}" for row in conn.execute("PRAGMA integrity_check") if row[0] != "ok"]
    guards = [f"guard: {fault}" for fault in guards_missing(conn)]
    ((rows, last),) = conn.execute("SELECT count(*), coalesce(max(position), 0) FROM events").fetchall()
    counts = [] if rows == last else [f"positions: {rows} events, but the last position is {last}"]
    orphans = "SELECT DISTINCT stream FROM {} WHERE stream NOT IN (SELECT stream FROM streams)"
    strays = [
        f"{table}: rows of stream {stream}, which does not exist"
        for table in ("events", "keys")
        for (stream,) in conn.execute(orphans.format(table))
    ]
    return damage + guards + counts + strays


def guards_missing(conn: apsw.Connection) -> list[str]:
    """Tables, indices and triggers that are not as this version makes them."""
    model = apsw.Connection(":memory:")
    for step in STEPS:
        model.execute(step)
    listing = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"
    expected, found = dict(model.execute(listing)), dict(conn.execute(listing))
    model.close()
    missing = [f"{name} is missing" for name in expected if name not in found]
    changed = [f"{name} was changed" for name in expected if name in found and found[name] != expected[name]]
    added = [f"{name} does not belong here" for name in found if name not in expected]
    return sorted(missing + changed + added)


def settle_wal(path: str) -> None:
    """Write what a log left behind says once more, and sync it.

    After a failed sync the kernel may hold pages that never reached the disk yet count as clean: what a
    reopened journal would read from them, and take for durable, a power cut could still undo. Writing the
    same bytes anew makes them dirty again, so that the sync means what it says. A clean shutdown leaves no
    log, and nothing to do.
    """
    wal = path + "-wal"
    try:
        fd = os.open(wal, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        offset = 0
        while chunk := os.pread(fd, 1 << 20, offset):
            os.pwrite(fd, chunk, offset)
            offset += len(chunk)
        os.fsync(fd)
    finally:
        os.close(fd)


def refuse_emptied(conn: apsw.Connection, path: str, lock_path: str) -> None:
    """Raise for a journal that was begun once and holds nothing now."""
    if _is_empty(conn):
        raise JournalCorrupt(
            f"{path} is empty, but a journal was begun there: it was cut off or removed. Restore it from a copy; only "
            f"if it is meant to begin anew, remove {lock_path} first",
            path=path,
        )


def _is_empty(conn: apsw.Connection) -> bool:
    return conn.execute("SELECT count(*) FROM sqlite_schema").fetchall() == [(0,)]


def _expect(conn: apsw.Connection, pragma: str, wanted: object, *, set_to: str) -> None:
    """Set a pragma and read it back: a journal that is not as durable as it says must not open."""
    conn.execute(f"PRAGMA {pragma} = {set_to}").fetchall()
    found = conn.pragma(pragma)
    if found != wanted:
        raise JournalError(
            f"SQLite did not accept {pragma} = {set_to} (it says {found!r}): use a local file system that "
            "supports write-ahead logs",
            code="NOT_DURABLE",
        )
