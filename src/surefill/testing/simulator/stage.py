"""What a run is made of and outlives every process in it: the world, the exchange, the journal, and what was seen."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import msgspec

from surefill.domain.effects import Notify
from surefill.domain.inputs import OpenWorkspace
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Intent
from surefill.domain.limits import REARM_HUMAN, Limits
from surefill.domain.profile import V3
from surefill.domain.state import State
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt
from surefill.errors import SurefillError
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus, PartialFill
from surefill.testing.invariants import check_book, check_journal
from surefill.testing.remote_venue import Fault, RemoteVenue, Rules, TruthStore
from surefill.testing.simulator.disk import MortalJournal
from surefill.testing.simulator.wire import Host
from surefill.testing.simulator.world import PowerCut, World, WorldClock
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.paper import PaperVenue
from surefill.venues.protocol import Venue

PX = 10_000
SYMBOLS = ("AAA", "BBB")
IN_DOUBT = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)
BREAKERS = ("drawdown", "loss_streak", "reject_streak")
DRAWDOWN_MAX = 1_000_000
SWARM = (0, 0, 1, 1, 1, 5)
#: In tenths: what has few occasions strikes more often, what stops everything more seldom.
OFTEN = {
    Fault.CRASH: 1,
    Fault.CANCEL_FILL_RACE: 60,
    Fault.END_BEFORE_FILLS: 60,
    Fault.LATE_FILL: 60,
    Fault.FILL_BEFORE_ACK: 30,
    Fault.FILLED_UNSEEN: 30,
}

#: Alarms that a run may raise, and for some the faults of which one must have struck before. No other alarm is right.
CAUSES: dict[str, tuple[Fault, ...]] = {
    "APPEND_FAILED": (),
    "BOOKS_NOT_COMPARED": (),
    "BREAKER_TRIPPED": (),
    "EXIT_REJECTED": (),
    "EXTERNAL_ORDER": (),
    "EXTERNAL_TRADE": (),
    "FENCED": (),
    "FILL_RECOVERED": (),
    "FILLS_BEYOND_END": (Fault.LATE_FILL,),
    "ILLEGAL_END": (Fault.LATE_FILL,),
    "INVARIANT_BREACH": (),
    "JOURNAL_LOST": (),
    "LATE_FILL": (Fault.LATE_FILL,),
    "NEVER_ARRIVED": (),
    "OVERFILL": (Fault.LATE_FILL,),
    "POSITION_NAKED": (),
    "POSITION_DRIFT": (Fault.LATE_FILL, Fault.EMPTY_SNAPSHOT, Fault.STALE_SNAPSHOT),
    "STOP_PRESUMED_GONE": (),
    "STOP_TURNED_UP": (Fault.EMPTY_SNAPSHOT, Fault.STALE_SNAPSHOT),
    "UNCORRELATED_REPORT": (),
    "UNKNOWN_UNRESOLVED": (),
    "VENUE_LOST": (),
    "POSITION_BLIND": (),
    "VENUE_REGAINED": (),
}


class Plan(msgspec.Struct, frozen=True):
    """What may happen in a run; rates in occasions out of a million.

    `workspaces` 0: one to three at the exchange, by the seed, and half of the time one on paper beside them.
    `crash_append`: die at this append, `crash_when` "before" or "after" its commit (0: at none in particular).
    `by_hand`: somebody else trades the accounts too. `breakers`: some watch the account, and trip.
    """

    steps: int = 60
    workspaces: int = 0
    venue_fault_ppm: int = 25_000
    journal_fault_ppm: int = 15_000
    crash_ppm: int = 15_000
    crash_append: int = 0
    crash_when: str = "before"
    by_hand: bool = True
    breakers: bool = True


class Wish:
    """An intent of a caller's, who asks again under the same id until there is a verdict."""

    def __init__(self, workspace_id: str, intent: Intent, px: int) -> None:
        self.workspace_id = workspace_id
        self.intent = intent
        self.px = px
        self.receipts: list[Receipt] = []


