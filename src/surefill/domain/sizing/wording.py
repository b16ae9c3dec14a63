"""Figures as a person writes them, and the refusal for what is not known."""

from __future__ import annotations

from surefill.domain.refusals import Refusal, RefusalCode
from surefill.domain.sizing.spec import SizingMoment
from surefill.units import quanta_text


def px_text(moment: SizingMoment, px: int) -> str:
    """A price or a distance."""
    return quanta_text(px, moment.instrument.price_decimals)


def qty_text(moment: SizingMoment, qty: int) -> str:
    """A quantity."""
    return quanta_text(qty, moment.instrument.qty_decimals)


def money_text(moment: SizingMoment, money: int) -> str:
    """An amount, with its currency."""
    return f"{quanta_text(money, moment.money_decimals)} {moment.instrument.currency}"


def pct_text(rate_ppb: int) -> str:
    """Parts per billion as a percentage."""
    return f"{quanta_text(rate_ppb, 7)} %"


def missing(what: str, remedy: str) -> Refusal:
    """Nothing is sized on an assumption."""
    return Refusal(RefusalCode.SIZE_INPUT_MISSING, f"cannot size: {what}; {remedy}")
