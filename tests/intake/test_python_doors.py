"""What both Python doors share: keys, restarts, many callers, failures of journal, feed and stores, closing."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.intake.door_driving import START, SYMBOL, Heard, Market, Orders, Signals

from surefill.config import instrument_of, load_settings
from surefill.domain.events import IntentAccepted, OrderFilled
from surefill.engine.control_client import ask_engine
from surefill.errors import AppendFailed, ConfigError, JournalLocked, LocalError
from surefill.intake.caller_feed import CallerFeed
from surefill.intake.caller_stores import CallerStores
from surefill.intake.caller_values import Known
from surefill.intake.orders import ExecutionEngineV2, OrderIntent
from surefill.intake.signals import ExecutionContext, ExecutionEngineV3
from surefill.intake.signals.reading import read_signal
from surefill.intake.signals.translation import translate
from surefill.journal import MemoryJournal
from surefill.testing.faulty_journal import FaultyJournal, JournalFault

MEMORY: dict[str, Any] = {"journal": {"path": ":memory:"}}


def fills(door: Signals | Orders) -> int:
    events = door.engine._door.events()
    return sum(isinstance(event, OrderFilled) for event in events)


# -- idempotency ------------------------------------------------------------------------------------------------


def test_signal_repeated_under_its_key_gives_the_first_result_whatever_the_market_does() -> None:
    with Signals() as door:
        first = door.send("BUY", intent_id="k1", fixed_qty=2)
        door.price(19_600.0)
        again = door.send("BUY", intent_id="k1", fixed_qty=2, timestamp=START.replace(hour=10))
        assert replace(again, timestamp=None) == replace(first, timestamp=None)
        door.market.px = None  # even a dead feed does not change what has happened
        assert door.send("BUY", intent_id="k1", fixed_qty=2).order_id == first.order_id
        assert fills(door) == 1


def test_signal_with_other_content_under_a_key_is_a_conflict() -> None:
    with Signals() as door:
        door.send("BUY", intent_id="k1", fixed_qty=2)
        for terms in ({"fixed_qty": 3}, {"fixed_qty": 2, "sl_price": 19_400.0}, {"fixed_qty": 2, "product": "NRML"}):
            result = door.send("BUY", intent_id="k1", **terms)
            assert result.status == "REJECTED"
            assert result.reason.startswith("key_conflict: 'k1' was used for another intent")
        assert fills(door) == 1


def test_signal_refused_under_a_key_leaves_the_key_free() -> None:
    with Signals(None) as door:
        assert door.send("BUY", intent_id="k1").reason == "ltp_missing"
        door.market.px = 19_500.0
        assert door.send("BUY", intent_id="k1").status == "FILLED"


def test_signals_without_a_key_are_each_executed() -> None:
    with Signals() as door:
        assert {door.send("BUY").order_id for _ in range(3)} == {f"V3-2025111909200{n}-000{n}" for n in (1, 2, 3)}


def test_order_repeated_under_its_key_gives_the_first_result_also_after_a_restart(tmp_path: Path) -> None:
    with Orders(folder=tmp_path) as door:
        first = door.send("BUY", 2, intent_id="k1")
    with Orders(19_900.0, folder=tmp_path) as door:
        again = door.send("BUY", 2, intent_id="k1")
        assert (again.order_id, again.avg_price, again.status) == (first.order_id, first.avg_price, "FILLED")
        conflict = door.send("SELL", 2, intent_id="k1")
        assert conflict.status == "REJECTED"
        assert conflict.message is not None
        assert conflict.message.startswith("KEY_CONFLICT")
        assert fills(door) == 1


# -- many callers, restarts -------------------------------------------------------------------------------------


def test_signals_of_many_threads_are_each_executed_once() -> None:
    with Signals() as door:
        context = door.context()

        def work() -> None:
            for _ in range(10):
                door.engine.process_signal(SYMBOL, "BUY", context)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert door.position().quantity == fills(door) == 80
        stories = [event.correlation_id for event in door.events() if isinstance(event, IntentAccepted)]
        assert len(set(stories)) == 80
        assert len({row["order_id"] for row in door.heard.rows}) == 80


@pytest.mark.parametrize(("same", "executed"), [(True, 1), (False, 64)])
def test_orders_of_many_threads_are_executed_once_for_each_id(same: bool, executed: int) -> None:
    many = {"max_trades_per_day": 1_000, "max_trades_per_strategy_per_day": 1_000}
    with Orders(execution={"slippage_bps": 0, "circuit_breakers": many}) as door:
        together, results = threading.Barrier(64), []

        def work(number: int) -> None:
            intent = OrderIntent(SYMBOL, "s", "BUY", 1, intent_id="k" if same else f"k{number}")
            together.wait()
            results.append(door.engine.execute_intent(intent))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [result.status for result in results] == ["FILLED"] * 64
        assert len({result.order_id for result in results}) == executed
        assert door.engine.position_qty(SYMBOL) == fills(door) == executed


def test_position_and_its_stop_survive_a_restart(tmp_path: Path) -> None:
    with Signals(folder=tmp_path) as door:
        door.send("BUY", fixed_qty=2, sl_price=19_400.0)
    with Signals(folder=tmp_path) as door:
        assert door.position().quantity == 2
        door.price(19_400.0)
        assert door.position().quantity == 0
        assert door.heard.rows[-1]["tf"] == "5m"  # the labels of the signal that opened it


# -- a journal that fails ---------------------------------------------------------------------------------------

FAULTS = [
    (JournalFault.REFUSED, "REJECTED", 0),
    (JournalFault.LOST, "PLACED", 0),
    (JournalFault.KEPT, "PLACED", 1),
]


@pytest.mark.parametrize(("fault", "status", "kept"), FAULTS)
def test_signal_whose_commit_fails_is_unknown_unless_nothing_was_kept(
    fault: JournalFault, status: str, kept: int
) -> None:
    journal = FaultyJournal(MemoryJournal())
    with Signals(journal=journal) as door:
        door.engine._door.instrument(SYMBOL)
        journal.plan(fault)
        result = door.send("BUY", intent_id="k1")
        assert journal.fired[fault] == 1
        assert (result.status, result.price) == (status, 0.0)
        assert (result.reason == "OUTCOME_UNKNOWN") == (status == "PLACED")
        assert fills(door) == kept
        # The workspace is halted; asked again under the same id, the door tells what became of it.
        again = door.send("BUY", intent_id="k1")
        assert (again.status == "FILLED") == bool(kept)
        assert kept or again.reason.startswith("halted: ")


@pytest.mark.parametrize(("fault", "status"), [(fault, status) for fault, status, _ in FAULTS])
def test_order_whose_commit_fails_is_unknown_unless_nothing_was_kept(fault: JournalFault, status: str) -> None:
    journal = FaultyJournal(MemoryJournal())
    with Orders(journal=journal) as door:
        door.engine._door.instrument(SYMBOL)
        journal.plan(fault)
        result = door.send()
        assert (result.status, result.order_id) == (status, None)
        assert result.message is not None
        assert result.message.startswith("OUTCOME_UNKNOWN") == (status == "PLACED")


def test_ticks_whose_commit_fails_raise_and_the_stop_is_still_there() -> None:
    journal = FaultyJournal(MemoryJournal())
    with Signals(journal=journal) as door:
        door.send("BUY", sl_price=19_400.0)
        journal.plan(JournalFault.LOST)
        with pytest.raises(AppendFailed):
            door.engine.update_positions({SYMBOL: 19_390.0, "UNKNOWN": 1.0})
        assert door.position().quantity == 1
        door.price(19_390.0)  # halted by now: exits go on
        assert door.position().quantity == 0


def test_files_and_stores_catch_up_with_a_commit_that_was_kept_unknown(tmp_path: Path) -> None:
    journal = FaultyJournal(MemoryJournal())
    with Signals(journal=journal, artifacts={"dir": str(tmp_path)}) as door:
        door.engine._door.instrument(SYMBOL)
        journal.plan(JournalFault.KEPT)
        door.send("BUY")
        assert [row["status"] for row in door.heard.rows] == ["FILLED"]
        assert len((tmp_path / "orders.csv").read_text().splitlines()) == 2


# -- the caller's feed ------------------------------------------------------------------------------------------


class Ltp:
    def ltp(self, symbol: str) -> dict[str, dict[str, float]]:
        return {f"NFO:{symbol}": {"last_price": 19_500.0}}


class LastPrice:
    def get_last_price(self, _symbol: str) -> Decimal:
        return Decimal("19500.0")


class QuoteOnly:
    def get_quote(self, _symbol: str) -> SimpleNamespace:
        return SimpleNamespace(last_price=19_500.0, bid=19_499.0, ask=19_501.0)


class Numpyish:
    """What a numpy scalar looks like."""

    def item(self) -> float:
        return 19_500.0


FEEDS: list[tuple[str, Any]] = [
    ("get_ltp", Market()),
    ("ltp", Ltp()),
    ("get_last_price", LastPrice()),
    ("get_quote", QuoteOnly()),
    ("callable", lambda _symbol: 19_500),
    ("text", lambda _symbol: "19500.0"),
    ("numpy", lambda _symbol: Numpyish()),
    ("mapping", {SYMBOL: 19_500.0}),
    ("mapping of quotes", {SYMBOL: {"last_price": 19_500.0}}),
    ("a broker's answer", lambda symbol: {f"NFO:{symbol}": {"last_price": 19_500.0}}),
]


@pytest.mark.parametrize("feed", [row[1] for row in FEEDS], ids=[row[0] for row in FEEDS])
def test_feed_of_any_known_shape_gives_its_price(feed: Any) -> None:
    with ExecutionEngineV3(MEMORY, broker_feed=feed) as engine:
        context = ExecutionContext(SYMBOL, "NIFTY", "MIS", "s", "paper", START, "5m")
        result = engine.process_signal(SYMBOL, "BUY", context)
    assert result is not None
    assert (result.status, result.price) == ("FILLED", 19_500.0)


PROBLEMS: list[tuple[Any, str]] = [
    (None, "no market data feed is connected"),
    (object(), "the feed object has none of get_ltp, ltp, get_last_price, get_quote, and is no mapping"),
    ({}, "the feed has no price for X (it says None)"),
    (lambda _symbol: 1 / 0, "the feed failed: ZeroDivisionError: division by zero"),
    (lambda _symbol: float("nan"), "the feed has no price for X (it says nan)"),
    (lambda _symbol: {"Y": 5}, "the feed has no price for X (it says {'Y': 5})"),
]


@pytest.mark.parametrize(("feed", "problem"), PROBLEMS)
def test_feed_without_a_price_says_why(feed: Any, problem: str) -> None:
    assert CallerFeed(feed).look("X").problem == problem


def test_feed_is_asked_by_the_venues_own_name_too() -> None:
    assert CallerFeed(lambda symbol: {symbol: {"last_price": 1_500.0}}).look("NSE:INFY").last == 1_500.0


def test_feed_whose_quote_fails_still_gives_its_last_price() -> None:
    class Broken(Market):
        def get_quote(self, _symbol: str) -> dict[str, Any]:
            raise RuntimeError("no depth today")

    seen = CallerFeed(Broken()).look("X")
    assert (seen.last, seen.bid, seen.problem) == (19_500.0, None, "")


# -- the caller's stores ----------------------------------------------------------------------------------------


def test_stores_that_fail_are_logged_and_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Down:
        def save_checkpoint(self, _state: object) -> None:
            raise OSError("disk on fire")

        def record_order(self, **_row: object) -> None:
            raise OSError("disk on fire")

    with ExecutionEngineV3(MEMORY, Down(), Down(), {SYMBOL: 19_500.0}) as engine:
        context = ExecutionContext(SYMBOL, "NIFTY", "MIS", "s", "paper", START, "5m")
        result = engine.process_signal(SYMBOL, "BUY", context)
        assert result is not None
        assert result.status == "FILLED"
        assert engine.positions()[SYMBOL].quantity == 1
    assert [record.message.rpartition(".")[2] for record in caplog.records] == [
        "record_order failed: what it missed is in the journal",
        "save_checkpoint failed: what it missed is in the journal",
    ]


def test_stores_of_other_shapes_are_told_in_their_own_way() -> None:
    told: list[Any] = []

    class Narrow:
        def update_position(self, symbol: str, position: dict[str, Any]) -> None:
            told.append((symbol, position["quantity"]))

        def record_order(self, symbol: str, price: float) -> None:
            told.append((symbol, price))

    with ExecutionEngineV3(MEMORY, Narrow(), Narrow(), {SYMBOL: 19_500.0}) as engine:
        engine.process_signal(SYMBOL, "BUY", ExecutionContext(SYMBOL, "NIFTY", "MIS", "s", "paper", START, "5m"))
    assert told == [(SYMBOL, 19_500.0), (SYMBOL, 1)]


RECORDERS: list[tuple[str, Callable[[list[Any]], Any]]] = [
    ("record(row)", lambda told: SimpleNamespace(record=lambda row: told.append(row["order_id"]))),
    ("a callable", lambda told: lambda row: told.append(row["order_id"])),
    ("record_trade(**row)", lambda told: SimpleNamespace(record_trade=lambda **row: told.append(row["order_id"]))),
]


@pytest.mark.parametrize("make", [row[1] for row in RECORDERS], ids=[row[0] for row in RECORDERS])
def test_recorder_of_any_known_shape_is_told(make: Callable[[list[Any]], Any]) -> None:
    told: list[Any] = []
    with ExecutionEngineV3(MEMORY, None, make(told), {SYMBOL: 19_500.0}) as engine:
        engine.process_signal(SYMBOL, "BUY", ExecutionContext(SYMBOL, "N", "MIS", "s", "paper", START, "5m"))
    assert len(told) == 1


def test_journal_store_that_appends_is_told_row_by_row() -> None:
    rows: list[dict[str, Any]] = []
    with ExecutionEngineV2(MEMORY, None, rows, {SYMBOL: 19_500.0}) as engine:  # a list appends
        engine.execute_intent(OrderIntent(SYMBOL, "s", "BUY", 1))
    assert [row["status"] for row in rows] == ["FILLED"]


def test_store_without_a_known_method_is_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    CallerStores(logging.getLogger("test"), state_store=object(), recorder=Heard())
    assert caplog.messages == ["state_store (object) has no method known here: it is told nothing"]


# -- context and configuration ----------------------------------------------------------------------------------

CONTEXTS: list[tuple[dict[str, Any], str]] = [
    ({"mode": "live"}, "invalid_input: the context's mode is 'live', this workspace is paper"),
    ({"product": "BO"}, "invalid_input: product 'BO' is not one of MIS, NRML, CNC"),
]


@pytest.mark.parametrize(("terms", "reason"), CONTEXTS)
def test_context_that_does_not_fit_is_refused(terms: dict[str, Any], reason: str) -> None:
    with Signals() as door:
        assert door.send("BUY", **terms).reason.startswith(reason)


@pytest.mark.parametrize(
    ("ours", "said", "taken"),
    [
        ("live", "live", True),
        ("live", "paper", False),  # what is marked paper must never become a real order
        ("dry_run", "paper", True),
        ("dry_run", "live", True),  # what a dry run rehearses is a live one
        ("paper", "live", False),
        ("backtest", "paper", True),
    ],
)
def test_mode_of_a_context_is_the_workspaces(ours: str, said: str, taken: bool) -> None:
    venue = "paper" if ours in ("paper", "backtest") else "binance"
    settings = load_settings(None, {"workspace": {"mode": ours, "venue": venue}}, {})
    known = Known(SYMBOL, instrument_of(load_settings(None, MEMORY, {}), SYMBOL), None)
    signal = read_signal("BUY")
    refusal = translate(
        known, signal, ExecutionContext(SYMBOL, "NIFTY", "MIS", "s", said, START, "5m"), settings=settings, story="s"
    ).refusal
    assert (refusal is None) == taken, refusal


def test_context_of_another_symbol_is_refused() -> None:
    with Signals() as door:
        result = door.engine.process_signal("OTHER", "BUY", door.context(SYMBOL))
        assert result is not None
        assert result.reason == f"invalid_input: the signal is for 'OTHER', its context for {SYMBOL!r}"


def test_text_that_no_journal_can_hold_is_rejected() -> None:
    with Signals() as door:
        result = door.send("BUY", strategy_id="\ud800")
        assert result.status == "REJECTED"
        assert fills(door) == 0


def test_configuration_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "dev.yaml"
    path.write_text("execution:\n  engine: v3\n  slippage_bps: 5\njournal:\n  path: ':memory:'\n")
    with ExecutionEngineV3(path, broker_feed={SYMBOL: 19_500.0}) as engine:
        context = ExecutionContext(SYMBOL, "NIFTY", "MIS", "s", "paper", START, "5m")
        result = engine.process_signal(SYMBOL, "BUY", context)
        assert result is not None
        assert result.price == 19_509.75


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"exection": {}}, "'exection' is not a section of ours: did you mean 'execution'"),
        ({"execution": {"slipage_bps": 5}}, "execution.slipage_bps is not a setting"),
        ({"execution": {"slippage_bps": -5}}, "execution.slippage_bps is -5"),
        ({"workspace": {"mode": "live"}}, "live needs a real one"),
    ],
)
def test_configuration_that_is_wrong_says_what_and_where(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ExecutionEngineV3({**MEMORY, **config})
    assert words in str(refused.value)


def test_journal_in_memory_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Signals() as door:
        door.send("BUY")
    assert list(tmp_path.iterdir()) == []


def test_door_can_be_halted_from_another_process(tmp_path: Path) -> None:
    with Signals(folder=tmp_path) as door:
        door.send("BUY", fixed_qty=2)
        journal = tmp_path / "journal"
        ask_engine(journal, {"do": "halt", "by": "ann", "reason": "news"})
        assert door.send("BUY").reason.startswith("halted: workspace main is halted (OPERATOR: news)")
        assert door.send("EXIT").status == "FILLED"
        ask_engine(journal, {"do": "resume", "by": "ann"})
        assert door.send("BUY").status == "FILLED"
    assert ask_engine(journal, {"do": "status"}) is None


# -- closing ----------------------------------------------------------------------------------------------------


def test_door_that_is_closed_rejects_and_may_be_closed_again() -> None:
    with Signals() as door:
        door.engine.close()
        result = door.send("BUY")
        assert (result.status, result.order_id) == ("REJECTED", "")
        door.engine.close()


def test_door_closed_by_another_thread_is_closed_when_that_returns(tmp_path: Path) -> None:
    door = Signals(folder=tmp_path)
    thread = threading.Thread(target=door.engine.close)
    thread.start()
    thread.join()
    with Signals(folder=tmp_path):
        pass


def test_door_that_is_forgotten_lets_go_of_its_journal(tmp_path: Path) -> None:
    door = Signals(folder=tmp_path)
    door.send("BUY")
    with pytest.raises(JournalLocked):
        Signals(folder=tmp_path)
    gone = weakref.ref(door.engine)
    del door
    gc.collect()
    assert gone() is None
    with Signals(folder=tmp_path) as door:
        assert door.position().quantity == 1


PROGRAM = """
from datetime import UTC, datetime
from surefill.intake.signals import ExecutionContext, ExecutionEngineV3
engine = ExecutionEngineV3({}, broker_feed={"X": 100.0})
context = ExecutionContext("X", "X", "MIS", "s", "paper", datetime.now(UTC), "5m")
engine.process_signal("X", "BUY", context)
engine.update_positions({"X": 101.0})
"""


def test_program_that_ends_without_closing_leaves_everything_in_order(tmp_path: Path) -> None:
    """Only a configuration is needed, and the document's caller never closes anything."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len((tmp_path / "artifacts/orders.csv").read_text().splitlines()) == 2
    assert '"quantity": 1' in (tmp_path / "artifacts/checkpoints/paper_state_latest.json").read_text()
    assert (tmp_path / "surefill.journal").exists()


def test_files_of_another_workspace_keep_a_door_shut_and_its_journal_free(tmp_path: Path) -> None:
    with Signals(folder=tmp_path) as door:
        door.send("BUY")
    with pytest.raises(ConfigError, match="holds the files of workspace 'main', not of 'other'"):
        Signals(folder=tmp_path, workspace={"id": "other"})
    with Signals(folder=tmp_path):
        pass


def test_door_called_from_the_engines_own_loop_refuses() -> None:
    with Signals() as door:
        engine = door.engine

        async def inside() -> None:
            engine.positions()

        with pytest.raises(LocalError, match="would wait for itself"):
            engine._door.session.engine.run(inside())
