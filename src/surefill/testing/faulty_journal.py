"""A journal that fails when it is told to, around one that works: for tests of what is built on a journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum

from surefill.errors import AppendFailed, JournalClosed, JournalError, KeyTaken
from surefill.journal.protocol import Batch, Head, Journal, KeyClaim, Lease, Record, Snapshot


class JournalFault(Enum):
    """What may go wrong with an append."""

    REFUSED = "fails before the commit: nothing is kept, and this is known"
    LOST = "the commit fails, nobody knows how it ended: nothing was kept"
    KEPT = "the commit fails, nobody knows how it ended: everything was kept"
    KEYS_TAKEN = "every key in the append is claimed by somebody else just before"
    STALE = "another writer takes every stream in the append just before"


class FaultyJournal:
    """`Journal` around `inner`. `plan` a fault for an append to come; `fired` counts those that happened.

    After REFUSED, LOST and KEPT everything is refused (`JournalClosed`) until `reopen`, as the contract says.
    """

    def __init__(self, inner: Journal) -> None:
        self.inner = inner
        self.appends = 0
        self.fired: Counter[JournalFault] = Counter()
        self._plan: dict[int, JournalFault] = {}
        self._stopped = False
        self._stolen: dict[tuple[str, str, str], KeyClaim] = {}

    def plan(self, fault: JournalFault, nth: int = 1) -> None:
        """Let the `nth` append from now on suffer the fault."""
        self._plan[self.appends + nth] = fault

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """See `Journal.append`; suffers what was planned."""
        self._check()
        self.appends += 1
        fault = self._plan.pop(self.appends, None)
        if fault is None:
            return self._append(batches)
        self.fired[fault] += 1
        if fault is JournalFault.STALE:
            for batch in batches:
                self.inner.open_stream(batch.lease.workspace_id)
            return self._append(batches)
        if fault is JournalFault.KEYS_TAKEN:
            for batch in batches:
                for claim in batch.keys:
                    slot = (batch.lease.workspace_id, claim.mode, claim.key)
                    self._stolen.setdefault(slot, claim._replace(correlation_id="somebody-else"))
            return self._append(batches)
        if fault is JournalFault.KEPT:
            self.inner.append(batches)
        self._stopped = True
        durable = "no" if fault is JournalFault.REFUSED else "unknown"
        raise AppendFailed(f"planned fault: {fault.value}", durable=durable, cause=None)

    def _append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """Keep back the batches whose keys are stolen, and whatever follows them on the same lease."""
        refused: dict[int, JournalError] = {}
        leases: set[Lease] = set()
        for at, batch in enumerate(batches):
            stolen = [slot for c in batch.keys if (slot := (batch.lease.workspace_id, c.mode, c.key)) in self._stolen]
            if stolen or batch.lease in leases:
                leases.add(batch.lease)
                refused[at] = KeyTaken(f"planned fault: {stolen or 'a key of a batch before'} taken")
        results = iter(self.inner.append([batch for at, batch in enumerate(batches) if at not in refused]))
        return [refused[at] if at in refused else next(results) for at in range(len(batches))]

    def find_key(self, workspace_id: str, mode: str, key: str) -> KeyClaim | None:
        """See `Journal.find_key`; knows the stolen keys too."""
        self._check()
        return self._stolen.get((workspace_id, mode, key)) or self.inner.find_key(workspace_id, mode, key)

    def find_keys(self, workspace_id: str, mode: str, keys: Sequence[str]) -> dict[str, KeyClaim]:
        """See `Journal.find_keys`; knows the stolen keys too."""
        self._check()
        stolen = {key: claim for key in keys if (claim := self._stolen.get((workspace_id, mode, key))) is not None}
        return self.inner.find_keys(workspace_id, mode, keys) | stolen

    def open_stream(self, workspace_id: str) -> Lease:
        """See `Journal.open_stream`."""
        self._check()
        return self.inner.open_stream(workspace_id)

    def read(self, workspace_id: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        """See `Journal.read`."""
        self._check()
        return self.inner.read(workspace_id, from_seq, to_seq)

    def read_all(self, after_position: int = 0) -> Iterator[Record]:
        """See `Journal.read_all`."""
        self._check()
        return self.inner.read_all(after_position)

    def read_keys(self, workspace_id: str) -> Iterator[KeyClaim]:
        """See `Journal.read_keys`."""
        self._check()
        return self.inner.read_keys(workspace_id)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """See `Journal.save_snapshot`."""
        self._check()
        self.inner.save_snapshot(snapshot)

    def load_snapshot(
        self, workspace_id: str, evolve_version: int, ignored: list[str] | None = None
    ) -> Snapshot | None:
        """See `Journal.load_snapshot`."""
        self._check()
        return self.inner.load_snapshot(workspace_id, evolve_version, ignored)

    def heads(self) -> dict[str, Head]:
        """See `Journal.heads`."""
        self._check()
        return self.inner.heads()

    def restore(
        self, heads: Mapping[str, Head], records: Iterable[Record], claims: Iterable[tuple[str, KeyClaim]]
    ) -> None:
        """See `Journal.restore`."""
        self._check()
        self.inner.restore(heads, records, claims)

    def self_check(self) -> list[str]:
        """See `Journal.self_check`."""
        self._check()
        return self.inner.self_check()

    def free_bytes(self) -> int:
        """See `Journal.free_bytes`."""
        self._check()
        return self.inner.free_bytes()

    def reopen(self) -> None:
        """See `Journal.reopen`; ends the refusing."""
        self.inner.reopen()
        self._stopped = False

    def close(self) -> None:
        """See `Journal.close`."""
        self.inner.close()

    def _check(self) -> None:
        if self._stopped:
            raise JournalClosed("this journal takes no calls because a planned append failed: reopen it first")
