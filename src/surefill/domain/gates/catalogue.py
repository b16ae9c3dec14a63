"""What cannot be read off a gate itself: the codes it refuses with, the settings it goes by, and where it comes from.

`docs/gates.md` is made from this and from the gates (`scripts/gen_reference`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from surefill.domain.refusals import RefusalCode as Code

SEC: Final = "SEC 15c3-5"
RTS6: Final = "MiFID II RTS 6"
SEBI: Final = "SEBI 2025"
FIA: Final = "FIA 2024"
_ORDERS: Final = "order intents"
_THROTTLER: Final = "order intents, throttler"
_GUARDIAN: Final = "order intents, guardian"
_PIPELINE: Final = "trading signals"
_RPM: Final = "risk manager"
_INTENTS: Final = "trade intents"
_CIRCUIT: Final = "execution.circuit_breakers."


class Origin(NamedTuple):
    """`codes` it refuses with itself, `settings` by their full name, `source`: rule books and contracts' doors."""

    codes: tuple[Code, ...]
    settings: tuple[str, ...] = ()
    source: str = "all doors"


#: The limit over all workspaces, which holds whatever gates a profile asks.
OVER_ALL: Final = Origin(
    (Code.AGGREGATE_EXCEEDED, Code.AGGREGATE_UNKNOWN, Code.NO_MARKET_DATA),
    ("risk.aggregate_value_max",),
    f"{SEC}, {FIA}",
)

