"""What happened: the journal's vocabulary, past tense. `evolve` folds them; nothing else changes the state.

A published event never changes its meaning. A new shape gets a new tag, and the old one an upcaster in `codec`.
Every event says when (`ts_ns`), belongs to one story (`correlation_id`), and names the sequence number of the
event that caused it (`causation_seq`; 0: something outside).
Results are in the event (a fill carries the position it led to), so folding computes nothing twice.
"""

from __future__ import annotations

from surefill.domain.events.alerts import (
    AlertAcknowledged,
    AlertDelivered,
    AlertRaised,
)
from surefill.domain.events.elsewhere import (
    AccountMoved,
    BalanceCompared,
    ExternalOrdersSeen,
    ExternalTraded,
)
from surefill.domain.events.event import (
    Event,
)
from surefill.domain.events.intents import (
    IntentAccepted,
    IntentEvaluated,
    IntentRefused,
)
from surefill.domain.events.orders import (
    AnomalyNoted,
    OrderAbsent,
    OrderAccepted,
    OrderCanceled,
    OrderCreated,
    OrderEndReported,
    OrderExpired,
    OrderFilled,
    OrderOutcomeUnknown,
    OrderRejected,
    OrderResolved,
    OrdersRetired,
    OrderTriggered,
    ReportParked,
    VenueReported,
)
from surefill.domain.events.positions import (
    BarCounted,
    DustLeft,
    ExitTriggered,
    PositionAdjusted,
    PositionsCompared,
    ProtectionSet,
    StopMoved,
)
from surefill.domain.events.requests import (
    CancelRefused,
    CancelRequested,
    OrderReleased,
    OrderReplaced,
    OrderResendScheduled,
    OrderResent,
    ReplaceRefused,
    ReplaceRequested,
    StopPresumedGone,
)
from surefill.domain.events.workspace import (
    BreakerRearmed,
    BreakerTripped,
    BuildChanged,
    EquityMarked,
    Halted,
    InstrumentDefined,
    ProfileSet,
    Resumed,
    SessionSet,
    WorkspaceOpened,
    WorkspaceReset,
)

__all__ = [
    "EVENT_TYPES",
    "AccountMoved",
    "AlertAcknowledged",
    "AlertDelivered",
    "AlertRaised",
    "AnomalyNoted",
    "BalanceCompared",
    "BarCounted",
    "BreakerRearmed",
    "BreakerTripped",
    "BuildChanged",
    "CancelRefused",
    "CancelRequested",
    "DustLeft",
    "EquityMarked",
    "Event",
    "ExitTriggered",
    "ExternalOrdersSeen",
    "ExternalTraded",
    "Halted",
    "InstrumentDefined",
    "IntentAccepted",
    "IntentEvaluated",
    "IntentRefused",
    "OrderAbsent",
    "OrderAccepted",
    "OrderCanceled",
    "OrderCreated",
    "OrderEndReported",
    "OrderExpired",
    "OrderFilled",
    "OrderOutcomeUnknown",
    "OrderRejected",
    "OrderReleased",
    "OrderReplaced",
    "OrderResendScheduled",
    "OrderResent",
    "OrderResolved",
    "OrderTriggered",
    "OrdersRetired",
    "PositionAdjusted",
    "PositionsCompared",
    "ProfileSet",
    "ProtectionSet",
    "ReplaceRefused",
    "ReplaceRequested",
    "ReportParked",
    "Resumed",
    "SessionSet",
    "StopMoved",
    "StopPresumedGone",
    "VenueReported",
    "WorkspaceOpened",
    "WorkspaceReset",
]

EVENT_TYPES: tuple[type[Event], ...] = tuple(Event.__subclasses__())
