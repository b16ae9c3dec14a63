"""What can go wrong between a venue and us, each thing switchable and counted."""

from __future__ import annotations

import enum
import random
from collections import Counter

PPM = 1_000_000


class Fault(enum.Enum):
    """A fault, and what it does. `op` of an armed fault narrows it: a request's name, a place, or a hop."""

    LOSE_REQUEST = "the request never arrives"
    DELAY_REQUEST = "the request arrives late"
    LOSE_ANSWER = "it is done, the answer never comes"
    DELAY_ANSWER = "it is done, the answer comes after the time-out"
    GARBLE_ANSWER = "it is done, the answer cannot be read"
    SERVER_ERROR = "it is done, the answer is an error of the server"
    THROTTLED = "it is refused because of too many requests, and not done"
    REFUSED = "the order is received and refused"
    DISCONNECT = "the connection breaks before the request is read"
    DISCONNECT_AFTER = "it is done, the connection breaks before the answer"
    CRASH = "the venue's process dies at a hop and comes back"
    LOSE_REPORT = "a report is not streamed"
    DUPLICATE_REPORT = "reports are streamed twice"
    REORDER_REPORTS = "reports are streamed in the wrong order"
    FILL_BEFORE_ACK = "the fill is streamed before the order is acknowledged"
    FILLED_UNSEEN = "it fills at once; neither the answer nor a report of it comes"
    CANCEL_FILL_RACE = "it fills just before the cancel arrives"
    END_BEFORE_FILLS = "the end is reported before the fills that it counts"
    LATE_FILL = "it fills after its cancellation was confirmed"
    EMPTY_SNAPSHOT = "a look finds nothing although something is there"
    STALE_SNAPSHOT = "a look finds what was there before the last change"
    QUERY_ERROR = "a look fails"


class FaultSwitch:
    """Which faults are on. `fired` counts those that struck. A venue may have faults of its own beside `Fault`."""

    def __init__(self, seed: int = 0) -> None:
        self.fired: Counter[enum.Enum] = Counter()
        self._times: dict[tuple[enum.Enum, str], int] = {}
        self._rates: dict[tuple[enum.Enum, str], int] = {}
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Begin a new row of chance."""
        self._chance = random.Random(seed)  # nosec B311: reproducible chance for tests

    def arm(self, fault: enum.Enum, *, times: int = 0, rate_ppm: int = 0, op: str = "") -> None:
        """Let it strike the next `times` times, or at `rate_ppm` occasions in a million; `op`: only there."""
        if times:
            self._times[fault, op] = self._times.get((fault, op), 0) + times
        if rate_ppm:
            self._rates[fault, op] = rate_ppm

    def heal(self) -> None:
        """Everything works again."""
        self._times.clear()
        self._rates.clear()

    def strike(self, fault: enum.Enum, op: str) -> bool:
        """Whether the fault strikes here and now."""
        struck = self._due(fault, op) or self._due(fault, "")
        if struck:
            self.fired[fault] += 1
        return struck

    def strike_only(self, fault: enum.Enum, op: str) -> bool:
        """As `strike`, where the fault was armed for this very `op`: one that is armed for anything passes by."""
        struck = self._due(fault, op)
        if struck:
            self.fired[fault] += 1
        return struck

    def _due(self, fault: enum.Enum, op: str) -> bool:
        left = self._times.get((fault, op), 0)
        if left:
            self._times[fault, op] = left - 1
            return True
        rate_ppm = self._rates.get((fault, op), 0)
        return bool(rate_ppm) and self._chance.randrange(PPM) < rate_ppm
