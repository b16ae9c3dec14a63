"""Door 4 when the journal fails, when its process is killed at any moment, and when many call it at once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.intake.rpm_driving import SYMBOL, Rpm, decision

from surefill.domain.events import OrderCreated
from surefill.errors import LocalError
from surefill.intake.rpm import ExecutionConfirmation, ExecutionStatus
from surefill.journal import MemoryJournal, SqliteJournal
from surefill.testing.faulty_journal import FaultyJournal, JournalFault
from surefill.views.execution_keeper import FILE, ExecutionKeeper
from surefill.views.execution_table import ExecutionTable

FAULTS = [
    (JournalFault.LOST, ExecutionStatus.SUBMITTED, False),
    (JournalFault.KEPT, ExecutionStatus.SUBMITTED, True),
]


@pytest.mark.parametrize(("fault", "status", "kept"), FAULTS)
def test_execution_whose_commit_fails_is_submitted_and_told_when_asked_again(
    fault: JournalFault, status: ExecutionStatus, kept: bool
) -> None:
    journal = FaultyJournal(MemoryJournal())
    with Rpm(journal=journal) as door:
        door.engine._door.instrument(SYMBOL)
        journal.plan(fault)
        confirmation = door.send()
        assert journal.fired[fault] == 1
        assert (confirmation.status, confirmation.rejection_reason) == (status, "NETWORK_ERROR")
        assert str(confirmation.rejection_details).startswith("OUTCOME_UNKNOWN")
        assert (confirmation.execution_id, confirmation.intended_units) == ("", 95_000)
        assert door.hears("DATABASE_ERROR")
        again = door.send()
        assert again.status is (ExecutionStatus.FILLED if kept else ExecutionStatus.REJECTED)
        assert kept or again.rejection_reason == "TRADING_HALTED"


def test_engine_that_is_closed_refuses_and_nothing_has_happened() -> None:
    with Rpm() as door:
        door.send()
    confirmation = door.engine.execute(decision("later"))
    assert (confirmation.status, confirmation.execution_id) == (ExecutionStatus.ERROR, "")
    with pytest.raises(LocalError):
        door.engine.positions()


def test_same_decision_from_many_threads_is_executed_once() -> None:
    with Rpm() as door:
        found: list[ExecutionConfirmation] = []
        start = threading.Barrier(16)

        def send() -> None:
            start.wait()
            found.append(door.engine.execute(decision()))

        threads = [threading.Thread(target=send) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {each.execution_id for each in found} == {found[0].execution_id}
        assert {each.status for each in found} == {ExecutionStatus.FILLED}
        assert sum(isinstance(event, OrderCreated) for event in door.events()) == 1


PROGRAM = """
from itertools import count
from tests.intake.rpm_driving import decision
from surefill.intake.rpm import RPMExecutionEngine
quotes = {"EURUSD": {"bid": 1.09495, "ask": 1.09505}}
config = {"instruments": {"EURUSD": {"calendar": "24x7"}}, "journal": {"path": "journal"}}
engine = RPMExecutionEngine(config | {"workspace": {"starting_equity": 100_000_000}}, quotes)
print("ready", flush=True)
for number in count():
    engine.execute(decision(f"d{number}", position_units=1_000))
    print("filled", flush=True)
"""


@pytest.mark.parametrize("after", [1, 20])
def test_engine_whose_process_is_killed_goes_on_with_the_log_that_the_journal_says(tmp_path: Path, after: int) -> None:
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{PROGRAM}"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline()
        time.sleep(random.random() / 100)  # nosec B311: anywhere within the next few decisions
        process.send_signal(signal.SIGKILL)
    journal = SqliteJournal(tmp_path / "journal")
    with Rpm(
        folder=tmp_path / "artifacts",
        journal=journal,
        workspace={"starting_equity": 100_000_000},
        instruments={SYMBOL: {"calendar": "24x7"}},
    ) as door:
        executions = len(door.engine.history(limit=1_000))
        orders = sum(isinstance(event, OrderCreated) for event in door.events())
    table, made = ExecutionTable(str(tmp_path / "artifacts" / FILE)), ExecutionKeeper(None, journal, "main")
    made.catch_up()
    assert table.content() == made.table.content()
    assert executions == orders >= after - 1
    assert not (tmp_path / "artifacts" / f"{FILE}.set-aside").exists()
    table.close()
    made.close()
    journal.close()
