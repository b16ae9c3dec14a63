"""A journal in memory, for backtests, benchmarks and simulation: same contract, no durability.

An event costs its hash and a list append. `reopen` keeps what was appended, as a file would.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from threading import RLock

from surefill.errors import JournalClosed, JournalError
from surefill.journal import refusals
from surefill.journal.chain import genesis, link_hashes
from surefill.journal.protocol import Batch, Head, KeyClaim, Lease, Record, Snapshot

SNAPSHOTS_KEPT = 2


class _Span:
    """Consecutive events of one stream, of one epoch, with consecutive positions."""

    __slots__ = ("count", "epoch", "first_seq", "position", "stream")

    def __init__(self, stream: _Stream, first_seq: int, epoch: int, position: int) -> None:
        self.stream = stream
        self.first_seq = first_seq
        self.epoch = epoch
        self.position = position
        self.count = 0

    def records(self, from_seq: int, to_seq: int) -> Iterator[Record]:
        """The span's part of `from_seq` to `to_seq`."""
        first_seq, epoch, stream = self.first_seq, self.epoch, self.stream
        shift = self.position - first_seq
        workspace_id, payloads, hashes = stream.workspace_id, stream.payloads, stream.hashes
        for seq in range(max(first_seq, from_seq), min(first_seq + self.count - 1, to_seq) + 1):
            yield Record(seq + shift, workspace_id, seq, epoch, payloads[seq - 1], hashes[seq - 1])


class _Stream:
    """One workspace's events, as parallel lists; event `seq` is at index `seq - 1`."""

    __slots__ = ("epoch", "hashes", "keys", "payloads", "spans", "workspace_id")

    def __init__(self, workspace_id: str) -> None:
        self.workspace_id = workspace_id
        self.epoch = 0
        self.payloads: list[bytes] = []
        self.hashes: list[bytes] = []
        self.spans: list[_Span] = []
        self.keys: dict[tuple[str, str], KeyClaim] = {}

    def head(self) -> Head:
        last = self.hashes[-1] if self.hashes else genesis(self.workspace_id)
        return Head(len(self.payloads), self.epoch, last)

    def records(self, from_seq: int, to_seq: int) -> Iterator[Record]:
        first = max(bisect_right(self.spans, from_seq, key=_first_seq) - 1, 0)
        for at in range(first, len(self.spans)):
            if self.spans[at].first_seq > to_seq:
                return
            yield from self.spans[at].records(from_seq, to_seq)


class _Staged:
    """What an append of several batches would keep, and where each lease would stand then."""

    __slots__ = ("accepted", "keys", "refused", "session", "streams", "tails")

    def __init__(self, session: object, streams: dict[str, _Stream]) -> None:
        self.session = session
        self.streams = streams
        self.accepted: list[tuple[Batch, list[bytes]]] = []
        self.tails: dict[Lease, tuple[int, bytes]] = {}
        self.keys: dict[tuple[str, str, str], KeyClaim] = {}
        self.refused: set[Lease] = set()

    def refuse(self, batch: Batch) -> JournalError | None:
        """Stage a batch, or say why not."""
        lease, payloads, keys = batch
        if lease in self.refused:
            return refusals.follows_refused(lease)
        next_seq, head = self.tails.get(lease) or (lease.next_seq, lease.head_hash)
        error = _why_not(batch, next_seq, self.session, self.streams, self.keys)
        if error is not None:
            self.refused.add(lease)
            return error
        hashes = link_hashes(lease.epoch, next_seq, head, payloads)
        self.accepted.append((batch, hashes))
        if hashes:
            self.tails[lease] = next_seq + len(hashes), hashes[-1]
        for claim in keys:
            self.keys[lease.workspace_id, claim.mode, claim.key] = claim
        return None


def _why_not(
    batch: Batch,
    next_seq: int,
    session: object,
    streams: dict[str, _Stream],
    staged: dict[tuple[str, str, str], KeyClaim],
) -> JournalError | None:
    """Why a batch cannot be kept: its lease is stale, or a key of it is taken, here or by what is staged."""
    lease, _, keys = batch
    error = refusals.refusal(batch, next_seq, session)
    if error is not None:
        return error
    stream = streams[lease.workspace_id]
    if lease.epoch != stream.epoch or lease.next_seq != len(stream.payloads) + 1:
        return refusals.stale_lease(lease, stream.epoch, len(stream.payloads) + 1)
    if not keys:
        return None
    seen: dict[tuple[str, str], KeyClaim] = {}
    for claim in keys:
        slot = (claim.mode, claim.key)
        taken = stream.keys.get(slot) or staged.get((lease.workspace_id, *slot)) or seen.get(slot)
        if taken is not None:
            return refusals.key_taken(lease.workspace_id, taken)
        seen[slot] = claim
    return None


_first_seq = attrgetter("first_seq")
_position = attrgetter("position")


