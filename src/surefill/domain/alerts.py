"""A call for somebody: open until a named person has acknowledged it."""

from __future__ import annotations

import msgspec


class Alert(msgspec.Struct, omit_defaults=True):
    """`raised_ns`: the last time it was raised, `count` times in all. `delivered_ns`: when a channel last took it."""

    code: str
    text: str
    first_ns: int
    raised_ns: int
    count: int = 1
    delivered_ns: int = 0

    @property
    def due(self) -> bool:
        """Whether the call has not left since it was raised last."""
        return self.delivered_ns < self.raised_ns
