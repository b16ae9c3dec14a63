"""Many crosses of two simple averages over one series: plan to results, in one process, as `surefill sweep` runs them.

All figures of every variant, the journal of the run included, over bars that are there; two sizes. The floor is a bare
kernel: averages by running sums, a position, its equity, the largest fall; no orders, no fees, no refusals, no figures.
vectorbt and raptorbt are programs of their own in an environment of their own (`benchmarks/peers/setup`). Asserted:
every variant went through the kernel, and as many trades as the peers have (within 3 %: float averages drift).
Processor seconds, the median of rounds in which all take turns; the first call, with machine code that is kept from
before, stands apart, and so does one that has to compile it. Then the large size fifty times over: seconds by the clock
on one and on two worker processes, and the memory of a process that runs it.

    python benchmarks/sweep.py [--variants 1000 --bars 5000 --timeframe 1d] [--rounds 5]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import peer_programs as peers
from backtest import columns_of, series_of
from numba import njit
from numpy.typing import NDArray
from rows import Measured, Row, arguments, tell

from surefill.config import load_settings
from surefill.journal import MemoryJournal
from surefill.sweep import Executor, InProcess, Market, RunPlan, WorkerProcesses, execute, generate
from surefill.sweep.events import VariantCompleted

AIM = "sweep"
Ints = NDArray[np.int64]
#: Variants, bars, timeframe.
SIZES = ((1_000, 5_000, "1d"), (200, 100_000, "1m"))
TIMES = {"vectorbt": 50.0, "raptorbt": 5.0}
FLOOR_SHARE, COLD_S, WARM_S, WORKERS_TIMES, MEMORY_MB = 0.4, 3.0, 0.7, 1.8, 1_000


def bare(close: Ints, fast: Ints, slow: Ints) -> int:
    """Trades of all variants: the least that a sweep could do."""
    sums = np.zeros(len(close) + 1, np.int64)
    for at in range(len(close)):
        sums[at + 1] = sums[at] + close[at]
    trades = 0
    for variant in range(len(fast)):
        short, long = fast[variant], slow[variant]
        held = cash = peak = fall = 0
        before = 0
        for at in range(long, len(close)):
            now = (sums[at + 1] - sums[at + 1 - short]) * long - (sums[at + 1] - sums[at + 1 - long]) * short
            if held:
                if now < 0:
                    cash += held * close[at]
                    held = 0
            elif before <= 0 < now:
                held = 200_000 // close[at]
                cash -= held * close[at]
                trades += 1
            before = now
            equity = cash + held * close[at]
            peak = max(peak, equity)
            fall = max(fall, peak - equity)
    return trades


def plan_of(variants: int, timeframe: str) -> RunPlan:
    """So many crosses, no two the same."""
    side = int(variants**0.5)
    first_slow = max(60, 5 + side)
    sweep = {
        "entry.params.fast": list(range(5, 5 + side)),
        "entry.params.slow": list(range(first_slow, first_slow - (-variants // side))),
    }
    base = {
        "workspace_id": "w",
        "symbols": ["AAA"],
        "timeframe": timeframe,
        "entry": {"type": "sma_cross", "params": {"fast": 5, "slow": first_slow}},
        "risk": {"dollars_per_trade": 2_000.0},
    }
    return generate(base, {"sweep": sweep, "max_variants": variants, "ablations": False})


def market_of(bars: int, timeframe: str) -> tuple[Market, dict[str, Ints]]:
    """What is traded, and its columns."""
    columns = columns_of(bars, timeframe)
    flags = {
        "workspace.mode": "backtest",
        "workspace.starting_equity": "1000000",
        "feed.symbols": ["AAA"],
        "instruments.default.calendar": "24x7",
        "instruments.default.price_decimals": 2,
        "execution.slippage_bps": 0,
    }
    return Market(load_settings(None, flags, {}), {"AAA": series_of(columns, timeframe)}), columns


def swept(plan: RunPlan, market: Market, executor: Executor | None = None) -> int:
    """Run it; how many trades there were."""
    result = execute(plan, market, MemoryJournal(), executor=executor)
    done = [row.outcome for row in result.rows if isinstance(row.outcome, VariantCompleted)]
    assert len(done) == len(plan.variants), [row.outcome for row in result.rows if row.outcome not in done][:1]
    assert {each.path for each in done} == {"kernel"}, {each.why_not for each in done}
    return sum(each.metrics.trade_count for each in done)


def measure(variants: int, bars: int, timeframe: str, rounds: int) -> Measured:
    """One size: take turns."""
    plan, (market, columns) = plan_of(variants, timeframe), market_of(bars, timeframe)
    pairs = [each.overrides for each in plan.variants]
    fast = np.array([each.get("entry.params.fast", 5) for each in pairs], np.int64)
    slow = np.array([each.get("entry.params.slow", plan.spec.entry.params["slow"]) for each in pairs], np.int64)
    compiled = njit(bare)
    compiled(columns["close"], fast[:1], slow[:1])
    trades = swept(plan, market)
    took: dict[str, list[float]] = {"ours": [], "floor": []}
    found: dict[str, peers.SweepFigures] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npz"
        np.savez(path, fast=fast, slow=slow, **columns)  # type: ignore[arg-type]
        for _ in range(rounds):
            begin = time.process_time()
            swept(plan, market)
            took["ours"].append(time.process_time() - begin)
            begin = time.process_time()
            compiled(columns["close"], fast, slow)
            took["floor"].append(time.process_time() - begin)
            for program in peers.sweep_programs():
                figures = peers.run_sweep(program, path)
                found[figures.name] = figures
                took.setdefault(figures.name, []).append(figures.seconds)
    medians = {name: statistics.median(each) for name, each in took.items()}
    what, seconds = f"{variants:,} variants × {bars:,} bars of {timeframe}", medians["ours"]
    figure = f"{seconds:.3f} s, {seconds / variants * 1e6:,.0f} µs each"
    share = medians["floor"] / seconds
    against = f"bare kernel: {medians['floor']:.4f} s"
    rows = [Row(AIM, what, figure, against, f"{share:.2f}", f"≥ {FLOOR_SHARE:.2f}", share >= FLOOR_SHARE)]
    notes = []
    for name, peer in found.items():
        assert abs(trades / peer.trades - 1) < 0.03, (name, trades, peer.trades)
        times = medians[name] / seconds
        against = f"{name} {peer.version}: {medians[name]:.3f} s"
        rows.append(Row(AIM, what, figure, against, f"{times:.1f}", f"≥ {TIMES[name]:g} ×", times >= TIMES[name]))
        notes.append(f"{name}, {what}: its first call took {peer.first_seconds:.1f} s; {peer.peak_mb:,} MB at most.")
    return Measured(rows, notes)


def first_calls() -> list[Row]:
    """A sweep of two variants in a new process: with nothing compiled, and with what the one before has left."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        cold, warm = (float(_alone("first", environment)) for _ in range(2))
    return [
        Row(
            AIM,
            "the first call of a process, nothing compiled yet",
            f"{cold:.2f} s",
            "",
            "",
            f"≤ {COLD_S:g} s",
            cold <= COLD_S,
        ),
        Row(
            AIM,
            "the first call of a process, machine code kept",
            f"{warm:.2f} s",
            "",
            "",
            f"≤ {WARM_S:g} s",
            warm <= WARM_S,
        ),
    ]


