"""The deterministic simulator: the real engine in virtual time, against a simulated venue, with faults and crashes."""

from surefill.testing.simulator.simulation import SimulationReport, simulate
from surefill.testing.simulator.stage import Plan
from surefill.testing.simulator.world import Livelock, PowerCut, VirtualLoop, World

__all__ = ["Livelock", "Plan", "PowerCut", "SimulationReport", "VirtualLoop", "World", "simulate"]
