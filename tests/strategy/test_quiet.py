"""A backtest that steps over quiet bars: the same journal to the byte, the same equity, few bars through the engine."""

import random

import pytest
from tests.sweep.scenes import Scene, backtest_of, scene, writer_of

from surefill.domain.market import Bar
from surefill.engine.writer import WorkspaceWriter
from surefill.strategy.quiet import Wants


class Counting(WorkspaceWriter):
    """A writer that counts the bars that it is fed."""

    bars = 0

    def feed(self, item) -> None:  # type: ignore[no-untyped-def]
        self.bars += isinstance(item, Bar)
        super().feed(item)


def wants_of(this: Scene) -> dict[str, Wants]:
    return {name: Wants(bytes(this.strategy.enters[name]), bytes(this.strategy.leaves[name])) for name in this.series}


def journal_of(writer: WorkspaceWriter) -> list[bytes]:
    return [record.payload for record in writer.journal.read("w")]


@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(0, 200, 20)], ids=str)
def test_backtest_stepping_over_quiet_bars_gives_the_same_journal(seeds: range) -> None:
    for seed in seeds:
        whole, quick = scene(seed), scene(seed)
        one, other = writer_of(whole), writer_of(quick)
        expected, found = backtest_of(whole, one).run(), backtest_of(quick, other, wants_of(quick)).run()
        assert journal_of(other) == journal_of(one), f"seed {seed}"
        assert found.equity == expected.equity, f"seed {seed}"
        assert other.state.digest() == one.state.digest(), f"seed {seed}"
        assert other.state.quotes == one.state.quotes, f"seed {seed}"


def test_backtest_of_a_strategy_that_wants_nothing_feeds_few_bars() -> None:
    this = next(each for each in map(scene, range(1_000)) if len(each.series) == 1 and len(each.series["AAA"]) == 200)
    for flags in this.strategy.enters.values():
        flags[:] = [0] * len(flags)
    writer = writer_of(this)
    writer.__class__ = Counting
    assert isinstance(writer, Counting)
    backtest_of(this, writer, wants_of(this)).run()
    assert 0 < writer.bars < 20


def test_backtest_that_was_killed_goes_on_over_quiet_bars() -> None:
    rng = random.Random(1)
    for seed in range(40):
        whole, first, second = scene(seed), scene(seed), scene(seed)
        one = writer_of(whole)
        backtest_of(whole, one).run()
        writer = writer_of(first)
        stopped = backtest_of(first, writer, wants_of(first))
        count = rng.randint(1, 60)

        def stop(done: int, total: int, count: int = count) -> None:
            if done >= count:
                raise KeyboardInterrupt

        stopped._on_progress = stop
        try:
            stopped.run()
        except KeyboardInterrupt:
            writer.flush()
        again = WorkspaceWriter(writer.journal, "w", writer.venue)
        backtest_of(second, again, wants_of(second)).run()
        assert journal_of(again) == journal_of(one), f"seed {seed}"
