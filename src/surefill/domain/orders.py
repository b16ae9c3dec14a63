"""An order as the state holds it, and as a venue is asked for it."""

from __future__ import annotations

import msgspec

from surefill.domain.intent import ExitPlan
from surefill.rules.codes import ExitReason, OrdStatus, OrdType


class OrderRequest(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a venue adapter is asked to submit. Prices and quantities in quanta.

    `order_ref` is the id that our doors show; a simulated venue uses it as its own.
    `arrival_px` is the price the decision was made at, `transact_ns` (FIX 60) when.
    `send_by_ns`: past it nothing may be sent any more. `target_px`: beside the stop a limit at this price, which the
    venue links to it: one order with two ways to fill, of which one ends the other (0: none).
    """

    cl_ord_id: str
    order_ref: str
    instrument_id: str
    bucket: str
    side: int
    ord_type: int
    order_qty: int
    px: int
    stop_px: int
    time_in_force: int
    reduce_only: bool
    arrival_px: int
    transact_ns: int
    send_by_ns: int
    target_px: int = 0

    def reason_at(self, px: int, reason: int) -> int:
        """Why a fill of this exit at that price leaves, which was made for `reason`: of a linked pair, perhaps the
        target.
        """
        reached = self.target_px > 0 and (px - self.target_px) * self.side <= 0
        return int(ExitReason.TARGET) if reached else reason


class Order(msgspec.Struct, omit_defaults=True, gc=False):
    """The state of one order; `evolve` alone changes it.

    In-flight requests are kept beside the status: `cancel_pending` (asked last at `cancel_ns`; `timed_out`: for no
    other reason than that its time was up), `resend_ns` (when it is to be sent again: until then it is proven not to
    be at the venue), and `end_status` with `end_qty` when the venue has reported a terminal state whose fills have not
    all arrived yet.
    `unknown_ns` is since when something about it is not known; `absent_count` counts the queries that did not find it,
    the last of them at `absent_ns`. `attempts` counts the submissions. `parent` is the first order of an intent whose
    unfilled rest this one takes up. `arrival_spread`: how far bid and ask were apart at the decision (0: not quoted).
    `timeout_ns`: how long after its creation it is canceled (0: never). `withheld`: decided, and not sent before the
    stop that rests at the venue is taken back. `replacing`: the terms that the venue was asked to change it to,
    `doubted`: those that it was asked for and has never answered about: they may hold. `presumed_gone`: a stop of
    unknown fate that nobody waits for any more.
    """

    request: OrderRequest
    position: str
    intent_id: str
    correlation_id: str
    strategy_id: str
    created_ns: int
    plan: ExitPlan | None = None
    exit_reason: int = ExitReason.NONE
    status: int = OrdStatus.SUBMITTED
    order_id: str = ""
    triggered: bool = False
    cum_qty: int = 0
    cum_notional: int = 0
    fees: int = 0
    exec_ids: list[str] = []
    cancel_pending: bool = False
    cancel_ns: int = 0
    end_status: int = 0
    end_qty: int = 0
    unknown_ns: int = 0
    absent_count: int = 0
    absent_ns: int = 0
    paged: bool = False
    code: str = ""
    text: str = ""
    closed_ns: int = 0
    attempts: int = 1
    timed_out: bool = False
    parent: str = ""
    arrival_spread: int = 0
    timeout_ns: int = 0
    resend_ns: int = 0
    withheld: bool = False
    replacing: OrderRequest | None = None
    doubted: OrderRequest | None = None
    presumed_gone: bool = False

    @property
    def rests(self) -> bool:
        """Whether it is a position's stop, kept at the venue."""
        return bool(self.exit_reason) and self.request.ord_type == OrdType.STOP

    @property
    def reduces(self) -> bool:
        """Whether it counts among what reduces its position."""
        return self.request.reduce_only and not self.presumed_gone

    @property
    def waits(self) -> bool:
        """Whether it waits to be sent, or to be sent again: it is not at the venue."""
        return self.withheld or self.resend_ns > 0

    @property
    def lost_stop(self) -> bool:
        """Whether its target has begun to fill: the venue has ended the stop that was linked to it."""
        return self.request.target_px > 0 and self.cum_qty > 0 and not self.triggered

    @property
    def leaves_qty(self) -> int:
        """What is still open; 0 once the order is terminal."""
        return 0 if self.status >= OrdStatus.FILLED else self.request.order_qty - self.cum_qty
