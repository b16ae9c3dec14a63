"""A journal under which the process can die: before or after each commit, in a snapshot; and whose appends can fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from surefill.domain import codec
from surefill.domain.events import OrderCreated
from surefill.errors import AppendFailed, JournalError
from surefill.journal import Batch, Journal, Snapshot
from surefill.testing.faulty_journal import FaultyJournal
from surefill.testing.simulator.world import PowerCut


class MortalJournal(FaultyJournal):
    """`crash_at`: the number of an append -> "before" or "after" its commit. `cuts` counts the deaths.

    `deaf_reopenings`: so many reopenings fail, as on a disk that is gone for a while.
    """

    def __init__(self, inner: Journal) -> None:
        super().__init__(inner)
        self.crash_at: dict[int, str] = {}
        self.snapshot_crash = ""
        self.deaf_reopenings = 0
        self.cuts: Counter[str] = Counter()
        self._sent: set[str] = set()
        self._seen = 0

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        """See `Journal.append`."""
        when = self.crash_at.pop(self.appends + 1, "")
        if when == "before":
            self.cut("before_commit")
        result = super().append(batches)
        if when == "after":
            self.cut("after_commit")
        return result

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """See `Journal.save_snapshot`."""
        when, self.snapshot_crash = self.snapshot_crash, ""
        if when == "before":
            self.cut("before_snapshot")
        super().save_snapshot(snapshot)
        if when == "after":
            self.cut("after_snapshot")

    def reopen(self) -> None:
        """See `Journal.reopen`."""
        if self.deaf_reopenings:
            self.deaf_reopenings -= 1
            raise AppendFailed("planned fault: the disk is gone", durable="unknown")
        super().reopen()

    def heal(self) -> None:
        """No more faults, no more deaths."""
        self.crash_at.clear()
        self.snapshot_crash = ""
        self.deaf_reopenings = 0
        self._plan.clear()

    def cut(self, where: str) -> None:
        """The process is gone."""
        self.cuts[where] += 1
        raise PowerCut(where)

    def decided(self, cl_ord_id: str) -> bool:
        """Whether the decision to send this order is durable."""
        for record in self.inner.read_all(self._seen):
            self._seen = record.position
            event = codec.decode(record.payload)
            if isinstance(event, OrderCreated):
                self._sent.add(event.request.cl_ord_id)
        return cl_ord_id in self._sent
