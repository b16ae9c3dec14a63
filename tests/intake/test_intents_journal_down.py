"""The journal fails: the answer is 503, memory is as it was, and the same id tells what became of it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from tests.intake.intents_driving import done, paper_broker, trade

from surefill.domain import codec
from surefill.domain.events import OrderFilled
from surefill.errors import JournalCorrupt, JournalError
from surefill.intake.intents import PaperState
from surefill.intake.intents.reconciliation import rebuild_from
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Batch, Record
from surefill.testing.faulty_journal import FaultyJournal, JournalFault


def _ledger(state: PaperState) -> PaperState:
    """The state but for the halt that follows every failure."""
    return msgspec.structs.replace(state, seq=0, halted="")


@pytest.mark.parametrize("fault", [JournalFault.REFUSED, JournalFault.LOST])
def test_journal_down_is_503_and_leaves_memory_unchanged(fault: JournalFault) -> None:
    journal = FaultyJournal(MemoryJournal())
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a", stop_loss=90.0), 100.0))
        before = broker.state("main")
        journal.plan(fault)
        outcome = broker.execute(trade("b"), 100.0)
        assert journal.fired[fault] == 1
        assert (outcome.http_status, outcome.code, outcome.success) == (503, "JOURNAL_DOWN", False)
        assert outcome.status == ("REJECTED" if fault is JournalFault.REFUSED else "UNKNOWN")
        assert (outcome.order_id, outcome.events) == ("", ())
        assert _ledger(broker.state("main")) == _ledger(before)
        assert broker.state("main").halted.startswith("APPEND_FAILED")
        # Entries wait for a person; exits do not.
        assert broker.execute(trade("c"), 100.0).code == "POLICY_REJECTED"
        broker.resume("main", by="ada")
        retried = done(broker.execute(trade("b"), 100.0))
        assert len(retried.events) == 5
        assert broker.reconcile("main").matches


def test_journal_that_kept_what_it_could_not_confirm_answers_the_retry_with_409() -> None:
    journal = FaultyJournal(MemoryJournal())
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
        journal.plan(JournalFault.KEPT)
        outcome = broker.execute(trade("b"), 100.0)
        assert (outcome.http_status, outcome.status) == (503, "UNKNOWN")
        retried = broker.execute(trade("b"), 100.0)
        assert (retried.http_status, retried.code, retried.status) == (409, "ALREADY_EXECUTED", "FILLED")
        assert broker.state("main").positions["BTCUSDT"].quantity == 2.0
        assert broker.reconcile("main").matches


def test_journal_that_kept_a_symbols_definition_unconfirmed_does_not_harm_the_next_intent() -> None:
    journal = FaultyJournal(MemoryJournal())
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
        journal.plan(JournalFault.KEPT)
        assert broker.execute(trade("b", symbol="ETHUSDT"), 10.0).http_status == 503
        broker.resume("main")
        assert len(done(broker.execute(trade("b", symbol="ETHUSDT"), 10.0)).events) == 5


def test_journal_down_while_a_workspace_opens_is_503_and_the_next_try_opens_it() -> None:
    journal = FaultyJournal(MemoryJournal())
    with paper_broker(journal=journal) as broker:
        journal.plan(JournalFault.LOST)
        outcome = broker.execute(trade("a", workspace_id="fresh"), 100.0)
        assert outcome.http_status == 503
        done(broker.execute(trade("a", workspace_id="other"), 100.0))
        retried = broker.execute(trade("a", workspace_id="fresh"), 100.0)
        assert retried.http_status in (200, 409), (retried.code, retried.reason)


def test_journal_down_during_reset_raises_and_keeps_the_ledger() -> None:
    journal = FaultyJournal(MemoryJournal())
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
        before = broker.state("main")
        journal.plan(JournalFault.LOST)
        with pytest.raises(JournalError):
            broker.reset("main")
        assert _ledger(broker.state("main")) == _ledger(before)
        assert broker.session.reconcile() == {}


def test_reconcile_of_a_tampered_ledger_says_where_and_halts() -> None:
    """A forged fill, well chained: the balances in it are ours to fold, the trade in it does not lead there."""
    journal = MemoryJournal()
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
    records = list(journal.read("main"))
    (at,) = [n for n, record in enumerate(records) if isinstance(codec.decode(record.payload), OrderFilled)]
    forged = MemoryJournal()
    lease = forged.open_stream("main")
    for n, record in enumerate(records):
        payload = record.payload
        if n == at:
            fill = codec.decode(payload)
            assert isinstance(fill, OrderFilled)
            payload = codec.encode(msgspec.structs.replace(fill, cash=fill.cash + 5))
        forged.append([Batch(lease, [payload])])
    with paper_broker(journal=forged) as broker:
        report = broker.reconcile("main")
        assert (report.matches, report.read) == (False, 1)
        assert report.differences == ("cash: live 9900.000000000005, journal 9900",)
        assert broker.state("main").halted.startswith("RECONCILE_DIFFERENCE")
        assert broker.execute(trade("b"), 100.0).code == "POLICY_REJECTED"


class _Edited(MemoryJournal):
    """A journal whose file somebody edited: event 5 reads otherwise than it was written."""

    edited = False

    def read(self, workspace_id: str, from_seq: int = 1, to_seq: int | None = None) -> Iterator[Record]:
        for record in super().read(workspace_id, from_seq, to_seq):
            if self.edited and record.seq == 5:
                record = record._replace(payload=record.payload.replace(b"BTCUSDT", b"ETHUSDT"))
            yield record


def test_reconcile_of_an_edited_journal_is_refused_with_the_event() -> None:
    journal = _Edited()
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
        assert broker.reconcile("main").matches
        journal.edited = True
        with pytest.raises(JournalCorrupt, match="does not verify at event 5"):
            broker.reconcile("main")


def test_rebuild_of_a_journal_that_ends_too_early_is_refused() -> None:
    journal = MemoryJournal()
    with paper_broker(journal=journal) as broker:
        done(broker.execute(trade("a"), 100.0))
    last = journal.heads()["main"].seq
    assert rebuild_from(journal, "main", last).applied == 1
    with pytest.raises(JournalCorrupt, match=f"ends at event {last}, the live state has seen {last + 1}"):
        rebuild_from(journal, "main", last + 1)