class MemoryJournal:
    """`Journal` without a disk."""

    def __init__(self) -> None:
        self._mutex = RLock()
        self._session: object | None = object()
        self._streams: dict[str, _Stream] = {}
        self._spans: list[_Span] = []  # of all streams, by position
        self._snapshots: dict[tuple[str, int], list[Snapshot]] = {}
        self._position = 0

    def open_stream(self, workspace_id: str) -> Lease:
        """See `Journal.open_stream`."""
        with self._mutex:
            session = self._live()
            stream = self._streams.setdefault(workspace_id, _Stream(workspace_id))
            stream.epoch += 1
            head = stream.head()
            return Lease(workspace_id, head.epoch, head.seq + 1, head.chain_hash, session=session)

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """See `Journal.append`. Everything is checked and hashed before anything is kept."""
        with self._mutex:
            session = self._live()
            if len(batches) == 1:
                return [self._append_one(batches[0], session)]
            staged = _Staged(session, self._streams)
            results = [staged.refuse(batch) for batch in batches]
            for batch, hashes in staged.accepted:
                self._keep(batch, hashes)
            return results

    def _append_one(self, batch: Batch, session: object) -> JournalError | None:
        """What most appends are: nothing to stage."""
        lease, payloads, _ = batch
        error = _why_not(batch, lease.next_seq, session, self._streams, {})
        if error is None:
            self._keep(batch, link_hashes(lease.epoch, lease.next_seq, lease.head_hash, payloads))
        return error

    def _keep(self, batch: Batch, hashes: list[bytes]) -> None:
        lease, payloads, keys = batch
        stream = self._streams[lease.workspace_id]
        if hashes:
            self._extend(stream, lease.epoch, payloads, hashes)
            lease.next_seq += len(hashes)
            lease.head_hash = hashes[-1]
        for claim in keys:
            stream.keys[claim.mode, claim.key] = claim

    def _extend(self, stream: _Stream, epoch: int, payloads: Sequence[bytes], hashes: list[bytes]) -> None:
        last = self._spans[-1] if self._spans else None
        if last is None or last.stream is not stream or last.epoch != epoch:
            last = _Span(stream, len(stream.payloads) + 1, epoch, self._position + 1)
            self._spans.append(last)
            stream.spans.append(last)
        stream.payloads.extend(payloads)
        stream.hashes.extend(hashes)
        last.count += len(payloads)
        self._position += len(payloads)

    def read(self, workspace_id: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """See `Journal.read`."""
        self._live()
        stream = self._streams.get(workspace_id)
        if stream is None:
            return iter(())
        end = len(stream.payloads)
        return stream.records(max(from_seq, 1), end if to_seq is None else min(to_seq, end))

    def read_all(self, after_position: int = 0) -> Iterator[Record]:
        """See `Journal.read_all`."""
        self._live()
        return self._read_all(after_position, self._position)

    def _read_all(self, after_position: int, end: int) -> Iterator[Record]:
        first = max(bisect_right(self._spans, after_position + 1, key=_position) - 1, 0)
        for at in range(first, len(self._spans)):
            span = self._spans[at]
            if span.position > end:
                return
            shift = span.first_seq - span.position
            yield from span.records(after_position + 1 + shift, end + shift)

    def find_key(self, workspace_id: str, mode: str, key: str) -> KeyClaim | None:
        """See `Journal.find_key`."""
        self._live()
        stream = self._streams.get(workspace_id)
        return None if stream is None else stream.keys.get((mode, key))

    def find_keys(self, workspace_id: str, mode: str, keys: Sequence[str]) -> dict[str, KeyClaim]:
        """See `Journal.find_keys`."""
        found = ((key, self.find_key(workspace_id, mode, key)) for key in keys)
        return {key: claim for key, claim in found if claim is not None}

    def read_keys(self, workspace_id: str) -> Iterator[KeyClaim]:
        """See `Journal.read_keys`."""
        self._live()
        stream = self._streams.get(workspace_id)
        return iter(()) if stream is None else iter(sorted(stream.keys.values()))

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """See `Journal.save_snapshot`."""
        with self._mutex:
            self._live()
            record = next(self.read(snapshot.workspace_id, snapshot.seq, snapshot.seq), None)
            if record is None or record.chain_hash != snapshot.chain_hash or snapshot.seq < 1:
                raise refusals.unbound(snapshot, record.chain_hash if record else None)
            slot = (snapshot.workspace_id, snapshot.evolve_version)
            others = [s for s in self._snapshots.get(slot, []) if s.seq != snapshot.seq]
            kept = sorted([*others, snapshot._replace(position=record.position)], key=lambda s: s.seq)
            self._snapshots[slot] = kept[-SNAPSHOTS_KEPT:]

    def load_snapshot(
        self, workspace_id: str, evolve_version: int, ignored: list[str] | None = None
    ) -> Snapshot | None:
        """See `Journal.load_snapshot`. In memory nothing can come loose, so nothing is ignored."""
        self._live()
        kept = self._snapshots.get((workspace_id, evolve_version))
        return kept[-1] if kept else None

    def heads(self) -> dict[str, Head]:
        """See `Journal.heads`."""
        with self._mutex:
            self._live()
            return {name: stream.head() for name, stream in self._streams.items()}

    def restore(
        self, heads: Mapping[str, Head], records: Iterable[Record], claims: Iterable[tuple[str, KeyClaim]]
    ) -> None:
        """See `Journal.restore`."""
        with self._mutex:
            self._live()
            if self._streams:
                raise refusals.not_empty()
            filled = MemoryJournal()
            for workspace_id, head in heads.items():
                filled._streams[workspace_id] = _Stream(workspace_id)
                filled._streams[workspace_id].epoch = head.epoch
            for record in records:
                stream = filled._streams[record.workspace_id]
                filled._extend(stream, record.epoch, [record.payload], [record.chain_hash])
            for workspace_id, claim in claims:
                filled._streams[workspace_id].keys[claim.mode, claim.key] = claim
            refusals.check_restored(heads, filled.heads())
            self._streams, self._spans, self._position = filled._streams, filled._spans, filled._position

    def self_check(self) -> list[str]:
        """See `Journal.self_check`: memory has nothing to check."""
        self._live()
        return []

    def free_bytes(self) -> int:
        """See `Journal.free_bytes`: no limit is known."""
        return sys.maxsize

    def reopen(self) -> None:
        """See `Journal.reopen`."""
        with self._mutex:
            self._session = object()

    def close(self) -> None:
        """See `Journal.close`."""
        self._session = None

    def _live(self) -> object:
        if self._session is None:
            raise JournalClosed("the journal in memory is closed: reopen it first")
        return self._session
