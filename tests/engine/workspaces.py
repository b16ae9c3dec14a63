"""What engine tests share: an opening, an instrument, intents, a scripted venue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from surefill.domain.effects import Notify
from surefill.domain.inputs import DefineInstrument, OpenWorkspace, SubmitIntent
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.profile import BASIC_GATES, Profile
from surefill.domain.reports import ExecType, VenueReport
from surefill.engine.clock import Clock, LiveClock
from surefill.engine.engine import Engine
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import Journal, MemoryJournal
from surefill.rules.codes import OrdType, TimeInForce
from surefill.venues.paper import PaperSettings, PaperVenue
from surefill.venues.protocol import Accepted, Capabilities, Outcome, QueryAnswer, ReportSink, Venue

T = TypeVar("T")

MS = 10**6
GATES = (*BASIC_GATES, "plan", "position")
LIMITS = Limits(query_spacing_ns=MS, unknown_page_ns=50 * MS, send_by_ns=60_000 * MS)


def profile(**limits: Any) -> Profile:
    fields = {
        "query_spacing_ns": MS,
        "answer_by_ns": 10_000 * MS,
        "unknown_page_ns": 50 * MS,
        "send_by_ns": 60_000 * MS,
        **limits,
    }
    return Profile("test", GATES, limits=Limits(**fields))


def opening(workspace_id: str = "w", mode: str = "paper", rules: Profile | None = None) -> OpenWorkspace:
    return OpenWorkspace(1, workspace_id, mode, "venue", "account", "EUR", 2, 10_000_000, rules or profile(), "c")


def instrument(instrument_id: str = "X") -> Instrument:
    return Instrument(instrument_id, "EUR", 0, 0, 100, (Terms(),))


def intent(intent_id: str = "", qty: int = 10, side: int = 1, **fields: Any) -> Intent:
    known = {"correlation_id": f"story {intent_id}", "door": "test", "strategy_id": "s", "instrument_id": "X"}
    return Intent(**{**known, **fields}, intent_id=intent_id, action=Action.TRADE, side=side, order_qty=qty)


def limit(intent_id: str = "", px: int = 90, **fields: Any) -> Intent:
    return intent(intent_id, ord_type=OrdType.LIMIT, px=px, time_in_force=TimeInForce.GTC, **fields)


# -- the writer alone -----------------------------------------------------------------------------------------


def writer(
    journal: Journal | None = None, settings: PaperSettings | None = None, *, venue: Venue | None = None, **fields: Any
) -> WorkspaceWriter:
    """A workspace of its own, quoted at 100, all of it durable."""
    made = WorkspaceWriter(journal or MemoryJournal(), "w", venue or PaperVenue(settings), **fields)
    made.feed(opening())
    made.feed(DefineInstrument(2, instrument()))
    made.feed(Quote("X", 3, 100))
    made.flush()
    return made


def submit(made: WorkspaceWriter, wish: Intent, quote: Quote | None = None, ts_ns: int = 10) -> Any:
    """An intent's receipt, durable."""
    ticket = made.submit(SubmitIntent(ts_ns, wish, quote))
    assert ticket in made.flush()
    return ticket.receipt


# -- the engine -----------------------------------------------------------------------------------------------


def run(test: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run an asynchronous test; one that waits for ever fails."""
    return asyncio.run(asyncio.wait_for(test(), 20))


class Alarms:
    """Alarms as they were raised."""

    def __init__(self, engine: Engine) -> None:
        self.raised: list[tuple[str, Notify]] = []
        engine.alarms.append(lambda workspace_id, notice: self.raised.append((workspace_id, notice)))

    def codes(self, workspace_id: str = "w") -> list[str]:
        return [notice.code for name, notice in self.raised if name == workspace_id]


async def started(
    journal: Journal | None = None,
    *names: str,
    venue: Venue | None = None,
    clock: Clock | None = None,
    rules: Profile | None = None,
    **fields: Any,
) -> Engine:
    """An engine with workspaces, one if none are named, quoted at 100."""
    engine = Engine(journal or MemoryJournal(), clock or LiveClock(), **fields)
    for name in names or ("w",):
        await engine.open(opening(name, rules=rules), venue or PaperVenue(), [instrument()])
        await engine.feed(name, Quote("X", engine.clock.now_ns(), 100))
    return engine


class ScriptedVenue:
    """A venue behind a wire. It takes every order as new, unless `outcomes` or `answers` say otherwise.

    An entry may be what to return, an exception to raise, or a future to wait for.
    """

    def __init__(self, outcomes: Iterable[Any] = (), answers: Iterable[Any] = ()) -> None:
        self.outcomes = deque(outcomes)
        self.answers = deque(answers)
        self.held: dict[str, int] = {}
        self.sent: list[OrderRequest] = []
        self.canceled: list[OrderRequest] = []
        self.asked: list[OrderRequest] = []
        self.closed = False
        self.sink: ReportSink = lambda report: None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities("scripted", frozenset(OrdType), frozenset(TimeInForce), pretended=True)

    async def connect(self, sink: ReportSink) -> None:
        self.sink = sink

    async def close(self) -> None:
        self.closed = True

    async def submit(self, request: OrderRequest) -> Outcome:
        self.sent.append(request)
        return await _played(self.outcomes, Accepted((report_of(request, ExecType.NEW),)))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        self.canceled.append(request)
        return await _played(self.outcomes, Accepted((report_of(request, ExecType.CANCELED),)))

    async def query(self, request: OrderRequest) -> QueryAnswer:
        self.asked.append(request)
        working = QueryAnswer(True, (report_of(request, ExecType.STATUS),))
        return await _played(self.answers, working)

    async def positions(self) -> dict[str, int]:
        return dict(self.held)

    def fill(self, request: OrderRequest, qty: int, exec_id: str, px: int = 100) -> None:
        """Report an execution on the stream."""
        self.held["X"] = self.held.get("X", 0) + request.side * qty
        self.sink(report_of(request, ExecType.TRADE, exec_id=exec_id, last_px=px, last_qty=qty))


async def _played(script: deque[Any], otherwise: T) -> T:
    if not script:
        return otherwise
    played = script.popleft()
    if isinstance(played, asyncio.Future):
        played = await played
    if isinstance(played, BaseException):
        raise played
    result: T = played(otherwise) if callable(played) else played
    return result


def report_of(request: OrderRequest, exec_type: ExecType, **fields: Any) -> VenueReport:
    return VenueReport(request.cl_ord_id, exec_type, f"v-{request.order_ref}", **fields)
