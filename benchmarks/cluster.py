"""The same plan in one process and over two Dask workers of one thread each, on this machine.

Scheduler, workers and client are processes of their own, as they would be on several machines; bars are sent once to
each worker. Asserted: equal results, variant by variant. Seconds by the clock, the median of rounds in which both take
turns. What a batch of variants costs beyond its own work: variants sent one by one over a few bars, so that there is
hardly any work, against the same in this process.

    python benchmarks/cluster.py [--variants 8000 --bars 100000] [--rounds 3]
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import distributed
from distributed import Client
from rows import Measured, Row, arguments, tell

from surefill.journal import MemoryJournal
from surefill.sweep import ClusterWorkers, Executor, InProcess, Market, RunPlan, RunResult, execute, hand_out
from sweep import market_of, plan_of

AIM = "cluster"
WORKERS, TIMES, OVERHEAD_MS = 2, 1.7, 5.0
SMALL_BARS = 50


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """The address of a cluster."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, log = f"tcp://127.0.0.1:{port}", subprocess.DEVNULL
    words = [("dask_scheduler", "--port", str(port)), *[("dask_worker", address, "--nthreads", "1")] * WORKERS]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as ends:
        for program, *options in words:
            command = [sys.executable, "-m", f"distributed.cli.{program}", *options, "--host", "127.0.0.1"]
            process = subprocess.Popen(
                [*command, "--no-dashboard"], cwd=folder, stdout=log, stderr=log, process_group=0
            )
            ends.callback(process.wait)
            ends.callback(os.killpg, process.pid, signal.SIGKILL)
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(WORKERS, timeout=60)
        yield address


def timed(plan: RunPlan, market: Market, executor: Executor) -> tuple[RunResult, float]:
    """Run it."""
    begin = time.perf_counter()
    result = execute(plan, market, MemoryJournal(), executor=executor)
    return result, time.perf_counter() - begin


def pairs(plan: RunPlan, market: Market, address: str, rounds: int) -> tuple[float, float]:
    """Seconds here and over the cluster, after a first turn of each that compiles and makes ready."""
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        here, seconds = timed(plan, market, InProcess(market.series))
        there, far = timed(plan, market, ClusterWorkers(market.series, address))
        assert there == here
        assert there.completed == len(plan.variants)
        if turn:
            took[0].append(seconds)
            took[1].append(far)
    return statistics.median(took[0]), statistics.median(took[1])


def measure(variants: int, bars: int, batches: int, rounds: int) -> Measured:
    """Both rows."""
    with cluster() as address:
        plan, (market, _) = plan_of(variants, "1m"), market_of(bars, "1m")
        one, two = pairs(plan, market, address, rounds)
        hand_out.PORTION_MAX = 1  # type: ignore[misc]
        plan, (market, _) = plan_of(batches, "1m"), market_of(SMALL_BARS, "1m")
        here, there = pairs(plan, market, address, rounds)
    overhead_ms = (there - here) / batches * 1e3
    return Measured(
        [
            Row(
                AIM,
                f"{variants:,} variants × {bars:,} bars of 1m, two workers",
                f"{two:.2f} s",
                f"one process: {one:.2f} s",
                f"{one / two:.2f}",
                f"≥ {TIMES:g} ×",
                one / two >= TIMES,
            ),
            Row(
                AIM,
                "a batch of variants, there and back",
                f"{overhead_ms:.2f} ms",
                f"here: {here / batches * 1e3:.2f} ms",
                "",
                f"≤ {OVERHEAD_MS:g} ms",
                overhead_ms <= OVERHEAD_MS,
            ),
        ],
        [f"The cluster was Dask's distributed {distributed.__version__}."],
    )


def main() -> None:
    """Measure and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--variants", type=int, default=8_000)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    tell(measure(options.variants, options.bars, options.batches, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
