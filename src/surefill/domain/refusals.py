"""Why an intent was refused: banded codes. A refusal is data, journaled like everything else.

1xx the intent's own terms · 2xx market data · 3xx account and position · 4xx halts and breakers · 5xx the flow ·
6xx sizing
"""

from __future__ import annotations

import enum

import msgspec


class RefusalCode(enum.IntEnum):
    """Stable numbers and names; doors translate them into their own words."""

    INVALID_QUANTITY = 101
    OFF_LOT = 102
    OFF_TICK = 103
    PRICE_REQUIRED = 104
    TRIGGER_REQUIRED = 105
    UNSUPPORTED_ACTION = 106
    UNSUPPORTED_ORDER_TYPE = 107
    UNSUPPORTED_TIME_IN_FORCE = 108
    QUANTITY_OUT_OF_RANGE = 109
    UNKNOWN_INSTRUMENT = 110
    NOTIONAL_OUT_OF_RANGE = 111
    STOP_ON_WRONG_SIDE = 112
    TARGET_ON_WRONG_SIDE = 113
    INVALID_PLAN = 114
    INVALID_INPUT = 115
    PRICE_OUTSIDE_COLLAR = 116
    ORDER_VALUE_EXCEEDED = 117
    MAX_LOTS_EXCEEDED = 118
    BASKET_VALUE_EXCEEDED = 119
    ALGO_ID_MISSING = 120
    REWARD_RISK_TOO_LOW = 121
    STOP_TOO_FAR = 122
    SIGNAL_TOO_WEAK = 123
    CONFLUENCE_TOO_LOW = 124
    EDGE_BELOW_COST = 125
    FIGURE_MISSING = 126
    LIMIT_MISSING = 127
    UPSTREAM_REJECTED = 128
    GROUP_FAILED = 129
    NO_MARKET_DATA = 201
    STALE_PRICE = 202
    CROSSED_MARKET = 203
    SPREAD_TOO_WIDE = 204
    MARKET_CLOSED = 205
    SYMBOL_NOT_TRADABLE = 206
    INSUFFICIENT_LIQUIDITY = 207
    CALENDAR_UNKNOWN = 208
    SPREAD_WIDENED = 209
    REGIME_DRIFT = 210
    STALE_TICK = 211
    INSUFFICIENT_CASH = 301
    NO_POSITION = 302
    PARTIAL_CLOSE_NOT_SUPPORTED = 303
    SYMBOL_OWNED = 304
    REDUCTION_EXCEEDS_POSITION = 305
    SHORT_NOT_ALLOWED = 306
    OPENS_AGAINST_POSITION = 307
    EXPOSURE_EXCEEDED = 308
    POSITION_LIMIT_EXCEEDED = 309
    CONCENTRATION_EXCEEDED = 310
    CORRELATION_BREACH = 311
    MARGIN_INSUFFICIENT = 312
    MAX_OPEN_POSITIONS = 313
    EQUITY_UNKNOWN = 314
    MARGIN_DEPLETED = 315
    AGGREGATE_EXCEEDED = 316
    AGGREGATE_UNKNOWN = 317
    HALTED = 401
    SYMBOL_HALTED = 402
    STRATEGY_PAUSED = 403
    ENGINE_HALTED = 404
    VENUE_HALTED = 405
    UPSTREAM_HALTED = 406
    DAILY_LOSS = 407
    DAILY_DRAWDOWN = 408
    DRAWDOWN = 409
    LOSS_STREAK = 410
    REJECT_STREAK = 411
    EQUITY_DROP = 412
    CAP_TOTAL = 413
    CAP_STRATEGY = 414
    CAP_SYMBOL = 415
    THROTTLED = 416
    TRADES_PER_DAY = 417
    TRADES_PER_STRATEGY = 418
    SLIPPAGE = 419
    POLICY_RULE = 420
    POLICY_ERROR = 421
    DUPLICATE_INTENT = 501
    MESSAGE_RATE = 502
    ORDER_RATE = 503
    REPEATED_FILLS = 504
    DAY_UNKNOWN = 505
    SIZE_ZERO_LOTS = 601
    SIZE_INPUT_MISSING = 602
    SIZE_ABOVE_CAP = 603


class Refusal(msgspec.Struct, frozen=True):
    """`code` for machines, `reason` for a person: what happened, with which figures, and what to do.

    `entries_only`: a door found it, and it is no reason to stay in a position.
    """

    code: RefusalCode
    reason: str
    entries_only: bool = False
