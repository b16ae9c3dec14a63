"""Sweeps for tests: a small market, a plan on it, a strategy file that misbehaves as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from surefill.config import load_settings
from surefill.intake.feed import load_market
from surefill.strategy import StrategyRegistry
from surefill.sweep import Executor, Market, RunPlan, conditions_of, generate
from surefill.sweep.split import Split
from surefill.sweep.workbench import Job, Ran, Task

MISCHIEF = """
import os, signal
from pathlib import Path
from surefill.strategy import Decision, Parameter

HERE = Path(__file__).parent


class Mischief:
    name = "mischief"
    parameters = (Parameter("n", 1, 0, 100_000),)

    def evaluate(self, spec, snapshot, position):
        n = spec.entry.params.get("n", 1)
        if snapshot.bar_count == 3:
            if (HERE / f"raise-{n}").exists():
                raise ZeroDivisionError(f"variant {n} cannot be")
            if (HERE / f"die-{n}").exists():
                os.kill(os.getpid(), signal.SIGKILL)
            if (HERE / f"die-once-{n}").exists():
                (HERE / f"die-once-{n}").unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        if position is None and snapshot.bar_count % (n % 7 + 2) == 0:
            yield Decision.open_long("it is time")
        elif position is not None and snapshot.bar_count % 5 == 0:
            yield Decision.close_long("enough")
"""


def market(bars: int = 60, symbols: str = "AB") -> Market:
    """A market made from a seed, open day and night."""
    flags = {
        "workspace.mode": "backtest",
        "feed.source": "synthetic",
        "feed.symbols": list(symbols),
        "feed.timeframe": "1h",
        "feed.bars": bars,
        "instruments.default.calendar": "24x7",
        "execution.slippage_bps": 3,
        "fees": [{"kind": "per_notional", "rate_bps": 2}],
    }
    return Market(*load_market(load_settings(None, flags, {})))


def base(market: Market, strategy: str = "sma_cross", **params: Any) -> dict[str, Any]:
    """A spec on all symbols of the market."""
    return {
        "workspace_id": "w",
        "symbols": list(market.series),
        "timeframe": "1h",
        "entry": {"type": strategy, "params": params},
        "risk": {"dollars_per_trade": 4_000.0},
    }


def crosses(market: Market, split: Split | None = None, **more: Any) -> RunPlan:
    """A plan of crosses: a baseline and six combinations."""
    sweep = {"entry.params.fast": [2, 3], "entry.params.slow": [5, 8, 13]}
    conditions = conditions_of(market)
    return generate(base(market, fast=2, slow=6), {"sweep": sweep, **more}, split=split, conditions=conditions)


def mischief(
    market: Market, folder: Path, numbers: Iterable[int], split: Split | None = None
) -> tuple[RunPlan, tuple[str, ...]]:
    """A plan of the misbehaving strategy, and the file that it is loaded from."""
    file = folder / "mischief.py"
    file.write_text(MISCHIEF)
    registry = StrategyRegistry()
    registry.load(f"{file}:Mischief")
    constraints = {"sweep": {"entry.params.n": list(numbers)}, "max_variants": None, "ablations": False}
    plan = generate(base(market, "mischief"), constraints, split=split, objective="return", registry=registry)
    return plan, (f"{file}:Mischief",)


class Backwards:
    """An executor that gives outcomes last first, and notes what it was asked."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner
        self.asked: list[Task] = []

    def run(self, job: Job, tasks: Iterable[Task], stopping: Callable[[], bool]) -> Iterator[Ran]:
        """See `Executor`."""
        listed = list(tasks)
        self.asked += listed
        yield from reversed(list(self._inner.run(job, listed, stopping)))
