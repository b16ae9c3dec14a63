"""The journal that fails on demand fails as a real one would, and counts it."""

from __future__ import annotations

import pytest

from surefill.errors import AppendFailed, JournalClosed, KeyTaken, StaleWriter
from surefill.journal import Batch, KeyClaim, MemoryJournal
from surefill.testing.faulty_journal import FaultyJournal, JournalFault


@pytest.mark.parametrize(
    ("fault", "durable", "kept"),
    [(JournalFault.REFUSED, "no", 1), (JournalFault.LOST, "unknown", 1), (JournalFault.KEPT, "unknown", 2)],
)
def test_planned_failure_stops_the_journal_until_reopen(fault: JournalFault, durable: str, kept: int) -> None:
    journal = FaultyJournal(MemoryJournal())
    lease = journal.open_stream("main")
    journal.plan(fault, nth=2)
    assert journal.append([Batch(lease, [b"1"])]) == [None]
    with pytest.raises(AppendFailed, match="planned fault") as caught:
        journal.append([Batch(lease, [b"2"])])
    assert caught.value.values["durable"] == durable
    for call in (journal.heads, lambda: journal.append([]), lambda: journal.open_stream("main")):
        with pytest.raises(JournalClosed, match="reopen"):
            call()
    journal.reopen()
    assert journal.heads()["main"].seq == kept
    assert journal.fired == {fault: 1}
    assert journal.append([Batch(journal.open_stream("main"), [b"3"])]) == [None]


def test_planned_takeover_makes_the_writer_stale() -> None:
    journal = FaultyJournal(MemoryJournal())
    lease = journal.open_stream("main")
    journal.plan(JournalFault.STALE)
    (refused,) = journal.append([Batch(lease, [b"1"])])
    assert isinstance(refused, StaleWriter)
    assert journal.heads()["main"][:2] == (0, 2)


def test_planned_race_for_keys_refuses_their_batches_and_shows_the_winner() -> None:
    journal = FaultyJournal(MemoryJournal())
    a, b = journal.open_stream("a"), journal.open_stream("b")
    journal.plan(JournalFault.KEYS_TAKEN)
    claim = KeyClaim("paper", "k", b"digest", 1, "mine")
    results = journal.append([Batch(a, [b"1"], [claim]), Batch(b, [b"1"]), Batch(a, [b"2"])])
    assert [type(result) for result in results] == [KeyTaken, type(None), KeyTaken]
    assert (a.next_seq, b.next_seq) == (1, 2)
    assert journal.find_key("a", "paper", "k") == claim._replace(correlation_id="somebody-else")
    assert isinstance(journal.append([Batch(a, [b"1"], [claim])])[0], KeyTaken)
    assert journal.append([Batch(a, [b"1"])]) == [None]
