"""The same seed gives the same journal, to the last byte, in another process and whatever Python's hashes are."""

from __future__ import annotations

import os
import subprocess
import sys

from surefill.testing.simulator import Plan, simulate

SEEDS = (5, 11, 223)
PROGRAM = f"""
from surefill.testing.simulator import simulate
print([(report.hash, report.fired) for report in map(simulate, {SEEDS})])
"""


def _in_another_process(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[-1]


def test_seed_gives_the_same_journal_under_any_hash_seed() -> None:
    here = str([(report.hash, report.fired) for report in map(simulate, SEEDS)])
    assert {_in_another_process(hash_seed) for hash_seed in ("0", "1", "4242")} == {here}


def test_another_seed_another_plan_and_other_steps_give_another_journal() -> None:
    reports = [simulate(5), simulate(6), simulate(5, steps=61), simulate(5, plan=Plan(venue_fault_ppm=0))]
    assert len({report.hash for report in reports}) == len(reports)
