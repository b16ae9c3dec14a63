"""Who listens to what, and what may happen to messages on the way there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from surefill.testing.emulators.groundwork.faults import WireFault
from surefill.testing.remote_venue.faults import Fault, FaultSwitch

#: How faults know prices. Those that are armed for nothing in particular pass them by.
QUOTES = "quotes"


class Listener:
    """One connection that listens: its messages in order, None when it is over."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def send(self, message: Any) -> None:
        """Put a message (text, bytes, or None for the end) on its way."""
        self.queue.put_nowait(message)


class Streams:
    """Listeners by channel. Reports wait in an outbox until `flush`, so that an answer can leave before them.

    A channel is any text: an account's reports, a symbol's prices. `call_later(ms, call)` is the loop's.
    """

    def __init__(self, faults: FaultSwitch, call_later: Callable[[int, Callable[[], None]], None]) -> None:
        self._faults = faults
        self._later = call_later
        self._listeners: dict[Listener, set[str]] = {}
        self._outbox: list[tuple[str, Any]] = []
        #: How late a delayed report comes, in milliseconds.
        self.delay_ms = 200

    def open(self, *channels: str) -> Listener:
        """Begin to listen."""
        listener = Listener()
        self._listeners[listener] = set(channels)
        return listener

    def close(self, listener: Listener) -> None:
        """Stop listening."""
        self._listeners.pop(listener, None)

    def channels(self, listener: Listener) -> set[str]:
        """What it listens to; change it to listen to something else."""
        return self._listeners.setdefault(listener, set())

    def listeners(self, channel: str) -> int:
        """How many listen to a channel."""
        return sum(channel in channels for channels in self._listeners.values())

    def break_off(self, channel: str = "") -> int:
        """End all connections that listen to a channel, or all; how many there were."""
        ended = [each for each, channels in self._listeners.items() if not channel or channel in channels]
        for listener in ended:
            listener.send(None)
            self.close(listener)
        return len(ended)

    def tell(self, channel: str, message: Any) -> None:
        """A market message that is no price: at once, and no fault touches it."""
        for listener, channels in list(self._listeners.items()):
            if channel in channels:
                listener.send(message)

    def quote(self, channel: str, message: Any) -> None:
        """A price: at once; faults touch it that were armed for "quotes"."""
        strike = self._faults.strike_only
        if strike(WireFault.STREAM_LOST, QUOTES):
            self.break_off(channel)
        copies = 2 if strike(Fault.DUPLICATE_REPORT, QUOTES) else 1
        if not strike(Fault.LOSE_REPORT, QUOTES):
            for _ in range(copies):
                self.tell(channel, message)

    def report(self, channel: str, message: Any) -> None:
        """A report on an order: into the outbox."""
        self._outbox.append((channel, message))

    def forget(self) -> None:
        """What waits in the outbox is never told."""
        self._outbox.clear()

    def hold(self) -> int:
        """How many wait now: what is reported after this can be held back."""
        return len(self._outbox)

    def held_back(self, before: int) -> Callable[[], None]:
        """Take out what was reported since `hold` said `before`; the call lets it go."""
        held, self._outbox = self._outbox[before:], self._outbox[:before]

        def let_go() -> None:
            self._outbox += held
            self.flush()

        return let_go

    def flush(self, delay_ms: int = 0) -> None:
        """Let the outbox go, through the faults that a stream may have."""
        strike, waiting = self._faults.strike, self._outbox
        self._outbox = []
        if not waiting:
            return
        if strike(WireFault.STREAM_LOST, "stream"):
            for channel in {channel for channel, _ in waiting}:
                self.break_off(channel)
        if strike(Fault.REORDER_REPORTS, "stream"):
            if len(waiting) == 1:
                delay_ms = max(delay_ms, self.delay_ms)
            waiting.reverse()
        if strike(Fault.DUPLICATE_REPORT, "stream"):
            waiting = [each for each in waiting for _ in range(2)]
        kept = [each for each in waiting if not strike(Fault.LOSE_REPORT, "stream")]

        def let_go() -> None:
            for channel, message in kept:
                self.tell(channel, message)

        if delay_ms:
            self._later(delay_ms, let_go)
        else:
            let_go()
