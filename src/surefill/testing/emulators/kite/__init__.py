"""Zerodha's Kite Connect, emulated: its routes, its order management, its binary ticker, and what goes wrong there."""

from surefill.testing.emulators.kite.process import KiteProcess
from surefill.testing.emulators.kite.rules import Account, Limits, Rules
from surefill.testing.emulators.kite.thread import KiteThread

__all__ = ["Account", "KiteProcess", "KiteThread", "Limits", "Rules"]
