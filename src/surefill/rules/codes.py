"""The enumerations that the rules speak: small integers that a journal, a kernel and a person can all read.

Side, OrdType and TimeInForce carry the values of their FIX tags where these are digits (54, 40, 59); `Side`
is a sign instead of FIX's 1 and 2, because positions are signed. Published values never change their meaning.

What runs with every order keeps the members that it asks for in names of its own: before Python 3.12 reaching one
through its class takes as long as several calls.
"""

from __future__ import annotations

import enum


class Side(enum.IntEnum):
    """FIX 54, as a sign: what a fill adds to a position. For a position: +1 is long, -1 is short."""

    BUY = 1
    SELL = -1


class OrdType(enum.IntEnum):
    """FIX 40."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4


class TimeInForce(enum.IntEnum):
    """FIX 59."""

    DAY = 0
    GTC = 1
    IOC = 3
    FOK = 4


class OrdStatus(enum.IntEnum):
    """FIX 39, and the two states of not knowing that a venue's client has. Terminal from FILLED on."""

    SUBMITTED = 1  # the decision to send is durable; it may or may not have reached the wire
    UNKNOWN = 2  # sent, and no evidence of what became of it: only evidence ends this
    NEW = 3  # the venue works it
    PARTIALLY_FILLED = 4
    FILLED = 5
    CANCELED = 6
    REJECTED = 7
    EXPIRED = 8


class OrdEvent(enum.IntEnum):
    """What can happen to an order. Requests to cancel or replace are kept beside the status, not in it."""

    ACCEPT = 1
    REJECT = 2
    OUTCOME_UNKNOWN = 3
    FILL = 4  # part of it: something is left
    FILL_COMPLETE = 5  # the fill that leaves nothing
    CANCEL = 6
    EXPIRE = 7


class Anomaly(enum.IntEnum):
    """Why an event does not move the status. Negative, so that it can share an integer with OrdStatus."""

    DUPLICATE = -1  # says what we knew, or knew better: ordinary repetition or reordering, ignored
    LATE_FILL = -2  # a fill after the end: booked, alarmed, and the symbol halts
    ILLEGAL = -3  # contradicts what we know: journaled, alarmed, resolved with the venue


class ExitReason(enum.IntEnum):
    """Why a position, or a part of it, was closed."""

    NONE = 0
    STOP = 1
    TARGET = 2
    TRAILING = 3  # a stop that trailing had moved
    PARTIAL = 4  # one level of the partial-exit ladder
    TIME_STOP = 5
    END_OF_DAY = 6
    MANUAL = 7
    SIGNAL = 8
    SHUTDOWN = 9  # a kill switch that also flattens
    UNPROTECTED = 10  # the venue would not have its stop


class KillLevel(enum.IntEnum):
    """How far a kill switch is thrown. Whatever moves by itself only tightens; a person loosens."""

    NORMAL = 0
    THROTTLE = 1  # entries, but few
    SUSPEND = 2  # no entries, and working ones are taken back; exits and cancels go on
    SHUTDOWN = 3  # as SUSPEND, and what is held is sold where the profile says so


class PartialFill(enum.IntEnum):
    """What becomes of the part of an entry that has not filled when its order ends."""

    ACCEPT = 1  # what filled is what there is
    RETRY = 2  # a further order for the rest, within the attempts allowed


class DriftBand(enum.IntEnum):
    """How far our book and the venue's are apart, and so what is done about it."""

    NONE = 1  # nothing
    LOG = 2  # kept in the journal
    ALERT = 3  # somebody is told
    CORRECT = 4  # our book follows the venue's, by a declared adjustment, and somebody is told
    HALT = 5


class FillMode(enum.IntEnum):
    """Which price the simulated market trades at."""

    LTP = 1  # the last traded price
    MID = 2  # the middle of the quote
    BID_ASK = 3  # the far side of the quote


class IntrabarPolicy(enum.IntEnum):
    """What to believe when one bar touches both the stop and the target."""

    WORST_CASE = 1
    BEST_CASE = 2


class PositionEffect(enum.IntEnum):
    """What a fill did to the position."""

    NONE = 0
    OPENED = 1
    SCALED = 2
    REDUCED = 3
    CLOSED = 4
    FLIPPED = 5


class FeeKind(enum.IntEnum):
    """How one component of the fees is charged."""

    NONE = 0
    PER_NOTIONAL = 1  # a rate in parts per billion of the traded value
    PER_UNIT = 2  # money per quantity quantum
    PER_ORDER = 3  # money once, with the order's first fill
    ON_CHARGES = 4  # a rate in parts per billion of other charges, as GST is; in cost schedules only
