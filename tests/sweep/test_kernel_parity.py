"""The kernel against the engine: random bars, rules, costs and signals; every fill, every refusal, every unit of money.

`PARITY_SEEDS` says how many runs are compared (300 if it says nothing).
"""

import os
from collections import Counter
from dataclasses import dataclass

import pytest
from tests.sweep.scenes import Scene, backtest_of, scene, writer_of

from surefill.domain import codec
from surefill.domain.events import IntentRefused, OrderCreated, OrderFilled
from surefill.domain.refusals import RefusalCode
from surefill.sweep.kernels.coverage import extremes_of, uncovered, variant_uncovered, waiting_prices, widened
from surefill.sweep.kernels.prepare import signals_of, stage_of
from surefill.sweep.kernels.run import Fill, KernelRun, run_variant

SEEDS = int(os.environ.get("PARITY_SEEDS", "300"))


@dataclass
class Engine:
    fills: list[Fill]
    equity: list[int]
    cash: int
    refused: dict[str, int]


def through_engine(this: Scene) -> Engine:
    writer = writer_of(this)
    result = backtest_of(this, writer).run()
    events = [codec.decode(record.payload) for record in writer.journal.read("w")]
    reasons = {event.request.cl_ord_id: event.exit_reason for event in events if isinstance(event, OrderCreated)}
    fills = [
        Fill(each.position, each.ts_ns, each.side, each.last_px, each.last_qty, each.fee, reasons[each.cl_ord_id])
        for each in events
        if isinstance(each, OrderFilled)
    ]
    refused = Counter(RefusalCode(event.code).name for event in events if isinstance(event, IntentRefused))
    return Engine(fills, [point.equity for point in result.equity], writer.state.book.cash, dict(refused))


def through_kernel(this: Scene) -> KernelRun:
    assert not uncovered(this.series, this.instruments, this.profile, this.paper)
    assert this.spec.exit is not None
    said = {name: this.strategy.whole(name) for name in sorted(this.series)}
    prices = waiting_prices(list(said), list(said.values()))
    extremes = widened(extremes_of(this.series), this.instruments, prices)
    assert not variant_uncovered(extremes, this.instruments, this.spec, this.spec.exit)
    stage = stage_of(this.series, this.instruments, this.profile, this.paper)
    return run_variant(
        stage, signals_of(list(said.values())), this.spec, this.spec.exit, this.cash, at_close=this.at_close
    )


BATCHES = [range(first, min(first + 25, SEEDS)) for first in range(0, SEEDS, 25)]


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_kernel_gives_fill_by_fill_what_the_engine_gives(seeds: range) -> None:
    for seed in seeds:
        this = scene(seed)
        engine, kernel = through_engine(this), through_kernel(this)
        assert list(kernel.fills()) == engine.fills, f"seed {seed}"
        assert kernel.equity.tolist() == engine.equity, f"seed {seed}"
        assert kernel.cash == engine.cash, f"seed {seed}"
        assert kernel.refused == engine.refused, f"seed {seed}"
