"""The engine for callers that are not on its loop: a thread of its own, blocking calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from surefill.domain.inputs import Input, OpenWorkspace
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.market import Quote
from surefill.domain.policy import Policy
from surefill.engine.clock import Clock
from surefill.engine.desk import Reader
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt
from surefill.errors import LocalError, WorkspaceHalted
from surefill.journal.protocol import Journal
from surefill.venues.protocol import Venue

T = TypeVar("T")

WATCH_S: Final = 5.0


class EngineThread:
    """Owns a loop in a thread. Every method but `begin` and `tell` blocks until the engine has answered.

    Every `watch_s` seconds it looks whether somebody else has begun to write one of its workspaces.
    None of those that block, nor `begin`, may be called from that loop.
    """

    def __init__(self, journal: Journal, clock: Clock, *, disk_floor_bytes: int = 0, watch_s: float = WATCH_S) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="surefill-engine", daemon=True)
        self._thread.start()
        self.journal = journal
        self.clock = clock

        async def make() -> Engine:
            engine = Engine(journal, clock, disk_floor_bytes=disk_floor_bytes)
            self._loop.call_later(watch_s, self._watch, engine, watch_s)
            return engine

        self.engine = self.run(make())

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on the engine's own thread."""
        return threading.current_thread() is self._thread

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop and wait for it."""
        return self.begin(call).result()

    def begin(self, call: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the engine's loop without waiting; for callers with a loop of their own to wait on."""
        if not self._thread.is_alive():
            call.close()
            raise WorkspaceHalted("the engine has stopped: start it again", code="STOPPED")
        if self.is_current:
            call.close()
            raise LocalError("a blocking call from the engine's own loop would wait for itself: await it instead")
        return asyncio.run_coroutine_threadsafe(call, self._loop)

    def _watch(self, engine: Engine, watch_s: float) -> None:
        engine.look_for_other_writers()
        self._loop.call_later(watch_s, self._watch, engine, watch_s)

    def open(self, opening: OpenWorkspace, venue: Venue, instruments: Iterable[Instrument] = ()) -> None:
        """Begin or take up a workspace."""
        self.run(self.engine.open(opening, venue, instruments))

    def submit(
        self, workspace_id: str, intent: Intent, quote: Quote | None = None, policy: Policy | None = None
    ) -> Receipt:
        """Execute an intent; `policy` is asked in the step that decides."""
        return self.run(self.engine.submit(workspace_id, intent, quote, policy))

    def feed(self, workspace_id: str, item: Input) -> None:
        """Hand an input in and wait until it is durable."""
        self.run(self.engine.feed(workspace_id, item))

    def tell(self, workspace_id: str, item: Input) -> None:
        """Hand market data in without waiting."""
        self._loop.call_soon_threadsafe(self.engine.tell, workspace_id, item)

    def read(self, workspace_id: str, reader: Callable[..., T] | Reader) -> T:
        """Look at the state when all of it is durable."""
        result: T = self.run(self.engine.read(workspace_id, reader))
        return result

    def close(self) -> None:
        """Stop the engine, its loop and its thread. The journal stays open: it is the caller's."""
        if not self._thread.is_alive():
            return
        try:
            self.run(self.engine.stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
