"""The life of an order: one table, total, and the only place that knows it.

Theory of operation. An order lives at the venue; we only ever hear about it, late, twice, out of order, or
not at all. The table says, for every status we can believe and everything we can hear, what to believe next.
It has a cell for each pair, so no report is ever met by silence: a cell is the next status, or an Anomaly
that says why the status stays as it is. The caller journals anomalies; it never drops them.

1. Evidence beats ignorance. OUTCOME_UNKNOWN moves only an order of which nothing was heard (SUBMITTED). A
   time-out that surfaces after an acknowledgement, a fill or an end tells nothing new: DUPLICATE.
2. Reordering is ordinary. A fill may overtake the acknowledgement, a cancel may overtake both: they are legal
   from SUBMITTED and UNKNOWN, and the acknowledgement that limps in behind them is a DUPLICATE.
3. A terminal status is for ever. What comes after repeats (DUPLICATE), trades (LATE_FILL) or contradicts
   (ILLEGAL).
4. A fill is never lost. After the end it is a LATE_FILL: it is booked into the position all the same, and
   alarmed. An execution that we have booked already never reaches the table (it is known by its exec_id).
5. REJECT says that nothing of this order ever traded. An order that has traded cannot be rejected: what ends
   its remainder is CANCEL or EXPIRE. So REJECT after a fill is ILLEGAL.
6. CANCEL and EXPIRE both say that the remainder will not trade. Whichever comes second adds nothing:
   DUPLICATE.
7. A terminal report that announces more fills than we have booked is held back by the caller until they
   arrive, so that they are legal fills of an open order here, and not late ones.

The diagram in docs/transitions.md is generated from the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from surefill.rules.codes import Anomaly, OrdEvent, OrdStatus

TRANSITIONS: Final[Mapping[OrdStatus, Mapping[OrdEvent, OrdStatus | Anomaly]]] = {
    # The decision to send is durable. Anything may be the first thing we hear.
    OrdStatus.SUBMITTED: {
        OrdEvent.ACCEPT: OrdStatus.NEW,
        OrdEvent.REJECT: OrdStatus.REJECTED,
        OrdEvent.OUTCOME_UNKNOWN: OrdStatus.UNKNOWN,
        OrdEvent.FILL: OrdStatus.PARTIALLY_FILLED,  # overtook the acknowledgement
        OrdEvent.FILL_COMPLETE: OrdStatus.FILLED,
        OrdEvent.CANCEL: OrdStatus.CANCELED,  # an IOC without a match, or the acknowledgement is late
        OrdEvent.EXPIRE: OrdStatus.EXPIRED,  # a FOK, or sent as the session ended
    },
    # Sent, and nothing heard. Every event but another shrug is the evidence we were waiting for.
    OrdStatus.UNKNOWN: {
        OrdEvent.ACCEPT: OrdStatus.NEW,
        OrdEvent.REJECT: OrdStatus.REJECTED,
        OrdEvent.OUTCOME_UNKNOWN: Anomaly.DUPLICATE,  # asked again, still no answer
        OrdEvent.FILL: OrdStatus.PARTIALLY_FILLED,
        OrdEvent.FILL_COMPLETE: OrdStatus.FILLED,
        OrdEvent.CANCEL: OrdStatus.CANCELED,
        OrdEvent.EXPIRE: OrdStatus.EXPIRED,
    },
    # The venue has it and nothing has traded.
    OrdStatus.NEW: {
        OrdEvent.ACCEPT: Anomaly.DUPLICATE,
        OrdEvent.REJECT: OrdStatus.REJECTED,  # received first, refused by later checks
        OrdEvent.OUTCOME_UNKNOWN: Anomaly.DUPLICATE,  # the request timed out, the stream had told us
        OrdEvent.FILL: OrdStatus.PARTIALLY_FILLED,
        OrdEvent.FILL_COMPLETE: OrdStatus.FILLED,
        OrdEvent.CANCEL: OrdStatus.CANCELED,
        OrdEvent.EXPIRE: OrdStatus.EXPIRED,
    },
    # Something has traded, something is left.
    OrdStatus.PARTIALLY_FILLED: {
        OrdEvent.ACCEPT: Anomaly.DUPLICATE,  # the acknowledgement that its fill overtook
        OrdEvent.REJECT: Anomaly.ILLEGAL,  # it has traded
        OrdEvent.OUTCOME_UNKNOWN: Anomaly.DUPLICATE,
        OrdEvent.FILL: OrdStatus.PARTIALLY_FILLED,
        OrdEvent.FILL_COMPLETE: OrdStatus.FILLED,
        OrdEvent.CANCEL: OrdStatus.CANCELED,
        OrdEvent.EXPIRE: OrdStatus.EXPIRED,
    },
    # All of it has traded: no remainder is left that could end in any other way.
    OrdStatus.FILLED: {
        OrdEvent.ACCEPT: Anomaly.DUPLICATE,
        OrdEvent.REJECT: Anomaly.ILLEGAL,  # it has traded
        OrdEvent.OUTCOME_UNKNOWN: Anomaly.DUPLICATE,
        OrdEvent.FILL: Anomaly.LATE_FILL,  # an execution we did not know, beyond the order's quantity
        OrdEvent.FILL_COMPLETE: Anomaly.LATE_FILL,
        OrdEvent.CANCEL: Anomaly.ILLEGAL,  # of what remainder? our fills are wrong
        OrdEvent.EXPIRE: Anomaly.ILLEGAL,
    },
    # The remainder was canceled; part of it may have traded before.
    OrdStatus.CANCELED: {
        OrdEvent.ACCEPT: Anomaly.DUPLICATE,
        OrdEvent.REJECT: Anomaly.ILLEGAL,  # a canceled order had been live; "never took effect" denies it
        OrdEvent.OUTCOME_UNKNOWN: Anomaly.DUPLICATE,
        OrdEvent.FILL: Anomaly.LATE_FILL,  # the fill won the race against the cancel
        OrdEvent.FILL_COMPLETE: Anomaly.LATE_FILL,
        OrdEvent.CANCEL: Anomaly.DUPLICATE,
        OrdEvent.EXPIRE: Anomaly.DUPLICATE,  # the session ended while the cancel was under way
    },
    # The venue said that it never took effect. Signs of life contradict that.
    OrdStatus.REJECTED: {
        OrdEvent.ACCEPT: Anomaly.DUPLICATE,  # received first, rejected then: the two reports changed places
        OrdEvent.REJECT: Anomaly.DUPLICATE,
        OrdEvent.OUTCOME_UNKNOWN: Anomaly.DUPLICATE,
        OrdEvent.FILL: Anomaly.LATE_FILL,  # the gravest: what was refused has traded
        OrdEvent.FILL_COMPLETE: Anomaly.LATE_FILL,
        OrdEvent.CANCEL: Anomaly.ILLEGAL,  # only a live order can be canceled
        OrdEvent.EXPIRE: Anomaly.ILLEGAL,
    },
    # The remainder ran out of time; part of it may have traded before.
    OrdStatus.EXPIRED: {
        OrdEvent.ACCEPT: Anomaly.DUPLICATE,
        OrdEvent.REJECT: Anomaly.ILLEGAL,
        OrdEvent.OUTCOME_UNKNOWN: Anomaly.DUPLICATE,
        OrdEvent.FILL: Anomaly.LATE_FILL,
        OrdEvent.FILL_COMPLETE: Anomaly.LATE_FILL,
        OrdEvent.CANCEL: Anomaly.DUPLICATE,  # our cancel found it expired
        OrdEvent.EXPIRE: Anomaly.DUPLICATE,
    },
}

_STATUSES: Final = len(OrdStatus)
_EVENTS: Final = len(OrdEvent)
_FIRST_TERMINAL: Final = int(OrdStatus.FILLED)
_ILLEGAL: Final = int(Anomaly.ILLEGAL)
# Row by row, plain integers: the form that a compiled kernel can index.
_NEXT: Final = tuple(int(TRANSITIONS[status][event]) for status in OrdStatus for event in OrdEvent)


def next_status(status: int, event: int) -> int:
    """The OrdStatus after `event`, or, below zero, the Anomaly for which the status stays as it is.

    A pair outside the table is ILLEGAL.
    """
    if status < 1 or status > _STATUSES or event < 1 or event > _EVENTS:
        return _ILLEGAL
    return _NEXT[(status - 1) * _EVENTS + event - 1]


def is_terminal(status: int) -> bool:
    """Whether nothing more can happen to an order of this OrdStatus."""
    return status >= _FIRST_TERMINAL
