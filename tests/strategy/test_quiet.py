"""A backtest that steps over quiet bars: the same journal to the byte, the same equity, few bars through the engine."""

import random

import pytest
from tests.sweep.scenes import backtest_of, scene, writer_of

from surefill.domain.market import Bar
from surefill.engine.writer import WorkspaceWriter


class Counting(WorkspaceWriter):
    """A writer that counts the bars that it is fed."""

    bars = 0

    def feed(self, item) -> None:  # type: ignore[no-untyped-def]
        self.bars += isinstance(item, Bar)
        super().feed(item)


def journal_of(writer: WorkspaceWriter) -> list[bytes]:
    return [record.payload for record in writer.journal.read("w")]


FORMS = pytest.mark.parametrize("form", ["foreseen", "streamed"])


@FORMS
@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(0, 120, 20)], ids=str)
def test_backtest_stepping_over_quiet_bars_gives_the_same_journal(seeds: range, form: str) -> None:
    for seed in seeds:
        whole, quick = scene(seed), scene(seed)
        one, other = writer_of(whole), writer_of(quick)
        expected, found = backtest_of(whole, one).run(), backtest_of(quick, other, form).run()
        assert journal_of(other) == journal_of(one), f"seed {seed}"
        assert found.equity == expected.equity, f"seed {seed}"
        assert other.state.digest() == one.state.digest(), f"seed {seed}"
        assert other.state.quotes == one.state.quotes, f"seed {seed}"


@FORMS
def test_backtest_of_a_strategy_that_wants_nothing_feeds_few_bars(form: str) -> None:
    this = next(each for each in map(scene, range(1_000)) if len(each.series) == 1 and len(each.series["AAA"]) == 200)
    for flags in this.strategy.enters.values():
        flags[:] = [0] * len(flags)
    writer = writer_of(this)
    writer.__class__ = Counting
    assert isinstance(writer, Counting)
    backtest_of(this, writer, form).run()
    assert 0 < writer.bars < 20


@FORMS
def test_backtest_of_a_strategy_that_may_not_enter_feeds_few_of_the_bars_that_it_is_asked_about(form: str) -> None:
    this = next(each for each in map(scene, range(1_000)) if len(each.series) == 1 and len(each.series["AAA"]) == 200)
    for flags in this.strategy.enters.values():
        flags[:] = [1] * len(flags)
    this.spec = this.spec.model_copy(update={"enabled": False})
    writer = writer_of(this)
    writer.__class__ = Counting
    assert isinstance(writer, Counting)
    backtest_of(this, writer, form).run()
    assert 0 < writer.bars < 20


@FORMS
def test_backtest_that_was_killed_goes_on_over_quiet_bars(form: str) -> None:
    rng = random.Random(1)
    for seed in range(40):
        whole, first, second = scene(seed), scene(seed), scene(seed)
        one = writer_of(whole)
        backtest_of(whole, one).run()
        writer = writer_of(first)
        stopped = backtest_of(first, writer, form)
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
        backtest_of(second, again, form).run()
        assert journal_of(again) == journal_of(one), f"seed {seed}"
