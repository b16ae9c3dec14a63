"""The state of one workspace.

`Book` is what the journal's events add up to: hashed, snapshotted, rebuilt by replay. Around it stand what can be
derived from it (indexes, the gates as functions) and the market, which is ephemeral.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from surefill.domain.account import KnownBalance, WorkingOrder
from surefill.domain.alerts import Alert
from surefill.domain.costs.tariff import Tariff
from surefill.domain.instrument import Instrument
from surefill.domain.limits import REARM_DEFAULTS
from surefill.domain.market import Quote
from surefill.domain.orders import Order
from surefill.domain.position import Position
from surefill.domain.profile import NO_PROFILE, Profile
from surefill.domain.reports import VenueReport
from surefill.domain.risk import (
    STRATEGY,
    SYMBOL,
    WIDE_SCOPES,
    Day,
    Flow,
    Kill,
    Session,
    Streaks,
    Trip,
    kill_scopes,
)
from surefill.units import NS_PER_S


class Remembered(msgspec.Struct, omit_defaults=True):
    """What has been booked once, by id, with the venue's time; what is older than `floor_ns` may be forgotten."""

    times_ns: dict[str, int] = {}
    floor_ns: int = 0


class Book(msgspec.Struct, omit_defaults=True):
    """Everything that counts, and nothing else. Money in money quanta of `currency`.

    `outside`: money that came from outside and is no profit: paid in less taken out, and what belongs to no position.
    `external_orders`: by the venue's id, what works there and is not ours. `external_execs`: by instrument, `moves` in
    all: what has been booked of executions and moves that no order of ours made. `balance`: how the account's money at
    the venue stood to the books' when that was told last.
    """

    workspace_id: str = ""
    mode: str = ""
    venue: str = ""
    account: str = ""
    currency: str = ""
    money_decimals: int = 0
    starting_cash: int = 0
    cash: int = 0
    realised: int = 0
    fees: int = 0
    profile: Profile = NO_PROFILE
    config_hash: str = ""
    limits_version: int = 0
    seq: int = 0
    number: int = 0
    kills: dict[str, Kill] = {}
    tripped: dict[str, Trip] = {}
    sessions: dict[str, Session] = {}
    day: Day = msgspec.field(default_factory=Day)
    flow: Flow = msgspec.field(default_factory=Flow)
    streaks: Streaks = msgspec.field(default_factory=Streaks)
    instruments: dict[str, Instrument] = {}
    positions: dict[str, Position] = {}
    orders: dict[str, Order] = {}
    done: dict[str, Order] = {}
    parked: list[VenueReport] = []
    recent_intents: dict[str, int] = {}
    alerts: dict[str, Alert] = {}
    build: str = ""
    outside: int = 0
    external_orders: dict[str, WorkingOrder] = {}
    external_execs: dict[str, Remembered] = {}
    moves: Remembered = msgspec.field(default_factory=Remembered)
    balance: KnownBalance | None = None

    @property
    def halted_code(self) -> str:
        """Why the whole workspace takes no entries; "": it does."""
        kill = self.workspace_kill()
        return kill.code if kill is not None else ""

    @property
    def halted_reason(self) -> str:
        """The reason behind `halted_code`."""
        kill = self.workspace_kill()
        return kill.reason if kill is not None else ""

    @property
    def halted_instruments(self) -> dict[str, str]:
        """Instruments that take no entries, and why."""
        return self._suspended(SYMBOL)

    @property
    def halted_strategies(self) -> dict[str, str]:
        """Strategies that are paused, and why."""
        return self._suspended(STRATEGY)

    def workspace_kill(self) -> Kill | None:
        """The switch that suspends the whole workspace: the engine's, its venue's, or its own."""
        for scope in WIDE_SCOPES:
            kill = self.kills.get(scope)
            if kill is not None and kill.suspends:
                return kill
        return None

    def suspended_by(self, instrument_id: str, strategy_id: str) -> str:
        """The scope of the switch that holds back entries of this strategy in this instrument; "": none does."""
        for scope in kill_scopes(instrument_id, strategy_id):
            kill = self.kills.get(scope)
            if kill is not None and kill.suspends:
                return scope
        return ""

    def _suspended(self, kind: str) -> dict[str, str]:
        named = ((scope, kill) for scope, kill in self.kills.items() if scope.startswith(kind))
        return {scope[len(kind) :]: kill.text() for scope, kill in named if kill.suspends}


#: Breakers that need to know what the account is worth.
EQUITY_BREAKERS = ("daily_drawdown", "drawdown", "equity_drop")

# Not sorted: the order in which things came decides what is oldest, and a restored state must decide alike.
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Book)


class Elsewhere(msgspec.Struct, frozen=True):
    """What the other workspaces of the engine that share a limit with this one stand in for, as the shell saw it.

    Money in this workspace's quanta. `limit`: the smallest that one of them has. `blind`: the workspace whose books
    cannot be read now; "": all can.
    """

    limit: int
    value: int
    blind: str = ""


