"""The engine for synchronous callers: blocking calls from any thread but its own."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.engine.workspaces import instrument, intent, opening

from surefill.domain.market import Quote
from surefill.engine.clock import LiveClock
from surefill.engine.receipt import Verdict
from surefill.engine.thread import EngineThread
from surefill.errors import LocalError, WorkspaceHalted
from surefill.journal import MemoryJournal
from surefill.venues.paper import PaperVenue


def _opened() -> EngineThread:
    thread = EngineThread(MemoryJournal(), LiveClock())
    thread.open(opening(), PaperVenue(), [instrument()])
    thread.feed("w", Quote("X", thread.clock.now_ns(), 100))
    return thread


def test_callers_in_many_threads_with_one_key_execute_once() -> None:
    thread = _opened()
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda n: thread.submit("w", intent("k", correlation_id=f"c{n}")), range(64)))
    assert Counter(receipt.verdict for receipt in receipts) == {Verdict.ACCEPTED: 1, Verdict.DUPLICATE: 63}
    assert thread.read("w", lambda state: state.book.positions["X"].qty) == 10
    thread.close()


def test_market_data_is_told_without_waiting() -> None:
    thread = _opened()
    thread.tell("w", Quote("X", thread.clock.now_ns(), 123))
    assert thread.submit("w", intent("k")).cum_notional == 1230
    thread.close()


def test_blocking_call_from_the_engines_own_loop_is_refused_and_not_run() -> None:
    thread = _opened()

    async def inside() -> str:
        with pytest.raises(LocalError, match="await it"):
            thread.submit("w", intent("k"))
        return "went on"

    assert thread.run(inside()) == "went on"
    assert thread.read("w", lambda state: state.book.positions) == {}
    thread.close()


def test_blocking_call_from_a_subscriber_is_refused() -> None:
    thread = _opened()
    refused: list[BaseException] = []

    def subscriber(first: int, events: object) -> None:
        try:
            thread.read("w", lambda state: None)
        except LocalError as error:
            refused.append(error)

    thread.engine.desks["w"].writer.subscribers.append(subscriber)
    thread.submit("w", intent("k"))
    assert len(refused) == 1
    thread.close()


def test_error_of_the_engine_reaches_the_caller() -> None:
    thread = _opened()
    with pytest.raises(LocalError, match="no workspace"):
        thread.submit("elsewhere", intent("k"))
    thread.close()


def test_call_after_the_end_is_refused_and_the_end_may_come_twice() -> None:
    thread = _opened()
    thread.close()
    thread.close()
    with pytest.raises(WorkspaceHalted) as refused:
        thread.submit("w", intent("k"))
    assert refused.value.code == "STOPPED"


def test_thread_looks_for_other_writers_by_itself() -> None:
    journal = MemoryJournal()
    thread = EngineThread(journal, LiveClock(), watch_s=0.001)
    thread.open(opening(), PaperVenue(), [instrument()])
    fenced = threading.Event()
    thread.engine.alarms.append(lambda _workspace_id, notice: fenced.set() if notice.code == "FENCED" else None)
    journal.open_stream("w")
    assert fenced.wait(30)
    thread.close()