def many(variants: int, bars: int, timeframe: str, rounds: int) -> list[Row]:
    """On one and on two worker processes, by the clock; and the memory of a process."""
    plan, (market, _) = plan_of(variants, timeframe), market_of(bars, timeframe)
    took: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers, seconds in took.items():
            begin = time.perf_counter()
            swept(plan, market, WorkerProcesses(market.series, workers))
            seconds.append(time.perf_counter() - begin)
    one, two = (statistics.median(seconds) for seconds in took.values())
    memory = int(_alone(f"memory {variants} {bars} {timeframe}", dict(os.environ)))
    what = f"{variants:,} variants × {bars:,} bars of {timeframe}"
    return [
        Row(
            AIM,
            f"{what}, two worker processes",
            f"{two:.2f} s",
            f"one: {one:.2f} s",
            f"{one / two:.2f}",
            f"≥ {WORKERS_TIMES:g} ×",
            one / two >= WORKERS_TIMES,
        ),
        Row(AIM, f"{what}, memory", f"{memory:,} MB at most", "", "", f"≤ {MEMORY_MB:,} MB", memory <= MEMORY_MB),
    ]


def _alone(what: str, environment: dict[str, str]) -> str:
    """What a process of its own says."""
    command = [sys.executable, __file__, "--alone", what]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def alone(what: str) -> None:
    """In a process of its own: a first call, or much at once."""
    if what == "first":
        plan, (market, _) = plan_of(2, "1d"), market_of(200, "1d")
        begin = time.process_time()
        swept(plan, market)
        print(time.process_time() - begin)
        return
    _, variants, bars, timeframe = what.split()
    plan, (market, _) = plan_of(int(variants), timeframe), market_of(int(bars), timeframe)
    swept(plan, market, InProcess(market.series))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def main() -> None:
    """Measure and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--variants", type=int)
    parser.add_argument("--bars", type=int)
    parser.add_argument("--timeframe", choices=("1m", "1d"), default="1d")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alone", help="one part, in this process")
    options = parser.parse_args()
    if options.alone:
        alone(options.alone)
        return
    sizes = SIZES
    if options.variants or options.bars:
        sizes = ((options.variants or 1_000, options.bars or 5_000, options.timeframe),)
    measured = [measure(*size, options.rounds) for size in sizes]
    variants, bars, timeframe = sizes[-1]
    rows = [row for each in measured for row in each.rows]
    rows += first_calls() + many(50 * variants if sizes is SIZES else variants, bars, timeframe, min(options.rounds, 3))
    tell(Measured(rows, [note for each in measured for note in each.notes]), as_json=options.json)


if __name__ == "__main__":
    main()
