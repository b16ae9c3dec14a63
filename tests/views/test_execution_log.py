"""The execution log: the contract's table, made from the journal alone, and refused to everybody else."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from tests.intake.rpm_driving import SYMBOL, Rpm, decision, halted, turned_down

from surefill.domain import codec
from surefill.domain.inputs import ResetWorkspace
from surefill.intake.rpm import ExecutionStatus
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Journal
from surefill.views.execution_keeper import FILE, ExecutionKeeper
from surefill.views.execution_log import ExecutionLogFold
from surefill.views.execution_rows import COLUMNS, time_text
from surefill.views.execution_table import ExecutionTable

DOCUMENT_COLUMNS = [
    "execution_id", "order_id", "request_id", "rpm_decision_id", "symbol", "direction", "intended_units",
    "executed_units", "intended_price", "fill_price", "slippage_pips", "status", "rejection_reason",
    "rejection_details", "confidence_score", "regime", "risk_per_trade", "model_version", "rpm_version",
    "execution_engine_version", "created_timestamp", "submission_timestamp", "fill_timestamp",
    "last_update_timestamp",
]  # fmt: skip


def made_from(journal: Journal, folder: Path | None = None) -> bytes:
    """The content of a table made from scratch."""
    keeper = ExecutionKeeper(folder, journal, "main")
    keeper.catch_up()
    content = keeper.table.content()
    keeper.close()
    return content


def kept_in(folder: Path) -> bytes:
    """The content of the table as it was left."""
    table = ExecutionTable(str(folder / FILE))
    content = table.content()
    table.close()
    return content


def opened(folder: Path) -> sqlite3.Connection:
    """The file, as anybody else opens it."""
    return sqlite3.connect(folder / FILE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log in it: one execution filled, one refused, one under way."""
    with Rpm(folder=tmp_path) as door:
        door.send(decision("filled"))
        door.send(halted("refused"))
        door.send(turned_down("turned down"))
    return tmp_path


# -- the table ----------------------------------------------------------------------------------------------------


def test_execution_logs_have_the_documents_24_columns_in_its_order(folder: Path) -> None:
    assert list(COLUMNS) == DOCUMENT_COLUMNS
    assert len(DOCUMENT_COLUMNS) == 24
    with opened(folder) as conn:
        cursor = conn.execute("SELECT * FROM execution_logs")
        assert [column[0] for column in cursor.description] == DOCUMENT_COLUMNS


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("idx_symbol_date", ["symbol", "created_timestamp"]),
        ("idx_status", ["status"]),
        ("idx_order_id", ["order_id"]),
        ("idx_request_id", ["request_id"]),
    ],
)
def test_execution_logs_have_the_documents_indexes(folder: Path, name: str, columns: list[str]) -> None:
    with opened(folder) as conn:
        assert [row[2] for row in conn.execute(f"PRAGMA index_info({name})")] == columns


def test_execution_logs_of_the_repairs_take_a_missing_order_id_a_long_symbol_and_slippage_with_its_digits(
    tmp_path: Path,
) -> None:
    symbol = "NIFTY24DECFUT"
    with Rpm(folder=tmp_path, instruments={symbol: {"pip": 3, "price_decimals": 0, "lot": 1}}) as door:
        door.market.quote = {"bid": 19_500, "ask": 19_501}
        door.send(decision("filled", symbol=symbol, position_units=1))
        door.send(halted())
    with opened(tmp_path) as conn:
        rows = conn.execute("SELECT symbol, order_id, slippage_pips FROM execution_logs ORDER BY 3").fetchall()
    assert rows[0] == (SYMBOL, None, None)
    assert (rows[1][0], rows[1][2]) == (symbol, pytest.approx(0.5 / 3, rel=1e-15))


STATEMENTS = [
    ("UPDATE execution_log_versions SET status = 'FILLED'", "never changed"),
    ("DELETE FROM execution_log_versions", "nothing is deleted"),
    ("INSERT INTO execution_log_versions SELECT * FROM execution_log_versions", "surefill_projector"),
    ("INSERT OR REPLACE INTO execution_log_versions SELECT * FROM execution_log_versions", "surefill_projector"),
    ("UPDATE execution_logs SET status = 'FILLED'", "view"),
    ("DELETE FROM execution_logs", "view"),
    ("INSERT INTO execution_logs (execution_id) VALUES ('x')", "view"),
]


