"""What happened: the journal's vocabulary, past tense. `evolve` folds them; nothing else changes the state.

A published event never changes its meaning. A new shape gets a new tag, and the old one an upcaster in `codec`.
Every event says when (`ts_ns`), belongs to one story (`correlation_id`), and names the sequence number of the
event that caused it (`causation_seq`; 0: something outside).
Results are in the event (a fill carries the position it led to), so folding computes nothing twice.
"""

from __future__ import annotations

import msgspec

from surefill.domain.account import AccountMove, WorkingOrder
from surefill.domain.instrument import Instrument
from surefill.domain.intent import ExitPlan, Intent, LadderStep
from surefill.domain.orders import OrderRequest
from surefill.domain.profile import Profile
from surefill.domain.reports import VenueReport
from surefill.rules.codes import ExitReason, KillLevel


class Event(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, gc=False):
    """What all events have."""

    ts_ns: int
    correlation_id: str
    causation_seq: int


class WorkspaceOpened(Event, frozen=True):
    """A workspace began. `mode`: paper, dry_run, live or backtest, for ever. `build`: the program that began it."""

    workspace_id: str
    mode: str
    venue: str
    account: str
    currency: str
    money_decimals: int
    starting_cash: int
    profile: Profile
    config_hash: str
    build: str = ""


class BuildChanged(Event, frozen=True):
    """Another program goes on with the workspace: its version and the hash of its source."""

    build: str


class ProfileSet(Event, frozen=True):
    """Gates, limits or the configuration changed. `version` counts up; decisions cite it."""

    profile: Profile
    config_hash: str
    version: int


class InstrumentDefined(Event, frozen=True):
    """An instrument is known from here on."""

    instrument: Instrument


class IntentAccepted(Event, frozen=True):
    """All gates of the profile, in the version cited, let the intent pass. It claims its key.

    `given_px`: the price that came with it (0: none), part of what the key stands for. `value`: the money that an
    entry of a basket binds, at the worst price it may trade at. `sized`: how the quantity came about, where the core
    sized it. `warnings`: what policy had to say against it, and let it pass all the same.
    """

    intent: Intent
    number: int
    limits_version: int
    given_px: int = 0
    value: int = 0
    sized: str = ""
    warnings: tuple[str, ...] = ()


class IntentRefused(Event, frozen=True):
    """A gate said no. The intent does not claim its key and may be sent again.

    `rule`: the rule of policy that said no (empty: a gate did). `warnings`: what policy said before that.
    """

    intent: Intent
    number: int
    limits_version: int
    order_ref: str
    code: int
    reason: str
    rule: str = ""
    warnings: tuple[str, ...] = ()


class IntentEvaluated(Event, frozen=True):
    """Policy was asked about an intent before anybody executes it. Nothing is bound by it: execution asks again.

    `qty`: the quantity that is approved, never above the intent's (0: none). `resized`: why it is smaller. `code` (0:
    approved) and `reason`: why it is refused, by which `rule`. `given_px`: the price it was judged by (0: none came).
    """

    intent: Intent
    limits_version: int
    qty: int
    code: int = 0
    reason: str = ""
    rule: str = ""
    warnings: tuple[str, ...] = ()
    resized: str = ""
    given_px: int = 0


class OrderCreated(Event, frozen=True):
    """The decision to send an order. Only after this is durable does a byte leave.

    `arrival_source` and `arrival_ns` tell where `request.arrival_px` came from. For an exit, `position` is the
    key of what it closes. `parent`: the first order of the intent, where this one takes up its unfilled rest.
    `timeout_ns`: how long it may take to fill (0: as long as it likes). `attempt` counts submissions of the intent.
    `withheld`: no byte leaves before `OrderReleased`, which waits for the position's stop to be taken back.
    """

    request: OrderRequest
    number: int
    intent_id: str = ""
    strategy_id: str = ""
    exit_reason: int = ExitReason.NONE
    position: str = ""
    arrival_source: int = 0
    arrival_ns: int = 0
    plan: ExitPlan | None = None
    parent: str = ""
    arrival_spread: int = 0
    timeout_ns: int = 0
    attempt: int = 1
    withheld: bool = False


class VenueReported(Event, frozen=True):
    """A venue's report as it arrived, before anything is derived from it."""

    report: VenueReport


class ReportParked(Event, frozen=True):
    """A report that names no order we know, or repeats one we have booked: kept, not applied."""

    report: VenueReport
    reason: str


class OrderAccepted(Event, frozen=True):
    """The venue works the order."""

    cl_ord_id: str
    order_id: str


class OrderTriggered(Event, frozen=True):
    """A stop order's trigger was reached; what did not trade at once works on as a market or limit order."""

    cl_ord_id: str


