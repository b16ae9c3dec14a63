"""What can go wrong on the way to a venue that speaks HTTP, beside what `Fault` already names."""

from __future__ import annotations

import enum

from surefill.testing.remote_venue.faults import Fault


class WireFault(enum.Enum):
    """A fault of HTTP, of sessions and of streams. `op` of an armed fault narrows it to one request's name."""

    BANNED = "it is refused for a while after too many refusals (418), and not done"
    OVERLOADED = "it is refused because the venue is overloaded (503), and not done"
    UNAVAILABLE = "it is not done: the venue says that it failed inside (503 or 500)"
    STATUS_UNKNOWN = "it is done, and the venue says that it does not know (503, execution status unknown)"
    EXPIRE_TOKEN = "the key, session or listen key has ended"  # nosec B105: a fault's meaning, no password
    STREAM_LOST = "the streams break off just before a report is streamed"


AnyFault = Fault | WireFault


def fault_named(name: str) -> AnyFault:
    """The fault of that name; KeyError where there is none."""
    return Fault[name] if name in Fault.__members__ else WireFault[name]
