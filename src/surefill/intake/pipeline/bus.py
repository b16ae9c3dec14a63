"""The event bus: who wants to know is told, in order, and nobody waits for anybody.

1. `publish` queues and returns. Each subscriber has a queue of its own: a slow one delays only itself.
2. A subscriber hears events in the order in which they were published, one after the other. A handler marked with
   `concurrent` is begun in that order, and may be begun again before it is done.
3. A coroutine function runs on the loop that publishes; any other handler on a thread of its own, so that one which
   blocks stops no loop.
4. What a subscriber raises is counted, logged, kept in `errors`, and published once as SystemError. What a subscriber
   of SystemError raises is not published again.
5. A subscriber that is more than `backlog_max` events behind misses what comes next, and that is an error like any
   other: the journal has it all.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeVar

from surefill.errors import InputError, LocalError
from surefill.intake.pipeline.events import EVENT_TYPES, PipelineEvent, SystemError
from surefill.logs import logger
from surefill.views.wording import one_line

Handler = Callable[[Any], Any]
H = TypeVar("H", bound=Callable[..., Any])

BACKLOG_MAX: Final = 10_000
ERRORS_KEPT: Final = 1_000
_MESSAGE_MAX: Final = 500
_log = logger("surefill.pipeline.bus")


def concurrent(handler: H) -> H:
    """Mark a coroutine function that may be begun again before it is done."""
    handler.concurrent = True  # type: ignore[attr-defined]
    return handler


class SubscriberError(NamedTuple):
    """What a subscriber raised, without its stack."""

    subscriber: str
    event: str
    error_type: str
    message: str
    timestamp: datetime


class EventBus:
    """Belongs to the loop that publishes; `publish_from_thread` is for others. `close` when done with it."""

    def __init__(self, *, backlog_max: int = BACKLOG_MAX) -> None:
        self.errors: deque[SubscriberError] = deque(maxlen=ERRORS_KEPT)
        self.error_count = 0
        self._backlog_max = backlog_max
        self._subscribers: dict[type[PipelineEvent], list[_Subscriber]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def subscribe(self, event_type: str | type[PipelineEvent], handler: Handler) -> Callable[[], None]:
        """Tell `handler` of every event of that name or class; PipelineEvent is all of them. Call the result to stop.

        A handler that is subscribed already is not told twice. Raises InputError for what is no event: a name that is
        misspelt would never be told anything.
        """
        kind = _kind(event_type)
        if not callable(handler):
            raise InputError(f"{handler!r} cannot be called: give a function", code="NOT_CALLABLE")
        known = self._subscribers.setdefault(kind, [])
        subscriber = next((each for each in known if each.handler == handler), None) or self._new(known, handler)

        def unsubscribe() -> None:
            if subscriber in known:
                known.remove(subscriber)
                subscriber.close()

        return unsubscribe

    def _new(self, known: list[_Subscriber], handler: Handler) -> _Subscriber:
        subscriber = _Subscriber(handler, self._backlog_max)
        known.append(subscriber)
        return subscriber

    async def publish(self, event: PipelineEvent) -> None:
        """Queue an event for everybody who wants it. Waits for nobody (`drain` does)."""
        if type(event).__name__ not in EVENT_TYPES:
            raise InputError(f"{event!r} is not an event of the pipeline", code="NOT_AN_EVENT")
        self._bind(asyncio.get_running_loop())
        self._post(event)

    def publish_from_thread(self, event: PipelineEvent) -> None:
        """Queue an event from another thread, for the loop that the bus belongs to. Without one it is logged only."""
        loop = self._loop
        try:
            if loop is None:
                raise LocalError("the bus belongs to no loop yet: publish something, or `attach` it")
            loop.call_soon_threadsafe(self._post, event)
        except (LocalError, RuntimeError) as error:  # RuntimeError: the loop is closed
            _log.warning("event_not_published", event_type=type(event).__name__, reason=str(error))

    def attach(self) -> None:
        """Belong to the running loop from now on, unless another that runs has it."""
        if self._loop is None or not self._loop.is_running():
            self._bind(asyncio.get_running_loop())

    async def drain(self) -> None:
        """Wait until everything that has been published was handled, and what that published too."""
        await asyncio.sleep(0)  # what other threads have handed in comes first
        while busy := [task for each in self._everybody() for task in each.tasks]:
            await asyncio.wait(busy)

    def close(self) -> None:
        """Tell nobody anything any more; what is being handled now is not waited for."""
        for subscriber in self._everybody():
            subscriber.close()
        self._subscribers.clear()

    def _everybody(self) -> list[_Subscriber]:
        return [subscriber for each in self._subscribers.values() for subscriber in each]

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            return
        if self._loop is not None and self._loop.is_running():
            raise LocalError("this bus belongs to another loop: use publish_from_thread, or a bus of its own")
        self._loop = loop
        for subscriber in self._everybody():
            subscriber.forget_tasks()  # of a loop that is gone

    def _post(self, event: PipelineEvent) -> None:
        for kind in (type(event), PipelineEvent):
            for subscriber in list(self._subscribers.get(kind, ())):
                if not subscriber.take(event, self._failed):
                    behind = LocalError(f"more than {self._backlog_max} events behind: it has missed this one")
                    self._failed(subscriber, event, behind)

    def _failed(self, subscriber: _Subscriber, event: PipelineEvent, error: Exception) -> None:
        """Count, log, keep, tell; once."""
        self.error_count += 1
        kind, message = type(error).__name__, shown(error)
        moment = datetime.now(UTC)
        self.errors.append(SubscriberError(subscriber.name, type(event).__name__, kind, message, moment))
        _log.error(
            "subscriber_failed", subscriber=subscriber.name, event_type=type(event).__name__, error=f"{kind}: {message}"
        )
        if not isinstance(event, SystemError):
            self._post(
                SystemError(
                    f"EventBus subscriber {subscriber.name}",
                    kind,
                    message,
                    f"{kind}: {message}",
                    timestamp=moment,
                    correlation_id=event.correlation_id,
                )
            )


def shown(error: BaseException) -> str:
    """An error's own words on one line, never its stack."""
    text = one_line(str(error))
    return text if len(text) <= _MESSAGE_MAX else text[: _MESSAGE_MAX - 3] + "..."


