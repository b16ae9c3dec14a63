"""The rules for a batch that need no storage: shared by every backend, so that all refuse alike."""

from __future__ import annotations

from collections.abc import Mapping

from surefill.errors import JournalCorrupt, JournalError, KeyTaken, StaleWriter
from surefill.journal.protocol import Batch, Head, KeyClaim, Lease, Snapshot


def refusal(batch: Batch, next_seq: int, session: object) -> JournalError | None:
    """Why a batch cannot be appended at `next_seq` in this session, or None."""
    if batch.lease.session is not session:
        return stale_session(batch.lease)
    if not batch.keys:
        return None
    end = next_seq + len(batch.payloads)
    for claim in batch.keys:
        if not next_seq <= claim.seq < end:
            return JournalError(
                f"key {claim.key!r} of workspace {batch.lease.workspace_id!r} claims event {claim.seq}, but "
                f"its batch holds events {next_seq} to {end - 1}: "
                "a key must be claimed by an event of its own batch",
                code="KEY_OUTSIDE_BATCH",
                seq=claim.seq,
            )
    return None


def stale_session(lease: Lease) -> StaleWriter:
    """The lease was given by another journal, or before it was reopened."""
    return StaleWriter(
        f"the lease on workspace {lease.workspace_id!r} (epoch {lease.epoch}) was given before this journal "
        "was opened: open the stream again and fold it anew",
        workspace_id=lease.workspace_id,
        epoch=lease.epoch,
    )


def stale_lease(lease: Lease, epoch: int, next_seq: int) -> StaleWriter:
    """The compare-and-set failed: the stream has moved on to `epoch` and `next_seq`."""
    return StaleWriter(
        f"workspace {lease.workspace_id!r} has another writer: the stream is at epoch {epoch}, next event "
        f"{next_seq}, the lease at epoch {lease.epoch}, next event {lease.next_seq}; this writer must stop",
        workspace_id=lease.workspace_id,
        epoch=epoch,
        next_seq=next_seq,
    )


def follows_refused(lease: Lease) -> StaleWriter:
    """An earlier batch of the same lease was refused, so what this one was decided on never happened."""
    return StaleWriter(
        f"an earlier batch of workspace {lease.workspace_id!r} in the same append was refused, so this one, "
        "which builds on it, is refused too: decide it again",
        workspace_id=lease.workspace_id,
    )


def key_taken(workspace_id: str, taken: KeyClaim) -> KeyTaken:
    """The key is claimed already: by an event of the stream, or by one of the same append."""
    return KeyTaken(
        f"idempotency key {taken.key!r} is already claimed in workspace {workspace_id!r}, mode "
        f"{taken.mode!r}, by event {taken.seq} ({taken.correlation_id})",
        workspace_id=workspace_id,
        mode=taken.mode,
        key=taken.key,
        seq=taken.seq,
    )


def unbound(snapshot: Snapshot, found: bytes | None) -> JournalError:
    """The snapshot belongs to no point of the stream."""
    there = "has no such event" if found is None else f"has hash {found.hex()[:16]}… there"
    return JournalError(
        f"snapshot of workspace {snapshot.workspace_id!r} at event {snapshot.seq} (hash "
        f"{snapshot.chain_hash.hex()[:16]}…) is refused: the stream {there}",
        code="SNAPSHOT_UNBOUND",
        workspace_id=snapshot.workspace_id,
        seq=snapshot.seq,
    )


def not_empty() -> JournalError:
    """Only an empty journal can be restored into."""
    return JournalError(
        "this journal already holds streams, and restoring fills only an empty one: choose a new file",
        code="JOURNAL_NOT_EMPTY",
    )


def check_restored(promised: Mapping[str, Head], found: Mapping[str, Head]) -> None:
    """Raise `JournalCorrupt` unless every stream ends where its head says."""
    for workspace_id, head in promised.items():
        last = found.get(workspace_id)
        if last != head:
            raise JournalCorrupt(
                f"workspace {workspace_id!r} should end at event {head.seq} but what was given ends at "
                f"{last.seq if last else 0}, or with another hash: nothing was restored",
                workspace_id=workspace_id,
            )
