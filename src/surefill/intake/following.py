"""Reading along with a journal: every event once, in its order, also those that were committed unheard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from surefill.domain import codec
from surefill.domain.events import Event
from surefill.journal.protocol import Journal


class JournalFollower(ABC):
    """Subscribe `follow` to a writer. What it is told of late, or not at all, it reads from the journal."""

    def __init__(self, journal: Journal, workspace_id: str) -> None:
        self._journal, self._workspace_id = journal, workspace_id
        self._seq = 0

    @abstractmethod
    def take(self, event: Event) -> None:
        """One event."""

    def catch_up(self) -> None:
        """Take what the journal has."""
        self._read_up_to(None)

    def follow(self, first_seq: int, events: Sequence[Event]) -> None:
        """Take events that have just become durable."""
        self._read_up_to(first_seq - 1)
        for event in events[self._seq + 1 - first_seq :]:
            self._seq += 1
            self.take(event)

    def _read_up_to(self, seq: int | None) -> None:
        if seq is None or seq > self._seq:
            for record in self._journal.read(self._workspace_id, self._seq + 1, seq):
                self._seq += 1
                self.take(codec.decode(record.payload))
