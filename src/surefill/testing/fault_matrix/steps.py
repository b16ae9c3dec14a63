"""The steps of an order's life at which something can go wrong, and which faults can strike where."""

from __future__ import annotations

import enum
from typing import Final

from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault
from surefill.testing.remote_venue.faults import Fault


class Step(enum.Enum):
    """One moment of the story, by what is under way when the fault strikes."""

    ENTRY = "the entry is sent"
    QUERY = "the venue is asked what became of an entry that nobody answered for"
    FILL = "the entry fills, and the stream tells of it"
    STOP = "the position's stop is sent"
    MOVE = "the stop follows the price"
    QUOTES = "prices are told"
    RECONCILE = "the books are laid beside the venue's"
    LOGIN = "the engine starts anew over an open position"
    CANCEL = "the stop is taken back, for the position is to leave"
    EXIT = "the exit is sent"


#: In the order in which tables show them, and in which a story passes them.
STEPS: Final = tuple(Step)

#: What can happen to any request, or to its answer.
OF_REQUESTS: Final[tuple[AnyFault, ...]] = (
    Fault.LOSE_REQUEST,
    Fault.DELAY_REQUEST,
    Fault.LOSE_ANSWER,
    Fault.DELAY_ANSWER,
    Fault.GARBLE_ANSWER,
    Fault.SERVER_ERROR,
    Fault.THROTTLED,
    Fault.DISCONNECT,
    Fault.DISCONNECT_AFTER,
    WireFault.BANNED,
    WireFault.OVERLOADED,
    WireFault.UNAVAILABLE,
    WireFault.STATUS_UNKNOWN,
    WireFault.EXPIRE_TOKEN,
)
OF_ORDERS: Final[tuple[AnyFault, ...]] = (Fault.REFUSED, Fault.CRASH)
OF_FILLS_AT_ONCE: Final[tuple[AnyFault, ...]] = (Fault.FILL_BEFORE_ACK, Fault.FILLED_UNSEEN)
OF_CANCELS: Final[tuple[AnyFault, ...]] = (Fault.CANCEL_FILL_RACE, Fault.END_BEFORE_FILLS, Fault.LATE_FILL)
OF_LOOKS: Final[tuple[AnyFault, ...]] = (Fault.EMPTY_SNAPSHOT, Fault.STALE_SNAPSHOT, Fault.QUERY_ERROR)
OF_STREAMS: Final[tuple[AnyFault, ...]] = (
    Fault.LOSE_REPORT,
    Fault.DUPLICATE_REPORT,
    Fault.REORDER_REPORTS,
    WireFault.STREAM_LOST,
)
FAULTS: Final[tuple[AnyFault, ...]] = (
    *OF_REQUESTS,
    *OF_ORDERS,
    *OF_FILLS_AT_ONCE,
    *OF_CANCELS,
    *OF_LOOKS,
    *OF_STREAMS,
)

ORDERS: Final = (Step.ENTRY, Step.STOP, Step.MOVE, Step.CANCEL, Step.EXIT)
LOOKS: Final = (Step.QUERY, Step.RECONCILE, Step.LOGIN)
#: Where something is sent or asked for.
REQUESTS: Final = (*ORDERS, *LOOKS)
#: Where the stream has something to tell of an order.
TOLD: Final = (Step.ENTRY, Step.FILL, Step.STOP, Step.MOVE, Step.CANCEL, Step.EXIT)

#: By kind of fault: where such a thing can strike at all, and why nowhere else.
_KINDS: Final[tuple[tuple[tuple[AnyFault, ...], tuple[Step, ...], str], ...]] = (
    (OF_REQUESTS, (*REQUESTS, Step.QUOTES), "nothing is asked for then: what is told is streamed"),
    (OF_ORDERS, ORDERS, "it strikes what is asked of an order, and no order is sent or changed then"),
    (OF_FILLS_AT_ONCE, (Step.ENTRY, Step.EXIT), "it strikes an order that fills at once, and none is sent then"),
    (OF_CANCELS, (Step.MOVE, Step.CANCEL), "it strikes a cancel, and nothing is canceled then"),
    (OF_LOOKS, LOOKS, "it strikes a look, and nothing is looked at then"),
    (OF_STREAMS, (*TOLD, Step.QUOTES), "it strikes what is streamed, and nothing is then"),
)


def nowhere_at(fault: AnyFault, step: Step) -> str:
    """Why that fault cannot strike at that step, at any venue ("": it can)."""
    if (fault, step) == (Fault.REORDER_REPORTS, Step.QUOTES):
        return "one connection keeps prices in order, and no number would show it if it did not"
    return next(why if step not in steps else "" for faults, steps, why in _KINDS if fault in faults)
