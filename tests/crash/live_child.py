"""An engine at a real venue's protocol that kills itself at a step, and the start after it.

The engine is the product's own: `Session`, the adapter, the client library, the journal in SQLite. The kill switch lies
around two of its parts, the journal and the adapter, and at the emulated venue, which holds a request or an answer
back until the killer has killed. Only the limits of time are shorter than those of the product.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiohttp  # noqa: F401  # what the adapters import when they need it: once, before the fork
import ccxt.async_support  # noqa: F401
import httpx2  # noqa: F401
import kiteconnect  # noqa: F401
import msgspec
from tests.crash.live_places import PLACES, Way, adapter_at, hand
from tests.crash.live_steps import ENTER, ENTRY, EXIT, LEAVE, MOVE, RECOVER, STOP, Kill

from surefill.config import Settings, load_settings
from surefill.domain import codec
from surefill.domain.effects import Notify
from surefill.domain.inputs import OpenWorkspace, ResolveOrder
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.orders import Order, OrderRequest
from surefill.domain.state import State
from surefill.engine.engine import Engine
from surefill.errors import JournalError
from surefill.intake import session as session_module
from surefill.intake.session import Session
from surefill.journal import Batch, SqliteJournal
from surefill.rules.codes import OrdStatus, OrdType
from surefill.testing.remote_venue import Fault
from surefill.units import NS_PER_MS, to_quanta
from surefill.venues.protocol import LiveVenue, Outcome, QueryAnswer

T = TypeVar("T")

WORKSPACE = "w"
WITHIN_S = 12.0
QUICK: dict[str, int] = {
    "query_spacing_ns": 30 * NS_PER_MS,
    "send_by_ns": 700 * NS_PER_MS,
    "naked_page_ns": 500 * NS_PER_MS,
    "stop_grace_ns": 1_000 * NS_PER_MS,
    "retry_base_ns": 30 * NS_PER_MS,
}
#: Which of the emulated venue's faults holds a call back so that its caller can die.
HOLDING = {"sent": Fault.LOSE_ANSWER, "late": Fault.DELAY_REQUEST}
IN_DOUBT = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)


class Spec(msgspec.Struct):
    """One life. `kill`: where to die; none: see to it that all comes to rest, and write what was found.

    `within_s`: die at a moment of chance instead, so long after the start at most.
    """

    folder: str
    place: str
    way: Way
    recovers: bool = False
    kill: Kill | None = None
    within_s: float = 0.0


class Found(msgspec.Struct):
    """What a start came to. Quantities in quanta; `stops`: status, quantity left and trigger of each that rests.

    `watched`: positions whose stop is looked after from here. `doubted`: orders that a person had to decide on.
    `written`: events that a second comparison wrote beside its own. `fallen`: what was held after the price's fall.
    """

    positions: dict[str, int]
    stops: list[tuple[int, int]]
    watched: list[str]
    doubted: list[str]
    pages: list[str]
    differences: dict[str, tuple[int, int]]
    written: list[str]
    halted: str
    fallen: dict[str, int] = {}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def role_of(request: OrderRequest) -> str:
    if not request.reduce_only:
        return ENTRY
    return STOP if request.ord_type == OrdType.STOP else EXIT


class Doom:
    """The kill switch."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.phase = spec, ""
        self.struck: Callable[[], bool] = lambda: False

    def due(self, how: str, what: str, role: str) -> bool:
        """Whether it is the step."""
        return self.spec.kill == (how, what, role, self.phase)

    def die_once_struck(self, fault: Fault, op: str) -> None:
        """Have the venue hold the next request of that kind back, and die as soon as it does."""
        url = self.spec.way.url
        before = hand(url, "truth")["fired"].get(fault.name, 0)
        hand(url, "arm", fault=fault.name, times=1, op=op)
        self.struck = lambda: hand(url, "truth")["fired"].get(fault.name, 0) > before

        def watch() -> None:
            while not self.struck():
                time.sleep(0.002)
            die()

        threading.Thread(target=watch, daemon=True).start()


class DoomedJournal(SqliteJournal):
    """Dies right before or right after a commit that has a certain event."""

    doom: Doom

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.roles: dict[str, str] = {}
        for record in self.read(WORKSPACE):
            self._name(codec.decode(record.payload))

    def _name(self, event: Any) -> tuple[str, str]:
        """An event, and the role of the order that it is about."""
        kind = type(event).__name__
        if kind == "OrderCreated":
            self.roles[event.request.cl_ord_id] = role_of(event.request)
            return kind, role_of(event.request)
        return kind, self.roles.get(getattr(event, "cl_ord_id", ""), "")

    def append(self, batches: Sequence[Batch]) -> list[JournalError | None]:
        names = [self._name(codec.decode(payload)) for batch in batches for payload in batch.payloads]
        if any(self.doom.due("before", *name) for name in names) or self.doom.struck():
            die()  # what was heard of a request that is held back is not written
        result = super().append(batches)
        if any(self.doom.due("after", *name) for name in names):
            die()
        return result