def _kind(event_type: str | type[PipelineEvent]) -> type[PipelineEvent]:
    if event_type is PipelineEvent or event_type in EVENT_TYPES.values():
        return event_type  # type: ignore[return-value]
    found = EVENT_TYPES.get(event_type) if isinstance(event_type, str) else None
    if found is None:
        raise InputError(
            f"{event_type!r} is not an event of the pipeline: use one of {', '.join(EVENT_TYPES)}", code="NOT_AN_EVENT"
        )
    return found


class _Subscriber:
    """A handler, what it has not heard yet, and the tasks that tell it."""

    def __init__(self, handler: Handler, backlog_max: int) -> None:
        self.handler = handler
        self.name = getattr(handler, "__qualname__", type(handler).__name__)
        self.tasks: set[asyncio.Task[None]] = set()
        self._backlog_max = backlog_max
        self._queue: deque[PipelineEvent] = deque()
        self._telling = False
        self._concurrent = getattr(handler, "concurrent", False)
        self._thread: ThreadPoolExecutor | None = None
        if not (inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)):
            self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"surefill-bus-{self.name}")

    def take(self, event: PipelineEvent, failed: Callable[[_Subscriber, PipelineEvent, Exception], None]) -> bool:
        """Queue it; False when too much is waiting already."""
        waiting = len(self.tasks) if self._concurrent else len(self._queue)
        if waiting >= self._backlog_max:
            return False
        if self._concurrent:
            self._begin(self._tell(event, failed))
            return True
        self._queue.append(event)
        if not self._telling:
            self._telling = True
            self._begin(self._tell_all(failed))
        return True

    def _begin(self, telling: Any) -> None:
        task = asyncio.get_running_loop().create_task(telling)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _tell_all(self, failed: Callable[[_Subscriber, PipelineEvent, Exception], None]) -> None:
        try:
            while self._queue:
                await self._tell(self._queue.popleft(), failed)
        finally:
            self._telling = False

    async def _tell(
        self, event: PipelineEvent, failed: Callable[[_Subscriber, PipelineEvent, Exception], None]
    ) -> None:
        try:
            if self._thread is None:
                await self.handler(event)
                return
            answer = await asyncio.get_running_loop().run_in_executor(self._thread, self.handler, event)
            if inspect.isawaitable(answer):  # a plain function that makes a coroutine
                await answer
        except Exception as error:  # the subscriber's own: it hurts nobody else
            failed(self, event, error)

    def forget_tasks(self) -> None:
        """The loop that ran them is gone; what they had not told is told by the next."""
        self.tasks.clear()
        self._telling = False

    def close(self) -> None:
        """Forget what it has not heard."""
        self._queue.clear()
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
