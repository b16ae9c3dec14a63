"""Instruments and a moment to size in: an account of 100 000 USD, half of it free, and a share at 100."""

from __future__ import annotations

from typing import Any

import msgspec

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing import Sized, SizeMethod, SizingCaps, SizingMoment, SizingSpec, size

PCT = 10_000_000  # parts per billion
CENTS = 100

SHARE = Instrument("X", "USD", 2, 0, 1, (Terms(),))
INDEX_FUTURE = Instrument("NIFTY", "INR", 2, 0, 1, (Terms(tick=5, lot=75, min_qty=75, max_qty=1800),))
BIG_POINT = Instrument("ES", "USD", 2, 0, 50, (Terms(tick=25),))  # 50 USD a point
YEN_PAIR = Instrument("USDJPY", "JPY", 3, 0, 1, (Terms(lot=1_000, min_qty=1_000),), pip=10)
COIN = Instrument("BTCUSDT", "USDT", 2, 8, 1, (Terms(lot=1_000),))  # lots of 0.00001

ACCOUNT = SizingMoment(
    side=1,
    entry_px=100 * CENTS,
    instrument=SHARE,
    terms=SHARE.terms[0],
    money_decimals=2,
    equity=100_000 * CENTS,
    cash=50_000 * CENTS,
    exposures={},
    open_risk=0,
)


def moment(instrument: Instrument = SHARE, **changes: Any) -> SizingMoment:
    """The account with an instrument and whatever else is different."""
    return msgspec.structs.replace(ACCOUNT, instrument=instrument, terms=instrument.terms[0], **changes)


def spec(method: SizeMethod, **parameters: Any) -> SizingSpec:
    return SizingSpec(int(method), **parameters)


def sized(wish: SizingSpec, at: SizingMoment) -> Sized:
    answer = size(wish, at)
    assert isinstance(answer, Sized), answer
    return answer


def refused(wish: SizingSpec, at: SizingMoment) -> Refusal:
    answer = size(wish, at)
    assert isinstance(answer, Refusal), answer
    return answer


def qty_or_none(wish: SizingSpec, at: SizingMoment) -> int:
    """The quantity; 0 where there is no whole lot. Any other refusal fails the test."""
    answer = size(wish, at)
    if isinstance(answer, Sized):
        return answer.qty
    assert answer.code is RefusalCode.SIZE_ZERO_LOTS, answer
    return 0


FIXED_QTY = spec(SizeMethod.FIXED_QTY, qty=1_000)
WITH_CASH = SizingCaps(within_cash=True)
