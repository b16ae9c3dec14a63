"""What the database itself refuses, whoever asks: tried past our own code, on a bare connection."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from surefill.errors import JournalCorrupt
from surefill.journal import Batch, KeyClaim, SqliteJournal, genesis, sqlite_schema, verify
from surefill.journal.chain import link_rows
from surefill.journal.sqlite_append import INSERT_EVENT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """One stream of three events and a key."""
    journal = SqliteJournal(tmp_path / "journal.db")
    lease = journal.open_stream("main")
    assert journal.append([Batch(lease, [b"1", b"2", b"3"], [KeyClaim("paper", "k", b"d", 1, "c")])]) == [None]
    journal.close()
    return tmp_path / "journal.db"


NEVER = [
    ("UPDATE events SET payload = x'00' WHERE seq = 2", "events are never changed"),
    ("UPDATE events SET position = 9 WHERE seq = 3", "events are never changed"),
    ("DELETE FROM events WHERE seq = 3", "events are never deleted"),
    ("DELETE FROM events", "events are never deleted"),
    (
        "REPLACE INTO events SELECT position, stream, seq, 9, chain_hash, payload FROM events",
        "events are never deleted",
    ),
    ("INSERT INTO events SELECT position + 9, stream, seq, epoch, chain_hash, payload FROM events", "UNIQUE"),
    ("UPDATE keys SET digest = x'00'", "keys are never changed"),
    ("DELETE FROM keys", "keys are never deleted"),
    ("REPLACE INTO keys SELECT stream, mode, key, x'00', seq, correlation_id FROM keys", "keys are never deleted"),
    ("INSERT INTO keys SELECT stream, mode, key, x'00', seq, correlation_id FROM keys", "UNIQUE"),
    ("DELETE FROM streams", "streams are never deleted"),
    ("UPDATE streams SET epoch = 0", "moves only forward"),
    ("UPDATE streams SET workspace_id = 'x'", "moves only forward"),
    ("UPDATE streams SET next_seq = 3", "moves only forward"),
    ("UPDATE streams SET next_seq = 5", "moves only forward"),
    ("UPDATE streams SET head_hash = zeroblob(32)", "moves only forward"),
    ("INSERT INTO streams VALUES (2, 'main', 1, 1, zeroblob(32))", "UNIQUE"),
    ("INSERT INTO streams VALUES (2, 'x', 1, 1, x'00')", "CHECK"),
    ("INSERT INTO events VALUES (9, 1, 4, 1, 'text', x'00')", "cannot store TEXT value in BLOB"),
]


@pytest.mark.parametrize(("statement", "words"), NEVER)
def test_statement_against_the_rules_is_refused_by_the_database(path: Path, statement: str, words: str) -> None:
    conn = sqlite_schema.open_writer(str(path), None, "FULL")
    with pytest.raises(apsw.ConstraintError, match=words):
        conn.execute(statement)
    conn.close()
    assert verify(SqliteJournal(path)).ok


@pytest.mark.parametrize(
    ("seqs", "next_seq", "fine"),
    [
        ([4], 5, True),
        ([4, 5, 6], 7, True),
        ([5], 6, False),
        ([4, 6], 7, False),
        ([4, 6], 6, False),
        ([4, 5], 5, False),
        ([], 5, False),
        ([4], 4, False),
    ],
)
def test_stream_head_moves_only_over_events_without_a_gap(
    path: Path, seqs: list[int], next_seq: int, fine: bool
) -> None:
    conn = apsw.Connection(str(path))
    rows = link_rows(1, 1, 4, genesis("main"), [b"x"] * 3)
    for seq in seqs:
        conn.execute(INSERT_EVENT, (1, seq, 1, rows[seq - 4][3], b"x"))
    head = rows[next_seq - 5][3] if 5 <= next_seq <= 7 else b"\0" * 32
    move = "UPDATE streams SET next_seq = ?, head_hash = ?"
    if fine:
        conn.execute(move, (next_seq, head))
    else:
        with pytest.raises(apsw.ConstraintError, match="moves only forward"):
            conn.execute(move, (next_seq, head))


def smuggle(path: Path) -> None:
    conn = apsw.Connection(str(path))
    conn.execute(INSERT_EVENT, (1, 4, 1, b"\0" * 32, b"smuggled"))
    conn.close()


def test_open_stream_over_a_row_that_should_not_be_there_is_refused(path: Path) -> None:
    smuggle(path)
    journal = SqliteJournal(path)
    with pytest.raises(JournalCorrupt, match="surefill journal verify"):
        journal.open_stream("main")
    assert journal.append([Batch(journal.open_stream("other"), [b"1"])]) == [None]


def test_append_over_a_row_that_should_not_be_there_is_refused_alone(path: Path) -> None:
    journal = SqliteJournal(path)
    lease, fine = journal.open_stream("main"), journal.open_stream("other")
    smuggle(path)
    refused, kept = journal.append([Batch(lease, [b"4"]), Batch(fine, [b"1"])])
    assert isinstance(refused, JournalCorrupt)
    assert "surefill journal verify" in refused.message
    assert kept is None
    assert lease.next_seq == 4
