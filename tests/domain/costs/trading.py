"""Instruments and tariffs for the tests of costs. Money is counted in paise or cents unless a test says otherwise."""

from __future__ import annotations

from surefill.domain.costs import SCHEDULES, CostSchedule, Tariff
from surefill.domain.instrument import Instrument, Terms
from surefill.units import ns_from_iso


def instrument(segment: str, *, currency: str = "INR", money_decimals: int = 2, qty_decimals: int = 0) -> Instrument:
    """Two price decimals; one price quantum of one unit is 0.01."""
    scale = 10 ** (money_decimals - 2 - qty_decimals)
    return Instrument("X", currency, 2, qty_decimals, scale, (Terms(),), segment=segment)


def tariff(schedule: str | CostSchedule = "zerodha", money_decimals: int = 2) -> Tariff:
    return Tariff(SCHEDULES[schedule] if isinstance(schedule, str) else schedule, money_decimals)


def noon(day: str) -> int:
    """Noon in India."""
    return ns_from_iso(f"{day}T12:00:00+05:30")
