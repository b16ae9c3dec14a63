"""The one function that changes state: `evolve(state, event)`. It decides nothing: same events, same state.

It works in place for speed; whoever needs the old state has the journal. `EVOLVE_VERSION` names this fold: a
snapshot made by another version is not used, the events are folded again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from surefill.domain import events as e
from surefill.domain.evolve import alerts, elsewhere, orders, positions, resting, workspace
from surefill.domain.evolve.orders import NEVER_ARRIVED, STILL_WORKING, TIMEOUT, UNKNOWN_UNRESOLVED, UNREFUSED
from surefill.domain.evolve.workspace import kill_scope
from surefill.domain.state import State

__all__ = [
    "EVOLVE_VERSION",
    "NEVER_ARRIVED",
    "STILL_WORKING",
    "TIMEOUT",
    "UNKNOWN_UNRESOLVED",
    "UNREFUSED",
    "evolve",
    "kill_scope",
]

EVOLVE_VERSION = 7


def evolve(state: State, event: e.Event) -> None:
    """Fold one event into the state."""
    state.book.seq += 1
    _FOLDS[type(event)](state, event)


def _nothing(state: State, event: e.Event) -> None:
    """Kept as proof; moves nothing."""


_FOLDS: dict[type[e.Event], Callable[[State, Any], None]] = {
    e.WorkspaceOpened: workspace.workspace_opened,
    e.BuildChanged: workspace.build_changed,
    e.ProfileSet: workspace.profile_set,
    e.InstrumentDefined: workspace.instrument_defined,
    e.IntentAccepted: orders.intent_accepted,
    e.IntentRefused: orders.intent_refused,
    e.IntentEvaluated: _nothing,
    e.OrderCreated: orders.order_created,
    e.VenueReported: _nothing,
    e.ReportParked: orders.report_parked,
    e.OrderAccepted: orders.order_accepted,
    e.OrderTriggered: orders.order_triggered,
    e.OrderRejected: orders.order_rejected,
    e.OrderOutcomeUnknown: orders.order_unknown,
    e.OrderAbsent: orders.order_absent,
    e.OrderFilled: positions.order_filled,
    e.OrderEndReported: orders.order_end_reported,
    e.OrderCanceled: orders.order_canceled,
    e.OrderExpired: orders.order_expired,
    e.CancelRequested: orders.cancel_requested,
    e.CancelRefused: orders.cancel_refused,
    e.OrdersRetired: orders.orders_retired,
    e.ProtectionSet: positions.protection_set,
    e.StopMoved: positions.stop_moved,
    e.BarCounted: positions.bar_counted,
    e.ExitTriggered: positions.exit_triggered,
    e.Halted: workspace.halted,
    e.Resumed: workspace.resumed,
    e.SessionSet: workspace.session_set,
    e.EquityMarked: workspace.equity_marked,
    e.BreakerTripped: workspace.breaker_tripped,
    e.BreakerRearmed: workspace.breaker_rearmed,
    e.OrderResendScheduled: orders.resend_scheduled,
    e.OrderResent: orders.resent,
    e.OrderReleased: resting.released,
    e.StopPresumedGone: resting.presumed_gone,
    e.ReplaceRequested: resting.replace_requested,
    e.OrderReplaced: resting.replaced,
    e.ReplaceRefused: resting.replace_refused,
    e.AlertRaised: alerts.raised,
    e.AlertDelivered: alerts.delivered,
    e.AlertAcknowledged: alerts.acknowledged,
    e.AnomalyNoted: orders.anomaly_noted,
    e.PositionsCompared: _nothing,
    e.PositionAdjusted: positions.position_adjusted,
    e.OrderResolved: orders.order_resolved,
    e.DustLeft: positions.dust_left,
    e.ExternalTraded: elsewhere.external_traded,
    e.BalanceCompared: elsewhere.balance_compared,
    e.ExternalOrdersSeen: elsewhere.external_orders_seen,
    e.AccountMoved: elsewhere.account_moved,
    e.WorkspaceReset: workspace.workspace_reset,
}
