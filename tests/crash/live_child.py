"""An engine at a real venue's protocol: one life until it is killed at a step, and the start after that.

The engine is the product's own: `Session`, the adapter, the client library, the journal in SQLite. Only its limits of
time are shorter, and the kill switch (`live_doom`) lies around its parts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp  # noqa: F401  # what the adapters import when they need it: once, before the fork
import ccxt.async_support  # noqa: F401
import httpx2  # noqa: F401
import kiteconnect  # noqa: F401
import msgspec
from tests.crash.live_doom import Doom, DoomedJournal, DoomedVenue, role_of
from tests.crash.live_places import PLACES, Way, adapter_at, hand, told_by
from tests.crash.live_steps import ENTER, LEAVE, MOVE, RECOVER, Kill

from surefill.config import load_settings, opening_of
from surefill.config.build import build_of_this
from surefill.domain import codec
from surefill.domain.effects import Notify
from surefill.domain.inputs import OpenWorkspace, ResolveOrder
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.orders import Order
from surefill.domain.state import State
from surefill.engine.engine import Engine
from surefill.intake import session as session_module
from surefill.intake.session import Session
from surefill.rules.codes import OrdStatus
from surefill.units import NS_PER_MS, to_quanta

build_of_this()  # it is the same for every child
WORKSPACE = "w"
WITHIN_S = 12.0
QUICK: dict[str, int] = {
    "query_spacing_ns": 30 * NS_PER_MS,
    "naked_page_ns": 500 * NS_PER_MS,
    "stop_grace_ns": 1_000 * NS_PER_MS,
    "retry_base_ns": 30 * NS_PER_MS,
}
IN_DOUBT = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)


class Spec(msgspec.Struct):
    """One life. `kill`: where it ends; `nth`: or at which moment of all.

    With `recovers` it is a start after that: it sees to it that all comes to rest, and writes what it found.
    """

    folder: str
    place: str
    way: Way
    recovers: bool = False
    kill: Kill | None = None
    nth: int = 0


class Found(msgspec.Struct):
    """What a start came to. Quantities in quanta, of which `unit` make one.

    `watched`: positions with a stop that is looked after from here, or there. `doubted`: orders that a person had to
    decide on. `differences` and `written`: what a second comparison found, and the events it wrote. `truth`: what the
    venue had then, in its own words. `fallen`: what was held after the price had fallen through every stop.
    """

    unit: int
    positions: dict[str, int]
    watched: list[str]
    doubted: list[str]
    pages: list[str]
    differences: dict[str, tuple[int, int]]
    written: list[str]
    halted: str
    truth: dict[str, Any]
    fallen: dict[str, int] = {}


class Life:
    """A session at the venue, and what is done with it."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.place, self.doom = spec, PLACES[spec.place], Doom(spec.kill, spec.nth, spec.way.url)
        self.folder = Path(spec.folder)
        self.told = os.open(self.folder / "told", os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self.pages: list[str] = []
        self.session: Session

    def begin(self, phase: str) -> None:
        """Open the session; the kill switch is on from here."""
        self.doom.phase = phase
        path = self.folder / "journal.db"
        workspace = {"id": WORKSPACE, "venue": self.place.venue, "mode": "live", "currency": self.place.currency}
        execution = {"engine": "v3", "stops_at": self.place.stops_at, "allow_negative_cash": True}
        flags: dict[str, object] = {"journal.path": str(path), "workspace": workspace, "execution": execution}
        _shorten(self.place.window_ms, self.pages)
        venue: Any = DoomedVenue(adapter_at(self.place, self.spec.way), self.doom)
        journal = DoomedJournal(path, WORKSPACE, self.doom)
        self.session = Session.open(load_settings(None, flags, {}), journal=journal, market=venue)

    def price(self, px: str) -> None:
        """The price moves, at the venue and so here."""
        hand(self.spec.way.url, "price", symbol=self.place.symbol, px=px)
        self.session.quote(self.place.instrument_id, last=px)

    def ask(self, name: str) -> None:
        """Send the intent of that name, or ask for it again."""
        place = self.place
        instrument = self.session.ensure_instrument(place.instrument_id)

        def px(text: str) -> int:
            return to_quanta(text, instrument.price_decimals, field="px")

        terms: dict[str, Any] = {"action": Action.CLOSE, "side": 0, "order_qty": 0}
        if name == ENTER:
            qty = to_quanta(place.qty, instrument.qty_decimals, field="qty")
            plan = ExitPlan(stop_px=px(place.stop), trail_distance=px(place.trail))
            terms = {"action": Action.OPEN, "side": 1, "order_qty": qty, "plan": plan}
        self.session.submit(Intent(name, f"c-{name}", "test", "s", place.instrument_id, **terms))

    def until(self, what: Callable[[State], bool], px: str = "") -> None:
        """Wait until it is so; with `px` prices go on coming."""
        end = time.monotonic() + WITHIN_S
        while not self.session.read(what):
            if time.monotonic() > end:
                raise AssertionError(f"not so within {WITHIN_S} s: {self.session.read(described)} {self.pages}")
            time.sleep(0.01)
            if px:
                self.session.quote(self.place.instrument_id, last=px)

    # -- the story --------------------------------------------------------------------------------------------

    def trade(self) -> None:
        """Enter, have the stop moved, leave. Whatever is begun is told first, where no kill takes it back."""
        self.begin(ENTER)
        self._told("px", self.place.px, self.price)
        self._told("ask", ENTER, self.ask)
        self.until(lambda state: bool(_held(state)) and at_rest(state))
        self.doom.phase = MOVE
        self._told("px", self.place.up, self.price)
        self.until(lambda state: _trailed(state) and at_rest(state))
        self.doom.phase = LEAVE
        self._told("ask", LEAVE, self.ask)
        self.until(is_flat)

    def _told(self, kind: str, what: str, do: Callable[[str], None]) -> None:
        os.write(self.told, f"{kind} {what}\n".encode())
        do(what)

    # -- the start after it -----------------------------------------------------------------------------------

    def recover(self) -> None:
        """Start, ask again for all that was asked for, wait for rest; see what there is; let the price fall."""
        self.begin(RECOVER)
        told = [line.split() for line in (self.folder / "told").read_text().splitlines()]
        px = [what for kind, what in told if kind == "px"][-1:] or [self.place.px]
        self.price(px[0])
        for kind, what in told:
            if kind == "ask":
                self.ask(what)
        self.until(at_rest_or_paged, px[0])
        doubted = self._decided()
        self.until(at_rest, px[0])
        found = self._found(doubted)
        self.price(self.place.down)
        self.until(is_flat, self.place.down)
        found.fallen = self.session.read(_held)
        (self.folder / "found.json").write_bytes(msgspec.json.encode(found))
        self.session.close()
        self.session.journal.close()

    def _decided(self) -> list[str]:
        """A person who was called has looked at the venue, and ends what is not there."""
        orders = self.session.read(lambda state: [o for o in state.book.orders.values() if o.status in IN_DOUBT])
        for order in orders:
            name, rejected = order.request.cl_ord_id, int(OrdStatus.REJECTED)
            self.session.feed(ResolveOrder(time.time_ns(), name, rejected, "ann", "it is in no list of the venue's"))
        return [role_of(order.request) for order in orders]

    def _found(self, doubted: list[str]) -> Found:
        session = self.session
        seq = session.read(lambda state: state.book.seq)
        differences = session.reconcile()
        session.engine.run(session.engine.engine.rounds[WORKSPACE].orders())
        written = [type(codec.decode(each.payload)).__name__ for each in session.journal.read(WORKSPACE, seq + 1)]
        truth = told_by(self.place, self.spec.way.url)
        unit = 10 ** session.ensure_instrument(self.place.instrument_id).qty_decimals

        def look(state: State) -> Found:
            guarded = [key for key, each in state.open_positions() if each.protection and each.protection.stop_px]
            halted = state.book.halted_code
            return Found(unit, _held(state), guarded, doubted, self.pages, differences, written, halted, truth)

        return session.read(look)


def _held(state: State) -> dict[str, int]:
    """With dust."""
    return {key: position.qty for key, position in state.book.positions.items() if position.qty}


def _trailed(state: State) -> bool:
    return any(each.protection is not None and each.protection.trailed for _, each in state.open_positions())


def is_flat(state: State) -> bool:
    """Whether nothing is held but dust, and nothing works."""
    return not any(state.open_positions()) and not state.book.orders


def at_rest(state: State) -> bool:
    """Whether nothing is in doubt or on its way, and every position has its stop where it belongs."""
    guards = [position.protection for _, position in state.open_positions()]
    guarded = all(each is not None and each.due is None and not each.naked_ns for each in guards)
    return guarded and not any(map(_moves, state.book.orders.values()))


def at_rest_or_paged(state: State) -> bool:
    """The same, but for orders that somebody was called about, and what waits for them."""
    orders = state.book.orders.values()
    doubtful = any(order.status in IN_DOUBT and order.paged for order in orders)
    return at_rest(state) or (doubtful and all(order.paged or not _moves(order) for order in orders))


def _moves(order: Order) -> bool:
    asked = order.cancel_pending or order.replacing is not None or order.withheld or order.resend_ns
    return bool(order.status in IN_DOUBT or asked or order.end_status or not order.rests)


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


def _shorten(window_ms: int, pages: list[str]) -> None:
    """Nobody waits half a minute for each of these lives: the product's limits, but of time. And hear every page."""
    raised = Engine.raise_alarm
    horizon_ns = (window_ms + 200) * NS_PER_MS if window_ms else 0
    waits = {"absence_horizon_ns": horizon_ns, "unknown_page_ns": horizon_ns + 1_500 * NS_PER_MS}
    if window_ms:  # elsewhere nothing waits for it to be over
        waits["send_by_ns"] = 800 * NS_PER_MS

    def quick(*asked: Any, **more: Any) -> OpenWorkspace:
        opening = opening_of(*asked, **more)
        limits = msgspec.structs.replace(opening.profile.limits, **QUICK, **waits)
        return msgspec.structs.replace(opening, profile=msgspec.structs.replace(opening.profile, limits=limits))

    def heard(engine: Engine, workspace_id: str, notice: Notify) -> None:
        if notice.page:
            pages.append(notice.code)
        raised(engine, workspace_id, notice)

    setattr(session_module, "opening_of", quick)  # noqa: B010
    setattr(Engine, "raise_alarm", heard)  # noqa: B010


def main(spec: Spec) -> None:
    """Live, or die."""
    life = Life(spec)
    if spec.recovers:
        life.recover()
    else:
        life.trade()
