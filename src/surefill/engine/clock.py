"""Clocks. The core never looks at one: the shell reads it once per input and hands the time in."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """The time, in nanoseconds UTC; it never goes backwards."""

    def now_ns(self) -> int:
        """Now."""


class LiveClock:
    """The machine's clock. When that is set back, time stands still here until it has caught up.

    `backwards_ns` is the largest step back seen so far; `surefill doctor` and the alarms show it.
    """

    def __init__(self) -> None:
        self._last_ns = 0
        self.backwards_ns = 0

    def now_ns(self) -> int:
        """Now, at least the time told before."""
        now_ns = time.time_ns()
        if now_ns < self._last_ns:
            self.backwards_ns = max(self.backwards_ns, self._last_ns - now_ns)
            return self._last_ns
        self._last_ns = now_ns
        return now_ns


class VirtualClock:
    """Time that somebody moves: a simulation, a test, or the replay of a file."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Where it was moved to last."""
        return self._now_ns

    def advance_to(self, ts_ns: int) -> None:
        """Move on; an earlier time is ignored, so the clock never goes backwards."""
        self._now_ns = max(self._now_ns, ts_ns)
