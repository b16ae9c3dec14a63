"""A run in figures: what the curve says, what the trades say and what the book says are one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from tests.strategy import runs
from tests.strategy.runs import Span, days, minutes

from surefill.domain import codec
from surefill.domain.events import Event, IntentRefused, OrderFilled
from surefill.engine.recovery import fold_journal
from surefill.journal import MemoryJournal
from surefill.market.series import BarSeries
from surefill.strategy.backtest import Backtest
from surefill.strategy.valuation import EquityPoint
from surefill.views.metrics import net
from surefill.views.performance import Performance, performance

RUNS: dict[str, tuple[str, Mapping[str, Span]]] = {
    "daily": ("1d", {"B": days(14, 7), "A": days(14, 7)}),
    "minutes_with_gaps": ("1m", {"B": minutes(missing_every=5), "A": minutes(), "C": minutes(9, 12)}),
    "sessions_overlap": ("1d", {"US": days(14, 7), "EU": days(8, 9)}),
}


class Run:
    """A finished backtest."""

    def __init__(self, name: str) -> None:
        timeframe, spans = RUNS[name]
        self.series: dict[str, BarSeries] = {
            symbol: runs.series_of(symbol, span, 3, timeframe) for symbol, span in spans.items()
        }
        self.journal = MemoryJournal()
        writer = runs.opened(self.journal, sorted(self.series))
        backtest = Backtest(writer, runs.spec_for(self.series), self.series, runner=runs.dice_runner(at_close=False))
        self.equity: tuple[EquityPoint, ...] = backtest.run().equity
        self.found: Performance = performance(self.events(), self.series)

    def events(self) -> Iterator[Event]:
        """Its journal."""
        return (codec.decode(payload) for payload in runs.payloads_of(self.journal))


@pytest.fixture(scope="module", params=RUNS)
def run(request: pytest.FixtureRequest) -> Run:
    """Each of the runs."""
    return Run(request.param)


def test_lines_add_up_to_the_curve_exactly(run: Run) -> None:
    found = run.found
    assert found.total.figures.trades > 5
    made = found.curve.end - found.curve.start
    assert sum(line.figures.net + line.open_net for line in found.lines) == made
    assert found.total.figures.net + found.total.open_net == made
    assert sum(line.fees for line in found.lines) == found.total.fees


def test_curve_of_every_close_is_start_plus_every_symbols_pnl(run: Run) -> None:
    curves = run.found.curves
    for at, equity in enumerate(curves.equity):
        assert equity == run.found.curve.start + sum(pnl[at] for pnl in curves.pnl.values())
    assert len(curves.times) == len(set(curves.times))


def test_curve_agrees_with_what_the_backtest_saw() -> None:
    run = Run("daily")
    curves = run.found.curves
    assert [(point.ts_ns, point.equity) for point in run.equity] == list(zip(curves.times, curves.equity, strict=True))


def test_trades_agree_with_the_book(run: Run) -> None:
    state, _ = fold_journal(run.journal, runs.WORKSPACE)
    found, book = run.found, state.book
    stories = [*found.stories, *found.running]
    assert sum(story.trade.fees for story in stories) == book.fees == found.total.fees
    assert sum(story.trade.realised for story in stories) == book.realised
    assert sum(exits.count for exits in found.exits.values()) == len(found.stories)
    assert sum(exits.net for exits in found.exits.values()) == sum(net(story.trade) for story in found.stories)
    assert {story.trade.instrument_id for story in found.running} == {
        position.instrument_id for position in book.positions.values() if position.qty
    }


def test_stories_tell_why(run: Run) -> None:
    for story in run.found.stories:
        assert story.entry_why == "even"
        assert story.entry_ref.startswith("order_")
        assert story.exit_ref.startswith("order_")
        assert story.exit_ref != story.entry_ref
        word = story.trade.exit_reason
        assert (
            story.exit_why == "odd" if word == "signal" else story.exit_why.startswith(word.replace("_", " ") + " at")
        )
    assert {"signal", "stop"} <= run.found.exits.keys()


def test_stops_begin_with_the_entry_and_never_fall(run: Run) -> None:
    for story in (*run.found.stories, *run.found.running):
        levels = [level.px for level in story.stops]
        assert story.stops[0].ts_ns == story.trade.entry_ns
        assert levels == sorted(levels)
    assert any(len(story.stops) > 1 for story in run.found.stories), "nothing trailed"


def test_counts_are_those_of_the_journal(run: Run) -> None:
    events = list(run.events())
    assert sum(run.found.events.values()) == len(events)
    assert run.found.events["OrderFilled"] == sum(isinstance(event, OrderFilled) for event in events)
    refused = sum(isinstance(event, IntentRefused) for event in events)
    assert sum(refusal.count for refusal in run.found.refused.values()) == refused


def test_exposure_counts_closes_with_a_position() -> None:
    run = Run("minutes_with_gaps")
    curves = run.found.curves
    assert curves.bars == {symbol: len(bars) for symbol, bars in run.series.items()}
    exposures = {line.name: line.exposure or 0.0 for line in (*run.found.lines, run.found.total)}
    total = exposures.pop("total")
    for name, exposure in exposures.items():
        assert 0 < exposure == curves.held[name] / curves.bars[name] < 1
    assert max(exposures.values()) <= total <= 1


def test_performance_of_nothing_is_nothing() -> None:
    series = {symbol: bars[:0] for symbol, bars in Run("daily").series.items()}
    found = performance([], series)
    assert (found.total.figures.trades, found.curves.times, found.daily.cagr, found.total.exposure) == (0, [], None, 0)
