"""How batches become rows: together if nothing stands against it, else each in a savepoint of its own.

Both ways leave a transaction open and say where each lease stands after it; the caller commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import apsw

from surefill.errors import JournalCorrupt, JournalError
from surefill.journal import refusals
from surefill.journal.chain import genesis, link_rows
from surefill.journal.protocol import Batch, Head, KeyClaim, Lease, Record
from surefill.journal.sqlite_readers import fetch

INSERT_EVENT = "INSERT INTO events (stream, seq, epoch, chain_hash, payload) VALUES (?, ?, ?, ?, ?)"
INSERT_KEY = "INSERT INTO keys (stream, mode, key, digest, seq, correlation_id) VALUES (?, ?, ?, ?, ?, ?)"
MOVE_HEAD = (
    "UPDATE streams SET next_seq = ?, head_hash = ? WHERE stream = ? AND epoch = ? AND next_seq = ? AND head_hash = ?"
)
FIND_CLAIM = "SELECT mode, key, digest, seq, correlation_id FROM keys WHERE stream = ? AND mode = ? AND key = ?"
KEYS_AT_ONCE = 64
FIND_CLAIMS = (
    "SELECT mode, key, digest, seq, correlation_id FROM keys WHERE stream = ? AND mode = ? AND key IN "
    f"({', '.join('?' * KEYS_AT_ONCE)})"  # nosec B608: question marks only
)
FIND_HEAD = "SELECT epoch, next_seq, head_hash FROM streams WHERE stream = ?"

EventRow = tuple[int, int, int, bytes, bytes]
KeyRow = tuple[int, str, str, bytes, int, str]


class Tail:
    """Where one lease stands within an append that is under way."""

    __slots__ = ("from_hash", "from_seq", "head_hash", "lease", "next_seq")

    def __init__(self, lease: Lease, from_seq: int, from_hash: bytes) -> None:
        self.lease = lease
        self.from_seq = self.next_seq = from_seq
        self.from_hash = self.head_hash = from_hash

    def advance(self, payloads: Sequence[bytes]) -> list[EventRow]:
        """Rows for the next events, with the tail moved behind them."""
        lease = self.lease
        rows = link_rows(lease.stream, lease.epoch, self.next_seq, self.head_hash, payloads)
        if rows:
            self.next_seq += len(rows)
            self.head_hash = rows[-1][3]
        return rows

    def compare_and_set(self) -> tuple[int, bytes, int, int, int, bytes]:
        """The parameters of MOVE_HEAD, from where the tail began to where it is."""
        lease = self.lease
        return self.next_seq, self.head_hash, lease.stream, lease.epoch, self.from_seq, self.from_hash

    def commit(self) -> None:
        """Move the lease: what was appended is durable."""
        self.lease.next_seq = self.next_seq
        self.lease.head_hash = self.head_hash


class Staged:
    """All batches of an append as rows; `refused` when one of them breaks a rule that needs no storage to
    check."""

    __slots__ = ("events", "keys", "refused", "tails")

    def __init__(self, batches: Sequence[Batch], session: object) -> None:
        self.events: list[EventRow] = []
        self.keys: list[KeyRow] = []
        self.tails: dict[Lease, Tail] = {}
        self.refused = False
        for batch in batches:
            lease, payloads, keys = batch
            tail = self.tails.get(lease)
            if tail is None:
                tail = self.tails[lease] = Tail(lease, lease.next_seq, lease.head_hash)
            if refusals.refusal(batch, tail.next_seq, session) is not None:
                self.refused = True
                return
            self.events += tail.advance(payloads)
            if keys:
                self.keys += key_rows(lease.stream, keys)


def key_rows(stream: int, keys: Sequence[KeyClaim]) -> list[KeyRow]:
    """Rows for idempotency refusals."""
    return [(stream, mode, key, digest, seq, cid) for mode, key, digest, seq, cid in keys]


def insert_together(conn: apsw.Connection, staged: Staged) -> bool:
    """Insert everything at once; False, with nothing kept, when the database objects to any of it."""
    conn.execute("BEGIN IMMEDIATE")
    before = conn.total_changes()
    try:
        conn.executemany(INSERT_EVENT, staged.events)
        if staged.keys:
            conn.executemany(INSERT_KEY, staged.keys)
        conn.executemany(MOVE_HEAD, [tail.compare_and_set() for tail in staged.tails.values()])
    except apsw.ConstraintError:
        changes = -1
    else:
        changes = conn.total_changes() - before
    if changes == len(staged.events) + len(staged.keys) + len(staged.tails):
        return True
    conn.execute("ROLLBACK")
    return False


def insert_apart(
    conn: apsw.Connection, batches: Sequence[Batch], session: object
) -> tuple[list[JournalError | None], dict[Lease, Tail]]:
    """Insert batch by batch, undoing alone those that are refused; a lease once refused stays so."""
    conn.execute("BEGIN IMMEDIATE")
    results: list[JournalError | None] = []
    tails: dict[Lease, Tail] = {}
    refused: set[Lease] = set()
    for batch in batches:
        lease = batch.lease
        before = tails.get(lease)
        tail = (
            Tail(lease, before.next_seq, before.head_hash) if before else Tail(lease, lease.next_seq, lease.head_hash)
        )
        error = refusals.follows_refused(lease) if lease in refused else refusals.refusal(batch, tail.next_seq, session)
        if error is None:
            error = _insert_in_savepoint(conn, batch, tail)
        if error is None:
            tails[lease] = tail
        else:
            refused.add(lease)
        results.append(error)
    return results, tails


def _insert_in_savepoint(conn: apsw.Connection, batch: Batch, tail: Tail) -> JournalError | None:
    conn.execute("SAVEPOINT batch")
    error = _insert_events(conn, batch, tail) or _insert_keys(conn, batch)
    conn.execute("RELEASE batch" if error is None else "ROLLBACK TO batch; RELEASE batch")
    return error


def _insert_events(conn: apsw.Connection, batch: Batch, tail: Tail) -> JournalError | None:
    try:
        conn.executemany(INSERT_EVENT, tail.advance(batch.payloads))
        conn.execute(MOVE_HEAD, tail.compare_and_set())
    except apsw.ConstraintError as error:
        return _why_not(conn, tail, error)
    return None if conn.changes() == 1 else _why_not(conn, tail, None)


def _why_not(conn: apsw.Connection, tail: Tail, error: apsw.ConstraintError | None) -> JournalError:
    """The stream has moved on; or it has not, and then rows stand where none should."""
    lease = tail.lease
    found = fetch(conn, FIND_HEAD, (lease.stream,))
    if found and found[0] != (lease.epoch, tail.from_seq, tail.from_hash):
        return refusals.stale_lease(lease, found[0][0], found[0][1])
    return JournalCorrupt(
        f"workspace {lease.workspace_id!r} cannot go on at event {tail.from_seq}: the stream does not end "
        f"where its head says ({error}); run `surefill journal verify`, "
        "and restore from a copy that verifies",
        workspace_id=lease.workspace_id,
        seq=tail.from_seq,
    )


def _insert_keys(conn: apsw.Connection, batch: Batch) -> JournalError | None:
    lease = batch.lease
    for row in key_rows(lease.stream, batch.keys):
        try:
            conn.execute(INSERT_KEY, row)
        except apsw.ConstraintError:
            taken = fetch(conn, FIND_CLAIM, row[:3])
            if not taken:
                raise
            return refusals.key_taken(lease.workspace_id, KeyClaim(*taken[0]))
    return None


def restore(
    conn: apsw.Connection,
    heads: Mapping[str, Head],
    records: Iterable[Record],
    claims: Iterable[tuple[str, KeyClaim]],
) -> None:
    """Insert whole streams into an empty journal; raise `JournalCorrupt` when one does not end at its head."""
    streams = {workspace_id: stream for stream, workspace_id in enumerate(heads, 1)}
    begun = {name: Head(0, heads[name].epoch, genesis(name)) for name in heads}
    begin = "INSERT INTO streams (stream, workspace_id, epoch, next_seq, head_hash) VALUES (?, ?, ?, 1, ?)"
    conn.executemany(begin, [(streams[name], name, head.epoch, head.chain_hash) for name, head in begun.items()])
    found = dict(begun)

    def event_rows() -> Iterator[EventRow]:
        for _, name, seq, epoch, payload, chain_hash in records:
            found[name] = Head(seq, heads[name].epoch, chain_hash)
            yield streams[name], seq, epoch, chain_hash, payload

    conn.executemany(INSERT_EVENT, event_rows())
    conn.executemany(INSERT_KEY, (key_rows(streams[name], [claim])[0] for name, claim in claims))
    refusals.check_restored(heads, found)
    for name, head in heads.items():
        was = begun[name]
        place = (streams[name], was.epoch, was.seq + 1, was.chain_hash)
        conn.execute(MOVE_HEAD, (head.seq + 1, head.chain_hash, *place))
