"""The kill switch around the parts of a live engine: its journal, its adapter, and the venue's answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tests.crash.child import die
from tests.crash.live_places import fired, hand
from tests.crash.live_steps import ENTRY, EXIT, STOP, Kill

from surefill.domain import codec
from surefill.domain.orders import OrderRequest
from surefill.errors import JournalError
from surefill.journal import Batch, SqliteJournal
from surefill.rules.codes import OrdType
from surefill.testing.emulators import Fault
from surefill.venues.protocol import LiveVenue, Outcome, QueryAnswer

T = TypeVar("T")

#: Which of the emulated venue's faults holds a call back so that its caller can die.
HOLDING = {"sent": Fault.LOSE_ANSWER, "late": Fault.DELAY_REQUEST}
#: What an answer becomes. A stream may be quicker than the answer itself, and tell the same.
ANSWERS = {"submit": ("OrderAccepted", "OrderFilled"), "cancel": ("OrderCanceled",), "amend": ("OrderReplaced",)}


def role_of(request: OrderRequest) -> str:
    if not request.reduce_only:
        return ENTRY
    return STOP if request.ord_type == OrdType.STOP else EXIT


class Doom:
    """When it is time to die: at a step, or at the `nth` moment of all (0: at none).

    `phase` is the story's; `struck`: whether the venue holds back what is to be the last; `awaited`: the events that
    the answer to the last call would become.
    """

    def __init__(self, kill: Kill | None, nth: int, url: str) -> None:
        self.phase, self.moments = "", 0
        self.awaited: set[tuple[str, str]] = set()
        self.struck: Callable[[], bool] = lambda: False
        self._kill, self._nth, self._url = kill, nth, url

    def due(self, how: str, what: str, role: str) -> bool:
        """Whether it is the step."""
        return self._kill == (how, what, role, self.phase)

    def moment(self) -> None:
        """Before and after each commit, and each call."""
        self.moments += 1
        if self.moments == self._nth:
            die()

    def die_once_struck(self, fault: Fault, op: str) -> None:
        """Have the venue hold the next request of that kind back, and die as soon as it does."""
        before = fired(self._url, fault)
        hand(self._url, "arm", fault=fault.name, times=1, op=op)
        self.struck = lambda: fired(self._url, fault) > before

        def watch() -> None:
            while not self.struck():
                time.sleep(0.002)
            die()

        threading.Thread(target=watch, daemon=True).start()


class DoomedJournal(SqliteJournal):
    """Dies right before or right after a commit that has a certain event."""

    def __init__(self, path: Path, workspace_id: str, doom: Doom) -> None:
        super().__init__(path)
        self._doom = doom
        self._roles: dict[str, str] = {}
        for record in self.read(workspace_id):
            self._name(record.payload)

    def _name(self, payload: bytes) -> tuple[str, str]:
        """An event's name, and the role of the order that it is about."""
        event: Any = codec.decode(payload)
        kind = type(event).__name__
        if kind == "OrderCreated":
            self._roles[event.request.cl_ord_id] = role_of(event.request)
            return kind, role_of(event.request)
        return kind, self._roles.get(getattr(event, "cl_ord_id", ""), "")

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        self._doom.moment()
        names = [self._name(payload) for batch in batches for payload in batch.payloads]
        if (
            any(self._doom.due("before", *name) for name in names)
            or self._doom.struck()
            or self._doom.awaited & {*names}
        ):
            die()  # also with what was heard, on another way, of the call that is to be the last: that is not written
        result = super().append(batches)
        self._doom.moment()
        if any(self._doom.due("after", *name) for name in names):
            die()
        return result


class DoomedVenue:
    """The adapter; the calls that can be the last are watched."""

    def __init__(self, inner: LiveVenue, doom: Doom) -> None:
        self._inner, self._doom = inner, doom

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def submit(self, request: OrderRequest) -> Outcome:
        return await self._called("submit", role_of(request), self._inner.submit(request))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        return await self._called("cancel", role_of(request), self._inner.cancel(request, order_id))

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        return await self._called("amend", role_of(request), self._inner.amend(request, order_id))

    async def query(self, request: OrderRequest) -> QueryAnswer:
        return await self._called("query", role_of(request), self._inner.query(request))

    async def positions(self) -> dict[str, int]:
        return await self._called("positions", "", self._inner.positions())

    async def _called(self, call: str, role: str, asked: Coroutine[Any, Any, T]) -> T:
        for how, fault in HOLDING.items():
            if self._doom.due(how, call, role):
                self._doom.die_once_struck(fault, call)
        if self._doom.due("answered", call, role):
            self._doom.awaited = {(event, role) for event in ANSWERS.get(call, ())}
        self._doom.moment()
        answer = await asked
        self._doom.moment()
        if self._doom.due("answered", call, role):
            die()
        return answer