ORIGINS: Final[Mapping[str, Origin]] = {
    # the order's own terms
    "instrument": Origin((Code.UNKNOWN_INSTRUMENT, Code.INVALID_INPUT)),
    "action": Origin((Code.UNSUPPORTED_ACTION, Code.NO_POSITION)),
    "order_type": Origin(
        (Code.UNSUPPORTED_ORDER_TYPE, Code.UNSUPPORTED_TIME_IN_FORCE, Code.PRICE_REQUIRED, Code.TRIGGER_REQUIRED)
    ),
    "quantity": Origin(
        (Code.INVALID_QUANTITY, Code.OFF_LOT, Code.QUANTITY_OUT_OF_RANGE, Code.NO_POSITION),
        ("instruments.….lot", "instruments.….min_qty", "instruments.….max_qty"),
        f"{SEC}, {RTS6} (maximum and freeze quantity)",
    ),
    "tick": Origin((Code.OFF_TICK,), ("instruments.….tick",)),
    "notional": Origin((Code.NOTIONAL_OUT_OF_RANGE,)),
    "plan": Origin((Code.STOP_ON_WRONG_SIDE, Code.TARGET_ON_WRONG_SIDE, Code.INVALID_PLAN)),
    "lots": Origin((Code.MAX_LOTS_EXCEEDED,), ("risk.order_lots_max",), _GUARDIAN),
    "collar": Origin(
        (Code.PRICE_OUTSIDE_COLLAR,),
        ("risk.price_collar_pct", "risk.price_collar_illiquid_pct", "instruments.….liquid"),
        f"{SEC}, {RTS6}, {FIA}",
    ),
    "algo_id": Origin((Code.ALGO_ID_MISSING,), ("risk.algo_ids",), SEBI),
    "order_value": Origin((Code.ORDER_VALUE_EXCEEDED, Code.LIMIT_MISSING), ("risk.order_value_max",), f"{SEC}, {RTS6}"),
    "basket": Origin((Code.BASKET_VALUE_EXCEEDED, Code.LIMIT_MISSING), ("risk.basket_value_max",), FIA),
    # the idea
    "signal_strength": Origin((Code.SIGNAL_TOO_WEAK, Code.FIGURE_MISSING), ("risk.signal_strength_min",), _PIPELINE),
    "confluence": Origin((Code.CONFLUENCE_TOO_LOW, Code.FIGURE_MISSING), ("risk.confluence_min",), _PIPELINE),
    "reward_risk": Origin((Code.REWARD_RISK_TOO_LOW, Code.FIGURE_MISSING), ("risk.reward_risk_min",), _PIPELINE),
    "stop_distance": Origin((Code.STOP_TOO_FAR, Code.FIGURE_MISSING), ("risk.stop_distance_max_pct",), _PIPELINE),
    "regime": Origin(
        (Code.REGIME_DRIFT, Code.FIGURE_MISSING), ("policy.regime_reject_z", "policy.regime_warn_z"), _INTENTS
    ),
    "edge": Origin((Code.EDGE_BELOW_COST, Code.FIGURE_MISSING), ("risk.edge_multiple_min",), _THROTTLER),
    # the market
    "market_data": Origin((Code.NO_MARKET_DATA,)),
    "stale": Origin((Code.STALE_PRICE,), ("execution.price_max_age_s",), f"{RTS6}; {_GUARDIAN}"),
    "sane": Origin((Code.CROSSED_MARKET,), (), _RPM),
    "market_hours": Origin((Code.MARKET_CLOSED, Code.CALENDAR_UNKNOWN), ("instruments.….calendar",), f"{SEC}; {_RPM}"),
    "tradable": Origin((Code.SYMBOL_NOT_TRADABLE,), ("instruments.….tradable",), _RPM),
    "spread": Origin(
        (Code.SPREAD_TOO_WIDE, Code.NO_MARKET_DATA), ("risk.spread_max_pips", "risk.spread_max_pct"), _RPM
    ),
    "liquidity": Origin((Code.INSUFFICIENT_LIQUIDITY,), (), _RPM),
    # the account
    "owner": Origin((Code.SYMBOL_OWNED,)),
    "position": Origin(
        (
            Code.NO_POSITION,
            Code.OPENS_AGAINST_POSITION,
            Code.SHORT_NOT_ALLOWED,
            Code.PARTIAL_CLOSE_NOT_SUPPORTED,
            Code.REDUCTION_EXCEEDS_POSITION,
        )
    ),
    "cash": Origin((Code.INSUFFICIENT_CASH,), ("execution.allow_negative_cash",), f"{SEC}; {_INTENTS}"),
    "exposure": Origin((Code.EXPOSURE_EXCEEDED, Code.LIMIT_MISSING), ("risk.exposure_value_max",), f"{SEC}, {FIA}"),
    "position_limit": Origin(
        (Code.POSITION_LIMIT_EXCEEDED, Code.LIMIT_MISSING), ("risk.position_value_max",), f"{SEC}, {RTS6}"
    ),
    "concentration": Origin((Code.CONCENTRATION_EXCEEDED, Code.EQUITY_UNKNOWN), ("risk.concentration_max_pct",), FIA),
    "correlation": Origin(
        (Code.CORRELATION_BREACH, Code.EQUITY_UNKNOWN), ("risk.correlated_max_pct", "risk.correlations"), _RPM
    ),
    "margin": Origin(
        (Code.MARGIN_INSUFFICIENT, Code.EQUITY_UNKNOWN),
        ("risk.margin_cushion", "instruments.….margin_pct"),
        f"{SEC}; {_RPM}",
    ),
    "open_positions": Origin((Code.MAX_OPEN_POSITIONS,), ("risk.open_positions_max",), _PIPELINE),
    "size_caps": Origin((Code.SIZE_ABOVE_CAP,), ("policy.max_position_pct", "policy.max_total_pct"), _INTENTS),
    # switches and breakers
    "halted": Origin(
        (
            Code.ENGINE_HALTED,
            Code.VENUE_HALTED,
            Code.HALTED,
            Code.SYMBOL_HALTED,
            Code.STRATEGY_PAUSED,
            Code.THROTTLED,
        ),
        ("risk.throttle_spacing_s", "risk.shutdown_flattens"),
        f"{SEC}, {RTS6}, {SEBI}, {FIA}",
    ),
    "daily_loss": Origin((Code.DAILY_LOSS, Code.DAY_UNKNOWN), (_CIRCUIT + "max_daily_loss_rupees",), _ORDERS),
    "daily_drawdown": Origin(
        (Code.DAILY_DRAWDOWN, Code.DAY_UNKNOWN, Code.EQUITY_UNKNOWN), (_CIRCUIT + "max_daily_drawdown_pct",), _ORDERS
    ),
    "drawdown": Origin(
        (Code.DRAWDOWN, Code.EQUITY_UNKNOWN),
        ("risk.drawdown_max_pct", "risk.drawdown_value_max"),
        f"{_INTENTS}; {_GUARDIAN}",
    ),
    "equity_drop": Origin(
        (Code.EQUITY_DROP, Code.DAY_UNKNOWN, Code.EQUITY_UNKNOWN), ("risk.equity_drop_max_pct",), _GUARDIAN
    ),
    "loss_streak": Origin((Code.LOSS_STREAK,), (_CIRCUIT + "max_loss_streak",), _ORDERS),
    "reject_streak": Origin((Code.REJECT_STREAK,), ("risk.reject_streak_max",), FIA),
    "slippage": Origin((Code.SLIPPAGE,), ("risk.slippage_max_pct",), _GUARDIAN),
    "trades_per_day": Origin((Code.TRADES_PER_DAY, Code.DAY_UNKNOWN), (_CIRCUIT + "max_trades_per_day",), _ORDERS),
    "trades_per_strategy": Origin(
        (Code.TRADES_PER_STRATEGY, Code.DAY_UNKNOWN), (_CIRCUIT + "max_trades_per_strategy_per_day",), _ORDERS
    ),
    "cap_total": Origin((Code.CAP_TOTAL, Code.DAY_UNKNOWN), ("risk.cap_total_max",), _THROTTLER),
    "cap_strategy": Origin((Code.CAP_STRATEGY, Code.DAY_UNKNOWN), ("risk.cap_strategy_max",), _THROTTLER),
    "cap_symbol": Origin((Code.CAP_SYMBOL, Code.DAY_UNKNOWN), ("risk.cap_symbol_max",), _THROTTLER),
    # the flow
    "duplicate": Origin((Code.DUPLICATE_INTENT,), ("execution.duplicate_window_s",), f"{RTS6}, {FIA}"),
    "message_rate": Origin(
        (Code.MESSAGE_RATE,), ("risk.message_rate_max", "risk.message_reserve_pct"), f"{RTS6}, {SEBI}"
    ),
    "order_rate": Origin((Code.ORDER_RATE,), ("risk.order_rate_max",), f"{SEBI}; {_GUARDIAN}"),
    "repeated_fills": Origin(
        (Code.REPEATED_FILLS,), ("risk.repeated_fills_max", "risk.repeated_fills_window_s"), f"{RTS6}, {FIA}"
    ),
    # right before the wire
    "tick_age": Origin((Code.STALE_TICK,), ("risk.recheck_age_max_s",), _RPM),
    "spread_widening": Origin((Code.SPREAD_WIDENED,), ("risk.spread_widening_max_pips",), _RPM),
    "margin_left": Origin((Code.MARGIN_DEPLETED,), ("risk.margin_cushion",), _RPM),
}
