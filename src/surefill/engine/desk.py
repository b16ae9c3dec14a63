"""A workspace at work: its writer, the inputs that wait for it, and who waits for which answer."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

from surefill.domain.inputs import (
    EvaluateIntent,
    Halt,
    Input,
    OrderQueried,
    OutcomeUnknown,
    QueryFailed,
    SendLapsed,
    SubmitIntent,
    VenueReports,
)
from surefill.domain.intent import Intent
from surefill.domain.state import State
from surefill.engine.budget import VenueBudget
from surefill.engine.control_stream import ControlStream
from surefill.engine.receipt import Receipt
from surefill.engine.writer import MARKET_DATA, Ticket, WorkspaceWriter
from surefill.errors import AppendFailed, InvariantBreach, JournalError, LocalError, SurefillError, WorkspaceHalted

Reader = Callable[[State], Any]
INBOX_MAX = 100_000
TURN_MAX = 512
#: What a venue says only once: never lost, whatever happens to the turn that took it.
EVIDENCE = frozenset((VenueReports, OrderQueried, OutcomeUnknown, QueryFailed, SendLapsed))


class Desk:
    """Inputs queue here and are taken in turns. Not thread-safe: it belongs to the engine's loop.

    `accepting` is false until the first reconciliation has passed. `broken` holds the error after which not even
    a halt could be journaled; only `revive` ends that. `failed_looks` counts the queries in a row that told nothing.
    `may_enter`: what has to agree before an entry in an instrument leaves (the venue's dead man's switch).
    """

    def __init__(
        self,
        writer: WorkspaceWriter,
        loop: asyncio.AbstractEventLoop,
        control: ControlStream,
        budget: VenueBudget,
        chance: random.Random,
    ) -> None:
        self.writer = writer
        self.control = control
        self.budget = budget
        self.chance = chance
        self.failed_looks = 0
        self.may_enter: Callable[[str], Awaitable[bool]] | None = None
        self.accepting = False
        self.broken: SurefillError | None = None
        self.inbox: deque[tuple[Input, asyncio.Future[Any] | None]] = deque()
        self.readers: deque[tuple[Reader, asyncio.Future[Any]]] = deque()
        self.errands: set[asyncio.Task[None]] = set()
        self._loop = loop
        self._overrun = False
        self._evidence: list[Input] = []
        self._fed: list[asyncio.Future[Any]] = []
        self._open_tickets: dict[Ticket, asyncio.Future[Any]] = {}

    def put(self, item: Input) -> asyncio.Future[Any]:
        """Queue an input; the future gets its receipt (intents) or None once it is durable."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self.broken is not None:
            future.set_exception(self._out_of_order())
        elif isinstance(item, SubmitIntent) and not self.accepting:
            future.set_exception(
                WorkspaceHalted(
                    f"workspace {self.writer.workspace_id} is still comparing its books with the venue: try again",
                    code="NOT_READY",
                )
            )
        elif len(self.inbox) >= INBOX_MAX and not isinstance(item, Halt):
            future.set_exception(self._full(item.ts_ns))
        else:
            self.inbox.append((item, future))
        return future

    def tell(self, item: Input) -> None:
        """Queue an input that nobody waits for: reports, market data, timers. Never dropped.

        Only prices that nobody can act on are: those that come while not even a halt can be journaled.
        """
        if self.broken is None or not isinstance(item, MARKET_DATA):
            self.inbox.append((item, None))

    def read(self, reader: Reader) -> asyncio.Future[Any]:
        """Queue a look at the state; it happens between two turns, when everything in it is durable."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self.readers.append((reader, future))
        return future

    async def quiet(self) -> None:
        """Wait for the errands that are out now, and until no input waits. Raises AppendFailed where none is taken."""
        if self.errands:
            await asyncio.wait(set(self.errands))
        while self.inbox:
            if self.broken is not None:
                raise self._out_of_order()
            await asyncio.sleep(0)

    def _full(self, ts_ns: int) -> WorkspaceHalted:
        reason = f"{len(self.inbox)} inputs are waiting"
        if not self._overrun:
            self._overrun = True
            self.inbox.append((Halt(ts_ns, "QUEUE_FULL", reason, "surefill"), None))
        return WorkspaceHalted(f"workspace {self.writer.workspace_id} is halted: {reason}", code="QUEUE_FULL")

    def _out_of_order(self) -> AppendFailed:
        return AppendFailed(
            f"workspace {self.writer.workspace_id} cannot write its journal ({self.broken}): mend that, then resume",
            durable="no",
        )

    # -- one turn ---------------------------------------------------------------------------------------------

    def take(self) -> None:
        """Feed what waits, up to a turn's worth. An error of the input's own goes to its sender alone.

        Any other error is raised, and so is one that came after something had happened: memory is worthless then.
        """
        count = min(len(self.inbox), TURN_MAX)
        self._look_up_keys(count)
        for _ in range(count):
            item, future = self.inbox.popleft()
            seq = self.writer.state.book.seq
            try:
                self._take(item, future)
            except LocalError as error:
                if self.writer.state.book.seq != seq:
                    self._owe(future)
                    raise
                if type(item) in EVIDENCE:  # nobody may act as if the venue had said nothing
                    raise InvariantBreach(f"what the venue said cannot be journaled: {error}") from error
                if future is not None and not future.done():
                    future.set_exception(error)
            except Exception:
                self._owe(future)
                raise
        self._overrun = self._overrun and bool(self.inbox)

    def _look_up_keys(self, count: int) -> None:
        """Whether the keys of the turn's intents are known is asked at once: one by one it would cost several times."""
        keys = [key for item, _ in islice(self.inbox, count) if (key := _plain_key(item))]
        if len(keys) > 1:
            with contextlib.suppress(JournalError):  # each intent asks for itself then, and its sender is told
                self.writer.look_up(keys)

    def _take(self, item: Input, future: asyncio.Future[Any] | None) -> None:
        if isinstance(item, SubmitIntent | EvaluateIntent):
            self.writer.state.elsewhere = self.control.elsewhere(self.writer.state)
        if isinstance(item, SubmitIntent):
            ticket = self.writer.submit(item)
            if future is not None:
                self._open_tickets[ticket] = future
            return
        self.writer.feed(item)
        self._owe(future)
        if type(item) in EVIDENCE:
            self._evidence.append(item)

    def _owe(self, future: asyncio.Future[Any] | None) -> None:
        if future is not None:
            self._fed.append(future)

    def settled(self) -> None:
        """The turn is durable: answer everybody whose answer it holds."""
        if not (self._evidence or self._fed or self.writer.owes):
            return  # most turns of most desks: somebody else's, or a price that moved nothing
        self._evidence.clear()
        for ticket in self.writer.settle():
            self._answer(self._open_tickets.pop(ticket, None), ticket.receipt)
        fed, self._fed = self._fed, []
        for future in fed:
            self._answer(future, None)

    def failed(self, error: SurefillError) -> None:
        """The turn is lost or its fate unknown: everybody who waits must ask again under the same id.

        What venues said is taken once more: what has been booked already changes nothing.
        """
        waiting = [*self._open_tickets.values(), *self._fed]
        self._open_tickets, self._fed = {}, []
        _refuse(waiting, error)
        evidence, self._evidence = self._evidence, []
        self.inbox.extendleft((item, None) for item in reversed(evidence))

    def break_off(self, error: SurefillError) -> None:
        """Not even a halt can be journaled. Whoever waits is told; what venues and clocks said waits for `revive`."""
        self.broken = error
        waiting = [future for _, future in self.inbox if future is not None]
        waiting += [future for _, future in self.readers]
        self.readers.clear()
        told = [(item, future) for item, future in self.inbox if future is None and not isinstance(item, MARKET_DATA)]
        self.inbox = deque(told)
        _refuse(waiting, self._out_of_order())

    def serve_readers(self) -> None:
        """Let the readers look: nothing undurable is in the state now."""
        while self.readers:
            reader, future = self.readers.popleft()
            if future.done():
                continue
            try:
                future.set_result(reader(self.writer.state))
            except Exception as error:  # the reader's own: it reads, and can have changed nothing
                future.set_exception(error)

    @staticmethod
    def _answer(future: asyncio.Future[Any] | None, receipt: Receipt | None) -> None:
        if future is not None and not future.done():
            future.set_result(receipt)


def _plain_key(item: Input) -> str:
    """The key of an intent, where it is surely a text that a journal can be asked for, though not admitted; else ""."""
    if not isinstance(item, SubmitIntent) or not isinstance(item.intent, Intent):
        return ""
    key: object = item.intent.intent_id
    return key if type(key) is str and key.isascii() else ""


def _refuse(waiting: list[asyncio.Future[Any]], error: SurefillError) -> None:
    for future in waiting:
        if not future.done():
            future.set_exception(error)