class DoomedVenue:
    """The adapter, with a hand on the calls that can be deadly."""

    def __init__(self, inner: LiveVenue, doom: Doom) -> None:
        self.inner, self.doom = inner, doom

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def submit(self, request: OrderRequest) -> Outcome:
        return await self._called("submit", role_of(request), self.inner.submit(request))

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        return await self._called("cancel", role_of(request), self.inner.cancel(request, order_id))

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        return await self._called("amend", role_of(request), self.inner.amend(request, order_id))

    async def query(self, request: OrderRequest) -> QueryAnswer:
        return await self._called("query", role_of(request), self.inner.query(request))

    async def positions(self) -> dict[str, int]:
        return await self._called("positions", "", self.inner.positions())

    async def _called(self, call: str, role: str, asked: Coroutine[Any, Any, T]) -> T:
        for how, fault in HOLDING.items():
            if self.doom.due(how, call, role):
                self.doom.die_once_struck(fault, call)
        answer = await asked
        if self.doom.due("answered", call, role):
            die()
        return answer


class Life:
    """One process: a session at the venue, and what is done with it."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.place, self.doom = spec, PLACES[spec.place], Doom(spec)
        self.folder = Path(spec.folder)
        self.told = os.open(self.folder / "told", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.pages: list[str] = []
        self.session: Session

    def begin(self, phase: str) -> None:
        """Open the session; the kill switch is on from here."""
        journal = DoomedJournal(self.folder / "journal.db")
        journal.doom, self.doom.phase = self.doom, phase
        _shorten(self.place.window_ms, self.pages)
        venue: Any = DoomedVenue(adapter_at(self.place, self.spec.way), self.doom)
        self.session = Session.open(_settings(self.spec), journal=journal, market=venue)

    def tell(self, words: str) -> None:
        """What nobody can take back."""
        os.write(self.told, f"{words}\n".encode())

    def price(self, px: str) -> None:
        """The price moves, at the venue and so here."""
        hand(self.spec.way.url, "price", symbol=self.place.symbol, px=px)
        self.session.quote(self.place.instrument_id, last=px)

    def ask(self, name: str) -> None:
        """Send an intent under its id, or ask again."""
        place = self.place
        instrument = self.session.ensure_instrument(place.instrument_id)

        def px(text: str) -> int:
            return to_quanta(text, instrument.price_decimals, field="px")

        qty = to_quanta(place.qty, instrument.qty_decimals, field="qty")
        plan = ExitPlan(stop_px=px(place.stop), trail_distance=px(place.trail))
        terms: dict[str, Any] = {"action": Action.OPEN, "side": 1, "order_qty": qty, "plan": plan}
        if name == LEAVE:
            terms = {"action": Action.CLOSE, "side": 0, "order_qty": 0}
        self.session.submit(Intent(name, f"c-{name}", "test", "s", place.instrument_id, **terms))

    def until(self, what: Callable[[State], bool], px: str = "") -> None:
        """Wait until it is so; prices go on coming."""
        end, price = time.monotonic() + WITHIN_S, px
        while not self.session.read(what):
            if time.monotonic() > end:
                raise AssertionError(f"not so within {WITHIN_S} s: {self.session.read(described)} {self.pages}")
            time.sleep(0.01)
            if price:
                self.session.quote(self.place.instrument_id, last=price)

    # -- the story --------------------------------------------------------------------------------------------

    def trade(self) -> None:
        """Enter, have the stop moved, leave: until death."""
        self.begin(ENTER)
        self._show(self.place.px)
        self._ask_once(ENTER)
        self.until(self.guarded)
        self.doom.phase = MOVE
        self._show(self.place.up)
        self.until(self.moved)
        self.doom.phase = LEAVE
        self._ask_once(LEAVE)
        self.until(lambda state: not any(state.open_positions()) and not state.book.orders)

    def _show(self, px: str) -> None:
        self.tell(f"px {px}")
        self.price(px)

    def _ask_once(self, name: str) -> None:
        self.tell(f"ask {name}")
        self.ask(name)

    def guarded(self, state: State) -> bool:
        """Whether what is held is protected, and nothing is on its way."""
        held = dict(state.open_positions())
        return bool(held) and at_rest(state)

    def moved(self, state: State) -> bool:
        """Whether the stop stands where the higher price wants it."""
        (position,) = dict(state.open_positions()).values()
        return position.protection is not None and position.protection.trailed and at_rest(state)

    # -- the start after it -----------------------------------------------------------------------------------

    def recover(self) -> None:
        """Start, ask again for all that was asked for, wait for rest; then see what there is, and let the price fall."""
        self.begin(RECOVER)
        lines = [line.split() for line in (self.folder / "told").read_text().splitlines()]
        px = [words[1] for words in lines if words[0] == "px"][-1:] or [self.place.px]
        self.price(px[0])
        for words in lines:
            if words[0] == "ask":
                self.ask(words[1])
        self.until(lambda state: at_rest(state, but_paged=True), px[0])
        doubted = self._decided()
        self.until(at_rest, px[0])
        found = self._found(doubted)
        self._fall()
        found.fallen = self.session.read(_held)
        (self.folder / "found.json").write_bytes(msgspec.json.encode(found))
        self.session.close()
        self.session.journal.close()

    def _decided(self) -> list[str]:
        """A person who was called looks at the venue, and ends what is not there."""
        orders = self.session.read(lambda state: [o for o in state.book.orders.values() if o.status in IN_DOUBT])
        for order in orders:
            now_ns, rejected = time.time_ns(), int(OrdStatus.REJECTED)
            self.session.feed(ResolveOrder(now_ns, order.request.cl_ord_id, rejected, "ann", "not in the order book"))
        return [f"{role_of(order.request)} {order.request.cl_ord_id}" for order in orders]

    def _found(self, doubted: list[str]) -> Found:
        session, journal = self.session, self.session.journal
        seq = session.read(lambda state: state.book.seq)
        differences = session.reconcile()
        session.engine.run(session.engine.engine.rounds[WORKSPACE].orders())
        later = [type(codec.decode(record.payload)).__name__ for record in journal.read(WORKSPACE, seq + 1)]

        def look(state: State) -> Found:
            stops = [o for o in state.book.orders.values() if o.rests]
            held = dict(state.open_positions())
            return Found(
                _held(state),
                [(o.leaves_qty, o.request.stop_px) for o in stops],
                [key for key, each in held.items() if each.protection and each.protection.stop_px],
                doubted,
                self.pages,
                differences,
                later,
                state.book.halted_code,
            )

        return session.read(look)

    def _fall(self) -> None:
        """The price falls through every stop: whatever protects must do so now."""
        self.price(self.place.down)
        self.until(lambda state: not any(state.open_positions()) and not state.book.orders, self.place.down)


def at_rest(state: State, *, but_paged: bool = False) -> bool:
    """Whether nothing is in doubt or on its way, and every position has its stop where it belongs.

    `but_paged`: or somebody was called about it.
    """
    book = state.book
    if but_paged and any(order.status in IN_DOUBT and order.paged for order in book.orders.values()):
        return all(order.paged or order.withheld or not _moves(order) for order in book.orders.values())
    if any(_moves(order) for order in book.orders.values()):
        return False
    for _, position in state.open_positions():
        protection = position.protection
        if protection is None or protection.due is not None or protection.naked_ns and not protection.stop_refused:
            return False
    return True


def _moves(order: Order) -> bool:
    asked = order.cancel_pending or order.replacing is not None or order.withheld or order.resend_ns
    return bool(order.status in IN_DOUBT or asked or order.end_status or not order.rests)


def _held(state: State) -> dict[str, int]:
    return {key: position.qty for key, position in state.book.positions.items() if position.qty}


def described(state: State) -> str:
    """Where everything stands, for a failing test's message."""
    orders = [*state.book.orders.values(), *state.book.done.values()]
    lines = [
        f"{role_of(o.request)} {OrdStatus(o.status).name} {o.cum_qty}/{o.request.order_qty} {o.code} {o.text}"
        f" paged={o.paged} cancel={o.cancel_pending} replacing={o.replacing is not None} withheld={o.withheld}"
        for o in orders
    ]
    held = {key: (each.qty, each.protection) for key, each in state.open_positions()}
    return f"orders {lines}, positions {held}, halted {state.book.halted_code!r} {state.book.halted_reason!r}"


