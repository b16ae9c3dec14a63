"""The life of orders: decided, heard of, filled, over."""

from __future__ import annotations

from surefill.domain.events.event import Event
from surefill.domain.intent import ExitPlan
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import VenueReport
from surefill.rules.codes import ExitReason


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


class OrderResolved(Event, frozen=True):
    """An operator decided what became of an UNKNOWN order."""

    cl_ord_id: str
    status: int
    by: str
    evidence: str


class OrdersRetired(Event, frozen=True):
    """Terminal orders left the state; the journal keeps them."""

    cl_ord_ids: tuple[str, ...]


class AnomalyNoted(Event, frozen=True):
    """Something that should not happen did, and was not ignored."""

    cl_ord_id: str
    kind: str
    detail: str
