"""Real tampering with a real file, and what the verifier says about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

from surefill.errors import InputError
from surefill.journal import (
    Anchor,
    Batch,
    KeyClaim,
    MemoryJournal,
    Record,
    SqliteJournal,
    StreamVerification,
    Verification,
    anchor,
    genesis,
    verify,
)
from surefill.journal.chain import link

EVENTS = 30
ANCHORED = 20


def claims_of(record: Record) -> list[KeyClaim]:
    """In these tests every third event claims a key."""
    if record.seq % 3 or record.workspace_id != "main":
        return []
    return [KeyClaim("paper", f"key-{record.seq}", b"digest", record.seq, "c")]


class Case(NamedTuple):
    journal: Path
    anchor: Anchor


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Two streams of thirty events in two epochs, interleaved; an anchor made after twenty."""
    journal = SqliteJournal(tmp_path / "journal.db")
    made = None
    for spell in range(3):
        main, other = journal.open_stream("main"), journal.open_stream("other")
        for n in range(1 + spell * 10, 11 + spell * 10):
            record = Record(0, "main", n, 0, b"", b"")
            batches = [Batch(main, [b"main %d" % n], claims_of(record)), Batch(other, [b"other %d" % n])]
            assert journal.append(batches) == [None, None]
        if spell == 1:
            made = anchor(journal, ts_ns=1_700_000_000_000_000_000)
    journal.close()
    assert made is not None
    return Case(tmp_path / "journal.db", made)


def tamper(path: Path, *statements: str, rehash_from: int | None = None) -> None:
    """Change the file as somebody would who may write it: guards off, change, guards back on."""
    conn = apsw.Connection(str(path))
    guards = conn.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        conn.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        conn.execute(statement)
    if rehash_from is not None:
        rehash(conn, rehash_from)
    for _, sql in guards:
        conn.execute(str(sql))
    conn.close()


def rehash(conn: apsw.Connection, from_seq: int) -> None:
    """Make the chain of the main stream fit again from an event on: what a determined forger does."""
    head = genesis("main")
    rows = conn.execute("SELECT seq, epoch, payload, chain_hash FROM events WHERE stream = 1 ORDER BY seq").fetchall()
    for seq, epoch, payload, chain_hash in rows:
        assert isinstance(seq, int)
        assert isinstance(epoch, int)
        assert isinstance(payload, bytes)
        head = chain_hash if seq < from_seq else link(head, seq, epoch, payload)  # type: ignore[assignment]
        conn.execute("UPDATE events SET chain_hash = ? WHERE stream = 1 AND seq = ?", (head, seq))
    conn.execute("UPDATE streams SET next_seq = ?, head_hash = ? WHERE stream = 1", (len(rows) + 1, head))


def verdict(case: Case, *, anchored: bool = False) -> tuple[Verification, StreamVerification]:
    journal = SqliteJournal(case.journal)
    found = verify(journal, [case.anchor] if anchored else [])
    journal.close()
    return found, next(stream for stream in found.streams if stream.workspace_id == "main")


