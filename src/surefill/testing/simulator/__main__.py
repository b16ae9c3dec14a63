"""`python -m surefill.testing.simulator COUNT [FIRST]`: run so many seeds on all cores, tell what struck and broke."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import structlog

from surefill.testing.simulator.simulation import SimulationReport, simulate

parser = argparse.ArgumentParser(prog="scripts/simulate", description="Run the deterministic simulator.")
parser.add_argument("count", type=int, help="how many seeds")
parser.add_argument("first", type=int, nargs="?", default=0, help="the first seed")
parser.add_argument("--steps", type=int, default=60, help="things that happen in a run before it is healed")
parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")


def _quietly() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _show(report: SimulationReport) -> None:
    print(f"\nseed {report.seed} FAILED after {report.lives} lives and {report.events} events:", flush=True)
    for violation in report.violations[:10]:
        print(f"  {violation}")


def main(arguments: argparse.Namespace) -> int:
    """Run the seeds; 1 if any of them failed."""
    began = time.monotonic()
    totals: Counter[str] = Counter()
    failed = 0
    seeds = range(arguments.first, arguments.first + arguments.count)
    with ProcessPoolExecutor(arguments.jobs, initializer=_quietly) as pool:
        for report in pool.map(partial(simulate, steps=arguments.steps), seeds, chunksize=10):
            totals.update(report.fired)
            totals.update({"lives": report.lives, "events": report.events, "appends": report.appends})
            if report.violations:
                failed += 1
                _show(report)
    for name, count in sorted(totals.items()):
        print(f"{name:28} {count:10}")
    print(f"{len(seeds)} seeds, {failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(parser.parse_args()))
