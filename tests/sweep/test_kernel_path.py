"""Plans through kernel and engine: the same figures to the last bit, and a reason where the engine has to run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.sweep.sweeps import base, crosses, market

from surefill.journal import MemoryJournal
from surefill.strategy import ExitSpec, StrategyRegistry
from surefill.sweep import RunPlan, RunResult, TrainTest, WalkForward, execute, generate
from surefill.sweep.events import VariantCompleted
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.orchestrator import conditions_of
from surefill.sweep.workbench import ENGINE, KERNEL

MARKET = market()
GUARDED = ExitSpec(type="stop_target", stop_loss_pct=1.5, take_profit_pct=4.0, trailing_pct=2.0, time_stop_bars=30)
PARTS = ExitSpec.model_validate(
    {
        "type": "stop_target",
        "stop_loss_pct": 1.0,
        "stop_partial_pct": 40.0,
        "ladder": [{"profit_pct": 0.5, "close_pct": 50.0}, {"profit_pct": 1.5, "close_pct": 50.0}],
    }
)
EXITS = {"none": ExitSpec(type="none"), "eod": ExitSpec(type="eod"), "guarded": GUARDED, "parts": PARTS}


def figures(result: RunResult) -> list[tuple[str, str, VariantMetrics]]:
    found: list[tuple[str, str, VariantMetrics]] = []
    for row in result.rows:
        assert isinstance(row.outcome, VariantCompleted), row.outcome
        found.append((row.outcome.variant_id, row.outcome.segment, row.outcome.metrics))
    return found


def on(path: str, plan: RunPlan, fill_at: str = "next_open", strategies: tuple[str, ...] = ()) -> RunResult:
    result = execute(plan, MARKET, MemoryJournal(), path=path, fill_at=fill_at, strategies=strategies)  # type: ignore[arg-type]
    ran = {(row.outcome.path, row.outcome.why_not) for row in result.rows if isinstance(row.outcome, VariantCompleted)}
    assert ran == {(path, "")}
    return result


@pytest.mark.parametrize(
    "strategy", ["sma_cross", "ema_cross", "donchian", "donchian_stop", "rsi_reversal", "breakout_52w_high"]
)
@pytest.mark.parametrize("exits", EXITS)
def test_kernel_gives_the_figures_of_the_engine(strategy: str, exits: str) -> None:
    spec = base(MARKET, strategy) | {"exit": EXITS[exits].model_dump()}
    spec["entry"]["lookback_days"] = 20
    plan = generate(spec, {"sweep": {"risk.max_positions": [1, 2], "risk.dollars_per_trade": [300.0, 5_000.0]}})
    assert figures(on(KERNEL, plan)) == figures(on(ENGINE, plan))


@pytest.mark.parametrize("split", [TrainTest(0.6), WalkForward(20, 10), WalkForward(20, 15, anchored=True)], ids=repr)
def test_kernel_chooses_and_judges_as_the_engine_does(split: TrainTest | WalkForward) -> None:
    plan = crosses(MARKET, split=split)
    kernel, engine = on(KERNEL, plan), on(ENGINE, plan)
    assert figures(kernel) == figures(engine)
    assert [msgspec.to_builtins(each) for each in kernel.windows] == [
        msgspec.to_builtins(each) for each in engine.windows
    ]


def test_kernel_fills_at_the_close_as_the_engine_does() -> None:
    plan = generate(base(MARKET, fast=2, slow=6), {"sweep": {"entry.params.fast": [2, 3]}})
    assert figures(on(KERNEL, plan, "close")) == figures(on(ENGINE, plan, "close"))


TURNS = """
import numpy as np
from surefill.strategy import Decision
from surefill.strategy.forms import Signals

class Turns:
    name = "turns"
    default_exit = "none"

    def evaluate(self, spec, snapshot, position):
        rises = snapshot.last_price > snapshot.closes[-2]
        if position is None:
            yield Decision.open_long("up") if rises else Decision.open_short("down")
        elif position.quantity < 0 and rises:
            yield Decision.close_short("up")
        elif position.quantity > 0 and not rises:
            yield Decision.close_long("down")

    def signals(self, spec, series):
        closes = np.asarray(series.close_px)
        rises = np.concatenate((closes[:1] * 0, closes[1:] > closes[:-1])).astype(np.int8)
        entries, exits = 2 * rises - 1, rises + 1
        entries[:1] = exits[:1] = 0
        return Signals(entries, exits)
"""


@pytest.mark.parametrize("exits", EXITS)
def test_kernel_gives_the_figures_of_the_engine_for_short_positions(exits: str, tmp_path: Path) -> None:
    (tmp_path / "turns.py").write_text(TURNS)
    file = f"{tmp_path / 'turns.py'}:Turns"
    registry = StrategyRegistry()
    registry.load(file)
    spec = base(MARKET, "turns") | {"exit": EXITS[exits].model_dump()}
    plan = generate(
        spec, {"sweep": {"risk.max_positions": [1, 2]}}, registry=registry, conditions=conditions_of(MARKET)
    )
    assert figures(on(KERNEL, plan, strategies=(file,))) == figures(on(ENGINE, plan, strategies=(file,)))


def test_strategy_without_a_form_for_series_goes_through_the_engine_and_the_result_says_why(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(
        "from surefill.strategy import Decision\n"
        "class Plain:\n"
        "    name = 'plain'\n"
        "    def evaluate(self, spec, snapshot, position):\n"
        "        yield Decision.close_long('out') if position else Decision.open_long('in')\n"
    )
    file = f"{tmp_path / 'plain.py'}:Plain"
    registry = StrategyRegistry()
    registry.load(file)
    plan = generate(base(MARKET, "plain"), {}, registry=registry, conditions=conditions_of(MARKET))
    (row,) = execute(plan, MARKET, MemoryJournal(), strategies=(file,)).rows
    assert isinstance(row.outcome, VariantCompleted)
    assert (row.outcome.path, row.outcome.why_not) == (ENGINE, "kernel: plain has no form over a whole series")
