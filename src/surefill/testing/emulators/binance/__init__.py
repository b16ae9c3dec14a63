"""An emulated Binance: spot and USD-M futures, REST and WebSockets, in Binance's own words."""

from __future__ import annotations

from surefill.testing.emulators.binance.venue import API_KEY, SECRET, Binance
from surefill.testing.emulators.groundwork.desk import Desk

__all__ = ["API_KEY", "SECRET", "Binance", "build"]


def build(desk: Desk) -> Binance:
    """The venue over a desk."""
    return Binance(desk)
