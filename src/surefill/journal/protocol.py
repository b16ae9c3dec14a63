"""What a journal is: the contract that every backend keeps and that the engine builds on.

A journal stores opaque bytes. It knows streams (one per workspace), order, durability and idempotency keys;
it knows nothing of what the bytes mean. The rules, in short:

1. A stream has one writer. `open_stream` makes the caller that writer by raising the stream's epoch; whoever
   held the stream before is refused from then on (`StaleWriter`).
2. Sequence numbers start at 1 and have no gaps. Every event is chained to the one before it
   (`journal.chain`).
3. `append` is one durable transaction over many streams. A batch that breaks a rule is undone alone.
4. When a commit fails nobody knows whether it happened: `append` raises `AppendFailed` and the journal
   refuses everything until `reopen`, after which the truth is whatever it contains.
5. Readers see committed events only and never hold up the writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from surefill.errors import JournalError


class Record(NamedTuple):
    """One event as stored.

    `position` orders the events of all streams in this copy of the journal: local, and not part of the hash.
    `seq` counts the stream's events from 1, `epoch` is that of the writer, `chain_hash` is the chain's value
    after this event.
    """

    position: int
    workspace_id: str
    seq: int
    epoch: int
    payload: bytes
    chain_hash: bytes


class KeyClaim(NamedTuple):
    """An idempotency key, claimed for ever in its workspace and mode.

    `digest` identifies what was asked under the key, so that a repetition can be told from a contradiction;
    `seq` is the event of the same batch that claims it.
    """

    mode: str
    key: str
    digest: bytes
    seq: int
    correlation_id: str


class Head(NamedTuple):
    """Where a stream ends: its last sequence number (0 when empty), its writer's epoch, its chain hash."""

    seq: int
    epoch: int
    chain_hash: bytes


class Snapshot(NamedTuple):
    """A folded state, bound to the point of the chain that it was folded up to.

    `position` is filled in by the journal when it loads one: pass 0 when saving.
    """

    workspace_id: str
    seq: int
    chain_hash: bytes
    evolve_version: int
    position: int
    payload: bytes


class Lease:
    """The writer's handle on one stream; `append` moves it along.

    `next_seq` is the sequence number that the next event will get, `head_hash` the chain's value before it.
    `stream` and `session` belong to the journal that gave the lease.
    """

    __slots__ = ("epoch", "head_hash", "next_seq", "session", "stream", "workspace_id")

    def __init__(
        self,
        workspace_id: str,
        epoch: int,
        next_seq: int,
        head_hash: bytes,
        stream: int = 0,
        session: object = None,
    ) -> None:
        self.workspace_id = workspace_id
        self.epoch = epoch
        self.next_seq = next_seq
        self.head_hash = head_hash
        self.stream = stream
        self.session = session

    def __repr__(self) -> str:
        return f"Lease({self.workspace_id!r}, epoch={self.epoch}, next_seq={self.next_seq})"


class Batch(NamedTuple):
    """Events that go together or not at all, with the idempotency keys that they claim.

    The claims' `seq` must lie within the batch: from `lease.next_seq` on, counting the batches before it in
    the same append.
    """

    lease: Lease
    payloads: Sequence[bytes]
    keys: Sequence[KeyClaim] = ()


@runtime_checkable
class Journal(Protocol):
    """The contract. All methods may be called from any thread; writes exclude each other."""

    def open_stream(self, workspace_id: str) -> Lease:
        """Become the stream's only writer: raise its epoch, durably. A stream that is not there is begun."""

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """Commit all batches in one durable transaction; return for each batch None or why it was refused.

        A refused batch (`StaleWriter`, `KeyTaken`) leaves nothing behind and its lease where it was; the
        others commit. A batch after a refused one of the same lease is refused with it. When this returns,
        what was accepted is durable. Raises `AppendFailed` when the transaction fails: `values["durable"]`
        is "no" when nothing can have been kept, "unknown" when only a reopened journal can tell.
        """

    def read(self, workspace_id: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """Stream a workspace's events in order, both ends included; without `to_seq` up to the present
        end."""

    def read_all(self, after_position: int = 0) -> Iterator[Record]:
        """Stream all events in order of position, up to the present end."""

    def find_key(self, workspace_id: str, mode: str, key: str) -> KeyClaim | None:
        """The committed claim of an idempotency key, or None."""

    def find_keys(self, workspace_id: str, mode: str, keys: Sequence[str]) -> dict[str, KeyClaim]:
        """The committed claims of those of the keys that have one, by key: many at little more than the cost of one."""

    def read_keys(self, workspace_id: str) -> Iterator[KeyClaim]:
        """Stream a workspace's claims, ordered by mode and key."""

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, and the one before it of the same workspace and evolve version.

        Raises `JournalError` (code SNAPSHOT_UNBOUND) unless the stream has that chain hash at that event.
        """

    def load_snapshot(
        self, workspace_id: str, evolve_version: int, ignored: list[str] | None = None
    ) -> Snapshot | None:
        """The latest snapshot that the stream vouches for; the reasons for passing over others go to
        `ignored`."""

    def heads(self) -> dict[str, Head]:
        """The end of every stream, by workspace."""

    def restore(
        self, heads: Mapping[str, Head], records: Iterable[Record], claims: Iterable[tuple[str, KeyClaim]]
    ) -> None:
        """Fill an empty journal with events made elsewhere, in one transaction; positions are given anew.

        `records` is read to its end before `claims` (workspace and claim) is begun. The caller verifies the chain
        (`journal.exchange` does). If either raises, or a stream does not end at its head, nothing is kept.
        """

    def self_check(self) -> list[str]:
        """What the storage itself can find wrong (damaged pages, missing guards, rows of no stream)."""

    def free_bytes(self) -> int:
        """Space left for the journal to grow, in bytes."""

    def reopen(self) -> None:
        """Begin again from what is stored: leases given before are refused, streams must be opened again."""

    def close(self) -> None:
        """Let go of everything; a second call does nothing."""
