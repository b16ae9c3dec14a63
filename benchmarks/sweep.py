"""Many crosses of two simple averages over one series: plan to results, in one process, as `surefill sweep` runs them.

All figures of every variant, the journal of the run included, over bars that are there. The floor is a bare kernel:
averages by running sums, a position, its equity, the largest fall; no orders, no fees, no refusals, no figures.
vectorbt is a program of its own in an environment of its own (`benchmarks/peers/setup`). Asserted: every variant went
through the kernel, and as many trades as vectorbt has (within 3 %: its float averages drift). Processor
seconds, the median of rounds in which all take turns; the first call, with everything to compile, stands apart.

    python benchmarks/sweep.py [--variants 1000] [--bars 5000] [--rounds 5]
"""

from __future__ import annotations

import statistics
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
from surefill.sweep import Market, RunPlan, execute, generate
from surefill.sweep.events import VariantCompleted

AIM = "sweep"
Ints = NDArray[np.int64]
VECTORBT_TIMES, FLOOR_SHARE = 50.0, 0.4


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


def plan_of(variants: int) -> RunPlan:
    """So many crosses, no two the same."""
    side = int(variants**0.5)
    sweep = {
        "entry.params.fast": list(range(5, 5 + side)),
        "entry.params.slow": list(range(60, 60 + -(-variants // side))),
    }
    base = {
        "workspace_id": "w",
        "symbols": ["AAA"],
        "timeframe": "1m",
        "entry": {"type": "sma_cross", "params": {"fast": 5, "slow": 60}},
        "risk": {"dollars_per_trade": 2_000.0},
    }
    return generate(base, {"sweep": sweep, "max_variants": variants, "ablations": False})


def measure(variants: int, bars: int, rounds: int) -> Measured:
    """Take turns."""
    columns, plan = columns_of(bars), plan_of(variants)
    flags = {
        "workspace.mode": "backtest",
        "workspace.starting_equity": "1000000",
        "feed.symbols": ["AAA"],
        "instruments.default.calendar": "24x7",
        "instruments.default.price_decimals": 2,
        "execution.slippage_bps": 0,
    }
    market = Market(load_settings(None, flags, {}), {"AAA": series_of(columns)})
    pairs = [each.overrides for each in plan.variants]
    fast = np.array([each.get("entry.params.fast", 5) for each in pairs], np.int64)
    slow = np.array([each.get("entry.params.slow", 60) for each in pairs], np.int64)
    compiled = njit(bare)
    compiled(columns["close"], fast[:1], slow[:1])

    def ours() -> float:
        begin = time.process_time()
        result = execute(plan, market, MemoryJournal())
        took = time.process_time() - begin
        done = [row.outcome for row in result.rows if isinstance(row.outcome, VariantCompleted)]
        assert len(done) == variants, [row.outcome for row in result.rows if row.outcome not in done][:1]
        assert {each.path for each in done} == {"kernel"}, {each.why_not for each in done}
        trades.append(sum(each.metrics.trade_count for each in done))
        return took

    def floor() -> float:
        begin = time.process_time()
        compiled(columns["close"], fast, slow)
        return time.process_time() - begin

    trades: list[int] = []
    first = ours()
    took: dict[str, list[float]] = {"ours": [], "floor": []}
    peer: peers.SweepFigures | None = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npz"
        np.savez(path, fast=fast, slow=slow, **columns)  # type: ignore[arg-type]
        for _ in range(rounds):
            took["ours"].append(ours())
            took["floor"].append(floor())
            if peers.PYTHON.exists():
                peer = peers.run_sweep(path)
                took.setdefault("vectorbt", []).append(peer.seconds)
    medians = {name: statistics.median(each) for name, each in took.items()}
    what, seconds = f"{variants:,} variants × {bars:,} bars", medians["ours"]
    figure = f"{seconds:.3f} s, {seconds / variants * 1e6:,.0f} µs each"
    share = medians["floor"] / seconds
    rows = [
        Row(
            AIM,
            what,
            figure,
            f"bare kernel: {medians['floor']:.4f} s",
            f"{share:.2f}",
            f"≥ {FLOOR_SHARE:.2f}",
            share >= FLOOR_SHARE,
        ),
        Row(AIM, f"the first call of a process, {what}", f"{first:.2f} s"),
    ]
    notes = []
    if peer is not None:
        assert abs(trades[0] / peer.trades - 1) < 0.03, (trades[0], peer.trades)
        times = medians["vectorbt"] / seconds
        against = f"vectorbt {peer.version}: {medians['vectorbt']:.3f} s"
        rows.insert(
            1, Row(AIM, what, figure, against, f"{times:.1f}", f"≥ {VECTORBT_TIMES:g} ×", times >= VECTORBT_TIMES)
        )
        notes.append(f"vectorbt's first call took {peer.first_seconds:.1f} s; it needed {peer.peak_mb:,} MB at most.")
    return Measured(rows, notes)


def main() -> None:
    """Measure and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--variants", type=int, default=1_000)
    parser.add_argument("--bars", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tell(measure(options.variants, options.bars, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
