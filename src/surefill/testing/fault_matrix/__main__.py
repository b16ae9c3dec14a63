"""`python -m surefill.testing.fault_matrix`: strike the matrix's cells over many seeds, show them, write the page."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from surefill.testing.fault_matrix.page import render
from surefill.testing.fault_matrix.processes import fired, quietly, told
from surefill.testing.fault_matrix.runner import VENUES, Job, Result, jobs_of, place_of, possible, tallied
from surefill.testing.fault_matrix.steps import FAULTS, STEPS

#: Stories of one venue that a process tells on the same emulated venues.
CHUNK = 24

parser = argparse.ArgumentParser(prog="scripts/fault_matrix", description=__doc__)
parser.add_argument("--seeds", type=int, default=3, help="so many seeds of every cell")
parser.add_argument("--first", type=int, default=0, help="the first seed; 0 is the plain one")
parser.add_argument("--venue", action="append", choices=VENUES, default=[], help="only there; may be repeated")
parser.add_argument("--fault", action="append", choices=[each.name for each in FAULTS], default=[], help="only this")
parser.add_argument("--step", action="append", choices=[each.name for each in STEPS], default=[], help="only there")
parser.add_argument("--minutes", type=float, default=0.0, help="begin no story after so many minutes (0: tell all)")
parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
parser.add_argument("--at-a-time", type=int, default=4, help="stories side by side in each process")
parser.add_argument("--simulate", type=int, default=0, metavar="SEEDS", help="and so many seeds of the simulator")
parser.add_argument("--json", action="store_true", help="tell every result as a line of JSON, and show nothing")
parser.add_argument("--write", type=Path, metavar="PAGE", help="write the page")


def _chunks(jobs: list[Job]) -> Iterator[list[Job]]:
    """Seed by seed and venue by venue, so that what is cut short has struck every cell as often."""
    for seed in dict.fromkeys(job.seed for job in jobs):
        for venue in VENUES:
            mine = [job for job in jobs if (job.seed, job.venue) == (seed, venue)]
            yield from (mine[at : at + CHUNK] for at in range(0, len(mine), CHUNK))


def main(arguments: argparse.Namespace) -> int:
    """Strike, show, write; 1 if anything failed."""
    console = Console(stderr=True)
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    jobs = jobs_of(arguments.venue or VENUES, seeds, arguments.fault, arguments.step)
    results: list[Result] = []
    simulated: Counter[str] = Counter()
    broken = 0
    spawned = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(arguments.jobs, mp_context=spawned, initializer=quietly) as pool,
        _progress(console) as bar,
    ):
        until = time.time() + 60 * arguments.minutes if arguments.minutes else 0.0
        making = [pool.submit(told, chunk, arguments.at_a_time, until) for chunk in _chunks(jobs)]
        task = bar.add_task("stories", total=len(jobs))
        for made in _ended(making):
            results += made
            bar.advance(task, len(made))
            for result in made:
                if arguments.json:
                    print(msgspec.json.encode(result).decode(), flush=True)
                if result.why:
                    console.print(f"[red]failed[/] {result.job} at {result.failed_step}: {result.why}", markup=True)
        task = bar.add_task("simulated", total=arguments.simulate)
        for struck, violations in pool.map(fired, range(arguments.simulate), chunksize=10):
            simulated.update(struck)
            broken += bool(violations)
            bar.advance(task)
    if not arguments.json:
        _show(console, results)
    if arguments.write:
        arguments.write.write_text(render(results, simulated, arguments.simulate), encoding="utf-8")
    failed = sum(bool(result.why) and not result.void for result in results)
    console.print(f"{len(results)} stories, {failed} failed; {arguments.simulate} simulated, {broken} failed")
    return 1 if failed or broken else 0


def _ended(making: list[Future[list[Result]]]) -> Iterator[list[Result]]:
    for done in as_completed(making):
        yield done.result()


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console)


def _show(console: Console, results: Iterable[Result]) -> None:
    """A table for each venue: how often each fault struck."""
    cells = tallied(results)
    for venue in dict.fromkeys(venue for venue, _, _ in cells):
        table = Table("fault", *(step.name.lower() for step in STEPS), title=place_of(venue).name)
        for fault in FAULTS:
            at = {step.name for step in possible(venue, fault)}
            row = [cells.get((venue, fault.name, step.name)) for step in STEPS]
            if any(row):
                told = [
                    "–" if step.name not in at else "" if tally is None
                    else f"[red]{tally.fired} ✗{tally.failed}[/]" if tally.failed
                    else f"{tally.fired}{' p' if tally.paged else ''}{' h' if tally.by_hand else ''}"
                    for step, tally in zip(STEPS, row, strict=True)
                ]  # fmt: skip
                table.add_row(fault.name, *told)
        Console().print(table)


if __name__ == "__main__":
    sys.exit(main(parser.parse_args()))
