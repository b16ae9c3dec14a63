"""Venues to test against: they speak the real wire protocols, over real sockets, and can fail in every way.

Start one with `surefill emulate NAME`, or from a test with `EmulatorProcess`. They import nothing from
`surefill.venues`: an adapter and its emulator must not share a mistake.
"""

from surefill.testing.emulators.groundwork import AnyFault, EmulatorProcess, Fault, Truth, WireFault
from surefill.testing.emulators.kinds import KINDS, builder_of

__all__ = ["KINDS", "AnyFault", "EmulatorProcess", "Fault", "Truth", "WireFault", "builder_of"]
