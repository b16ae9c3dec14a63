"""A trading run trades as a backtest does, and a stopped one goes on as if it had never stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
from msgspec.structs import replace
from tests.strategy.runs import Dice, Waiting

from surefill.config import Settings, instrument_of, load_settings, opening_of, paper_settings_of
from surefill.domain import codec
from surefill.domain.events import IntentRefused, OrderCreated, OrderFilled
from surefill.domain.inputs import DefineInstrument, Halt
from surefill.engine.clock import VirtualClock
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import ConfigError
from surefill.intake.feed import load_market
from surefill.intake.session import Session
from surefill.intake.trading import TradingRun, TradingSummary, market_time_of, spec_by_symbol
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Journal
from surefill.market.series import BarSeries
from surefill.strategy import (
    Decision,
    EntrySpec,
    ExecutionSpec,
    ExitSpec,
    MarketSnapshot,
    Position,
    RiskSpec,
    StrategyRegistry,
    StrategyRunner,
)
from surefill.strategy.backtest import Backtest
from surefill.units import NS_PER_MIN
from surefill.venues.paper import PaperVenue

SYMBOLS = ("A", "B")
FLAGS: dict[str, object] = {
    "execution.engine": "paper_full",
    "execution.slippage_bps": 3,
    "execution.spread_bps": 4,
    "execution.fill_mode": "bid_ask",
    "fees": [{"kind": "per_notional", "rate_bps": 2}],
    "feed.source": "synthetic",
    "feed.symbols": list(SYMBOLS),
    "feed.bars": 120,
}
GUARDED = ExitSpec(type="stop_target", stop_loss_pct=0.4, take_profit_pct=0.6, trailing_pct=0.3, time_stop_bars=9)


class Fill(NamedTuple):
    """What a fill was."""

    ts_ns: int
    position: str
    side: int
    last_px: int
    last_qty: int
    fee: int


class Case(NamedTuple):
    """A market, and how the strategy leaves."""

    calendar: str
    timeframe: str
    exit: ExitSpec | None
    at_close: bool
    strategy: type[Dice] = Dice


class Overreaching(Dice):
    """Asks of A, at times, for more than can be counted, and for a stop finer than prices are."""

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Iterator[Decision]:
        for decision in super().evaluate(spec, snapshot, position):
            if decision.action == "OPEN_LONG" and snapshot.symbol == "A" and snapshot.ts_ns // NS_PER_MIN % 3 == 0:
                yield replace(decision, quantity=1e12)
            elif decision.action == "OPEN_LONG" and snapshot.symbol == "A" and snapshot.ts_ns // NS_PER_MIN % 3 == 1:
                yield replace(decision, stop_loss=snapshot.last_price - 0.123456789)
            else:
                yield decision


CASES = [
    Case("24x7", "1m", ExitSpec(type="none"), False),
    Case("24x7", "1m", GUARDED, False),
    Case("24x7", "5m", ExitSpec(type="none"), True),
    Case("nse", "15m", ExitSpec(type="eod"), False),
    Case("us_equities", "1d", GUARDED, False),
    Case("24x7", "1m", GUARDED, False, Waiting),
    Case("us_equities", "1d", ExitSpec(type="none"), False, Waiting),
    Case("24x7", "1m", GUARDED, False, Overreaching),
]


def _prepared(case: Case) -> tuple[Settings, Mapping[str, BarSeries], ExecutionSpec, StrategyRunner]:
    flags = {**FLAGS, "feed.timeframe": case.timeframe, "instruments": {"default": {"calendar": case.calendar}}}
    market = load_market(load_settings(None, flags, {}))
    registry = StrategyRegistry()
    registry.add(case.strategy(at_close=case.at_close))
    spec = ExecutionSpec(
        workspace_id="main",
        symbols=SYMBOLS,
        timeframe=case.timeframe,
        entry=EntrySpec(type=case.strategy.name, good_for_bars=2),
        exit=case.exit,
        risk=RiskSpec(dollars_per_trade=1_000.0),
    )
    return market.settings, market.series, spec, StrategyRunner(registry)


def _fills(journal: Journal) -> list[Fill]:
    events = (codec.decode(record.payload) for record in journal.read("main"))
    return [
        Fill(event.ts_ns, event.position, event.side, event.last_px, event.last_qty, event.fee)
        for event in events
        if isinstance(event, OrderFilled)
    ]


def _refs(journal: Journal) -> list[str]:
    events = (codec.decode(record.payload) for record in journal.read("main"))
    return [event.request.order_ref for event in events if isinstance(event, OrderCreated)]


def _refused(journal: Journal) -> list[tuple[int, str, str]]:
    events = (codec.decode(record.payload) for record in journal.read("main"))
    return [(event.ts_ns, event.order_ref, event.reason) for event in events if isinstance(event, IntentRefused)]


def _traded(case: Case, journal: Journal, stop_after: int | None = None) -> TradingSummary:
    """One run on the journal, stopped after so many moments."""
    settings, series, spec, runner = _prepared(case)
    clock = VirtualClock(min(bars.open_ns[0] for bars in series.values()))
    stop = threading.Event()
    moments = 0

    def count(_done: int, _total: int) -> None:
        nonlocal moments
        moments += 1
        if moments == stop_after:
            stop.set()

    with Session.open(settings, clock=clock, journal=journal) as session:
        return TradingRun(session, clock, [spec], series, runner=runner, stop=stop, on_progress=count).run()


def _backtested(case: Case, journal: Journal) -> None:
    settings, series, spec, runner = _prepared(case)
    writer = WorkspaceWriter(journal, "main", PaperVenue(paper_settings_of(settings)))
    start_ns = min(bars.open_ns[0] for bars in series.values()) - 1
    writer.feed(opening_of(settings, start_ns))
    for symbol in SYMBOLS:
        writer.feed(DefineInstrument(start_ns, instrument_of(settings, symbol)))
    writer.flush()
    Backtest(writer, spec, series, runner=runner).run()


@pytest.mark.parametrize("case", CASES)
def test_trading_run_fills_as_a_backtest_does(case: Case) -> None:
    traded, tested = MemoryJournal(), MemoryJournal()
    _traded(case, traded)
    _backtested(case, tested)
    assert len(_fills(traded)) > 10
    assert _fills(traded) == _fills(tested)
    assert _refused(traded) == _refused(tested)


def test_intent_that_cannot_be_counted_is_refused_and_the_run_goes_on() -> None:
    journal = MemoryJournal()
    assert _traded(CASES[-1], journal).finished
    reasons = [reason for _, _, reason in _refused(journal)]
    large = [reason for reason in reasons if reason.startswith("OPEN_LONG of A by dice, at 20")]
    assert sum("instruments.A.qty_decimals below 8" in reason for reason in large) > 3
    assert sum("round it to the tick (instruments.A.tick" in reason for reason in large) > 3
    assert {fill.position.partition("|")[0] for fill in _fills(journal)} == set(SYMBOLS)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stop_after", [1, 2, 31, 58, 104])
def test_stopped_run_goes_on_as_if_it_had_not_stopped(case: Case, stop_after: int) -> None:
    whole, parts = MemoryJournal(), MemoryJournal()
    _traded(case, whole)
    first = _traded(case, parts, stop_after)
    assert not first.finished
    _traded(case, parts, 7)
    assert _traded(case, parts).finished
    assert _fills(parts) == _fills(whole)
    assert _refs(parts) == _refs(whole)
    assert _refused(parts) == _refused(whole)


def test_run_of_a_finished_market_does_nothing_more() -> None:
    journal = MemoryJournal()
    _traded(CASES[0], journal)
    fills = _fills(journal)
    again = _traded(CASES[0], journal)
    assert (again.finished, _fills(journal)) == (True, fills)


def test_halted_workspace_takes_no_entries_but_keeps_running() -> None:
    journal = MemoryJournal()
    settings, series, spec, runner = _prepared(CASES[0])
    clock = VirtualClock(series["A"].open_ns[0])
    with Session.open(settings, clock=clock, journal=journal) as session:
        session.feed(Halt(clock.now_ns(), "OPERATOR", "test", "me"))
        summary = TradingRun(session, clock, [spec], series, runner=runner).run()
    assert (summary.finished, summary.bars, _fills(journal)) == (True, 240, [])
    assert summary.intents > 10


def test_speed_paces_the_market_and_a_stop_ends_the_waiting() -> None:
    settings, series, spec, runner = _prepared(CASES[0])
    clock = VirtualClock(series["A"].open_ns[0])
    stop = threading.Event()
    with Session.open(settings, clock=clock, journal=MemoryJournal()) as session:
        run = TradingRun(session, clock, [spec], series, runner=runner, speed=60 * 20, stop=stop)
        threading.Timer(0.2, stop.set).start()
        summary = run.run()
    assert not summary.finished
    assert 2 <= summary.moments <= 5  # a minute takes 50 ms: three or four of them in 0.2 s, and the first at once


def test_symbol_of_two_strategies_is_refused() -> None:
    _, _, spec, _ = _prepared(CASES[0])
    other = spec.model_copy(update={"strategy_id": "other"})
    with pytest.raises(ConfigError, match="A is traded by dice and by other"):
        spec_by_symbol([spec, other])


def test_run_without_any_strategy_is_refused() -> None:
    with pytest.raises(ConfigError, match="no strategy is configured"):
        spec_by_symbol([])


def test_market_time_passes_over_what_people_wrote() -> None:
    journal = MemoryJournal()
    assert market_time_of(journal, "main") == 0
    _traded(CASES[0], journal)
    last_ns = market_time_of(journal, "main")
    assert last_ns == _fills(journal)[-1].ts_ns
    settings = _prepared(CASES[0])[0]
    with Session.open(settings, journal=journal) as session:  # the machine's clock: years later
        for number in range(300):
            session.feed(Halt(session.engine.clock.now_ns(), "OPERATOR", str(number), "me", f"S{number}"))
    assert market_time_of(journal, "main") == last_ns