class OrderRejected(Event, frozen=True):
    """Proof that the order did not and will not take effect."""

    cl_ord_id: str
    code: str
    text: str


class OrderOutcomeUnknown(Event, frozen=True):
    """Nobody knows whether the order took effect. Left by evidence alone."""

    cl_ord_id: str
    reason: str


class OrderAbsent(Event, frozen=True):
    """A query found no such order: evidence, counted; proof only past the horizon."""

    cl_ord_id: str
    count: int


class OrderFilled(Event, frozen=True):
    """One execution, applied once. `status` is the order's after it; money in money quanta.

    `late`: it came after the order's end, and is booked all the same. Position figures are those after the fill.
    `fee_qty`: what the venue took of the traded thing itself as its fee; `fee` has its worth at `last_px` in it.
    """

    cl_ord_id: str
    order_id: str
    exec_id: str
    side: int
    last_px: int
    last_qty: int
    fee: int
    cum_qty: int
    status: int
    position: str
    effect: int
    position_qty: int
    position_cost: int
    realised: int
    cash: int
    late: bool = False
    fee_qty: int = 0

    @property
    def net_qty(self) -> int:
        """What the position has changed by: bought less the fee taken out of it, or sold and the fee besides."""
        return self.last_qty - self.side * self.fee_qty


class OrderEndReported(Event, frozen=True):
    """The venue ended the order with more filled than has arrived: open until the fills are complete."""

    cl_ord_id: str
    status: int
    cum_qty: int


class OrderCanceled(Event, frozen=True):
    """Gone, with what it had filled."""

    cl_ord_id: str
    text: str = ""


class OrderExpired(Event, frozen=True):
    """Ended by the venue's clock or its time in force; or its time to fill was up while it waited to be sent again."""

    cl_ord_id: str
    text: str = ""


class CancelRequested(Event, frozen=True):
    """The decision to cancel."""

    cl_ord_id: str
    by: str


class CancelRefused(Event, frozen=True):
    """The venue would not cancel (often: it had filled)."""

    cl_ord_id: str
    code: str
    text: str


class OrdersRetired(Event, frozen=True):
    """Terminal orders left the state; the journal keeps them."""

    cl_ord_ids: tuple[str, ...]


class ProtectionSet(Event, frozen=True):
    """All that guards a position from here on: of its first plan, or of that joined with an addition's.

    `initial_risk` is fixed with the first stop. `bars_held`, `trailed`: how far the position had come.
    """

    position: str
    stop_px: int = 0
    target_px: int = 0
    initial_risk: int = 0
    trail_distance: int = 0
    stop_partial_ppb: int = 0
    ladder: tuple[LadderStep, ...] = ()
    time_stop_bars: int = 0
    end_of_day: bool = False
    max_hold_ns: int = 0
    bars_held: int = 0
    trailed: bool = False


class StopMoved(Event, frozen=True):
    """The trailing stop followed the price, towards profit."""

    position: str
    stop_px: int
    px: int
    source: int


class BarCounted(Event, frozen=True):
    """A bar closed on a position with a time stop."""

    position: str
    bars_held: int


class ExitTriggered(Event, frozen=True):
    """The plan says out: why, at which price, from which source, for how much."""

    position: str
    reason: int
    px: int
    source: int
    px_ns: int
    qty: int
    ladder_left: tuple[LadderStep, ...] = ()
    stop_partial_used: bool = False


class Halted(Event, frozen=True):
    """A kill switch was thrown to `level` (of one instrument or one strategy if named); exits and cancels go on.

    `scope`: engine or venue where the switch stands above the workspace; else empty.
    """

    code: str
    reason: str
    by: str
    instrument_id: str = ""
    strategy_id: str = ""
    level: int = int(KillLevel.SUSPEND)  # a plain one: a default is left out where it is the very same object
    scope: str = ""


class Resumed(Event, frozen=True):
    """A person loosened a kill switch, to `level`."""

    by: str
    instrument_id: str = ""
    strategy_id: str = ""
    level: int = int(KillLevel.NORMAL)
    scope: str = ""


class SessionSet(Event, frozen=True):
    """The session of a calendar that is on at this moment, or the next one.

    That of the workspace's own calendar begins its trading day. `equity`: what the account is worth then (None: a
    position has no price yet). `continues`: the workspace was given another calendar in the middle of its day, and the
    day under way, with all it has counted, ends with this session.
    """

    calendar: str
    day: str
    open_ns: int
    end_ns: int
    equity: int | None = None
    continues: bool = False


class EquityMarked(Event, frozen=True):
    """The account was worth this, more than ever that day by the declared granularity; or its first value."""

    equity: int


class BreakerTripped(Event, frozen=True):
    """A breaker opened: no entries until it is re-armed. `until_ns`: -1 by a person, 0 with the next trading day."""

    breaker: str
    code: int
    reason: str
    until_ns: int


