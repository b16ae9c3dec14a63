"""The journal in one SQLite file: the embedded default.

One connection writes, owns the checkpoints and is fenced by an operating-system lock; readers have
connections of their own and read in pieces, so that a slow reader never keeps the log from being emptied. An
append costs a hash and a tuple per event and a handful of statements per call (`journal.sqlite_append`). Any
error at a commit, or one that nobody foresaw within it, ends the connection: rule 4 of `journal.protocol`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from threading import RLock

import apsw

from surefill.errors import AppendFailed, JournalClosed, JournalError
from surefill.journal import refusals, sqlite_append, sqlite_schema
from surefill.journal.chain import genesis
from surefill.journal.file_lock import FileLock, lock_path
from surefill.journal.protocol import Batch, Head, KeyClaim, Lease, Record, Snapshot
from surefill.journal.sqlite_faults import translate
from surefill.journal.sqlite_readers import Readers, fetch

KEYS_AT_ONCE = sqlite_append.KEYS_AT_ONCE
SNAPSHOTS_KEPT = 2
CHECKPOINT_PAGES = 1_000  # of 4 KiB: more saves nothing (measured), and makes the longest append longer
READ_ROWS = 1_024

_FIND_STREAM = "SELECT stream, epoch, next_seq, head_hash FROM streams WHERE workspace_id = ?"
_FIND_EVENT = "SELECT stream, chain_hash FROM streams JOIN events USING (stream) WHERE workspace_id = ? AND seq = ?"
_READ_STREAM = (
    "SELECT position, ?, seq, epoch, payload, chain_hash FROM events "
    "WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
)
_READ_ALL = (
    "SELECT e.position, s.workspace_id, e.seq, e.epoch, e.payload, e.chain_hash "
    "FROM events e CROSS JOIN streams s ON s.stream = e.stream "
    "WHERE e.position BETWEEN ? AND ? ORDER BY e.position LIMIT ?"
)
_READ_KEYS = (
    "SELECT mode, key, digest, seq, correlation_id FROM keys WHERE stream = ? AND (mode, key) > (?, ?) "
    "ORDER BY mode, key LIMIT ?"
)
_FIND_SNAPSHOTS = (
    "SELECT n.rowid, n.seq, n.chain_hash, n.digest, e.chain_hash, e.position FROM streams s "
    "JOIN snapshots n ON n.stream = s.stream LEFT JOIN events e ON e.stream = n.stream AND e.seq = n.seq "
    "WHERE s.workspace_id = ? AND n.evolve_version = ? ORDER BY n.seq DESC"
)
_READ_SNAPSHOT = "SELECT payload FROM snapshots WHERE rowid = ?"
_PRUNE_SNAPSHOTS = (
    "DELETE FROM snapshots WHERE stream = ?1 AND evolve_version = ?2 AND seq NOT IN "
    "(SELECT seq FROM snapshots WHERE stream = ?1 AND evolve_version = ?2 ORDER BY seq DESC LIMIT ?3)"
)

_as_record = partial(tuple.__new__, Record)


class SqliteJournal:
    """`Journal` in a SQLite file.

    `readonly` opens beside a writer, and refuses to write. `vfs`, `checkpoint_pages` and `page_count_max`
    are for tests and measurements; `unsafe_synchronous="NORMAL"` exists to show in a test that it loses
    acknowledged events. Raises `JournalLocked`, `JournalForeign`, `JournalNewer`, `JournalCorrupt`, or
    `JournalError` with what to do.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        readonly: bool = False,
        vfs: str | None = None,
        checkpoint_pages: int = CHECKPOINT_PAGES,
        page_count_max: int | None = None,
        unsafe_synchronous: str = "FULL",
    ) -> None:
        sqlite_schema.check_sqlite_version()
        self.path = os.path.realpath(path)  # a link to a journal is that journal: one lock, one log, one socket
        self._readonly = readonly
        self._vfs = vfs
        self._checkpoint_pages = self._checkpoint_at = checkpoint_pages
        self._page_count_max = page_count_max
        self._synchronous = unsafe_synchronous
        self._mutex = RLock()
        self._readers: Readers | None = None
        self._conn: apsw.Connection | None = None
        self._lock: FileLock | None = None
        self._why_closed = "it was closed"
        self._session: object = None
        self._wal_pages = 0
        self._stream_numbers: dict[str, int] = {}
        self._open()

    # Life

    def _open(self) -> None:
        try:
            sqlite_schema.refuse_no_file(self.path)
            if not self._readonly:
                self._open_writer()
            self._readers = Readers(self.path, self._vfs)
            self._session = object()
        except BaseException as error:
            self.close()
            if isinstance(error, (apsw.Error, OSError)):
                raise translate(error, self.path, "opening it") from error
            raise

    def _open_writer(self) -> None:
        lock = self._lock = FileLock(lock_path(self.path))
        sqlite_schema.settle_wal(self.path)
        conn = self._conn = sqlite_schema.open_writer(self.path, self._vfs, self._synchronous)
        if lock.begun:
            sqlite_schema.refuse_emptied(conn, self.path, lock.path)
        sqlite_schema.migrate(conn, sqlite_schema.refuse_foreign(conn, self.path))
        lock.mark_begun()
        conn.set_wal_hook(self._note_wal)
        if self._page_count_max is not None:
            conn.pragma("max_page_count", self._page_count_max)

    def reopen(self) -> None:
        """See `Journal.reopen`."""
        with self._mutex:
            self.close()
            self._open()

    def close(self) -> None:
        """See `Journal.close`."""
        with self._mutex:
            self._session = None
            self._stream_numbers.clear()
            self._why_closed = "it was closed"
            if self._readers is not None:
                self._readers.close()
                self._readers = None
            if self._conn is not None:
                self._conn.close(True)  # what is to be durable is so already: nothing hangs on how the closing goes
                self._conn = None
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def _stop(self, conn: apsw.Connection, why: str) -> None:
        """End everything after a failure, leaving the log as it is: no checkpoint, no second sync."""
        conn.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self.close()
        self._why_closed = why

    def _closed(self) -> JournalClosed:
        return JournalClosed(f"journal {self.path} takes no calls because {self._why_closed}: reopen it first")

    def _writer(self) -> apsw.Connection:
        if self._session is None:
            raise self._closed()
        if self._conn is None:
            raise JournalError(f"journal {self.path} was opened read-only: it takes no writes", code="READ_ONLY")
        return self._conn

    # Writing

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """See `Journal.append`."""
        with self._mutex:
            conn = self._writer()
            staged = sqlite_append.Staged(batches, self._session)
            results: list[JournalError | None] = [None] * len(batches)
            tails = staged.tails
            durable = "no"
            try:
                if staged.refused or not sqlite_append.insert_together(conn, staged):
                    results, tails = sqlite_append.insert_apart(conn, batches, self._session)
                durable = "unknown"
                conn.execute("COMMIT")
            except BaseException as error:
                raise self._append_failed(conn, error, durable) from error
            for tail in tails.values():
                tail.commit()
            self._checkpoint_if_due(conn)
            return results

    def _append_failed(self, conn: apsw.Connection, error: BaseException, durable: str) -> BaseException:
        """Stop, and say so; an interrupt stays an interrupt."""
        self._stop(conn, f"an append failed ({error})")
        if not isinstance(error, Exception):
            return error
        kept = "nothing of it was kept" if durable == "no" else "it may or may not have been kept"
        why = translate(error, self.path, "appending")
        return AppendFailed(f"{why.message}; {kept}", durable=durable, cause=why)

    def _note_wal(self, _conn: apsw.Connection, _schema: str, pages: int) -> int:
        self._wal_pages = pages
        if pages < self._checkpoint_pages:
            self._checkpoint_at = self._checkpoint_pages
        return apsw.SQLITE_OK

    def _checkpoint_if_due(self, conn: apsw.Connection) -> None:
        """Move the log into the file. What was committed is durable already: a failure ends only what comes after."""
        if self._wal_pages < self._checkpoint_at:
            return
        self._checkpoint_at = self._wal_pages + self._checkpoint_pages
        try:
            conn.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            self._stop(conn, f"a checkpoint failed ({error})")

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[apsw.Connection]:
        """A durable transaction that is not an append; a commit that fails stops the journal all the same."""
        with self._mutex:
            conn = self._writer()
            try:
                conn.execute("BEGIN IMMEDIATE")
                yield conn
            except BaseException as error:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                if isinstance(error, apsw.Error):
                    raise translate(error, self.path, doing) from error
                raise
            try:
                conn.execute("COMMIT")
            except BaseException as error:
                raise self._append_failed(conn, error, "unknown") from error
            self._checkpoint_if_due(conn)

    def open_stream(self, workspace_id: str) -> Lease:
        """See `Journal.open_stream`."""
        with self._transaction(f"opening stream {workspace_id!r}") as conn:
            conn.execute(
                "INSERT INTO streams (workspace_id, epoch, next_seq, head_hash) VALUES (?, 1, 1, ?) "
                "ON CONFLICT (workspace_id) DO UPDATE SET epoch = epoch + 1",
                (workspace_id, genesis(workspace_id)),
            )
            ((stream, epoch, next_seq, head_hash),) = fetch(conn, _FIND_STREAM, (workspace_id,))
        return Lease(workspace_id, epoch, next_seq, head_hash, stream, self._session)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """See `Journal.save_snapshot`."""
        workspace_id, seq, chain_hash, evolve_version, _, payload = snapshot
        with self._transaction(f"saving a snapshot of {workspace_id!r}") as conn:
            found = fetch(conn, _FIND_EVENT, (workspace_id, seq))
            if not found or found[0][1] != chain_hash:
                raise refusals.unbound(snapshot, found[0][1] if found else None)
            stream = found[0][0]
            conn.execute(
                "INSERT OR REPLACE INTO snapshots (stream, evolve_version, seq, chain_hash, digest, payload) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (stream, evolve_version, seq, chain_hash, sha256(payload).digest(), payload),
            )
            conn.execute(_PRUNE_SNAPSHOTS, (stream, evolve_version, SNAPSHOTS_KEPT))

    def restore(
        self, heads: Mapping[str, Head], records: Iterable[Record], claims: Iterable[tuple[str, KeyClaim]]
    ) -> None:
        """See `Journal.restore`."""
        with self._transaction("restoring") as conn:
            if fetch(conn, "SELECT count(*) FROM streams", ()) != [(0,)]:
                raise refusals.not_empty()
            sqlite_append.restore(conn, heads, records, claims)

    # Reading

    def _reading(self) -> Readers:
        readers = self._readers
        if readers is None:
            raise self._closed()
        return readers

    def read(self, workspace_id: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """See `Journal.read`."""
        readers = self._reading()
        stream = self._stream_of(readers, workspace_id)
        if stream is None:
            return iter(())
        ((last_seq,),) = readers.query("SELECT coalesce(max(seq), 0) FROM events WHERE stream = ?", (stream,))
        end = last_seq if to_seq is None else min(to_seq, last_seq)
        return self._read_stream(workspace_id, stream, from_seq, end)

    def _read_stream(self, workspace_id: str, stream: int, at: int, end: int) -> Iterator[Record]:
        while at <= end:
            rows = self._reading().query(_READ_STREAM, (workspace_id, stream, at, end, READ_ROWS))
            yield from map(_as_record, rows)
            if len(rows) < READ_ROWS:
                return
            at = rows[-1][2] + 1

    def read_all(self, after_position: int = 0) -> Iterator[Record]:
        """See `Journal.read_all`."""
        ((end,),) = self._reading().query("SELECT max(position) FROM events", ())
        return self._read_all(after_position + 1, end or 0)

    def _read_all(self, at: int, end: int) -> Iterator[Record]:
        while at <= end:
            rows = self._reading().query(_READ_ALL, (at, end, READ_ROWS))
            yield from map(_as_record, rows)
            if len(rows) < READ_ROWS:
                return
            at = rows[-1][0] + 1

    def find_key(self, workspace_id: str, mode: str, key: str) -> KeyClaim | None:
        """See `Journal.find_key`."""
        readers = self._reading()
        stream = self._stream_of(readers, workspace_id)
        if stream is None:
            return None
        found = readers.query(sqlite_append.FIND_CLAIM, (stream, mode, key))
        return KeyClaim(*found[0]) if found else None

    def find_keys(self, workspace_id: str, mode: str, keys: Sequence[str]) -> dict[str, KeyClaim]:
        """See `Journal.find_keys`."""
        readers = self._reading()
        stream = self._stream_of(readers, workspace_id)
        found: dict[str, KeyClaim] = {}
        if stream is None:
            return found
        for at in range(0, len(keys), KEYS_AT_ONCE):
            asked = tuple(keys[at : at + KEYS_AT_ONCE])
            filled = asked + asked[-1:] * (KEYS_AT_ONCE - len(asked))  # one statement, whatever their number
            for row in readers.query(sqlite_append.FIND_CLAIMS, (stream, mode, *filled)):
                found[row[1]] = KeyClaim(*row)
        return found

    def _stream_of(self, readers: Readers, workspace_id: str) -> int | None:
        """A workspace's stream number, which never changes once it is there."""
        stream = self._stream_numbers.get(workspace_id)
        if stream is None:
            for (stream,) in readers.query("SELECT stream FROM streams WHERE workspace_id = ?", (workspace_id,)):
                self._stream_numbers[workspace_id] = stream
        return stream

    def read_keys(self, workspace_id: str) -> Iterator[KeyClaim]:
        """See `Journal.read_keys`."""
        stream = self._stream_of(self._reading(), workspace_id)
        return iter(()) if stream is None else self._read_keys(stream)

    def _read_keys(self, stream: int) -> Iterator[KeyClaim]:
        mode, key = "", ""
        while rows := self._reading().query(_READ_KEYS, (stream, mode, key, READ_ROWS)):
            yield from map(KeyClaim._make, rows)
            mode, key = rows[-1][:2]

    def load_snapshot(
        self, workspace_id: str, evolve_version: int, ignored: list[str] | None = None
    ) -> Snapshot | None:
        """See `Journal.load_snapshot`."""
        readers = self._reading()
        found = readers.query(_FIND_SNAPSHOTS, (workspace_id, evolve_version))
        for row, seq, chain_hash, digest, there, position in found:
            payload = b"".join(state for (state,) in readers.query(_READ_SNAPSHOT, (row,)))
            snapshot = Snapshot(workspace_id, seq, chain_hash, evolve_version, position or 0, payload)
            if there != chain_hash:
                reason = refusals.unbound(snapshot, there).message
            elif sha256(payload).digest() != digest:
                reason = f"snapshot of workspace {workspace_id!r} at event {seq} is damaged (wrong digest)"
            else:
                return snapshot
            if ignored is not None:
                ignored.append(reason)
        return None

    def heads(self) -> dict[str, Head]:
        """See `Journal.heads`."""
        query = "SELECT workspace_id, next_seq - 1, epoch, head_hash FROM streams ORDER BY stream"
        return {name: Head(*head) for name, *head in self._reading().query(query, ())}

    def self_check(self) -> list[str]:
        """See `Journal.self_check`."""
        return self._reading().use(sqlite_schema.self_check)

    def free_bytes(self) -> int:
        """See `Journal.free_bytes`."""
        return shutil.disk_usage(os.path.dirname(self.path)).free