class Stage:
    """`engine` is the one that lives now. `fired` counts everything that happened, `violations` what never may."""

    def __init__(self, seed: int, plan: Plan) -> None:
        self.seed, self.plan = seed, plan
        self.world = World(seed)
        self.chance = self.world.chance
        self.truth = TruthStore()
        self.host = Host(self.world, self.truth)
        self.journal = MortalJournal(MemoryJournal())
        self.clock = WorldClock(self.world)
        self.fired: Counter[str] = Counter()
        self.violations: list[str] = []
        self.wishes: list[Wish] = []
        self.px = dict.fromkeys(SYMBOLS, PX)
        self.lives = 0
        self.steps_left = plan.steps
        self.healthy = False
        self.drifted: set[str] = set()
        self.engine: Engine
        names = plan.workspaces or self.chance.randint(1, 3)
        self.remote = [f"w{n}" for n in range(names)]
        self.paper = ["paper"] if not plan.workspaces and self.lucky(500_000) else []
        self.workspaces = self.remote + self.paper
        gates = (*V3.gates, *BREAKERS) if plan.breakers else V3.gates
        self.profile = msgspec.structs.replace(V3, gates=gates, limits=self._limits())
        self._prepare_exchange()

    def _limits(self) -> Limits:
        """With a horizon the exchange refuses what is older, so that absence is proof one day. Every seed has ways of
        its own to try again, to give up and to guard."""
        choice = self.chance.choice
        return Limits(
            send_by_ns=2 * NS_PER_S,
            absence_horizon_ns=choice([0, 10 * NS_PER_S]),
            unknown_page_ns=15 * NS_PER_S,
            attempts_max=choice([1, 3, 5]),
            retry_base_ns=choice([NS_PER_S // 5, NS_PER_S]),
            order_timeout_ns=choice([0, 3 * NS_PER_S]),
            partial_fill=choice(list(PartialFill)),
            shutdown_flattens=choice([False, True]),
            throttle_spacing_ns=2 * NS_PER_S,
            stops_at_venue=choice([False, True, True]),
            refused_stop_flattens=choice([False, True]),
            loss_streak_max=2,
            reject_streak_max=1,
            drawdown_value_max=DRAWDOWN_MAX,
            exit_waits_ns=(20 if self.seed % 2 else 60) * NS_PER_S,
            rearm_ns={name: choice([REARM_HUMAN, 5 * NS_PER_S]) for name in BREAKERS},
        )

    def _prepare_exchange(self) -> None:
        """Every seed has faults of its own: some never strike, some often, so that rare mixtures come up too."""
        exchange, chance = self.host.exchange, self.chance
        exchange.rules = Rules(
            slices=chance.randint(1, 3),
            fee=chance.randint(0, 9),
            receive_window_ns=5 * NS_PER_S if self.profile.limits.absence_horizon_ns else 0,
            delay_ms=chance.choice([1_200, 3_000]),
        )
        exchange.received = self._received
        exchange.faults.seed(self.seed)
        for fault in Fault:
            rate_ppm = self.plan.venue_fault_ppm * chance.choice(SWARM) * OFTEN.get(fault, 10) // 10
            exchange.faults.arm(fault, rate_ppm=rate_ppm)
        for symbol in SYMBOLS:
            exchange.set_price(symbol, PX)

    # -- a process --------------------------------------------------------------------------------------------

    def opening(self, workspace_id: str) -> tuple[OpenWorkspace, Venue, list[Instrument]]:
        """What a workspace is opened with."""
        mode = "paper" if workspace_id in self.paper else "live"
        opening = OpenWorkspace(
            self.clock.now_ns(), workspace_id, mode, "sim", workspace_id, "USD", 8, 10**15, self.profile, "hash"
        )
        instruments = [Instrument(symbol, "USD", 2, 3, 1_000, (Terms(),)) for symbol in SYMBOLS]
        if workspace_id in self.paper:
            return opening, PaperVenue(), instruments
        return opening, RemoteVenue(self.host.dial(), account=workspace_id, now_ns=self.clock.now_ns), instruments

    def state(self, workspace_id: str) -> State:
        """A workspace's state; between two turns all of it is durable."""
        return self.engine.desks[workspace_id].writer.state

    def lucky(self, ppm: int) -> bool:
        """One throw of the dice."""
        return self.chance.randrange(1_000_000) < ppm

    # -- what is checked all the time -------------------------------------------------------------------------

    def violated(self, what: str) -> None:
        """Something that must never be so is so."""
        self.violations.append(f"at {(self.world.now_ns // NS_PER_MS) % 10**7} ms, life {self.lives}: {what}")

    def _received(self, _account: str, cl_ord_id: str) -> None:
        if not self.journal.decided(cl_ord_id):
            self.violated(f"order {cl_ord_id} reached the venue before the decision to send it was durable")

    def alarmed(self, workspace_id: str, notice: Notify) -> None:
        """Somebody was called. For every kind of alarm something must have struck that justifies it."""
        self.fired[f"alarm {notice.code}"] += 1
        if notice.code == "POSITION_DRIFT":
            self.drifted.add(workspace_id)
        causes = CAUSES.get(notice.code)
        struck = self.host.exchange.faults.fired
        if causes is None or (causes and not any(struck[cause] for cause in causes)):
            self.violated(f"{workspace_id}: alarm {notice.code} without a cause: {notice.text}")
        if notice.code == "INVARIANT_BREACH" and "planned" not in notice.text and "writer" not in notice.text:
            self.violated(f"{workspace_id} breached an invariant: {notice.text}")

    def unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error that nobody caught. Told to a caller who is gone, it is none; anything else is a bug."""
        error = context.get("exception")
        if not isinstance(error, PowerCut | SurefillError) and not loop.is_closed():
            self.violated(f"{context.get('message')}: {error!r}")

    def check_books(self) -> None:
        """Hold every state in memory against the invariants."""
        for workspace_id, desk in self.engine.desks.items():
            for found in check_book(desk.writer.state) if desk.broken is None else ():
                self.violated(f"{workspace_id}: invariant {found.invariant} of the state: {found.text}")

    def audit(self) -> None:
        """Hold the journal against the invariants, as it is now."""
        inner = self.journal.inner
        for workspace_id in inner.heads():
            for found in check_journal(inner, workspace_id):
                self.violated(f"{workspace_id}: invariant {found.invariant} at event {found.seq}: {found.text}")