class State:
    """A book, what is derived from it, and the last market seen.

    `keys_of`: instrument -> keys of its positions. `reducing`: position key -> live orders that only reduce it.
    `executions`: instrument -> ids of the executions of its orders that are still known.
    `crossed_ns`: position key -> since when the market has been beyond a stop that rests at the venue.
    `elsewhere`: what the shell last saw of the other workspaces (None: no limit is shared); ephemeral, like the market.
    What the profile's gates ask for is counted, nothing else: `breakers` are those that it names, `watches_equity`
    says that one of them needs the equity, `counts_messages` and `fills_window_ns` that the flow is watched. `tariff`:
    its cost schedule at the account's money scale (None: it has none).
    """

    __slots__ = (
        "book",
        "breakers",
        "counts_messages",
        "crossed_ns",
        "elsewhere",
        "executions",
        "fills_window_ns",
        "keys_of",
        "quotes",
        "reducing",
        "tariff",
        "watches_equity",
    )

    def __init__(self, book: Book | None = None) -> None:
        self.book = Book() if book is None else book
        self.quotes: dict[str, Quote] = {}
        self.crossed_ns: dict[str, int] = {}
        self.elsewhere: Elsewhere | None = None
        self.keys_of: dict[str, list[str]] = {}
        self.reducing: dict[str, list[str]] = {}
        self.executions: dict[str, set[str]] = {}
        for key, position in self.book.positions.items():
            self.keys_of.setdefault(position.instrument_id, []).append(key)
        for order in self.book.orders.values():
            if order.reduces:
                self.reducing.setdefault(order.position, []).append(order.request.cl_ord_id)
        for order in (*self.book.orders.values(), *self.book.done.values()):
            self.executions.setdefault(order.request.instrument_id, set()).update(order.exec_ids)
        for instrument_id, booked in self.book.external_execs.items():
            self.executions.setdefault(instrument_id, set()).update(booked.times_ns)
        self.derive()

    def derive(self) -> None:
        """Work out what the profile's gates ask for."""
        profile = self.book.profile
        gates = frozenset(profile.gates)
        self.breakers: tuple[str, ...] = tuple(name for name in profile.gates if name in REARM_DEFAULTS)
        self.watches_equity = not gates.isdisjoint(EQUITY_BREAKERS)
        self.counts_messages = not gates.isdisjoint(("message_rate", "order_rate"))
        self.tariff = None if profile.costs is None else Tariff(profile.costs, self.book.money_decimals)
        self.fills_window_ns = profile.limits.repeated_fills_window_ns if "repeated_fills" in gates else 0

    def count_message(self, ts_ns: int, *, is_order: bool = False) -> None:
        """A message goes out: remember it where a gate asks, and forget what no window of a second asks for."""
        if self.counts_messages:
            flow = self.book.flow
            for times in (flow.messages, flow.orders) if is_order else (flow.messages,):
                while times and times[0] <= ts_ns - NS_PER_S:
                    del times[0]
                times.append(ts_ns)

    def order(self, cl_ord_id: str) -> Order | None:
        """A live or recently finished order."""
        return self.book.orders.get(cl_ord_id) or self.book.done.get(cl_ord_id)

    def open_positions(self) -> Iterator[tuple[str, Position]]:
        """The positions that hold something, by key."""
        return ((key, position) for key, position in self.book.positions.items() if position.qty)

    def reduce_with(self, key: str) -> None:
        """Look again which live orders reduce this position."""
        live = self.book.orders.items()
        self.reducing[key] = [cl_ord_id for cl_ord_id, order in live if order.position == key and order.reduces]

    def reducing_qty(self, key: str) -> int:
        """How much of this position can go at the most: by what is at the venue, or by what is to go there instead.

        A close that waits for the position's stop to be taken back, and that stop, never work together.
        """
        there = closing = 0
        for cl_ord_id in self.reducing.get(key, ()):
            order = self.book.orders[cl_ord_id]
            there += 0 if order.withheld else order.leaves_qty
            closing += 0 if order.rests else order.leaves_qty
        return max(there, closing)

    def closing_qty(self, key: str) -> int:
        """How much of this position is on its way out, by orders other than the stop that rests at the venue."""
        working = self.reducing.get(key)
        if not working:
            return 0
        orders = (self.book.orders[cl_ord_id] for cl_ord_id in working)
        return sum(order.leaves_qty for order in orders if not order.rests)

    def snapshot(self) -> bytes:
        """The book in canonical bytes: the same events give the same bytes, order included."""
        return _ENCODER.encode(self.book)

    def digest(self) -> str:
        """The hash of the book. Live state, replayed state and snapshot plus tail must agree on it."""
        return hashlib.sha256(self.snapshot()).hexdigest()

    @classmethod
    def restore(cls, payload: bytes) -> State:
        """The state of a snapshot."""
        return cls(_DECODER.decode(payload))
