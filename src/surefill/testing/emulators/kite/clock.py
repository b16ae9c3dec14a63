"""The venue's time: that of the machine plus what a test has moved it by, told in Indian time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from surefill.units import NS_PER_MS, NS_PER_S

IST: Final = timezone(timedelta(hours=5, minutes=30))


class Clock:
    """`now_ns()` is the venue's time in nanoseconds since 1970 UTC; `skew_ms` how far it is ahead of the machine's."""

    def __init__(self, skew_ms: Callable[[], int]) -> None:
        self._skew_ms = skew_ms

    def now_ns(self) -> int:
        """Now."""
        return time.time_ns() + self._skew_ms() * NS_PER_MS


def moment(ns: int) -> datetime:
    """A time as India's clocks show it."""
    return datetime.fromtimestamp(ns // NS_PER_S, UTC).astimezone(IST)


def stamp(ns: int) -> str | None:
    """A time as Kite writes it, to the second; None for none."""
    return moment(ns).strftime("%Y-%m-%d %H:%M:%S") if ns else None


def next_six_ns(ns: int) -> int:
    """The next six in the morning, when every access token ends (Kite's user pages)."""
    now = moment(ns)
    six = now.replace(hour=6, minute=0, second=0)
    return int((six if six > now else six + timedelta(days=1)).timestamp()) * NS_PER_S
