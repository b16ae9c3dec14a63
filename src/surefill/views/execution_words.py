"""The words of the RPM contract: what became of an execution, and why. One table from every refusal to its reason.

A refusal code without an entry cannot exist: the tests ask for each of them.
"""

from __future__ import annotations

import enum
from fractions import Fraction
from typing import Final

from surefill.domain.refusals import RefusalCode


class ExecutionStatus(enum.StrEnum):
    """Where an execution stands. SUBMITTED with NETWORK_ERROR: nobody knows yet, and nothing is invented."""

    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    FILLED = "FILLED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    ERROR = "ERROR"


class RejectionReason(enum.StrEnum):
    """Why an execution is not simply FILLED."""

    VALIDATION_FAILED = "VALIDATION_FAILED"
    SPREAD_TOO_WIDE = "SPREAD_TOO_WIDE"
    MARGIN_INSUFFICIENT = "MARGIN_INSUFFICIENT"
    BROKER_REJECTION = "BROKER_REJECTION"
    ORDER_TIMEOUT = "ORDER_TIMEOUT"
    TRADING_HALTED = "TRADING_HALTED"
    MARKET_CLOSED = "MARKET_CLOSED"
    SYMBOL_NOT_TRADABLE = "SYMBOL_NOT_TRADABLE"
    INSUFFICIENT_LIQUIDITY = "INSUFFICIENT_LIQUIDITY"
    NETWORK_ERROR = "NETWORK_ERROR"
    SLIPPAGE_EXCEEDED = "SLIPPAGE_EXCEEDED"
    INSUFFICIENT_FILL = "INSUFFICIENT_FILL"
    STALE_TICK = "STALE_TICK"
    SPREAD_WIDENED = "SPREAD_WIDENED"
    MARGIN_DEPLETED = "MARGIN_DEPLETED"
    CORRELATION_BREACH = "CORRELATION_BREACH"


class SlippageBand(enum.StrEnum):
    """How well an execution met its intended price; the upper end of a band belongs to it."""

    EXCELLENT = "excellent"
    GOOD = "good"
    ACCEPTABLE = "acceptable"
    POOR = "poor"


_BANDS: Final = ((1, SlippageBand.EXCELLENT), (3, SlippageBand.GOOD), (5, SlippageBand.ACCEPTABLE))


def slippage_band(pips: Fraction | float) -> SlippageBand:
    """0 to 1 pip is excellent, to 3 good, to 5 acceptable, more is poor."""
    return next((band for most, band in _BANDS if pips <= most), SlippageBand.POOR)


