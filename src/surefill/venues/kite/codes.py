"""What Kite's answers and statuses mean: one table each.

Sources: https://kite.trade/docs/connect/v3/exceptions/ and /orders/, and the client library 5.2.2, read 2026-11-28.
The library tells error types apart and loses HTTP statuses, but the status decides: a 429 has the type of a lost
connection and proves that nothing was done, a 400 may say that the order management system timed out.
"""

from __future__ import annotations

import enum
from typing import Final

from surefill.units import NS_PER_S
from surefill.venues.protocol import Rejected, Unknown

TOO_MANY_REQUESTS: Final = 429
RETRY_AFTER_NS: Final = NS_PER_S

#: Status and type that together prove that nothing took effect. Everything else proves nothing.
DEFINITIVE: Final = frozenset({
    (400, "InputException"),
    (400, "OrderException"),
    (400, "MarginException"),
    (400, "HoldingException"),
    (400, "UserException"),
    (403, "TokenException"),
    (403, "PermissionException"),
    (403, "UserException"),
})  # fmt: skip
#: Turned away unread: the same request may come again.
UNREAD: Final = frozenset({"TokenException"})
#: In a message they take the proof away from whatever status it comes with.
DOUBTFUL_WORDS: Final = ("timed out", "timeout", "time out")


class Phase(enum.Enum):
    """What a status says of an order's life."""

    LIVE = "live"  # it may trade, at once or in an hour
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


LIVE: Final = frozenset({
    "PUT ORDER REQ RECEIVED",
    "VALIDATION PENDING",
    "OPEN PENDING",  # can hang here and execute an hour later
    "OPEN",
    "TRIGGER PENDING",
    "MODIFY VALIDATION PENDING",
    "MODIFY PENDING",
    "MODIFIED",
    "CANCEL PENDING",
    "AMO REQ RECEIVED",
    "MODIFY AMO REQ RECEIVED",
    "UPDATE",  # of postbacks alone: changed, or partly filled
})  # fmt: skip
ENDED: Final = {
    "COMPLETE": Phase.COMPLETE,
    "CANCELLED": Phase.CANCELLED,
    "CANCELLED AMO": Phase.CANCELLED,
    "REJECTED": Phase.REJECTED,
}
#: What has its trigger price behind it.
TRIGGERED: Final = frozenset({"OPEN", "COMPLETE"})


def phase_of(status: str) -> Phase:
    """The phase of a status. One that the table does not name is live: no end is ever invented."""
    return ENDED.get(status, Phase.LIVE)


def refusal(status: int, error_type: str, message: str, raw: str, retry_after_ns: int = 0) -> Rejected | Unknown:
    """What an answer that is no success proves."""
    if status == TOO_MANY_REQUESTS:
        return Rejected("429", message, raw, undelivered=True, retry_after_ns=retry_after_ns or RETRY_AFTER_NS)
    doubtful = any(word in message.lower() for word in DOUBTFUL_WORDS)
    if (status, error_type) in DEFINITIVE and not doubtful:
        return Rejected(error_type, message, raw, undelivered=error_type in UNREAD)
    return Unknown(f"HTTP {status} {error_type or 'without a type'}: {message}", raw)