@pytest.mark.parametrize(("statement", "told"), STATEMENTS)
def test_execution_logs_refuse_updates_deletes_and_foreign_rows(folder: Path, statement: str, told: str) -> None:
    before = kept_in(folder)
    with opened(folder) as conn, pytest.raises(sqlite3.Error, match=told):
        conn.execute(statement)
    assert kept_in(folder) == before


def test_execution_logs_refuse_even_the_projector_a_row_out_of_order(folder: Path) -> None:
    table = ExecutionTable(str(folder / FILE))
    with pytest.raises(apsw.ConstraintError, match="in order"):
        table._conn.execute(
            "INSERT OR REPLACE INTO execution_log_versions SELECT * FROM execution_log_versions WHERE version = 1"
        )
    table.close()


def test_execution_logs_show_the_newest_version_of_each_execution(folder: Path) -> None:
    with opened(folder) as conn:
        versions = conn.execute("SELECT status FROM execution_log_versions ORDER BY version").fetchall()
        newest = conn.execute(
            "SELECT rpm_decision_id, status FROM execution_logs ORDER BY created_timestamp"
        ).fetchall()
    assert [status for (status,) in versions] == ["PENDING", "SUBMITTED", "FILLED", "REJECTED", "REJECTED"]
    assert newest == [("filled", "FILLED"), ("refused", "REJECTED"), ("turned down", "REJECTED")]


def test_times_in_the_log_sort_as_text_as_they_do_as_time() -> None:
    moments = [10**18 + n for n in (0, 1_000, 1_000_000, 999_999_000, 10**9)]
    texts = [time_text(ns) for ns in moments]
    assert texts == sorted(map(str, texts))
    assert len(set(map(len, map(str, texts)))) == 1
    assert time_text(0) is None


# -- made from the journal --------------------------------------------------------------------------------------


def at_random(door: Rpm, chance: random.Random, steps: int) -> None:
    """All kinds of decisions, prices, cancels and resets."""
    engine = door.engine
    for number in range(steps):
        door.tick(chance.choice([1, 5, 30]))
        px = round(1.09 + chance.randint(0, 200) / 10_000, 5)
        spread = chance.choice([0.0001, 0.0001, 0.0008])
        door.market.quote = {"bid": px, "ask": round(px + spread, 5), "ask_size": 50_000, "bid_size": 70_000}
        match chance.choices(["send", "quote", "cancel", "reset", "halted"], [60, 30, 10, 2, 5])[0]:
            case "send":
                units = chance.choice([10_000, 40_000, 70_000, 70_500, 900_000])
                terms: dict[str, Any] = {"direction": chance.choice([1, -1]), "position_units": units}
                door.send(decision(f"d{number}", **terms), timeout_seconds=20)
            case "quote":
                engine.on_quote(SYMBOL, **door.market.quote)
            case "cancel":
                for log in engine.history(limit=3):
                    engine.cancel(log.execution_id)
            case "halted":
                door.send(halted(f"h{number}"))
            case "reset":
                engine._door.feed([ResetWorkspace(door.clock.now_ns(), 10**13, "somebody")])


SETTINGS: dict[str, Any] = {
    "execution": {"partial_fills": True, "latency_ms": 3_000},
    "risk": {"partial_fill": "retry"},
}


