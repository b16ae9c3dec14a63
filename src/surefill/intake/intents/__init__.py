"""The door for trade intents: `PaperBroker`, its ledger `PaperState`, its `PolicyEngine`."""

from surefill.intake.intents.broker import PaperBroker
from surefill.intake.intents.event_view import EventView, TradeEvent, trade_events
from surefill.intake.intents.outcome import ExecutionOutcome
from surefill.intake.intents.paper_state import PaperPosition, PaperState
from surefill.intake.intents.policy import PolicyDecision, PolicyEngine, PolicyRule, Shrink, Warn
from surefill.intake.intents.reconciliation import ReconcileReport
from surefill.intake.intents.request import ExecuteRequest
from surefill.strategy.intents import TradeAction, TradeIntent

__all__ = [
    "EventView",
    "ExecuteRequest",
    "ExecutionOutcome",
    "PaperBroker",
    "PaperPosition",
    "PaperState",
    "PolicyDecision",
    "PolicyEngine",
    "PolicyRule",
    "ReconcileReport",
    "Shrink",
    "TradeAction",
    "TradeEvent",
    "TradeIntent",
    "Warn",
    "trade_events",
]
