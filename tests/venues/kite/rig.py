"""A Kite account on the emulated venue, and an engine on it, quick enough for many cases; what must be true after."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from tests.venues.kite.hand import Kite

from surefill.domain.effects import Notify
from surefill.domain.inputs import OpenWorkspace, RequestCancel
from surefill.domain.intent import Action, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Quote, Source
from surefill.domain.orders import Order, OrderRequest
from surefill.domain.profile import V3
from surefill.domain.state import State
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt
from surefill.errors import VenueOutcomeUnknown
from surefill.journal import MemoryJournal, verify
from surefill.rules.codes import OrdStatus, OrdType, TimeInForce
from surefill.secret import Secret
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.kite import KiteSettings, KiteVenue

INFY, INFY_TOKEN = "NSE:INFY", 408065
FUTURE = "NFO:NIFTY26DECFUT"
PX = 150_000  # INFY, in paise
TIMEOUT_S = 0.25
DELAY_MS = 400  # what is late comes after the time-out
LIMITS = Limits(query_spacing_ns=30 * NS_PER_MS, unknown_page_ns=500 * NS_PER_MS, send_by_ns=5 * NS_PER_S)
NO_LIMITS = {"orders_per_s": 0, "orders_per_min": 0, "quotes_per_s": 0, "others_per_s": 0}
IN_FLIGHT = (OrdStatus.UNKNOWN, OrdStatus.SUBMITTED)


@contextmanager
def kite() -> Iterator[Kite]:
    """An emulated Kite that asks for no patience."""
    with Kite() as emulated:
        emulated.rules(limits=NO_LIMITS, delay_ms=DELAY_MS, heartbeat_ms=50)
        emulated.price(INFY, PX / 100)
        yield emulated


def settings_for(emulated: Kite, **changes: Any) -> KiteSettings:
    told: dict[str, Any] = {
        "api_key": "emulated_key",
        "access_token": Secret(emulated.access_token()),
        "api_secret": Secret("emulated_secret"),
        "root": emulated.url,
        "ticker_url": emulated.ws_url,
        "product": "MIS",
        "timeout_s": TIMEOUT_S,
        "poll_s": 0.05,
        "hint_spacing_s": 0.01,
        "settle_s": 0.02,
        "ticker": False,
        "silence_s": 1.0,
        "reconnect_first_s": 0.02,
        "reconnect_max_s": 0.1,
        "orders_per_s": 0,
        "orders_per_min": 0,
    }
    return KiteSettings(**{**told, **changes})


def request_for(cl_ord_id: str, **changes: Any) -> OrderRequest:
    """A market order for ten shares of INFY."""
    told: dict[str, Any] = {
        "cl_ord_id": cl_ord_id,
        "order_ref": "",
        "instrument_id": INFY,
        "bucket": "",
        "side": 1,
        "ord_type": OrdType.MARKET,
        "order_qty": 10,
        "px": 0,
        "stop_px": 0,
        "time_in_force": TimeInForce.DAY,
        "reduce_only": False,
        "arrival_px": PX,
        "transact_ns": time.time_ns(),
        "send_by_ns": time.time_ns() + 30 * NS_PER_S,
    }
    return OrderRequest(**{**told, **changes})


def tagged(emulated: Kite) -> Counter[str]:
    """How many orders the venue really has, by tag."""
    return Counter(order["tag"] for order in emulated.truth()["orders"] if order["tag"])


class Rig:
    """One engine with one workspace on one account. Use `run`."""

    def __init__(self, emulated: Kite, *, limits: Limits = LIMITS, **changes: Any) -> None:
        self.kite = emulated
        self.limits = limits
        self.settings = settings_for(emulated, **changes)
        self.journal = MemoryJournal()
        self.alarms: list[Notify] = []
        self.engine: Engine
        self.venue: KiteVenue

    def run(self, story: Callable[[Rig], Awaitable[None]]) -> None:
        asyncio.run(self._live(story))

    async def _live(self, story: Callable[[Rig], Awaitable[None]]) -> None:
        self.engine = Engine(self.journal, LiveClock())
        self.engine.alarms[:] = [lambda _workspace_id, notice: self.alarms.append(notice)]
        self.venue = KiteVenue(self.settings)
        profile = msgspec.structs.replace(V3, limits=self.limits)
        opening = OpenWorkspace(time.time_ns(), "w", "live", "kite", "AB1234", "INR", 4, 10**14, profile, "hash")
        for _ in range(10):
            try:
                await self.engine.open(opening, self.venue, await self._instruments())
            except VenueOutcomeUnknown:
                self.venue = KiteVenue(self.settings)
                continue
            break
        try:
            await story(self)
        finally:
            self.engine._stopped = True  # a turn while the loop is being taken down would start what nobody ends
            await self.venue.close()

    async def _instruments(self) -> Any:
        return [each for each in await self.venue.instruments() if each.instrument_id in (INFY, FUTURE)]

    async def submit(
        self, intent_id: str, side: int = 1, qty: int = 10, *, px: int = 0, instrument_id: str = INFY
    ) -> Receipt:
        """A market order, or with `px` a limit order."""
        ord_type = OrdType.LIMIT if px else OrdType.MARKET
        intent = Intent(
            intent_id, f"c-{intent_id}", "test", "s", instrument_id, Action.TRADE, side, qty, ord_type=ord_type, px=px
        )
        quote = Quote(instrument_id, time.time_ns(), PX, source=Source.CALLER)
        return await self.engine.submit("w", intent, quote)

    async def cancel(self, cl_ord_id: str) -> None:
        await self.engine.feed("w", RequestCancel(time.time_ns(), cl_ord_id, "test"))

    async def read(self, reader: Callable[[State], Any]) -> Any:
        return await self.engine.read("w", reader)

    async def order(self, cl_ord_id: str) -> Order:
        order = await self.read(lambda state: state.order(cl_ord_id))
        assert isinstance(order, Order)
        return order

    async def until(self, what: Callable[[State], bool], within_s: float = 5.0) -> None:
        """Wait until the state is so."""
        end = time.monotonic() + within_s
        while not await self.read(what):
            assert time.monotonic() < end, f"not so within {within_s} s: {await self.read(described)} {self.alarms}"
            await asyncio.sleep(0.005)

    async def settled(self) -> None:
        """All is known, or somebody was called; both books are the same; no tag has more than one order."""

        def agrees(state: State) -> bool:
            truth = self.kite.truth()
            tags = {order["tag"] for order in truth["orders"]}
            known = all(order.status not in IN_FLIGHT for name, order in state.book.orders.items() if name in tags)
            paged = all(order.status not in IN_FLIGHT or order.paged for order in state.book.orders.values())
            ended = {order["tag"] for order in truth["orders"] if order["status"] in ("CANCELLED", "REJECTED")}
            over = not ended & state.book.orders.keys()
            held = {key: position.qty for key, position in state.open_positions()}
            return known and paged and over and held == positions_of(truth)

        await self.until(agrees)
        assert all(count == 1 for count in tagged(self.kite).values()), tagged(self.kite)
        assert verify(self.journal).ok


def positions_of(truth: dict[str, Any]) -> dict[str, int]:
    """What is really held in MIS, out of the venue's trades."""
    held: Counter[str] = Counter()
    for trade in truth["trades"]:
        sign = 1 if trade["transaction_type"] == "BUY" else -1
        held[f"{trade['exchange']}:{trade['tradingsymbol']}"] += sign * trade["quantity"]
    return {key: qty for key, qty in held.items() if qty}


def described(state: State) -> str:
    """Where everything stands, for a failing test's message."""
    orders = [*state.book.orders.values(), *state.book.done.values()]
    lines = [f"{OrdStatus(o.status).name} {o.cum_qty}/{o.request.order_qty} paged={o.paged} {o.text}" for o in orders]
    held = {key: position.qty for key, position in state.open_positions()}
    return f"orders {lines}, positions {held}, halted {state.book.halted_code!r} {state.book.halted_reason!r}"
