"""One step in the making: what has been emitted so far, and on whose account."""

from __future__ import annotations

from surefill.domain.effects import Effect
from surefill.domain.events import Event
from surefill.domain.evolve import evolve
from surefill.domain.state import State


class Step:
    """Collects events and effects; every event is folded the moment it is emitted.

    `correlation_id` is the story that the step belongs to, `cause` the sequence number of what set it off.
    """

    __slots__ = ("book", "cause", "correlation_id", "effects", "events", "state", "ts_ns")

    def __init__(self, state: State, ts_ns: int) -> None:
        self.state = state
        self.book = state.book
        self.ts_ns = ts_ns
        self.correlation_id = ""
        self.cause = 0
        self.events: list[Event] = []
        self.effects: list[Effect] = []

    def emit(self, event: Event) -> None:
        """Record what happened and fold it."""
        self.events.append(event)
        evolve(self.state, event)

    def ask(self, effect: Effect) -> None:
        """Ask the shell for something."""
        self.effects.append(effect)
