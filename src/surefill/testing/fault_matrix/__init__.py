"""The matrix fault × venue × step: whatever fails, at every venue, an order is there once and the books agree.

`run(jobs_of(VENUES), directory, print)` strikes every cell once, over real sockets: the emulated venues in processes of
their own, the real client libraries, the real adapters, a real engine. `impossible` names the cells that cannot be.
"""

from surefill.testing.fault_matrix.place import Place
from surefill.testing.fault_matrix.runner import VENUES, Job, Result, impossible, jobs_of, place_of, possible, run
from surefill.testing.fault_matrix.steps import FAULTS, STEPS, Step
from surefill.testing.fault_matrix.story import Story

__all__ = [
    "FAULTS",
    "STEPS",
    "VENUES",
    "Job",
    "Place",
    "Result",
    "Step",
    "Story",
    "impossible",
    "jobs_of",
    "place_of",
    "possible",
    "run",
]
