"""Rate limits: so many requests in so many seconds; what is over is turned away and not done."""

from __future__ import annotations

from collections import deque
from typing import Final

from surefill.testing.emulators.kite.clock import Clock
from surefill.testing.emulators.kite.errors import bad_input, too_many
from surefill.testing.emulators.kite.rules import Limits
from surefill.units import NS_PER_MIN, NS_PER_S

DAILY: Final = "Maximum allowed order requests exceeded."


class Throttle:
    """Counts requests by kind: "orders" (placed or changed), "quotes", "others"."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, deque[int]] = {}
        self._today = (0, 0)

    def admit(self, kind: str, limits: Limits, day: int) -> None:
        """Count one request. Raises KiteError where it is one too many."""
        per_s = {"orders": limits.orders_per_s, "quotes": limits.quotes_per_s}.get(kind, limits.others_per_s)
        now_ns = self._clock.now_ns()
        seen = self._seen.setdefault(kind, deque())
        while seen and seen[0] <= now_ns - NS_PER_MIN:
            seen.popleft()
        if per_s and sum(at > now_ns - NS_PER_S for at in seen) >= per_s:
            raise too_many()
        if kind == "orders":
            self._admit_order(len(seen), limits, day)
        seen.append(now_ns)

    def _admit_order(self, in_minute: int, limits: Limits, day: int) -> None:
        if limits.orders_per_min and in_minute >= limits.orders_per_min:
            raise too_many()
        count = self._today[1] if self._today[0] == day else 0
        if limits.orders_per_day and count >= limits.orders_per_day:
            raise bad_input(DAILY)
        self._today = (day, count + 1)
