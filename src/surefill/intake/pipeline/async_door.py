"""The open workspace for coroutines: nothing here blocks the caller's loop, and none of it may run on the engine's.

What takes its time is awaited through the engine's own futures; short looks go through a few threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from surefill.config import Settings
from surefill.domain import codec
from surefill.domain.decide.reports import QUERY_TIMER
from surefill.domain.events import Event, IntentAccepted
from surefill.domain.gates import Question, first_refusal
from surefill.domain.inputs import Input, TimerFired
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.market import Quote
from surefill.domain.refusals import Refusal
from surefill.domain.state import State
from surefill.engine.clock import Clock
from surefill.engine.receipt import Receipt
from surefill.errors import LocalError
from surefill.intake.caller_feed import CallerFeed
from surefill.intake.caller_stores import CallerStores
from surefill.intake.open_door import OpenDoor
from surefill.intake.real_venue import VenueChoice
from surefill.journal.protocol import Journal

T = TypeVar("T")

_THREADS: Final = 4
_STORES: Final = CallerStores(logging.getLogger("surefill.pipeline"))  # this door's callers listen to the bus


class AsyncDoor:
    """Opens a workspace, which blocks: best before the loop runs, or in a thread. Every coroutine is for any loop."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        clock: Clock | None = None,
        journal: Journal | None = None,
        venue: VenueChoice = None,
    ) -> None:
        self.settings = settings
        self.door = OpenDoor(name, settings, clock, journal, venue=venue)
        self._closed = False
        self._at_a_distance = not self.door.session.is_simulated
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="surefill-pipeline")

    def close(self) -> None:
        """Stop the engine, finish the files. Blocks; a second call does nothing."""
        self._closed = True
        self.door.close()
        self._threads.shutdown(wait=False)

    def close_from_anywhere(self) -> None:
        """As OpenDoor's: when nobody has closed it."""
        self.door.close_from_anywhere()
        self._threads.shutdown(wait=False)

    async def run(self, call: Callable[..., T], *args: Any) -> T:
        """Call something that blocks for a moment. Raises LocalError on the engine's own loop, and once closed."""
        if self.door.session.engine.is_current:
            raise LocalError("a call from the engine's own loop would hold up everything: use another loop")
        if self._closed:
            raise LocalError("the pipeline is closed: open another", code="CLOSED")
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    async def submit(self, intent: Intent, quote: Quote | None, refusal: Refusal | None = None) -> Receipt:
        """Execute an intent; returns when its outcome, as far as it is known, is durable."""
        return await asyncio.wrap_future(self.door.begin(intent, quote, refusal))

    async def read(self, reader: Callable[[State], T]) -> T:
        """What `reader` makes of the state, at a moment when all of it is durable."""
        return await self.run(self.door.session.read, reader)

    async def feed(self, items: Sequence[Input]) -> None:
        """Hand inputs in together; what they did is durable when this returns."""
        await self.run(self.door.feed, items)

    async def poll(self, cl_ord_id: str) -> None:
        """Have the core ask the venue what became of an order; one in this process has told everything already."""
        if self._at_a_distance:
            await self.feed([TimerFired(self.door.now_ns(), QUERY_TIMER + cl_ord_id)])

    async def settle(self) -> None:
        """Everything that has happened so far is in the files, and nothing waits to be told."""
        await self.run(self.door.announce, _STORES)

    async def instrument(self, symbol: str) -> tuple[Instrument | None, Refusal | None]:
        """As OpenDoor's."""
        known = await self.run(self.door.instrument, symbol)
        return known.instrument, known.refusal

    async def look(self, feed: CallerFeed, symbol: str) -> tuple[Quote | None, Refusal | None]:
        """As OpenDoor's; the caller's feed may take its time."""
        return await self.run(self.door.look, feed, symbol)

    async def ask(self, intent: Intent, quote: Quote, gates: Sequence[str]) -> Refusal | None:
        """What these gates of the profile would say to the intent now, at that price. Nothing is journaled."""
        now_ns = self.door.now_ns()

        def look(state: State) -> Refusal | None:
            question = Question(state, intent, now_ns)
            question.quote = quote
            return first_refusal(question, tuple(name for name in gates if name in question.profile.gates))

        return await self.read(look)

    async def accepted_intent(self, key: str) -> Intent | None:
        """The intent that claimed a key; None where none has."""

        def find() -> Intent | None:
            journal, workspace = self.door.session.journal, self.settings.workspace
            claim = journal.find_key(workspace.id, workspace.mode, key)
            if claim is None:
                return None
            event: Event = codec.decode(next(journal.read(workspace.id, claim.seq, claim.seq)).payload)
            return event.intent if isinstance(event, IntentAccepted) else None

        return await self.run(find)
