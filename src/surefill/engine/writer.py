"""The one writer of one workspace: inputs in, durable events out.

`feed` steps the core, encodes what happened and answers effects that stay in this process. `take_batch`, the
journal's append and `settle` make it durable; only then do receipts and effects for the wire leave (`released`),
and `publish` tells whoever reads along.
When anything fails in between, memory is worthless: `discard` throws it away and folds the journal again.
The writer is synchronous and knows no clock: a loop (`engine.engine`) or a backtest drives it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import cast

import msgspec

from surefill.domain import codec
from surefill.domain.decide import step
from surefill.domain.effects import AmendOrder, CancelOrder, Effect, QueryOrder, SetTimer, SubmitOrder
from surefill.domain.events import Event, IntentRefused, OrderCreated
from surefill.domain.evolve import EVOLVE_VERSION
from surefill.domain.inputs import (
    DefineInstrument,
    Input,
    OrderQueried,
    RecoverOrders,
    ResetWorkspace,
    SetProfile,
    SetSession,
    SubmitIntent,
    VenueReports,
)
from surefill.domain.market import Bar, BarOpened, Quote
from surefill.domain.orders import Order
from surefill.domain.refusals import RefusalCode
from surefill.domain.state import State
from surefill.engine.admission import admit, admit_intent
from surefill.engine.answers import CANNOT_AMEND, amend_answer, at_once, cancel_answer, submit_answer
from surefill.engine.history import order_created_at
from surefill.engine.receipt import Receipt, Verdict, receipt_of
from surefill.engine.recovery import fold_journal
from surefill.engine.sessions import session_at
from surefill.engine.timers import Timers
from surefill.errors import AppendFailed, InvariantBreach
from surefill.journal.protocol import Batch, Journal, KeyClaim, Lease, Snapshot
from surefill.rules.codes import OrdStatus
from surefill.units import NS_PER_DAY
from surefill.venues.protocol import InProcessVenue, Venue

_SUBMITTED, _ACCEPTED = OrdStatus.SUBMITTED, Verdict.ACCEPTED
MARKET_DATA = (Quote, BarOpened, Bar)
#: Inputs that bring the market's time along. What people do to a workspace whose market is replayed has their own.
TELLS_THE_TIME = (*MARKET_DATA, VenueReports)
Subscriber = Callable[[int, list[Event]], None]


class Ticket:
    """An intent on its way. Its receipt counts once `settle` has returned the ticket: then it is durable."""

    __slots__ = ("intent_id", "order", "receipt")

    def __init__(self, intent_id: str) -> None:
        self.intent_id = intent_id
        self.order: Order | None = None
        self.receipt: Receipt | None = None


class WorkspaceWriter:
    """Owns a workspace's state, its journal lease and its place at the venue."""

    def __init__(self, journal: Journal, workspace_id: str, venue: Venue, *, snapshot_every: int = 100_000) -> None:
        self.journal = journal
        self.workspace_id = workspace_id
        self.venue = venue
        self.in_process: InProcessVenue | None = None
        if venue.capabilities.in_process:
            self.in_process = cast(InProcessVenue, venue)
        self.snapshot_every = snapshot_every
        self.subscribers: list[Subscriber] = []
        self.timers = Timers()
        self.released: deque[Effect] = deque()
        self.lease: Lease
        self.state: State
        self._open({}, {})

    # -- life -------------------------------------------------------------------------------------------------

    def _open(self, quotes: dict[str, Quote], crossed_ns: dict[str, int]) -> None:
        self.lease = self.journal.open_stream(self.workspace_id)
        self.state, self._snapshot_seq = fold_journal(self.journal, self.workspace_id)
        if self.state.book.seq != self.lease.next_seq - 1:
            raise InvariantBreach(
                f"workspace {self.workspace_id}: {self.state.book.seq} events folded,"
                f" the stream ends at {self.lease.next_seq - 1}"
            )
        self._payloads: list[bytes] = []
        self._events: list[Event] = []
        self._claims: list[KeyClaim] = []
        self._pending_keys: dict[str, tuple[KeyClaim, Order]] = {}
        self._looked_up: dict[str, KeyClaim | None] = {}
        self._held: list[Effect] = []
        self._tickets: list[Ticket] = []
        self._waiting: list[Ticket] = []
        self._news: tuple[int, list[Event]] = (0, [])
        self._sessions_until_ns = 0
        self.timers.clear()
        self.released.clear()
        self.state.quotes, self.state.crossed_ns = quotes, crossed_ns
        self._restore_venue()

    def _restore_venue(self) -> None:
        if self.in_process is not None:
            self.in_process.restore(self.state.book, self.state.quotes)

    def recover(self, ts_ns: int) -> None:
        """Ask for every order in flight; call once after opening, before intents are let in."""
        if self.state.book.workspace_id:
            self.feed(RecoverOrders(ts_ns))

    def discard(self) -> None:
        """Throw memory away and fold the journal, which somebody has reopened. Open tickets learn nothing."""
        self._open(self.state.quotes, self.state.crossed_ns)

    # -- inputs -----------------------------------------------------------------------------------------------

    def feed(self, item: Input) -> None:
        """Take one input and everything in this process that follows from it.

        Raises InputError (nothing has happened then) for values that no journal can hold.
        """
        if item.ts_ns >= self._sessions_until_ns and isinstance(item, TELLS_THE_TIME):
            self._set_sessions(item.ts_ns, _moment_ns(item))
        if isinstance(item, MARKET_DATA):
            self._take_market(item)
        else:
            admit(item)
            self._run(item)
            if isinstance(item, ResetWorkspace):
                self._restore_venue()
            elif isinstance(item, SetProfile | DefineInstrument):
                self._sessions_until_ns = 0

    def _set_sessions(self, ts_ns: int, moment_ns: int) -> None:
        """Tell the core of every session that is over or not known yet. What a calendar does not know, nobody tells."""
        book = self.state.book
        until_ns = moment_ns + NS_PER_DAY
        names = {book.profile.calendar: None} | {each.calendar: None for each in book.instruments.values()}
        for name in names:
            known = book.sessions.get(name)
            if known is None or moment_ns >= known.end_ns:
                over, known = known, session_at(name, moment_ns)
                if known is None:
                    continue
                self._run(SetSession(ts_ns, name, known.day, known.open_ns, known.end_ns))
                if over is not None and self.in_process is not None:
                    reports = self.in_process.end_day(name)
                    if reports:
                        self._run(VenueReports(ts_ns, reports))
            until_ns = min(until_ns, known.end_ns)
        self._sessions_until_ns = until_ns

    def _take_market(self, item: Quote | BarOpened | Bar) -> None:
        if self.in_process is not None:
            reports = self.in_process.observe(item)
            if reports:
                self._run(VenueReports(item.ts_ns, reports))
        self._run(item)

    @property
    def sessions_until_ns(self) -> int:
        """Until then no session that is known ends."""
        return self._sessions_until_ns

    def show(self, quote: Quote) -> None:
        """Remember a price at which nothing could happen: no order rested, no position waited for it."""
        self.state.quotes[quote.instrument_id] = quote
        if self.in_process is not None:
            self.in_process.observe(quote)

    def submit(self, item: SubmitIntent) -> Ticket:
        """Feed an intent. A repeated key changes nothing and tells of the first one.

        Raises InputError (nothing has happened then) for values that no journal can hold.
        """
        intent = item.intent
        ticket = Ticket(intent.intent_id)
        given_px = 0 if item.quote is None else item.quote.last_px
        digest = admit_intent(item, given_px)
        if intent.intent_id:
            ticket.receipt = self._repeated(intent.intent_id, digest, item.ts_ns)
            if ticket.receipt is not None:
                self._tickets.append(ticket)
                return ticket
        if item.ts_ns >= self._sessions_until_ns:
            self._set_sessions(item.ts_ns, item.ts_ns)
        if item.quote is not None:
            self.feed(item.quote)  # what that sets off (an exit, say) is none of the intent's doing
            item = SubmitIntent(item.ts_ns, intent, None, item.refusal, given_px, item.policy)
        first = len(self._events)
        self._run(item)
        self._follow(ticket, first, item, digest)
        return ticket

    def _run(self, item: Input) -> None:
        """Step, then answer in-process effects until none is left."""
        queue: deque[Input] | None = None
        while True:
            events, effects = step(self.state, item)
            self._payloads += map(codec.encode, events)
            self._events += events
            for effect in effects:
                answer = self._answer(effect, item.ts_ns)
                if answer is not None:
                    if queue is None:
                        queue = deque()
                    queue.append(answer)
            if not queue:
                return
            item = queue.popleft()

    def _answer(self, effect: Effect, ts_ns: int) -> Input | None:
        """An effect on the venue in this process has its answer at once; all others wait for the commit."""
        venue = self.in_process
        if venue is not None:
            if isinstance(effect, SubmitOrder):
                return submit_answer(effect, at_once(venue.submit(effect.request)), ts_ns)
            if isinstance(effect, CancelOrder):
                return cancel_answer(effect, at_once(venue.cancel(effect.request, effect.order_id)), ts_ns)
            if isinstance(effect, AmendOrder):
                return amend_answer(effect, CANNOT_AMEND, ts_ns)
            if isinstance(effect, QueryOrder):
                answer = at_once(venue.query(effect.request))
                return OrderQueried(ts_ns, effect.request.cl_ord_id, answer.found, answer.reports)
        self._held.append(effect)
        return None

    def _follow(self, ticket: Ticket, first: int, item: SubmitIntent, digest: bytes) -> None:
        """See what the intent became: refused, or an order whose first answer from the venue the ticket awaits."""
        decided = self._events[first]
        if isinstance(decided, IntentRefused):
            ticket.receipt = _refused(ticket.intent_id, decided)
            self._tickets.append(ticket)
            return
        order = self._order_of(self._events[first + 1])
        assert order is not None  # an accepted intent is followed by its order, in the same step
        ticket.order = order
        self._waiting.append(ticket)
        if ticket.intent_id:
            seq = self.lease.next_seq + first
            claim = KeyClaim(self.state.book.mode, ticket.intent_id, digest, seq, item.intent.correlation_id)
            self._claims.append(claim)
            self._pending_keys[claim.key] = claim, order

    def _order_of(self, event: Event) -> Order | None:
        """The order that an event created, unless it has left the state."""
        return self.state.order(event.request.cl_ord_id) if isinstance(event, OrderCreated) else None

    # -- repeats ----------------------------------------------------------------------------------------------

    def look_up(self, keys: list[str]) -> None:
        """Ask the journal at once for what is asked for key by key otherwise. It holds until the next commit."""
        found = self.journal.find_keys(self.workspace_id, self.state.book.mode, keys)
        self._looked_up = {key: found.get(key) for key in keys}

    def _repeated(self, key: str, digest: bytes, ts_ns: int) -> Receipt | None:
        """What the key was used for before; None: it is new."""
        pending = self._pending_keys.get(key)
        if pending is not None:
            claim, order = pending
        else:
            found = self._claim_of(key)
            if found is None:
                return None
            claim, order = found, self._claimed_order(found)
        if claim.digest == digest:
            return receipt_of(Verdict.DUPLICATE, key, ts_ns, order)
        return msgspec.structs.replace(
            receipt_of(Verdict.CONFLICT, key, ts_ns, order),
            code="KEY_CONFLICT",
            reason=f"{key!r} was used for another intent: give this one an id of its own",
        )

    def _claim_of(self, key: str) -> KeyClaim | None:
        if key in self._looked_up:
            return self._looked_up[key]
        return self.journal.find_key(self.workspace_id, self.state.book.mode, key)

    def _claimed_order(self, claim: KeyClaim) -> Order:
        """The order of a durable claim: created by the event right after it."""
        seq = claim.seq + 1
        created = codec.decode(next(self.journal.read(self.workspace_id, seq, seq)).payload)
        return self._order_of(created) or order_created_at(self.journal, self.workspace_id, seq)

    # -- durability -------------------------------------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        """Whether there is something to commit."""
        return bool(self._payloads)

    @property
    def owes(self) -> bool:
        """Whether `settle` would change or tell anything."""
        return bool(self._events or self._held or self._tickets or self._looked_up)

    def take_batch(self) -> Batch:
        """What must become durable now."""
        return Batch(self.lease, self._payloads, self._claims)

    def settle(self) -> list[Ticket]:
        """The batch is durable: release effects, return the tickets that have their receipt. Then `publish`."""
        first_seq = self.state.book.seq - len(self._events) + 1
        events, self._events = self._events, []
        self._payloads, self._claims = [], []
        self._pending_keys.clear()
        self._looked_up = {}
        for effect in self._held:
            if isinstance(effect, SetTimer):
                self.timers.set(effect.name, effect.at_ns)
            else:
                self.released.append(effect)
        self._held = []
        tickets, self._tickets = self._tickets, []
        if self._waiting:
            tickets += self._answered()
        self._news = first_seq, events
        return tickets

    def _answered(self) -> list[Ticket]:
        """Tickets whose order has heard from its venue, is known to be UNKNOWN, or is held up."""
        answered, waiting = [], []
        for ticket in self._waiting:
            order = ticket.order
            if order is not None and (order.status != _SUBMITTED or self._held_up(order)):
                ticket.receipt = receipt_of(_ACCEPTED, ticket.intent_id, order.created_ns, order)
                answered.append(ticket)
            else:
                waiting.append(ticket)
        self._waiting = waiting
        return answered

    def _held_up(self, order: Order) -> bool:
        """Whether it waits for a stop to be taken back that could not be at the first attempt: that may take long."""
        orders = self.state.book.orders
        before_it = (orders[cl_ord_id] for cl_ord_id in self.state.reducing.get(order.position, ()))
        return order.withheld and any(stop.rests and not stop.cancel_pending for stop in before_it)

    def publish(self) -> None:
        """Tell every subscriber what `settle` made public, and save a snapshot when it is time for one.

        An error of theirs is raised when all have been told: it cannot undo what is durable.
        """
        (first_seq, events), self._news = self._news, (0, [])
        if not events:
            return
        failed: Exception | None = None
        for subscriber in self.subscribers:
            try:
                subscriber(first_seq, events)
            except Exception as error:
                failed = failed or error
        if self.state.book.seq - self._snapshot_seq >= self.snapshot_every:
            self.save_snapshot()
        if failed is not None:
            raise failed

    def flush(self) -> list[Ticket]:
        """Commit now, alone. A failure discards memory, folds the journal again, and raises."""
        if self.dirty:
            try:
                refused = self.journal.append([self.take_batch()])[0]
            except AppendFailed:
                self.journal.reopen()
                self.discard()
                raise
            if refused is not None:
                self.discard()
                raise refused
        elif not self.owes:
            return []
        tickets = self.settle()
        self.publish()
        return tickets

    def save_snapshot(self) -> None:
        """Keep the state beside the journal so that the next start folds only what comes after."""
        self._snapshot_seq = seq = self.state.book.seq  # first: after a failure it is tried again later, not at once
        self.journal.save_snapshot(
            Snapshot(self.workspace_id, seq, self.lease.head_hash, EVOLVE_VERSION, 0, self.state.snapshot())
        )


def _moment_ns(item: Input) -> int:
    """The moment whose session an input belongs to.

    A bar is of the session that it began in, however late it is told and however far it reaches; where nobody knows
    when it began, of the one that it closes.
    """
    if isinstance(item, Bar):
        return item.open_ns or item.ts_ns - 1
    return item.ts_ns


def _refused(intent_id: str, event: IntentRefused) -> Receipt:
    return Receipt(
        Verdict.REFUSED,
        intent_id,
        event.correlation_id,
        event.ts_ns,
        event.order_ref,
        side=event.intent.side,
        order_qty=event.intent.order_qty,
        code=RefusalCode(event.code).name,
        reason=event.reason,
        rule=event.rule,
    )