def test_verify_of_an_untouched_journal_says_what_is_proved(case: Case) -> None:
    found, main = verdict(case, anchored=True)
    assert found.ok
    assert found.events == 2 * EVENTS
    assert (main.events, main.first_seq, main.last_seq, main.epoch, main.keys) == (EVENTS, 1, EVENTS, 3, EVENTS // 3)
    assert (main.anchored_seq, main.unanchored, main.first_bad_seq) == (ANCHORED, EVENTS - ANCHORED, None)
    text = found.text()
    for words in (
        "workspace main: events 1 to 30 (30), epoch 3, 10 keys",
        "proved: no event was edited, deleted, inserted or reordered between the first and the last",
        "proved: events up to 20 are those that an anchor saw",
        "not anchored: the last 10 events",
        "that none is missing was not checked",
        "the journal verifies",
    ):
        assert words in text


def test_verify_of_a_journal_untouched_but_for_the_guards_dance_finds_nothing(case: Case) -> None:
    """The control for all that follows: taking the guards off and on again is not what is found."""
    tamper(case.journal, "SELECT 1")
    assert verdict(case, anchored=True)[0].ok


CAUGHT_BY_THE_CHAIN: list[tuple[str, list[str], int, str]] = [
    ("edit", ["UPDATE events SET payload = 'x' WHERE stream = 1 AND seq = 7"], 7, "its hash is not that"),
    ("edit of the first", ["UPDATE events SET payload = x'00' WHERE stream = 1 AND seq = 1"], 1, "its hash is not"),
    ("edit of the last", ["UPDATE events SET payload = x'00' WHERE stream = 1 AND seq = 30"], 30, "its hash is not"),
    ("edit of a hash", ["UPDATE events SET chain_hash = zeroblob(32) WHERE stream = 1 AND seq = 7"], 7, "its hash"),
    ("edit of an epoch", ["UPDATE events SET epoch = 2 WHERE stream = 1 AND seq = 7"], 7, "its hash is not that"),
    ("delete", ["DELETE FROM events WHERE stream = 1 AND seq = 7"], 7, "event 7 is missing"),
    ("delete of several", ["DELETE FROM events WHERE stream = 1 AND seq BETWEEN 7 AND 9"], 7, "events 7 to 9 are miss"),
    ("delete of the first", ["DELETE FROM events WHERE stream = 1 AND seq = 1"], 1, "event 1 is missing"),
    ("cut off", ["DELETE FROM events WHERE stream = 1 AND seq > 28"], 29, "the end was cut off: the head says 30"),
    ("all gone", ["DELETE FROM events WHERE stream = 1"], 1, "the end was cut off: the head says 30"),
    (
        "delete and close the gap",
        [
            "DELETE FROM events WHERE stream = 1 AND seq = 7",
            "UPDATE events SET seq = -(seq - 1) WHERE stream = 1 AND seq > 7",
            "UPDATE events SET seq = -seq WHERE stream = 1 AND seq < 0",
            "UPDATE streams SET next_seq = 30 WHERE stream = 1",
        ],
        7,
        "its hash is not that",
    ),
    (
        "insert",
        [
            "UPDATE events SET seq = -(seq + 1) WHERE stream = 1 AND seq >= 7",
            "UPDATE events SET seq = -seq WHERE stream = 1 AND seq < 0",
            "INSERT INTO events (stream, seq, epoch, chain_hash, payload) VALUES (1, 7, 1, zeroblob(32), x'00')",
            "UPDATE streams SET next_seq = 32 WHERE stream = 1",
        ],
        7,
        "its hash is not that",
    ),
    (
        "insert at the end",
        ["INSERT INTO events (stream, seq, epoch, chain_hash, payload) VALUES (1, 31, 3, zeroblob(32), x'00')"],
        31,
        "stand beyond the stream's head",
    ),
    (
        "reorder",
        [
            "UPDATE events SET seq = -7 WHERE stream = 1 AND seq = 8",
            "UPDATE events SET seq = 8 WHERE stream = 1 AND seq = 7",
            "UPDATE events SET seq = 7 WHERE stream = 1 AND seq = -7",
        ],
        7,
        "its hash is not that",
    ),
    ("another head", ["UPDATE streams SET head_hash = zeroblob(32) WHERE stream = 1"], 30, "that of the stream's head"),
    ("a lower epoch", ["UPDATE streams SET epoch = 1 WHERE stream = 1"], 30, "its epoch 3 is above the stream's 1"),
    ("a key to nowhere", ["UPDATE keys SET seq = 99 WHERE key = 'key-6'"], 99, "'key-6' of mode 'paper' points at"),
]


@pytest.mark.parametrize(
    ("statements", "first_bad_seq", "words"),
    [case[1:] for case in CAUGHT_BY_THE_CHAIN],
    ids=[case[0] for case in CAUGHT_BY_THE_CHAIN],
)
def test_verify_without_an_anchor_finds_the_first_bad_event(
    case: Case, statements: list[str], first_bad_seq: int, words: str
) -> None:
    tamper(case.journal, *[statement.replace("'x'", "x'78'") for statement in statements])
    found, main = verdict(case)
    assert not found.ok
    assert main.first_bad_seq == first_bad_seq
    assert any(words in fault for fault in main.faults), main.faults
    assert "WRONG" in found.text()
    assert "THE JOURNAL DOES NOT VERIFY" in found.text()
    other = next(stream for stream in found.streams if stream.workspace_id == "other")
    assert other.ok, "the neighbour is not accused"


FORGERIES: list[tuple[str, list[str], int, int, str]] = [
    ("edit below", ["UPDATE events SET payload = x'00' WHERE stream = 1 AND seq = 7"], 7, 20, "was written anew"),
    ("cut off below", ["DELETE FROM events WHERE stream = 1 AND seq > 18"], 18, 19, "saw more than the 18 events"),
    ("all gone", ["DELETE FROM events WHERE stream = 1"], 1, 1, "saw more than the 0 events left"),
    (
        "stream gone",
        [
            "DELETE FROM events WHERE stream = 1",
            "DELETE FROM keys WHERE stream = 1",
            "DELETE FROM streams WHERE stream = 1",
        ],
        1,
        1,
        "the whole stream is gone",
    ),
    (
        "epoch turned back",
        ["UPDATE events SET epoch = 1 WHERE stream = 1", "UPDATE streams SET epoch = 1 WHERE stream = 1"],
        1,
        20,
        "was written anew",
    ),
]


@pytest.mark.parametrize(
    ("statements", "rehash_from", "first_bad_seq", "words"),
    [case[1:] for case in FORGERIES],
    ids=[case[0] for case in FORGERIES],
)
def test_verify_with_an_anchor_finds_what_was_forged_below_it(
    case: Case, statements: list[str], rehash_from: int, first_bad_seq: int, words: str
) -> None:
    tamper(case.journal, *statements, "DELETE FROM keys", rehash_from=rehash_from)
    found, main = verdict(case, anchored=True)
    assert not found.ok
    assert main.first_bad_seq == first_bad_seq
    assert any(words in fault for fault in main.faults), main.faults


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events WHERE stream = 1 AND seq > 25",
        "UPDATE events SET payload = x'00' WHERE stream = 1 AND seq = 25",
    ],
)
def test_verify_of_a_perfect_forgery_above_the_anchor_says_that_it_could_not_see_it(case: Case, statement: str) -> None:
    """What nobody can prove must not be claimed: the streams pass, and the window is named."""
    tamper(case.journal, statement, "DELETE FROM keys WHERE seq > 25", rehash_from=25)
    found, main = verdict(case, anchored=True)
    assert main.ok
    assert main.anchored_seq == ANCHORED
    assert main.unanchored > 0
    assert f"not anchored: the last {main.unanchored} events" in found.text()


