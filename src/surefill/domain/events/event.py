"""What all events have."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, gc=False):
    """What all events have."""

    ts_ns: int
    correlation_id: str
    causation_seq: int
