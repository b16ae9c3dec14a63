"""Every fault at every step at every venue, once, over real sockets and the real client libraries."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from surefill.testing.fault_matrix import FAULTS, STEPS, VENUES, impossible, jobs_of, run
from surefill.testing.fault_matrix.runner import tallied


@pytest.mark.slow
@pytest.mark.parametrize("venue", VENUES)
def test_every_fault_at_every_step_leaves_one_order_and_equal_books(venue: str, tmp_path: Path) -> None:
    results = asyncio.run(run(jobs_of([venue]), tmp_path, lambda _result: None, at_a_time=5))
    assert [(each.job, each.failed_step, each.why) for each in results if each.why and not each.void] == []
    struck = {(fault, step) for _, fault, step in tallied(results)}
    cannot = {(fault.name, step.name) for fault, step, _ in impossible(venue)}
    assert struck | cannot == {(fault.name, step.name) for fault in FAULTS for step in STEPS}
    assert not struck & cannot
