"""The hash chain: each event's hash covers the event, its place, its writer's epoch and all that came before.

::

    h(0) = SHA-256("surefill/genesis/1\\0" || workspace id in UTF-8)
    h(n) = SHA-256("surefill/event/1\\0" || h(n-1) || seq (8 bytes, big-endian) || epoch (8 bytes) || payload)

Everything before the payload has a fixed length, so no two different events give the same message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from struct import Struct

from surefill.errors import JournalCorrupt
from surefill.journal.protocol import Head, Record

HASH_SIZE = 32

_GENESIS_DOMAIN = b"surefill/genesis/1\0"
_EVENT_DOMAIN = b"surefill/event/1\0"
_pack_place = Struct(">QQ").pack
_join = b"".join


def genesis(workspace_id: str) -> bytes:
    """The chain's value before the first event of a workspace."""
    return sha256(_GENESIS_DOMAIN + workspace_id.encode()).digest()


def link(head: bytes, seq: int, epoch: int, payload: bytes) -> bytes:
    """The chain's value after one more event."""
    return sha256(_join((_EVENT_DOMAIN, head, _pack_place(seq, epoch), payload))).digest()


def link_rows(
    stream: int, epoch: int, seq: int, head: bytes, payloads: Sequence[bytes]
) -> list[tuple[int, int, int, bytes, bytes]]:
    """Rows (stream, seq, epoch, chain hash, payload) for consecutive events that start at `seq`."""
    rows: list[tuple[int, int, int, bytes, bytes]] = []
    keep = rows.append
    for payload in payloads:
        head = sha256(_join((_EVENT_DOMAIN, head, _pack_place(seq, epoch), payload))).digest()
        keep((stream, seq, epoch, head, payload))
        seq += 1
    return rows


def link_hashes(epoch: int, seq: int, head: bytes, payloads: Sequence[bytes]) -> list[bytes]:
    """The chain's values after each of consecutive events that start at `seq`."""
    hashes: list[bytes] = []
    keep = hashes.append
    for payload in payloads:
        head = sha256(_join((_EVENT_DOMAIN, head, _pack_place(seq, epoch), payload))).digest()
        keep(head)
        seq += 1
    return hashes


def verified(records: Iterable[Record], after: Head, until: Head | None = None) -> Iterator[Record]:
    """Pass one stream's records on, each one checked against the chain before it is handed out.

    `after` is the trusted point that the records follow: `Head(0, 0, genesis(workspace_id))`, or a
    snapshot's. `until` is the stream's head as it was before the reading began: the records must reach it, and have
    its hash there (more may have come since); without it nothing shows that the last ones are gone. Raises
    `JournalCorrupt` at the first record that is missing, out of place, or does not hash.
    """
    seq, epoch, head = after
    if until is not None and seq == until.seq and head != until.chain_hash:
        raise _not_the_head(until)
    for record in records:
        seq += 1
        _, workspace_id, its_seq, its_epoch, payload, its_hash = record
        head = sha256(_join((_EVENT_DOMAIN, head, _pack_place(its_seq, its_epoch), payload))).digest()
        if head != its_hash or its_seq != seq or its_epoch < epoch:
            raise JournalCorrupt(
                f"journal of workspace {workspace_id!r} does not verify at event {seq}: "
                f"{_why(record, seq, epoch)}; run `surefill journal verify`, "
                "and restore from a copy that verifies",
                workspace_id=workspace_id,
                seq=seq,
            )
        if until is not None and seq == until.seq and head != until.chain_hash:
            raise _not_the_head(until)
        epoch = its_epoch
        yield record
    if until is not None and seq < until.seq:
        raise JournalCorrupt(
            f"the stream ends at event {seq}, but its head says {until.seq}: the last events were lost;"
            " run `surefill journal verify`, and restore from a copy that verifies",
            seq=seq + 1,
        )


def _not_the_head(until: Head) -> JournalCorrupt:
    return JournalCorrupt(
        f"event {until.seq} has another hash than the stream's head says: run `surefill journal verify`, and restore"
        " from a copy that verifies",
        seq=until.seq,
    )


def _why(record: Record, seq: int, epoch: int) -> str:
    if record.seq != seq:
        return f"event {record.seq} stands in its place"
    if record.epoch < epoch:
        return f"its epoch {record.epoch} is below {epoch}, that of the event before"
    return "its hash is not that of its content and of the events before it"
