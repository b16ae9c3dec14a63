"""What every emulated venue stands on: its truth, its clock, its faults, its streams; and what a venue must be."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from starlette.types import ASGIApp

from surefill.testing.emulators.groundwork.faults import AnyFault
from surefill.testing.emulators.groundwork.records import Quote
from surefill.testing.emulators.groundwork.store import Store
from surefill.testing.emulators.groundwork.streams import Streams
from surefill.testing.remote_venue.faults import Fault, FaultSwitch

CRASHED = 70


class Desk:
    """Shared state. `skew_ms`: how far the venue's clock is ahead of the true one."""

    def __init__(self, path: str = ":memory:") -> None:
        self.store = Store(path)
        self.faults = FaultSwitch()
        self.streams = Streams(self.faults, self.later)
        self.skew_ms = 0
        #: How late a delayed request or answer is, in milliseconds: more than a client's time-out in the test.
        self.delay_ms = 1500
        #: How long after an answer a late fill comes.
        self.short_ms = 30

    def now_ms(self) -> int:
        """The venue's clock."""
        return time.time_ns() // 1_000_000 + self.skew_ms

    def later(self, delay_ms: int, call: Callable[[], None]) -> None:
        """Call it on the loop after a while."""
        asyncio.get_running_loop().call_later(delay_ms / 1000, call)

    def hop(self, name: str) -> None:
        """Between two steps: the process may die here (CRASH), with what it committed kept."""
        if self.faults.strike(Fault.CRASH, name):
            os._exit(CRASHED)


class Answer(NamedTuple):
    """An HTTP answer of a venue's own wording."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {"content-type": "application/json"}


class Emulator(Protocol):
    """A venue: an ASGI application and what the faults and the control endpoint need to know of it."""

    app: ASGIApp

    def op_of(self, method: str, path: str) -> str:
        """The name by which faults know a request: "submit", "cancel", "open_orders", … ("" for none)."""
        ...

    def answer_of(self, fault: AnyFault, op: str) -> Answer:
        """What the venue says for THROTTLED, BANNED, OVERLOADED, UNAVAILABLE, STATUS_UNKNOWN, SERVER_ERROR,
        QUERY_ERROR and REFUSED, in its own words."""
        ...

    def set_quote(self, quote: Quote) -> None:
        """The price moves."""
        ...

    def seed(self, body: Mapping[str, Any]) -> None:
        """Put accounts, balances, positions or orders of others there, as this venue understands them."""
        ...

    def control(self, command: str, body: Mapping[str, Any]) -> Any:
        """A command of this kind of venue only; LookupError where it has none of that name."""
        ...

    def restart(self) -> None:
        """Go on after a start with a truth that is there already."""
        ...


def quote_of(symbol: str, body: Mapping[str, Any]) -> Quote:
    """A quote from a control request: `px`, or `bid` and `ask`; `last`; `qty`, or `bid_qty` and `ask_qty`."""

    def number(*names: str) -> Decimal | None:
        return next((Decimal(str(body[name])) for name in names if body.get(name) is not None), None)

    bid, ask, last = number("bid", "px"), number("ask", "px"), number("last", "px", "bid")
    if bid is None or ask is None or last is None:
        raise ValueError(f"a price needs px, or bid and ask: {dict(body)}")
    return Quote(symbol, bid, ask, last, number("bid_qty", "qty"), number("ask_qty", "qty"))
