"""Door 4: decisions of a risk and portfolio manager, executed exactly or refused precisely."""

from surefill.intake.rpm.alerts import Alert
from surefill.intake.rpm.engine import ExecutionHealth, RPMExecutionEngine
from surefill.intake.rpm.groups import GroupConfirmation, GroupLeg
from surefill.intake.rpm.messages import (
    ApprovedTrade,
    ExecutionConfirmation,
    ExecutionLog,
    ExecutionRequest,
    ExecutionStatus,
    PortfolioState,
    RejectedTrade,
    RejectionReason,
    RiskMetrics,
    RPMOutput,
    SlippageBand,
    TradeDecision,
)

__all__ = [
    "Alert",
    "ApprovedTrade",
    "ExecutionConfirmation",
    "ExecutionHealth",
    "ExecutionLog",
    "ExecutionRequest",
    "ExecutionStatus",
    "GroupConfirmation",
    "GroupLeg",
    "PortfolioState",
    "RPMExecutionEngine",
    "RPMOutput",
    "RejectedTrade",
    "RejectionReason",
    "RiskMetrics",
    "SlippageBand",
    "TradeDecision",
]
