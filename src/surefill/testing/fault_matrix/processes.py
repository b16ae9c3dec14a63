"""What a process of many does: tell some stories, or simulate a seed."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from pathlib import Path

import structlog

from surefill.testing.fault_matrix.runner import Job, Result, run
from surefill.testing.simulator import simulate


def quietly() -> None:
    """Log what is grave only: faults are meant."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def told(jobs: list[Job], at_a_time: int, until: float) -> list[Result]:
    """Some stories, in a process of their own; none where the time is up."""
    if until and time.time() > until:
        return []
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(run(jobs, Path(directory), lambda _result: None, at_a_time=at_a_time))


def fired(seed: int) -> tuple[dict[str, int], int]:
    """What struck in one simulated run, and how much was wrong."""
    report = simulate(seed)
    return report.fired, len(report.violations)