_CODES_OF: Final[dict[RejectionReason, tuple[RefusalCode, ...]]] = {
    RejectionReason.VALIDATION_FAILED: (
        RefusalCode.INVALID_QUANTITY,
        RefusalCode.OFF_LOT,
        RefusalCode.OFF_TICK,
        RefusalCode.PRICE_REQUIRED,
        RefusalCode.TRIGGER_REQUIRED,
        RefusalCode.UNSUPPORTED_ACTION,
        RefusalCode.UNSUPPORTED_ORDER_TYPE,
        RefusalCode.UNSUPPORTED_TIME_IN_FORCE,
        RefusalCode.QUANTITY_OUT_OF_RANGE,
        RefusalCode.NOTIONAL_OUT_OF_RANGE,
        RefusalCode.STOP_ON_WRONG_SIDE,
        RefusalCode.TARGET_ON_WRONG_SIDE,
        RefusalCode.INVALID_PLAN,
        RefusalCode.INVALID_INPUT,
        RefusalCode.PRICE_OUTSIDE_COLLAR,
        RefusalCode.ORDER_VALUE_EXCEEDED,
        RefusalCode.MAX_LOTS_EXCEEDED,
        RefusalCode.BASKET_VALUE_EXCEEDED,
        RefusalCode.ALGO_ID_MISSING,
        RefusalCode.REWARD_RISK_TOO_LOW,
        RefusalCode.STOP_TOO_FAR,
        RefusalCode.SIGNAL_TOO_WEAK,
        RefusalCode.CONFLUENCE_TOO_LOW,
        RefusalCode.EDGE_BELOW_COST,
        RefusalCode.FIGURE_MISSING,
        RefusalCode.LIMIT_MISSING,
        RefusalCode.UPSTREAM_REJECTED,
        RefusalCode.NO_MARKET_DATA,
        RefusalCode.CROSSED_MARKET,
        RefusalCode.REGIME_DRIFT,
        RefusalCode.NO_POSITION,
        RefusalCode.PARTIAL_CLOSE_NOT_SUPPORTED,
        RefusalCode.SYMBOL_OWNED,
        RefusalCode.REDUCTION_EXCEEDS_POSITION,
        RefusalCode.SHORT_NOT_ALLOWED,
        RefusalCode.OPENS_AGAINST_POSITION,
        RefusalCode.EXPOSURE_EXCEEDED,
        RefusalCode.AGGREGATE_EXCEEDED,
        RefusalCode.AGGREGATE_UNKNOWN,
        RefusalCode.POSITION_LIMIT_EXCEEDED,
        RefusalCode.CONCENTRATION_EXCEEDED,
        RefusalCode.MAX_OPEN_POSITIONS,
        RefusalCode.EQUITY_UNKNOWN,
        RefusalCode.DUPLICATE_INTENT,
        RefusalCode.DAY_UNKNOWN,
        RefusalCode.SIZE_ZERO_LOTS,
        RefusalCode.SIZE_INPUT_MISSING,
        RefusalCode.SIZE_ABOVE_CAP,
        RefusalCode.POLICY_RULE,
        RefusalCode.POLICY_ERROR,
    ),
    RejectionReason.INSUFFICIENT_FILL: (RefusalCode.GROUP_FAILED,),
    RejectionReason.SPREAD_TOO_WIDE: (RefusalCode.SPREAD_TOO_WIDE,),
    RejectionReason.MARGIN_INSUFFICIENT: (
        RefusalCode.MARGIN_INSUFFICIENT,
        RefusalCode.INSUFFICIENT_CASH,
    ),
    RejectionReason.TRADING_HALTED: (
        RefusalCode.HALTED,
        RefusalCode.SYMBOL_HALTED,
        RefusalCode.STRATEGY_PAUSED,
        RefusalCode.ENGINE_HALTED,
        RefusalCode.VENUE_HALTED,
        RefusalCode.UPSTREAM_HALTED,
        RefusalCode.DAILY_LOSS,
        RefusalCode.DAILY_DRAWDOWN,
        RefusalCode.DRAWDOWN,
        RefusalCode.LOSS_STREAK,
        RefusalCode.REJECT_STREAK,
        RefusalCode.EQUITY_DROP,
        RefusalCode.CAP_TOTAL,
        RefusalCode.CAP_STRATEGY,
        RefusalCode.CAP_SYMBOL,
        RefusalCode.THROTTLED,
        RefusalCode.TRADES_PER_DAY,
        RefusalCode.TRADES_PER_STRATEGY,
        RefusalCode.SLIPPAGE,
        RefusalCode.MESSAGE_RATE,
        RefusalCode.ORDER_RATE,
        RefusalCode.REPEATED_FILLS,
    ),
    RejectionReason.MARKET_CLOSED: (
        RefusalCode.MARKET_CLOSED,
        RefusalCode.CALENDAR_UNKNOWN,
    ),
    RejectionReason.SYMBOL_NOT_TRADABLE: (
        RefusalCode.SYMBOL_NOT_TRADABLE,
        RefusalCode.UNKNOWN_INSTRUMENT,
    ),
    RejectionReason.INSUFFICIENT_LIQUIDITY: (RefusalCode.INSUFFICIENT_LIQUIDITY,),
    RejectionReason.STALE_TICK: (
        RefusalCode.STALE_TICK,
        RefusalCode.STALE_PRICE,
    ),
    RejectionReason.SPREAD_WIDENED: (RefusalCode.SPREAD_WIDENED,),
    RejectionReason.MARGIN_DEPLETED: (RefusalCode.MARGIN_DEPLETED,),
    RejectionReason.CORRELATION_BREACH: (RefusalCode.CORRELATION_BREACH,),
}

#: The contract's reason of every refusal.
REASON_OF: Final[dict[RefusalCode, RejectionReason]] = {
    code: reason for reason, codes in _CODES_OF.items() for code in codes
}
