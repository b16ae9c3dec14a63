"""Zerodha's Kite Connect, emulated: its routes, its order management, its binary ticker, and what goes wrong there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefill.testing.emulators.common.desk import Desk, Emulator

#: The one account of an emulated Kite, and the credentials that it accepts.
USER_ID = "AB1234"
API_KEY = "emulated_key"
API_SECRET = "emulated_secret"  # nosec B105: of an emulated venue


def build(desk: Desk) -> Emulator:
    """An emulated Kite over a desk. Needs the packages of the extra `emulate`."""
    from surefill.testing.emulators.kite.emulator import KiteEmulator

    return KiteEmulator(desk)


__all__ = ["API_KEY", "API_SECRET", "USER_ID", "build"]
