"""Follows the journal of the door's workspace: the order view and the bus learn of everything that becomes durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from surefill.domain import codec
from surefill.domain.events import Event
from surefill.intake.pipeline.event_view import EventView
from surefill.intake.pipeline.events import PipelineEvent
from surefill.intake.pipeline.order_view import OrderManager
from surefill.journal.protocol import Journal

Listener = Callable[[PipelineEvent], None]


class Follower:
    """A subscriber of the workspace's commits, on the engine's thread. What was there before it is folded silently."""

    def __init__(self, journal: Journal, workspace_id: str, orders: OrderManager) -> None:
        self.listeners: list[Listener] = []
        self._journal, self._workspace_id = journal, workspace_id
        self._orders = orders
        self._view = EventView()
        self._seq = 0

    def catch_up(self) -> None:
        """Fold what the journal has; nobody is told of that."""
        listeners, self.listeners = self.listeners, []
        self._read_up_to(None)
        self.listeners = listeners

    def follow(self, first_seq: int, events: Sequence[Event]) -> None:
        """Take events that have just become durable."""
        self._read_up_to(first_seq - 1)
        for event in events[self._seq + 1 - first_seq :]:
            self._take(event)

    def _read_up_to(self, seq: int | None) -> None:
        """Catch up with what was committed unheard."""
        if seq is None or seq > self._seq:
            for record in self._journal.read(self._workspace_id, self._seq + 1, seq):
                self._take(codec.decode(record.payload))

    def _take(self, event: Event) -> None:
        self._seq += 1
        said = self._view.take(event)
        self._orders.take(self._view.fold, event, self._view.undelivered)
        for listener in self.listeners:
            for each in said:
                listener(each)
