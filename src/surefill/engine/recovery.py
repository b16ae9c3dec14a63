"""From the journal back to the state: snapshot, then the events after it, with their chain verified."""

from __future__ import annotations

from collections.abc import Iterator

from surefill.domain import codec
from surefill.domain.evolve import EVOLVE_VERSION, evolve
from surefill.domain.state import State
from surefill.journal.chain import genesis, verified
from surefill.journal.protocol import Head, Journal, Record


def fold_journal(journal: Journal, workspace_id: str, to_seq: int | None = None) -> tuple[State, int]:
    """The state that the journal adds up to, and the sequence number of the snapshot it began from (0: none).

    Raises JournalCorrupt where the chain breaks, or ends before the stream's head, naming the event.
    """
    head = journal.heads().get(workspace_id) if to_seq is None else None
    snapshot = journal.load_snapshot(workspace_id, EVOLVE_VERSION) if to_seq is None else None
    if snapshot is None:
        state, after = State(), Head(0, 0, genesis(workspace_id))
    else:
        state, after = State.restore(snapshot.payload), Head(snapshot.seq, 0, snapshot.chain_hash)
    fold(state, verified(journal.read(workspace_id, after.seq + 1, to_seq), after, head))
    return state, after.seq


def fold(state: State, records: Iterator[Record]) -> None:
    """Fold records into the state."""
    decode = codec.decode
    for _, _, _, _, payload, _ in records:
        evolve(state, decode(payload))