@pytest.mark.parametrize("seed", range(8))
def test_execution_log_followed_live_has_the_bytes_of_one_made_from_the_journal(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    with Rpm(folder=tmp_path, **SETTINGS) as door:
        at_random(door, chance, 60)
        journal = door.journal
    with Rpm(folder=tmp_path, journal=journal, **SETTINGS) as door:  # goes on where it was left
        door.clock.advance_to(max(event.ts_ns for event in door.events()))  # type: ignore[attr-defined]
        at_random(door, chance, 20)
    live = kept_in(tmp_path)
    assert live == made_from(journal)
    (tmp_path / FILE).unlink()
    assert made_from(journal, tmp_path) == live
    statuses = {row[status_at()] for row in msgspec.json.decode(live)}
    assert {"PENDING", "SUBMITTED", "FILLED", "REJECTED"} <= statuses


def status_at() -> int:
    return 2 + COLUMNS.index("status")


def test_execution_log_fold_at_rest_goes_on_as_if_it_had_not_rested() -> None:
    with Rpm(**SETTINGS) as door:
        at_random(door, random.Random(5), 60)
        events = [codec.decode(record.payload) for record in door.journal.read("main")]
    whole, rested = ExecutionLogFold(), ExecutionLogFold()
    for event in events:
        restored = ExecutionLogFold.restore(rested.save())
        assert restored is not None
        rested = restored
        assert rested.apply(event) == whole.apply(event)
    assert ExecutionLogFold.restore(b"{}") is None
    assert ExecutionLogFold.restore(rested.save().replace(b'"version":1', b'"version":0', 1)) is None


def _other_journal(_folder: Path) -> None:
    """Nothing: the journal is another one."""


def _no_guard(folder: Path) -> None:
    with opened(folder) as conn:
        conn.execute("DROP TRIGGER execution_log_delete")
        conn.execute("DELETE FROM execution_log_versions")


def _garbage(folder: Path) -> None:
    (folder / FILE).write_bytes(b"not a database at all" * 100)


def _foreign(folder: Path) -> None:
    (folder / FILE).unlink()
    with sqlite3.connect(folder / FILE) as conn:
        conn.execute("CREATE TABLE somebody_elses (x)")


def _ahead(folder: Path) -> None:
    with opened(folder) as conn:
        conn.execute("UPDATE execution_log_progress SET seq = seq + 100")


def _another_event(folder: Path) -> None:
    with opened(folder) as conn:
        conn.execute("UPDATE execution_log_progress SET event_sha256 = 'x'")


@pytest.mark.parametrize("harm", [_other_journal, _no_guard, _garbage, _foreign, _ahead, _another_event])
def test_execution_log_that_is_not_the_journals_is_set_aside_and_made_anew(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    journal = MemoryJournal()
    with Rpm(journal=journal) as door:
        door.send(decision("another"))
    harm(folder)
    with Rpm(folder=folder, journal=journal) as door:
        assert [log.rpm_decision_id for log in door.engine.history()] == ["another"]
    assert kept_in(folder) == made_from(journal)
    assert (folder / f"{FILE}.set-aside").exists()


@pytest.mark.parametrize("harm", [_ahead, _another_event])
def test_execution_log_whose_progress_is_not_the_journals_is_made_anew(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    with Rpm(folder=tmp_path) as door:
        door.send(decision("one"))
        journal = door.journal
    harm(tmp_path)
    with Rpm(folder=tmp_path, journal=journal):
        pass
    assert kept_in(tmp_path) == made_from(journal)
    assert (tmp_path / f"{FILE}.set-aside").exists()


def test_execution_log_without_a_saved_fold_goes_on_all_the_same(tmp_path: Path) -> None:
    with Rpm(folder=tmp_path) as door:
        door.send(decision("one"))
        journal = door.journal
    with opened(tmp_path) as conn:
        conn.execute("DELETE FROM execution_log_fold")
    with Rpm(folder=tmp_path, journal=journal) as door:
        door.send(decision("two"))
    assert kept_in(tmp_path) == made_from(journal)
    assert not (tmp_path / f"{FILE}.set-aside").exists()


def test_execution_log_that_cannot_be_written_alerts_and_does_not_disturb_the_trading(tmp_path: Path) -> None:
    with Rpm(folder=tmp_path) as door:
        door.send(decision("one"))
        door.engine._monitor.table._conn.execute("DROP TABLE execution_log_versions")
        confirmation = door.send(decision("two"))
        assert confirmation.status is ExecutionStatus.FILLED
        assert door.hears("DATABASE_ERROR")
        health = door.engine.health()
        assert (health.status, len(health.problems)) == ("degraded", 1)
        journal = door.journal
    with Rpm(folder=tmp_path, journal=journal) as door:
        assert len(door.engine.history()) == 2
    assert kept_in(tmp_path) == made_from(journal)


def test_execution_swept_away_by_a_reset_is_cancelled() -> None:
    with Rpm(execution={"latency_ms": 60_000}) as door:
        confirmation = door.send()
        door.engine._door.feed([ResetWorkspace(door.clock.now_ns(), 10**13, "somebody")])
        log = door.engine.execution(confirmation.execution_id)
    assert log is not None
    assert (log.status, log.rejection_details) == (ExecutionStatus.CANCELLED, "the workspace was reset")


def test_execution_log_left_behind_by_a_crash_catches_up(folder: Path) -> None:
    journal = MemoryJournal()
    with Rpm(folder=folder / "own", journal=journal) as door:
        door.send(decision("one"))
    with Rpm(journal=journal) as door:  # nobody keeps the file
        door.send(decision("two"))
    with Rpm(folder=folder / "own", journal=journal) as door:
        assert [log.rpm_decision_id for log in door.engine.history()] == ["two", "one"]
    assert kept_in(folder / "own") == made_from(journal)
    assert not (folder / "own" / f"{FILE}.set-aside").exists()
