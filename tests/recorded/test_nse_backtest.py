"""A month of real minutes through the engine: what must hold after every single one of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from tests.recorded.test_nse_bars import load

from surefill.domain.events import Event, ExitTriggered, IntentRefused, OrderFilled
from surefill.domain.inputs import DefineInstrument, OpenWorkspace
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.profile import PAPER_FULL
from surefill.engine.recovery import fold_journal
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import MemoryJournal
from surefill.market.series import BarSeries
from surefill.rules.codes import ExitReason, FeeKind
from surefill.strategy import EntrySpec, ExecutionSpec, ExitSpec, RiskSpec
from surefill.strategy.backtest import Backtest
from surefill.testing.invariants import Violation, check_book, check_journal
from surefill.units import NS_PER_DAY, iso_from_ns
from surefill.venues.paper import PaperSettings, PaperVenue
from surefill.venues.paper.settings import FeeRule

NIFTY = "NIFTY_1min_2024"
LOT = 25
CASH = 1_000_000_0000  # a million rupees, at four decimals
FEES = (FeeRule(FeeKind.PER_ORDER, per_order=20_0000), FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=100_000))
JANUARY_NS = 1_704_067_200_000_000_000
SATURDAY = "2024-01-20"  # a full session, and 167 minutes after it


class Run(NamedTuple):
    """A finished backtest, with what was seen after every commit on the way."""

    writer: WorkspaceWriter
    events: list[Event]
    broken: list[Violation]  # what the invariants found after some commit
    held_over: list[str]  # session ends after which something was still held


def january() -> BarSeries:
    series = load(NIFTY, "1m")
    count = sum(JANUARY_NS <= open_ns < JANUARY_NS + 31 * NS_PER_DAY for open_ns in series.open_ns)
    return series[:count]


def opened() -> WorkspaceWriter:
    writer = WorkspaceWriter(MemoryJournal(), "nifty", PaperVenue(PaperSettings(fees=FEES)))
    before_ns = JANUARY_NS - 1
    writer.feed(OpenWorkspace(before_ns, "nifty", "backtest", "paper", "a", "INR", 4, CASH, PAPER_FULL, ""))
    lots_of_25 = (Terms(tick=5, lot=LOT, min_qty=LOT),)
    writer.feed(DefineInstrument(before_ns, Instrument(NIFTY, "INR", 2, 0, 100, lots_of_25, calendar="nse")))
    return writer


@cache
def run() -> Run:
    series, writer = january(), opened()
    ends = {series.ts_ns[at] for at in range(len(series)) if series.session_end[at]}
    this = Run(writer, [], [], [])
    writer.subscribers.append(lambda first_seq, events: this.events.extend(events))

    def look(first_seq: int, events: list[Event]) -> None:
        this.broken.extend(check_book(writer.state))
        if events[-1].ts_ns in ends and any(writer.state.open_positions()):
            this.held_over.append(iso_from_ns(events[-1].ts_ns))

    writer.subscribers.append(look)
    spec = ExecutionSpec(
        workspace_id="nifty",
        symbols=(NIFTY,),
        timeframe="1m",
        entry=EntrySpec(type="ema_cross", params={"fast": 9, "slow": 21}),
        exit=ExitSpec(type="stop_target", stop_loss_pct=0.2, take_profit_pct=0.5, trailing_pct=0.3, end_of_day=True),
        risk=RiskSpec(dollars_per_trade=600_000.0, max_positions=1),
    )
    Backtest(writer, spec, {NIFTY: series}).run()
    return this


def fills(events: list[Event]) -> Iterator[OrderFilled]:
    return (event for event in events if isinstance(event, OrderFilled))


def held_at(events: list[Event], ts_ns: int) -> int:
    """The position after the last fill up to a moment."""
    return next((fill.position_qty for fill in reversed(list(fills(events))) if fill.ts_ns <= ts_ns), 0)


def test_nifty_month_keeps_every_invariant_after_every_commit() -> None:
    this = run()

    assert this.broken == []
    assert check_journal(this.writer.journal, "nifty") == []
    assert this.writer.state.book.fees > 0  # or the check would not have seen them


def test_nifty_month_trades_whole_lots_on_the_tick() -> None:
    done = list(fills(run().events))

    assert len(done) > 200
    assert run().writer.state.book.fees > len(done) * 20_0000  # both kinds of fee were charged
    assert all(fill.last_qty == LOT for fill in done)
    assert all(fill.position_qty in (0, LOT) for fill in done)
    assert all(fill.last_px % 5 == 0 for fill in done)


def test_nifty_month_sees_every_kind_of_exit() -> None:
    reasons = {ExitReason(event.reason) for event in run().events if isinstance(event, ExitTriggered)}

    assert reasons == {ExitReason.STOP, ExitReason.TRAILING, ExitReason.TARGET, ExitReason.END_OF_DAY}


def test_nifty_month_holds_nothing_over_a_session_end() -> None:
    series, events = january(), run().events

    ends = [series.ts_ns[at] for at in range(len(series)) if series.session_end[at]]
    assert len(ends) == 22  # a Saturday is among them
    assert run().held_over == []
    assert [held_at(events, end_ns) for end_ns in ends] == [0] * 22


def test_nifty_saturday_session_is_traded_and_ended_like_any_other() -> None:
    series, events = january(), run().events

    ends = [iso_from_ns(series.ts_ns[at]) for at in range(len(series)) if series.session_end[at]]
    traded = [fill for fill in fills(events) if iso_from_ns(fill.ts_ns)[:10] == SATURDAY]
    assert traded
    assert [end for end in ends if end[:10] == SATURDAY] == [f"{SATURDAY}T10:00:00Z"]
    exits = [event for event in events if isinstance(event, ExitTriggered)]
    assert ExitReason.END_OF_DAY in {event.reason for event in exits if iso_from_ns(event.ts_ns)[:10] == SATURDAY}


def test_nifty_month_folded_from_its_journal_is_the_live_state() -> None:
    this = run()

    state, _ = fold_journal(this.writer.journal, "nifty")

    assert state.digest() == this.writer.state.digest()


def test_nifty_month_run_twice_gives_the_same_journal() -> None:
    first = [record.payload for record in run().writer.journal.read("nifty")]
    run.cache_clear()

    assert [record.payload for record in run().writer.journal.read("nifty")] == first


def test_nifty_month_refuses_nothing() -> None:
    assert [event.reason for event in run().events if isinstance(event, IntentRefused)] == []
