"""The page of the matrix: how cells are written, and that the committed one shows every cell that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefill.testing.fault_matrix import FAULTS, STEPS, VENUES, Job, Result, impossible, jobs_of, place_of
from surefill.testing.fault_matrix.page import render
from surefill.testing.fault_matrix.story import Struck

PAGE = Path(__file__).resolve().parents[3] / "docs" / "fault-matrix.md"
JOB = Job("remote", "LOSE_ANSWER", ("ENTRY", "MOVE"), 3)


def _cells(page: str, venue: str) -> dict[tuple[str, str], str]:
    """What stands in the table of a venue, by fault and step."""
    part = page.partition(f"## {place_of(venue).name}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if line.startswith("| `")]
    return {(row[0].strip("`"), step.name): cell for row in rows for step, cell in zip(STEPS, row[1:], strict=True)}


@pytest.mark.parametrize(
    ("struck", "failed", "shown"),
    [
        ([Struck("LOSE_ANSWER", "ENTRY", 2, False, False)] * 2, 0, "4"),
        ([Struck("LOSE_ANSWER", "ENTRY", 1, True, False), Struck("LOSE_ANSWER", "ENTRY", 1, False, True)], 0, "2 p h"),
        ([Struck("LOSE_ANSWER", "ENTRY", 1_000, False, False)], 1, "1 000 **1 failed**"),
    ],
)
def test_cell_tells_strikes_calls_and_failures(struck: list[Struck], failed: int, shown: str) -> None:
    results = [Result(JOB, (each,)) for each in struck] + [Result(JOB, (), "ENTRY", "why")] * failed
    cells = _cells(render(results, {"LOSE_ANSWER": 7}, 5), "remote")
    assert cells["LOSE_ANSWER", "ENTRY"] == shown
    assert cells["LOSE_ANSWER", "FILL"] == "–"  # it cannot be
    assert cells["LOSE_ANSWER", "STOP"] == ""  # it can, and was not struck


def test_cell_that_cannot_be_has_its_reason_on_the_page() -> None:
    page = render([Result(JOB, ())], {}, 0)
    for _, _, why in impossible("remote"):
        assert f"{why}." in page


@pytest.mark.parametrize("venue", VENUES)
def test_committed_page_shows_every_cell_struck_and_none_failed(venue: str) -> None:
    cells = _cells(PAGE.read_text(encoding="utf-8"), venue)
    cannot = {(fault.name, step.name) for fault, step, _ in impossible(venue)}
    for fault in FAULTS:
        for step in STEPS:
            shown = cells.get((fault.name, step.name), "–")
            assert (shown == "–") == ((fault.name, step.name) in cannot), (fault, step, shown)
            assert shown == "–" or (shown[0].isdigit() and "failed" not in shown), (fault, step, shown)


def test_jobs_strike_every_cell_that_can_be_once_for_each_seed() -> None:
    jobs = jobs_of(["kite"], range(2))
    struck = [(job.fault, step, job.seed) for job in jobs for step in job.steps]
    cannot = {(fault.name, step.name) for fault, step, _ in impossible("kite")}
    can = {(fault.name, step.name) for fault in FAULTS for step in STEPS} - cannot
    assert len(struck) == len(set(struck)) == 2 * len(can)
    assert {(fault, step) for fault, step, _ in struck} == can
