"""The peers' programs, run in the environment that `benchmarks/peers/setup` makes, never in surefill's."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("SUREFILL_PEERS") or HERE.parent / ".venv-peers")
PYTHON = FOLDER / "bin" / "python"
WHY_NOT = "their environment is not there (benchmarks/peers/setup makes it)"
NAUTILUS, VNPY = "nautilus_orders.py", "vnpy_orders.py"
NAUTILUS_BARS, RAPTORBT_ARRAYS = "nautilus_bars.py", "raptorbt_arrays.py"
VECTORBT_SWEEP, RAPTORBT_SWEEP = "vectorbt_sweep.py", "raptorbt_sweep.py"


class Figures(NamedTuple):
    """What one run of a peer's program says: the marginal cost of an order, and the median time of one alone."""

    name: str
    version: str
    python: str
    orders: int
    marginal_us: float
    p50_us: float
    p50_of: str


class BarFigures(NamedTuple):
    """What one backtest of a peer says: processor seconds over so many bars, trades (round trips), memory."""

    name: str
    version: str
    python: str
    bars: int
    seconds: float
    trades: int
    peak_mb: int


class SweepFigures(NamedTuple):
    """What a sweep of a peer says: processor seconds for all variants, and of the very first call."""

    name: str
    version: str
    python: str
    bars: int
    variants: int
    seconds: float
    first_seconds: float
    trades: int
    peak_mb: int


def sweep_programs() -> list[str]:
    """The sweeps that can be run here."""
    return [VECTORBT_SWEEP, RAPTORBT_SWEEP] if PYTHON.exists() else []


def run_sweep(program: str, bars: Path) -> SweepFigures:
    """One sweep in a process of its own."""
    return SweepFigures(**_told(program, "--bars", str(bars)))


def bar_programs() -> list[str]:
    """The backtests that can be run here."""
    return [NAUTILUS_BARS, RAPTORBT_ARRAYS] if PYTHON.exists() else []


def run_bars(program: str, bars: Path, exits: str) -> BarFigures:
    """One backtest in a process of its own."""
    return BarFigures(**_told(program, "--bars", str(bars), "--exits", exits))


def programs() -> list[str]:
    """The programs that can be run here."""
    return [NAUTILUS, VNPY] if PYTHON.exists() else []


def run(program: str, orders: int) -> Figures:
    """One run in a process of its own; it asserts that every order was filled."""
    return Figures(**_told(program, "--orders", str(orders)))


def _told(program: str, *options: str) -> dict[str, Any]:
    command = [str(PYTHON), str(HERE / "peers" / program), *options]
    # Neither our packages nor our settings: a peer sees its own environment only.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{program} failed with {done.returncode}: {done.stderr.strip()[-2_000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
