"""Follows the journal of the door's workspace: the order view and the bus learn of everything that becomes durable."""

from __future__ import annotations

from collections.abc import Callable

from surefill.domain.events import Event
from surefill.intake.following import JournalFollower
from surefill.intake.pipeline.event_view import EventView
from surefill.intake.pipeline.events import PipelineEvent
from surefill.intake.pipeline.order_view import OrderManager
from surefill.journal.protocol import Journal

Listener = Callable[[PipelineEvent], None]


class Follower(JournalFollower):
    """A subscriber of the workspace's commits, on the engine's thread. What was there before it is folded silently."""

    def __init__(self, journal: Journal, workspace_id: str, orders: OrderManager) -> None:
        super().__init__(journal, workspace_id)
        self.listeners: list[Listener] = []
        self._orders = orders
        self._view = EventView()

    def catch_up(self) -> None:
        """Fold what the journal has; nobody is told of that."""
        listeners, self.listeners = self.listeners, []
        super().catch_up()
        self.listeners = listeners

    def take(self, event: Event) -> None:
        """Fold it, and tell whoever listens what it says."""
        said = self._view.take(event)
        self._orders.take(self._view.fold, event, self._view.undelivered)
        for listener in self.listeners:
            for each in said:
                listener(each)