def _settings(spec: Spec) -> Settings:
    place = PLACES[spec.place]
    workspace = {"id": WORKSPACE, "venue": place.venue, "mode": "live", "currency": place.currency}
    flags: dict[str, object] = {
        "journal.path": str(Path(spec.folder) / "journal.db"),
        "workspace": workspace,
        "execution": {"engine": "v3", "stops_at": place.stops_at, "allow_negative_cash": True},
    }
    return load_settings(None, flags, {})


def _shorten(window_ms: int, pages: list[str]) -> None:
    """The product's limits, but of time: nobody waits half a minute for each of these lives. And hear every page."""
    opening_of, raised = session_module.opening_of, Engine.raise_alarm

    def quick(settings: Settings, ts_ns: int, *, accept_changes: bool = False) -> OpenWorkspace:
        opening = opening_of(settings, ts_ns, accept_changes=accept_changes)
        horizon_ns = (window_ms + 300) * NS_PER_MS if window_ms else 0
        page_ns = horizon_ns + 1_000 * NS_PER_MS
        limits = msgspec.structs.replace(
            opening.profile.limits, **QUICK, absence_horizon_ns=horizon_ns, unknown_page_ns=page_ns
        )
        return msgspec.structs.replace(opening, profile=msgspec.structs.replace(opening.profile, limits=limits))

    def heard(engine: Engine, workspace_id: str, notice: Notify) -> None:
        if notice.page:
            pages.append(notice.code)
        raised(engine, workspace_id, notice)

    setattr(session_module, "opening_of", quick)  # noqa: B010
    setattr(Engine, "raise_alarm", heard)  # noqa: B010


def main(spec: Spec) -> None:
    """Live, or die."""
    if spec.within_s:
        threading.Timer(random.uniform(0, spec.within_s), die).start()
    life = Life(spec)
    if spec.recovers:
        life.recover()
    else:
        life.trade()

