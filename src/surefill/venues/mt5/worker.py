"""One thread that alone touches the terminal. Jobs queue for it; what never began is proof that nothing was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from surefill.errors import VenueOutcomeUnknown
from surefill.venues.mt5.terminal import NotAsked

T = TypeVar("T")


class Worker:
    """Runs jobs one after another, each for at most `timeout_s` from when it is asked for."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._closed = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="mt5")

    async def run(self, job: Callable[[], T]) -> T:
        """The job's result. Raises NotAsked where it was not begun, VenueOutcomeUnknown where it took longer."""
        try:
            future = self._pool.submit(job)
        except RuntimeError as error:
            raise NotAsked(f"this side has hung up: {error}") from error
        waiting = asyncio.wrap_future(future)
        try:
            done, _ = await asyncio.wait({waiting}, timeout=self._timeout_s)
        except asyncio.CancelledError:
            _leave(waiting)
            raise
        if done:
            return waiting.result()
        if future.cancel():
            raise NotAsked(f"the terminal was busy for {self._timeout_s:g} s")
        _leave(waiting)
        raise VenueOutcomeUnknown(f"no answer within {self._timeout_s:g} s")

    def close(self, last: Callable[[], None]) -> None:
        """Take no more jobs; run those that wait, then a last one. A second call does nothing."""
        if not self._closed:
            self._closed = True
            self._pool.submit(last)
            self._pool.shutdown(wait=False)


def _leave(waiting: asyncio.Future[T]) -> None:
    """Nobody waits any more; an error that it ends in is nobody's either."""
    if waiting.done():
        _ = waiting.cancelled() or waiting.exception()
    else:
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