class BreakerRearmed(Event, frozen=True):
    """A breaker lets entries through again, and counts from here on. `equity` where it is known."""

    breaker: str
    by: str
    equity: int | None = None


class OrderResendScheduled(Event, frozen=True):
    """The order has proof of never having arrived: it will be sent again, under the same id, at `at_ns`."""

    cl_ord_id: str
    attempt: int
    at_ns: int
    code: str
    text: str


class OrderResent(Event, frozen=True):
    """The decision to send it again, with a new deadline. Only after this is durable does a byte leave."""

    cl_ord_id: str
    send_by_ns: int


class OrderReleased(Event, frozen=True):
    """Nothing at the venue stands in its way any more: the decision to send it, with a new deadline."""

    cl_ord_id: str
    send_by_ns: int


class ReplaceRequested(Event, frozen=True):
    """The decision to have a working order changed in place."""

    cl_ord_id: str
    stop_px: int
    order_qty: int
    target_px: int = 0


class OrderReplaced(Event, frozen=True):
    """The venue works it with the terms that were asked for."""

    cl_ord_id: str


class ReplaceRefused(Event, frozen=True):
    """The venue would not change it, or nobody knows whether it has."""

    cl_ord_id: str
    code: str
    text: str


class AlertRaised(Event, frozen=True):
    """Somebody has to be called. `key`: what about; while that alert is open it is raised again only after a pause."""

    key: str
    code: str
    text: str


class AlertDelivered(Event, frozen=True):
    """The call has left by a channel that took it."""

    key: str
    channel: str


class AlertAcknowledged(Event, frozen=True):
    """A named person has seen it: it is closed, and the next of its kind is a new one."""

    key: str
    by: str


class AnomalyNoted(Event, frozen=True):
    """Something that should not happen did, and was not ignored."""

    cl_ord_id: str
    kind: str
    detail: str


class PositionsCompared(Event, frozen=True):
    """Our book and the venue's were laid side by side; `differences` is empty where they agree.

    `bands`: how far apart each is (`DriftBand`); one that is not there halts.
    """

    differences: dict[str, tuple[int, int]]
    bands: dict[str, int] = {}


class PositionAdjusted(Event, frozen=True):
    """Our book follows the venue's: a declared adjustment, at the average cost. Figures are those after it.

    No cash has moved; what the quantity was worth at cost is realised, so that money stays conserved.
    """

    position: str
    qty: int
    cost: int
    realised: int
    reason: str


class OrderResolved(Event, frozen=True):
    """An operator decided what became of an UNKNOWN order."""

    cl_ord_id: str
    status: int
    by: str
    evidence: str


class ExternalTraded(Event, frozen=True):
    """An execution of the account's that no order of ours made, applied once: by hand, or by the venue.

    Position figures are those after it, `cash` too; money in money quanta. `fee_qty` is that of `OrderFilled`.
    """

    instrument_id: str
    bucket: str
    order_id: str
    cl_ord_id: str
    exec_id: str
    side: int
    last_px: int
    last_qty: int
    fee: int
    position: str
    effect: int
    position_qty: int
    position_cost: int
    realised: int
    cash: int
    transact_ns: int = 0
    fee_qty: int = 0

    @property
    def net_qty(self) -> int:
        """What the position has changed by."""
        return self.last_qty - self.side * self.fee_qty


class DustLeft(Event, frozen=True):
    """What is left of a position cannot leave: its plan and its trade end, the holding stays in the books."""

    position: str
    qty: int


class ExternalOrdersSeen(Event, frozen=True):
    """The orders made elsewhere that work at the venue now, all of them: those that are missing are gone."""

    orders: tuple[WorkingOrder, ...]


class AccountMoved(Event, frozen=True):
    """Cash or a holding has moved, and not by a trade; applied once. Figures are those after it.

    `position`: the key of what it belongs to ("": the account as a whole). `outside`: what came from outside, in money
    quanta: paid in less taken out, and amounts that belong to no position. `refused`: why it could not be booked; then
    it is kept for a person, and has moved nothing.
    """

    move: AccountMove
    position: str
    effect: int
    position_qty: int
    position_cost: int
    realised: int
    outside: int
    cash: int
    refused: str = ""


class BalanceCompared(Event, frozen=True):
    """The account's money at the venue was laid beside the books', and stands to them otherwise than before.

    Money in money quanta: what is there, what the books say, and the difference that was there from the start.
    `state` is a `BalanceState`.
    """

    theirs: int
    ours: int
    offset: int
    state: int


class WorkspaceReset(Event, frozen=True):
    """Paper: everything before is history; reconciling starts here."""

    starting_cash: int
    by: str


EVENT_TYPES: tuple[type[Event], ...] = tuple(Event.__subclasses__())
