"""Why an intent was refused: banded codes. A refusal is data, journaled like everything else.

1xx the intent's own terms · 2xx market data · 3xx account and position · 4xx halts · 5xx repeats · 6xx sizing
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
    NO_MARKET_DATA = 201
    STALE_PRICE = 202
    CROSSED_MARKET = 203
    INSUFFICIENT_CASH = 301
    NO_POSITION = 302
    PARTIAL_CLOSE_NOT_SUPPORTED = 303
    SYMBOL_OWNED = 304
    REDUCTION_EXCEEDS_POSITION = 305
    SHORT_NOT_ALLOWED = 306
    OPENS_AGAINST_POSITION = 307
    HALTED = 401
    SYMBOL_HALTED = 402
    STRATEGY_PAUSED = 403
    DUPLICATE_INTENT = 501
    SIZE_ZERO_LOTS = 601
    SIZE_INPUT_MISSING = 602


class Refusal(msgspec.Struct, frozen=True):
    """`code` for machines, `reason` for a person: what happened, with which figures, and what to do."""

    code: RefusalCode
    reason: str
