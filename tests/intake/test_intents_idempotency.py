"""An intent is executed once: under 64 threads at a time, and after a restart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from tests.intake.intents_driving import done, paper_broker, trade

from surefill.engine.clock import LiveClock
from surefill.intake.intents import ExecutionOutcome, PaperBroker
from surefill.journal import SqliteJournal

THREADS = 64


def _at_once(count: int, call: object) -> list[ExecutionOutcome]:
    """`call(n)` from as many threads, all let go at the same moment."""
    gate = Barrier(count)

    def run(n: int) -> ExecutionOutcome:
        gate.wait()
        return call(n)  # type: ignore[operator, no-any-return]

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_same_intent_from_64_threads_is_executed_once(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    with paper_broker(journal=journal, clock=LiveClock()) as broker:
        outcomes = _at_once(THREADS, lambda n: broker.execute(trade("a", correlation_id=f"story-{n}"), 100.0))
        state, report = broker.state("main"), broker.reconcile("main")
    journal.close()
    (winner,) = [outcome for outcome in outcomes if outcome.success]
    losers = [outcome for outcome in outcomes if not outcome.success]
    assert {(outcome.http_status, outcome.code) for outcome in losers} == {(409, "ALREADY_EXECUTED")}
    assert {outcome.correlation_id for outcome in losers} == {winner.correlation_id}
    assert {outcome.order_id for outcome in losers} == {winner.order_id}
    assert len(winner.events) == 5
    assert not any(outcome.events for outcome in losers)
    assert state.cash == 9_900.0
    assert (report.read, report.matches) == (1, True)


def test_same_id_with_64_contents_is_executed_once_and_conflicts_otherwise() -> None:
    with paper_broker(clock=LiveClock()) as broker:
        outcomes = _at_once(THREADS, lambda n: broker.execute(trade("a", quantity=n + 1.0), 100.0))
        position = broker.positions("main")["BTCUSDT"]
    (winner,) = [outcome for outcome in outcomes if outcome.success]
    assert position.quantity == winner.filled_quantity
    assert {outcome.code for outcome in outcomes if not outcome.success} == {"INTENT_CONFLICT"}


def test_64_intents_at_once_share_the_cash_that_there_is() -> None:
    with paper_broker(clock=LiveClock()) as broker:
        outcomes = _at_once(THREADS, lambda n: broker.execute(trade(f"i{n}", quantity=2.5), 100.0))
        state, report = broker.state("main"), broker.reconcile("main")
    assert sum(outcome.success for outcome in outcomes) == 40
    assert {outcome.code for outcome in outcomes if not outcome.success} == {"INSUFFICIENT_CASH"}
    assert (state.cash, state.positions["BTCUSDT"].quantity) == (0.0, 100.0)
    assert (report.applied, report.matches) == (40, True)
    for outcome in outcomes:
        assert {event.intent_id for event in outcome.events} == {outcome.intent_id}


def test_64_workspaces_are_opened_at_once() -> None:
    with paper_broker(clock=LiveClock()) as broker:
        outcomes = _at_once(THREADS, lambda n: broker.execute(trade("a", workspace_id=f"w{n // 2}"), 100.0))
        cash = {broker.state(f"w{n}").cash for n in range(THREADS // 2)}
    assert sum(outcome.success for outcome in outcomes) == THREADS // 2
    assert {outcome.code for outcome in outcomes} == {"", "ALREADY_EXECUTED"}
    assert cash == {9_900.0}


def test_restart_keeps_ledger_ids_and_order_ids(tmp_path: Path) -> None:
    def start() -> tuple[PaperBroker, SqliteJournal]:
        journal = SqliteJournal(tmp_path / "journal")
        return paper_broker(journal=journal, clock=LiveClock()), journal

    broker, journal = start()
    first = done(broker.execute(trade("a", stop_loss=90.0, workspace_id="w"), 100.0))
    done(broker.execute(trade("b", "OPEN_LONG", workspace_id="w"), 110.0))
    broker.pause("w", "s9", "night")
    before = broker.state("w")
    story = broker.events("w")
    broker.close()
    journal.close()

    broker, journal = start()
    assert broker.state("w").positions == before.positions
    assert (broker.state("w").cash, broker.state("w").paused) == (before.cash, before.paused)
    again = broker.execute(trade("a", stop_loss=90.0, workspace_id="w", correlation_id="other"), 100.0)
    assert (again.http_status, again.code, again.correlation_id) == (409, "ALREADY_EXECUTED", "story-a")
    assert (again.order_id, again.fill_price) == (first.order_id, 100.0)
    assert broker.execute(trade("a", workspace_id="w"), 100.0).code == "INTENT_CONFLICT"
    assert broker.events("w")[: len(story)] == story
    assert broker.reconcile("w").matches
    closed = done(broker.execute(trade("c", "CLOSE_LONG", 2.0, workspace_id="w"), 120.0))
    assert closed.order_id not in {event.order_id for event in story}
    assert broker.state("w").realized_pnl == 30.0
    broker.close()
    journal.close()
