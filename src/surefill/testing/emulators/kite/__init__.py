"""Zerodha's Kite Connect, emulated: its routes, its order management, its binary ticker, and what goes wrong there."""

from __future__ import annotations

from surefill.testing.emulators.groundwork.desk import Desk
from surefill.testing.emulators.kite.account import API_KEY, API_SECRET, USER_ID
from surefill.testing.emulators.kite.emulator import KiteEmulator

__all__ = ["API_KEY", "API_SECRET", "USER_ID", "KiteEmulator", "build"]


def build(desk: Desk) -> KiteEmulator:
    """The venue over a desk."""
    return KiteEmulator(desk)
