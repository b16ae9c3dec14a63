"""What no order of ours did, and how the money compares."""

from __future__ import annotations

from surefill.domain.account import AccountMove, WorkingOrder
from surefill.domain.events.event import Event


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
