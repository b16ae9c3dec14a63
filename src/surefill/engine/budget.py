"""How many requests may go to a venue: exact windows, shared by the workspaces of this engine, with a reserve.

1. In any window of a limit's length no more requests leave than the limit. The times are those of leaving: a network
   that bunches them up can still make a venue count more, so a limit is best set a little below the venue's own.
2. An entry may use all but the reserve. Exits and cancels may use all of it. Whoever finds no room waits in line.
3. A venue that says "too many, come back later" is left alone until then, by everybody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from surefill.units import NS_PER_S, PCT_PPB, PPB
from surefill.venues.protocol import Capabilities, RateLimit

#: Kinds of requests. A limit of any other kind counts them all.
ORDER: Final = "order"  # submit, amend, cancel
QUERY: Final = "query"  # every look

#: Where a venue names no limit of its orders.
DEFAULT: Final = RateLimit(ORDER, 8, NS_PER_S)
RESERVE_PPB: Final = 20 * PCT_PPB


class Window:
    """At most `count` in any window of `window_ns`, both ends counted; the last `reserve` are for urgent ones."""

    __slots__ = ("_count", "_open_count", "_sent", "_window_ns")

    def __init__(self, count: int, window_ns: int, reserve: int) -> None:
        self._count = count
        self._open_count = max(count - reserve, 0)
        self._window_ns = window_ns
        self._sent: deque[int] = deque(maxlen=count)

    def wait_ns(self, now_ns: int, *, urgent: bool) -> int:
        """How long until there is room; 0: there is. Below 0: there never is."""
        sent, allowed = self._sent, self._count if urgent else self._open_count
        while sent and now_ns - sent[0] > self._window_ns:
            sent.popleft()
        if len(sent) < allowed:
            return 0
        if not allowed:
            return -1
        return sent[-allowed] + self._window_ns + 1 - now_ns

    def take(self, now_ns: int) -> None:
        """One leaves now."""
        self._sent.append(now_ns)


class VenueBudget:
    """What one workspace may ask of its venue. The windows behind it are shared as far as their scopes reach."""

    def __init__(
        self,
        windows: Sequence[tuple[str, Window]],
        venue: VenuePause,
        now_ns: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._windows = {
            kind: [window for name, window in windows if name == kind or name not in (ORDER, QUERY)]
            for kind in (ORDER, QUERY)
        }
        self._venue = venue
        self._now_ns = now_ns
        self._sleep = sleep
        self._lines = {(kind, urgent): asyncio.Lock() for kind in (ORDER, QUERY) for urgent in (False, True)}

    async def admit(self, kind: str, *, urgent: bool = False, within_ns: int | None = None) -> bool:
        """Wait in line for room and take it; false where there is none `within_ns` from now (None: however long)."""
        until_ns = None if within_ns is None else self._now_ns() + within_ns
        async with self._lines[kind, urgent]:
            while True:
                now_ns = self._now_ns()
                wait_ns = self._wait_ns(kind, now_ns, urgent=urgent)
                if wait_ns == 0:
                    for window in self._windows[kind]:
                        window.take(now_ns)
                    return True
                if wait_ns < 0 or (until_ns is not None and now_ns + wait_ns > until_ns):
                    return False
                await self._sleep(wait_ns / NS_PER_S)

    def _wait_ns(self, kind: str, now_ns: int, *, urgent: bool) -> int:
        waits = [window.wait_ns(now_ns, urgent=urgent) for window in self._windows[kind]]
        if min(waits, default=0) < 0:
            return -1
        return max(0, self._venue.until_ns - now_ns, *waits)

    def throttled(self, retry_after_ns: int) -> None:
        """The venue has turned a request away: nobody asks it anything before then."""
        self._venue.until_ns = max(self._venue.until_ns, self._now_ns() + retry_after_ns)


class VenuePause:
    """Until when a venue wants to be left alone."""

    def __init__(self) -> None:
        self.until_ns = 0


class Budgets:
    """The windows of an engine, by venue and account, or by venue alone where the venue counts addresses.

    `now_ns` is a clock that nobody sets: that of the loop, unless a test has its own.
    """

    def __init__(
        self,
        now_ns: Callable[[], int] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        reserve_ppb: int = RESERVE_PPB,
    ) -> None:
        self._now_ns = now_ns or _loop_ns
        self._sleep = sleep
        self._reserve_ppb = reserve_ppb
        self._windows: dict[tuple[str, str, RateLimit], Window] = {}
        self._pauses: dict[str, VenuePause] = {}

    def of(self, capabilities: Capabilities, account: str) -> VenueBudget:
        """The budget of an account at a venue."""
        limits = capabilities.rate_limits
        if all(limit.kind != ORDER for limit in limits):
            limits = (*limits, DEFAULT)
        windows = [(limit.kind, self._window(capabilities.name, account, limit)) for limit in limits]
        pause = self._pauses.setdefault(capabilities.name, VenuePause())
        return VenueBudget(windows, pause, self._now_ns, self._sleep)

    def _window(self, venue: str, account: str, limit: RateLimit) -> Window:
        key = (venue, "" if limit.scope == "address" else account, limit)
        if key not in self._windows:
            reserve = -(-limit.count * self._reserve_ppb // PPB) if limit.count > 1 else 0
            self._windows[key] = Window(limit.count, limit.window_ns, reserve)
        return self._windows[key]


def _loop_ns() -> int:
    return round(asyncio.get_running_loop().time() * NS_PER_S)
