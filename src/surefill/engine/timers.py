"""The timers that the core has asked for: by name, and by when they are due.

An order that may take a minute to fill leaves its timer here for a minute, filled or not. There may be tens of
thousands of them, and after every turn the engine asks which is the next: so they stand in a heap as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush


class Timers:
    """A collection of names. `pending`: name -> the moment it is due; to be read only."""

    __slots__ = ("_queue", "pending")

    def __init__(self) -> None:
        self.pending: dict[str, int] = {}
        self._queue: list[tuple[int, str]] = []  # and, until they come up, entries that were replaced

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self.pending)

    def set(self, name: str, at_ns: int) -> None:
        """Due at `at_ns`; one of the same name is replaced."""
        self.pending[name] = at_ns
        heappush(self._queue, (at_ns, name))
        if len(self._queue) > 2 * len(self.pending) + 64:
            self._queue = [(at_ns, name) for name, at_ns in self.pending.items()]
            heapify(self._queue)

    def next_ns(self) -> int | None:
        """When the earliest is due."""
        queue, pending = self._queue, self.pending
        while queue and pending.get(queue[0][1]) != queue[0][0]:
            heappop(queue)
        return queue[0][0] if queue else None

    def take_due(self, now_ns: int) -> list[str]:
        """Take out those whose time has come, earliest first, then by name."""
        due = []
        while (at_ns := self.next_ns()) is not None and at_ns <= now_ns:
            _, name = heappop(self._queue)
            del self.pending[name]
            due.append(name)
        return due

    def clear(self) -> None:
        """Forget them all."""
        self.pending.clear()
        self._queue.clear()
