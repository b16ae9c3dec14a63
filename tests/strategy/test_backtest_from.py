"""A backtest that begins in the middle: what was before is known, and not traded."""

from __future__ import annotations

from collections.abc import Iterator

from tests.strategy import runs
from tests.strategy.runs import minutes

from surefill.domain import codec
from surefill.domain.events import OrderFilled
from surefill.journal import MemoryJournal
from surefill.strategy import Decision, ExecutionSpec, MarketSnapshot, Position, StrategyRegistry, StrategyRunner
from surefill.strategy.backtest import Backtest
from surefill.units import NS_PER_MIN

FIRST = 17
FROM_NS = runs.START_NS + FIRST * NS_PER_MIN


class Counting:
    """Opens whenever it can, and notes how many bars it is shown."""

    name = "counting"

    def __init__(self) -> None:
        self.shown: list[int] = []

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Iterator[Decision]:
        self.shown.append(snapshot.bar_count)
        if position is None:
            yield Decision.open_long("at once")


def test_bars_before_the_beginning_are_known_and_not_traded() -> None:
    series = {"A": runs.series_of("A", minutes(), 1, "1m")}
    strategy, registry, journal = Counting(), StrategyRegistry(), MemoryJournal()
    registry.add(strategy)
    writer = runs.opened(journal, ["A"])
    spec = runs.spec_for(series, entry={"type": "counting"}, exit={"type": "none"})
    result = Backtest(writer, spec, series, runner=StrategyRunner(registry), from_ns=FROM_NS).run()
    assert strategy.shown == list(range(FIRST + 1, len(series["A"]) + 1))
    assert (len(result.equity), result.bars) == (len(series["A"]) - FIRST,) * 2
    assert result.equity[0].ts_ns == FROM_NS + NS_PER_MIN
    events = [codec.decode(payload) for payload in runs.payloads_of(journal)]
    (fill,) = [event for event in events if isinstance(event, OrderFilled)]
    assert fill.ts_ns == FROM_NS + NS_PER_MIN  # decided at the close of the first bar, filled at the next open


def test_backtest_that_begins_after_the_last_bar_does_nothing() -> None:
    series = {"A": runs.series_of("A", minutes(), 1, "1m")}
    journal = MemoryJournal()
    writer = runs.opened(journal, ["A"])
    before = len(runs.payloads_of(journal))
    spec = runs.spec_for(series)
    result = Backtest(writer, spec, series, runner=runs.dice_runner(at_close=False), from_ns=2**62).run()
    assert (len(result.equity), len(runs.payloads_of(journal))) == (0, before)
