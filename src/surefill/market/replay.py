"""A recorded market, played again: several instruments in one order of time, at a chosen speed.

At one moment bars that end come first, then quotes, then bars that open, each by instrument: what closed at a moment is
known before anything new begins, for every instrument alike.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final, Protocol

from surefill.domain.market import Bar, BarOpened, Quote
from surefill.errors import InputError
from surefill.units import NS_PER_S

MarketEvent = Bar | BarOpened | Quote

_RANK: Final[dict[type, int]] = {Bar: 0, Quote: 1, BarOpened: 2}


class ReplayClock(Protocol):
    """What a replay needs of time; inject another to replay without waiting."""

    def now_ns(self) -> int:
        """Now, in nanoseconds; only differences count."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class WallClock:
    """Real time, which never jumps."""

    def now_ns(self) -> int:
        """The machine's monotonic clock."""
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(seconds)


def bar_events(bars: Iterable[Bar]) -> Iterator[MarketEvent]:
    """Each bar twice: when it opens (`BarOpened`, its first price only) and when it has ended."""
    for bar in bars:
        yield BarOpened(bar.instrument_id, bar.open_ns, bar.open_px)
        yield bar


def merged(*sources: Iterable[MarketEvent]) -> Iterator[MarketEvent]:
    """Several sources, each in order of time, as one; reads no further ahead than one event of each."""
    return heapq.merge(*sources, key=_order)


async def replay(
    events: Iterable[MarketEvent], *, speed: float = 1.0, clock: ReplayClock | None = None
) -> AsyncIterator[MarketEvent]:
    """The events, each when its time has come. `speed` 1 is real time, 60 a minute per second, 0 without any waiting.

    Pauses are measured from the first event, so small delays do not add up. Raises InputError for a negative speed.
    """
    if not 0 <= speed < float("inf"):
        raise InputError(f"the speed of a replay must be 0 or above (got {speed})", field="speed", value=speed)
    clock = clock or WallClock()
    began_ns = clock.now_ns()
    first_ns: int | None = None
    for event in events:
        if first_ns is None:
            first_ns = event.ts_ns
        if speed:
            due_ns = began_ns + int((event.ts_ns - first_ns) / speed)
            wait_ns = due_ns - clock.now_ns()
            if wait_ns > 0:
                await clock.sleep(wait_ns / NS_PER_S)
        yield event


def _order(event: MarketEvent) -> tuple[int, int, str]:
    return event.ts_ns, _RANK[type(event)], event.instrument_id
