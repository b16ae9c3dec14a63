"""What emulated venues share: truth, matching, faults, the wire, a control endpoint, a process.

Only `EmulatorProcess`, the faults and the records are here at once; the rest needs the extra `emulate`.
"""

from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault, fault_named
from surefill.testing.emulators.groundwork.process import EmulatorProcess, Truth
from surefill.testing.remote_venue.faults import Fault, FaultSwitch

__all__ = ["AnyFault", "EmulatorProcess", "Fault", "FaultSwitch", "Truth", "WireFault", "fault_named"]
