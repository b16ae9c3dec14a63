"""Virtual time: a world of events in order, and an asyncio loop that lives in it.

The loop runs callbacks in the order in which they became ready, as asyncio does, but nothing ever waits: when nothing
is ready, time jumps to the next thing that happens, in the loop or in the world around it. There is no socket, no
thread and no real clock, so the same seed gives the same run, callback by callback.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from surefill.units import NS_PER_MS, NS_PER_S

START_NS = 1_700_000_000 * NS_PER_S
SPINS_MAX = 20_000


class PowerCut(SystemExit):
    """The process is gone, here and now. No handler of the engine's may see it: asyncio lets SystemExit through."""


class Livelock(RuntimeError):
    """Something runs for ever without letting time pass, or waits for what nobody will do."""


class World:
    """What happens outside the engine's process, in order of time; it goes on when that process dies."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # nosec B311: reproducible chance for tests
        self.now_ns = START_NS
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, delay_ns: int, call: Callable[[], None]) -> None:
        """Let something happen `delay_ns` from now; what is due at once happens in the order of asking."""
        self._count += 1
        heapq.heappush(self._events, (self.now_ns + delay_ns, self._count, call))

    def after_ms(self, delay_ms: int, call: Callable[[], None]) -> None:
        """`after`, in milliseconds."""
        self.after(delay_ms * NS_PER_MS, call)

    def next_ns(self) -> int | None:
        """When the next thing happens."""
        return self._events[0][0] if self._events else None

    def happen(self) -> None:
        """Move on to the next thing, and let it happen."""
        at_ns, _, call = heapq.heappop(self._events)
        self.now_ns = max(self.now_ns, at_ns)
        call()


class _NoWaiting:
    """In the place of a selector: instead of waiting, time jumps."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._spins = 0

    def select(self, timeout_s: float | None) -> Sequence[Any]:
        world = self._world
        if timeout_s == 0:
            self._spins += 1
            if self._spins > SPINS_MAX:
                raise Livelock(f"{SPINS_MAX} rounds without a moment passing")
            return ()
        self._spins = 0
        next_ns = world.next_ns()
        wake_ns = None if timeout_s is None else world.now_ns + max(math.ceil(timeout_s * NS_PER_S), 1)
        if next_ns is not None and (wake_ns is None or next_ns <= wake_ns):
            world.happen()
        elif wake_ns is not None:
            world.now_ns = wake_ns
        else:
            raise Livelock("everybody waits and nothing is going to happen")
        return ()

    def close(self) -> None:
        pass


class VirtualLoop(asyncio.BaseEventLoop):
    """An asyncio loop in a `World`. Run it with `run_until_complete`, and `abandon` it when its process dies."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._selector = _NoWaiting(world)

    def time(self) -> float:
        """Seconds since the world began."""
        return (self._world.now_ns - START_NS) / NS_PER_S

    def _process_events(self, _events: Sequence[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def abandon(self) -> None:
        """Everything that ran in it stops where it stands, as when a process is killed."""
        self.set_exception_handler(lambda _loop, _context: None)
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = task.get_coro()
            if coroutine is not None:
                coroutine.close()
        self._ready.clear()  # type: ignore[attr-defined]
        self._scheduled.clear()  # type: ignore[attr-defined]
        self.close()


class WorldClock:
    """`Clock` that shows the world's time, set wrong by `skew_ns`; set back, it stands still, as the live one does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._last_ns = 0
        self.skew_ns = 0

    def now_ns(self) -> int:
        """What the engine takes for now."""
        self._last_ns = max(self._last_ns, self._world.now_ns + self.skew_ns)
        return self._last_ns
