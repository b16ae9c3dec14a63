"""The chain: what a handler is, and what it is handed.

A handler is the contract's view of a group of the core's gates, or of a part of an order's life. It checks nothing
itself: it asks the gates, early, so that the chain can stop with a name and a log entry. The order itself meets all
gates of the profile when it is submitted, whichever handlers were there to ask before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, TypeVar

from surefill.domain.refusals import Refusal
from surefill.engine.receipt import Receipt
from surefill.intake.pipeline.async_door import AsyncDoor
from surefill.intake.pipeline.bus import shown
from surefill.intake.pipeline.events import TradingSignalGenerated
from surefill.intake.pipeline.messages import LogEntry
from surefill.intake.pipeline.order_view import ManagedOrder, OrderManager
from surefill.intake.pipeline.translation import Draft
from surefill.logs import logger
from surefill.views.wording import one_line

H = TypeVar("H", bound="ExecutionHandler")
_log = logger("surefill.pipeline")


class Failure(NamedTuple):
    """Why a handler stops the chain."""

    code: str
    message: str


class PipelineContext:
    """What goes along the chain. `draft` is the signal as an intent; nothing in it can be changed by a handler."""

    def __init__(self, signal: TradingSignalGenerated, draft: Draft, door: AsyncDoor, orders: OrderManager) -> None:
        self.signal = signal
        self.draft = draft
        self.door = door
        self.orders = orders
        self.receipt: Receipt | None = None
        self.order: ManagedOrder | None = None
        self.failure: Failure | None = None
        self.failed_handler = ""
        self.warnings: list[str] = []
        self.log: list[LogEntry] = []
        self.slippage_exceeded = False
        self.is_partial = False

    def warn(self, text: str) -> None:
        """Something that a person should see and that stops nothing."""
        self.warnings.append(text)
        _log.warning("signal_warning", symbol=self.signal.symbol, story=self.draft.intent.correlation_id, text=text)

    async def ask(self, stage: str, gates: Sequence[str]) -> Failure | None:
        """What was found wrong at this stage of reading the signal, else what these gates say at its own price."""
        refusal: Refusal | None = self.draft.refusals.get(stage)
        if refusal is None and self.draft.own_quote is not None:
            refusal = await self.door.ask(self.draft.intent, self.draft.own_quote, gates)
        return None if refusal is None else Failure(refusal.code.name, refusal.reason)


class ExecutionHandler(ABC):
    """A link of the chain. Make your own with `process`: None lets the signal pass, a Failure stops the chain."""

    #: Which gates of the profile `pipeline` this handler asks.
    gates: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self._next: ExecutionHandler | None = None

    @property
    def name(self) -> str:
        """What the log calls it."""
        return type(self).__name__

    def set_next(self, handler: H) -> H:
        """Put `handler` behind this one; returns it, so that calls can be chained."""
        self._next = handler
        return handler

    def settings(self) -> Mapping[str, object]:
        """The keys of the configuration's section `pipeline` that this handler's parameters stand for."""
        return {}

    @abstractmethod
    async def process(self, context: PipelineContext) -> Failure | None:
        """Do this handler's part."""

    async def handle(self, context: PipelineContext) -> None:
        """Do this handler's part, write it down, and pass the signal on unless it failed."""
        try:
            failure = await self.process(context)
            outcome = "PASSED" if failure is None else "FAILED"
        except Exception as error:  # a handler's own fault must not send anything, nor go unseen
            failure, outcome = Failure("HANDLER_FAILED", f"{type(error).__name__}: {shown(error)}"), "STOPPED"
            _log.error("handler_failed", handler=self.name, error=failure.message)
        detail = "" if failure is None else f"{failure.code}: {failure.message}"
        context.log.append(LogEntry(self.name, outcome, one_line(detail)))
        _log.info(
            "handler",
            handler=self.name,
            outcome=outcome,
            symbol=context.signal.symbol,
            story=context.draft.intent.correlation_id,
            detail=one_line(detail),
        )
        if failure is not None:
            context.failure, context.failed_handler = failure, self.name
        elif self._next is not None:
            await self._next.handle(context)
