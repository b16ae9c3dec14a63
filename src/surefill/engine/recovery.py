"""From the journal back to the state: snapshot, then the events after it, with their chain verified."""

from __future__ import annotations

from collections.abc import Iterator

from surefill.domain import codec
from surefill.domain.evolve import EVOLVE_VERSION, evolve
from surefill.domain.state import State
from surefill.errors import JournalCorrupt
from surefill.journal.chain import genesis, link
from surefill.journal.protocol import Journal, Record


def fold_journal(journal: Journal, workspace_id: str, to_seq: int | None = None) -> tuple[State, int]:
    """The state that the journal adds up to, and the sequence number of the snapshot it began from (0: none).

    Raises JournalCorrupt where the chain breaks, naming the event.
    """
    snapshot = journal.load_snapshot(workspace_id, EVOLVE_VERSION) if to_seq is None else None
    if snapshot is None:
        state, seq, head = State(), 0, genesis(workspace_id)
    else:
        state, seq, head = State.restore(snapshot.payload), snapshot.seq, snapshot.chain_hash
    fold(state, verified(journal.read(workspace_id, seq + 1, to_seq), seq, head))
    return state, seq


def fold(state: State, records: Iterator[Record]) -> None:
    """Fold records into the state."""
    decode = codec.decode
    for _, _, _, _, payload, _ in records:
        evolve(state, decode(payload))


def verified(records: Iterator[Record], seq: int, head: bytes) -> Iterator[Record]:
    """The records as they are, each checked to be the next link of the chain."""
    for record in records:
        seq += 1
        _, _, its_seq, epoch, payload, its_hash = record
        head = link(head, its_seq, epoch, payload)
        if head != its_hash or its_seq != seq:
            raise JournalCorrupt(
                f"workspace {record.workspace_id}: event {seq} is not the one that was written (found {record.seq}):"
                " run 'surefill journal verify', restore a backup, do not trade",
                workspace_id=record.workspace_id,
                seq=seq,
            )
        yield record
