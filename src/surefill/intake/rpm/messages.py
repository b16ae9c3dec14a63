"""What goes through this door: names and fields are the contract's. Units are units of the base currency, not lots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from surefill.views.execution_words import ExecutionStatus, RejectionReason, SlippageBand

__all__ = [
    "ApprovedTrade",
    "ExecutionConfirmation",
    "ExecutionLog",
    "ExecutionRequest",
    "ExecutionStatus",
    "PortfolioState",
    "RPMOutput",
    "RejectedTrade",
    "RejectionReason",
    "RiskMetrics",
    "SlippageBand",
    "TradeDecision",
]


@dataclass
class ApprovedTrade:
    """A trade with its final size. `direction` 1 buys, -1 sells; `position_units` is executed exactly or not at all.

    `intended_price` is the mid at approval (None: the mid that the engine decides at); `stop_loss` and `take_profit`
    guard the position. Everything else is recorded, not acted on.
    """

    symbol: str
    direction: int
    position_units: float
    confidence_score: float | None = None
    regime: str | None = None
    base_units: float | None = None
    confidence_adjustment: float | None = None
    regime_adjustment: float | None = None
    correlation_adjustment: float | None = None
    atr: float | None = None
    vol_percentile: float | None = None
    risk_per_trade: float | None = None
    kelly_fraction: float | None = None
    expectancy: float | None = None
    intended_price: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None


@dataclass
class RejectedTrade:
    """Why the risk manager said no."""

    rejection_reason: str
    rejection_details: str = ""


@dataclass
class TradeDecision:
    """`status` APPROVED, ADJUSTED (executed like APPROVED) or REJECTED. `order_id` is the idempotency key."""

    status: str
    order_id: str
    approved_trade: ApprovedTrade | None = None
    rejected_trade: RejectedTrade | None = None


@dataclass
class PortfolioState:
    """The risk manager's view of the account. `trading_halted` stops everything; `halt_reason` is passed on."""

    trading_halted: bool
    current_drawdown: float | None = None
    equity: float | None = None
    halt_reason: str | None = None


@dataclass
class RiskMetrics:
    """Whatever figures the risk manager adds; recorded as they are."""

    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class RPMOutput:
    """One decision of the risk and portfolio manager, with what it was based on."""

    decision: TradeDecision
    portfolio_state: PortfolioState
    risk_metrics: RiskMetrics | None = None
    config_hash: str | None = None
    rpm_version: str | None = None
    model_version: str | None = None


@dataclass
class ExecutionRequest:
    """What was asked for, as it was journaled before anything was sent. There is one for each execution."""

    request_id: str
    execution_id: str
    rpm_decision_id: str
    symbol: str
    direction: int
    units: int | float
    max_slippage_pips: float
    timeout_seconds: float
    created_timestamp: str
    order_type: str = "MARKET"
    intended_price: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    config_hash: str | None = None
    rpm_version: str | None = None


@dataclass
class ExecutionLog:
    """An execution in full: the columns of `execution_logs`, the request, and in `details` what has no column.

    `details`: the decision's own words, every order with its fills, the slippage's sign and band, the refusal's code.
    """

    execution_id: str
    order_id: str | None
    request_id: str
    rpm_decision_id: str
    symbol: str
    direction: int
    intended_units: int | float
    executed_units: int | float | None
    intended_price: float | None
    fill_price: float | None
    slippage_pips: float | None
    status: ExecutionStatus
    rejection_reason: str | None
    rejection_details: str | None
    confidence_score: float | None
    regime: str | None
    risk_per_trade: float | None
    model_version: str | None
    rpm_version: str | None
    execution_engine_version: str | None
    created_timestamp: str
    submission_timestamp: str | None
    fill_timestamp: str | None
    last_update_timestamp: str
    request: ExecutionRequest
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class ExecutionConfirmation:
    """The answer. `order_id` is the broker's, None where nothing reached one; `timestamp` is ISO 8601, UTC.

    `rejection_reason` is one of `RejectionReason`, or the risk manager's own for a decision that was REJECTED.
    SUBMITTED with NETWORK_ERROR: nobody knows yet; ask `execution(execution_id)` later.
    """

    execution_id: str
    order_id: str | None
    status: ExecutionStatus
    symbol: str
    direction: int
    intended_units: int | float
    executed_units: int | float
    fill_price: float | None
    slippage_pips: float | None
    timestamp: str
    rejection_reason: str | None = None
    rejection_details: str | None = None
