"""Books kept beside a journal, to hold each event against what the events before it allow.

Nothing here is shared with the fold (`evolve`): orders and positions are reckoned a second time, from the events'
own figures and the rules alone. Findings are (number of the invariant, what is wrong); see `testing.invariants`.
The checks of the single events are in `testing.journal_checks`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from surefill.domain import events as e
from surefill.domain.instrument import Instrument
from surefill.domain.orders import OrderRequest
from surefill.domain.position import position_key
from surefill.domain.profile import NO_PROFILE, Profile
from surefill.domain.reports import VenueReport
from surefill.domain.state import Book
from surefill.rules.codes import KillLevel, OrdEvent, OrdStatus, OrdType
from surefill.rules.transitions import next_status

Finding = tuple[int, str]
Findings = Iterator[Finding]

#: Switches that stand above the workspace.
WIDE = (("engine", ""), ("venue", ""))

#: Events of one step that follow a fill; whatever else comes next, the step that booked it is over.
_SAME_STEP = (e.AnomalyNoted, e.Halted, e.CancelRequested, e.ProtectionSet, e.OrderCanceled, e.OrderExpired)


class Audited:
    """An order as the audit knows it."""

    def __init__(self, created: e.OrderCreated) -> None:
        self.request: OrderRequest = created.request
        self.key = created.position or position_key(created.request.instrument_id, created.request.bucket)
        self.strategy_id = created.strategy_id
        self.status = int(OrdStatus.SUBMITTED)
        self.order_id = ""
        self.renamed = False
        self.cum_qty = 0
        self.absences = 0
        self.cancel_asked = False
        self.end_qty = -1
        self.attempts = created.attempt
        self.resend_ns = 0
        self.withheld = created.withheld
        self.rests = bool(created.exit_reason) and created.request.ord_type == OrdType.STOP
        self.replacing: e.ReplaceRequested | None = None
        self.doubted: e.ReplaceRequested | None = None
        self.unknown_ns = 0
        self.presumed_gone = False

    @property
    def live(self) -> bool:
        """Whether it may still trade."""
        return self.status < OrdStatus.FILLED

    @property
    def leaves_qty(self) -> int:
        """What it may still trade."""
        return max(0, self.request.order_qty - self.cum_qty) if self.live else 0


class Audit:
    """Takes a workspace's events one by one and says what is wrong with each."""

    def __init__(self) -> None:
        self.workspace_id = ""
        self.profile: Profile = NO_PROFILE
        self.version = 0
        self.cash = self.realised = self.fees = self.outside = 0
        self.instruments: dict[str, Instrument] = {}
        self.orders: dict[str, Audited] = {}
        self.ids: set[str] = set()
        self.execs: set[tuple[str, str]] = set()
        self.qty: dict[str, int] = defaultdict(int)
        self.cost: dict[str, int] = defaultdict(int)
        self.accepted: tuple[int, e.IntentAccepted | None] = (0, None)
        self.triggered: set[str] = set()
        self.report: tuple[int, VenueReport | None] = (0, None)
        self.halts: dict[tuple[str, str], int] = {}
        self.tripped: dict[str, int] = {}
        self.day = ""
        self.families: dict[str, list[Audited]] = {}
        self.alarm_due: list[tuple[type[e.Event], str]] = []
        self.drift = False
        self.shrunk: set[str] = set()
        self.unproved: list[str] = []
        self.moves: set[tuple[int, str]] = set()
        self.external_orders: set[str] = set()

    def differences(self, book: Book) -> Iterator[str]:
        """Where a folded book does not agree with these."""
        for name in ("cash", "realised", "fees", "outside"):
            ours, folded = getattr(self, name), getattr(book, name)
            if ours != folded:
                yield f"{name}: the events sum to {ours}, the fold has {folded}"
        ours = {key: (qty, self.cost[key]) for key, qty in self.qty.items() if qty}
        folded = {key: (position.qty, position.cost) for key, position in book.positions.items() if position.qty}
        if ours != folded:
            yield f"the events sum to the positions {ours}, the fold has {folded}"
        live = {cl_ord_id for cl_ord_id, order in self.orders.items() if order.live}
        if live != book.orders.keys():
            yield f"live by their events: {sorted(live)}; in the fold: {sorted(book.orders)}"

    def owed(self, event: e.Event | None) -> Findings:
        """What an earlier event demanded of this one (None: there is no further event)."""
        if self.alarm_due:
            kind, name = self.alarm_due.pop(0)
            named = getattr(event, "cl_ord_id" if kind is e.AnomalyNoted else "instrument_id", None)
            if not isinstance(event, kind) or named != name:
                self.alarm_due.clear()
                yield 4, f"a fill beyond an order's end is followed by no {kind.__name__} of {name}"
        if self.drift and not isinstance(event, e.Halted) and not self.suspended(("", "")):
            yield 7, "positions differ from the venue's, and nothing was halted"
        self.drift = False
        if self.unproved and not isinstance(event, e.OrderCanceled | e.WorkspaceReset):
            yield from ((3, f"{cl_ord_id} was UNKNOWN and ended without evidence") for cl_ord_id in self.unproved)
        if not isinstance(event, e.OrderCanceled):
            self.unproved.clear()
        if self.shrunk and not isinstance(event, _SAME_STEP):
            for key in self.shrunk:
                if any(not order.cancel_asked for order in self.reducing(key)):
                    yield (
                        22,
                        f"{key} has shrunk to {self.qty[key]}, and what would reduce it further was not taken back",
                    )
            self.shrunk.clear()

    def suspended(self, *switches: tuple[str, str]) -> str:
        """What a switch of these holds back (with those of the engine and the venue); "": none of them does."""
        for kind, name in (*WIDE, *switches):
            if self.halts.get((kind, name), 0) >= KillLevel.SUSPEND:
                return name or kind or "the workspace"
        return ""

    def held_back(self, instrument_id: str, strategy_id: str) -> str:
        """Why no entry of this strategy in this instrument may be decided on; "": nothing keeps it back."""
        halted = self.suspended(("", ""), ("instrument", instrument_id), ("strategy", strategy_id))
        if halted:
            return f"while {halted} is halted"
        names = [name for name in self.tripped if name in self.profile.gates]
        return f"while {names[0]} is tripped" if names else ""

    def reducing(self, key: str) -> list[Audited]:
        """The live orders that reduce a position."""
        live = (order for order in self.orders.values() if order.live and order.key == key)
        return [order for order in live if order.request.reduce_only and not order.presumed_gone]

    def exceeds(self, key: str, *, withheld: bool = False) -> bool:
        """Whether the reducing orders could carry the position through zero.

        `withheld`: asked of an order that adds nothing to what is at the venue, as long as that is there.
        """
        reducing, qty = self.reducing(key), self.qty[key]
        against = [order for order in reducing if order.request.side * qty < 0]
        turned = any(not order.cancel_asked for order in reducing if order not in against)
        there = 0 if withheld else sum(order.leaves_qty for order in against if not order.withheld)
        closing = sum(order.leaves_qty for order in against if not order.rests)
        return turned or max(there, closing) > abs(qty)

    def hold(self, key: str, qty: int, cost: int, cash: int, realised: int) -> None:
        """Take the figures of an event over; a position that shrank must not be carried through zero from here on."""
        if qty == 0 or qty * self.qty[key] < 0:
            self.triggered.discard(key)
        self.qty[key], self.cost[key], self.cash = qty, cost, cash
        self.realised += realised
        if self.exceeds(key):
            self.shrunk.add(key)

    def move(self, order: Audited, event: int) -> Findings:
        """Take an order along the table."""
        status = next_status(order.status, event)
        if status < 0:
            name = OrdStatus(order.status).name
            yield 4, f"{order.request.cl_ord_id} is {name}: {OrdEvent(event).name} is no legal move"
        else:
            order.status = status

    def evidenced(self, order: Audited, event: e.Event) -> bool:
        """Whether the event rests on a report about this very order."""
        seq, report = self.report
        return event.causation_seq == seq and report is not None and report.cl_ord_id == order.request.cl_ord_id


def known(check: Callable[[Audit, Audited, Any], Findings]) -> Callable[[Audit, int, Any], Findings]:
    """A check of an event about one order: that order must be there before anything can happen to it."""

    def checked(audit: Audit, _seq: int, event: Any) -> Findings:
        order = audit.orders.get(event.cl_ord_id)
        if order is None:
            yield 1, f"{type(event).__name__} of {event.cl_ord_id}, which was never decided on"
        else:
            yield from check(audit, order, event)

    return checked