def test_verify_finds_events_taken_from_the_common_order(case: Case) -> None:
    tamper(case.journal, "DELETE FROM events WHERE stream = 1 AND seq > 25", rehash_from=25)
    found, _ = verdict(case)
    assert any("55 events, but the last position is 60" in fault for fault in found.storage_faults)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TRIGGER events_update", "events_update is missing"),
        ("DROP TRIGGER streams_move; CREATE TRIGGER streams_move BEFORE UPDATE ON streams BEGIN SELECT 1; END",
         "streams_move was changed"),
        ("CREATE TABLE mine (x)", "mine does not belong here"),
        ("INSERT INTO events (position, stream, seq, epoch, chain_hash, payload) VALUES (61, 9, 1, 1, x'00', x'00')",
         "events: rows of stream 9, which does not exist"),
    ],
)  # fmt: skip
def test_self_check_finds_missing_guards_and_stray_rows(case: Case, statement: str, words: str) -> None:
    conn = apsw.Connection(str(case.journal))
    conn.execute(statement)
    conn.close()
    found, main = verdict(case)
    assert not found.ok
    assert main.ok
    assert any(words in fault for fault in found.storage_faults), found.storage_faults
    assert f"storage: {found.storage_faults[0]}" in found.text()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM keys WHERE key = 'key-6'", "'key-6' of mode 'paper', claimed by event 6, is missing"),
        ("UPDATE keys SET digest = x'00' WHERE key = 'key-6'", "'key-6' of mode 'paper' is not what event 6 claims"),
        ("UPDATE keys SET seq = 7 WHERE key = 'key-6'", "is not what event 7 claims"),
        ("UPDATE keys SET key = 'k' WHERE key = 'key-6'", "'k' of mode 'paper' is not what event 6 claims"),
    ],
)
def test_verify_that_rebuilds_the_keys_finds_what_differs(case: Case, statement: str, words: str) -> None:
    with_keys = SqliteJournal(case.journal)
    assert verify(with_keys, claims_of=claims_of).ok
    with_keys.close()
    tamper(case.journal, statement)
    journal = SqliteJournal(case.journal)
    assert verify(journal).ok, "only rebuilding sees it"
    found = verify(journal, claims_of=claims_of)
    assert any(words in fault for fault in found.streams[0].faults), found.streams[0].faults


def test_verify_of_a_journal_full_of_faults_lists_some_and_counts_the_rest(case: Case) -> None:
    tamper(case.journal, "UPDATE events SET payload = x'00' WHERE stream = 1")
    _, main = verdict(case)
    assert len(main.faults) == 21
    assert main.faults[-1] == "and 10 more"


def test_verify_while_the_writer_goes_on_finds_nothing_wrong(case: Case) -> None:
    """A journal whose heads move between the verifier's looks is not a journal that was tampered with."""
    journal = SqliteJournal(case.journal)
    lease = journal.open_stream("main")
    original = journal.read

    def read_and_append(workspace_id: str, from_seq: int = 1, to_seq: int | None = None) -> object:
        keys = [KeyClaim("paper", f"late-{lease.next_seq}", b"", lease.next_seq, "c")]
        assert journal.append([Batch(lease, [b"late"], keys)]) == [None]
        records = list(original(workspace_id, from_seq, to_seq))
        keys = [KeyClaim("paper", f"late-{lease.next_seq}", b"", lease.next_seq, "c")]
        assert journal.append([Batch(lease, [b"later"], keys)]) == [None]
        return iter(records)

    journal.read = read_and_append  # type: ignore[method-assign, assignment]
    found = verify(journal, [case.anchor])
    assert found.ok, found.text()


def test_anchor_survives_its_text_form(case: Case) -> None:
    text = case.anchor.to_json()
    assert "\n" not in text
    assert text.startswith('{"format":"surefill-anchor-1","heads":{"main":{"seq":20,')
    assert Anchor.from_json(text) == case.anchor


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format":"surefill-anchor-2","heads":{}}', '{"heads":{"a":1}}'])
def test_anchor_from_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not an anchor"):
        Anchor.from_json(text)


def test_verify_with_the_anchor_of_another_journal_says_so() -> None:
    here, there = MemoryJournal(), MemoryJournal()
    for journal, payload in ((here, b"here"), (there, b"there")):
        assert journal.append([Batch(journal.open_stream("main"), [payload])]) == [None]
    there.open_stream("only there")
    found = verify(here, [anchor(there)])
    assert {stream.workspace_id: stream.ok for stream in found.streams} == {"main": False, "only there": False}
