"""Idempotency keys can be rebuilt from the events that claim them, to the last bit of their digests."""

from __future__ import annotations

from pathlib import Path

import apsw

from surefill.domain.inputs import DefineInstrument, OpenWorkspace, SubmitIntent
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote, Source
from surefill.domain.profile import PAPER_FULL
from surefill.engine.claims import ClaimsReader
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import SqliteJournal, verify
from surefill.venues.paper import PaperVenue

T0_NS = 1_700_000_000_000_000_000
X = Instrument("X", "USD", 2, 0, 10**6, (Terms(),))


def trade(path: Path) -> None:
    """A keyed intent with a price of its own, one without, one without a key, and one refused."""
    journal = SqliteJournal(path)
    writer = WorkspaceWriter(journal, "w", PaperVenue())
    writer.feed(OpenWorkspace(T0_NS, "w", "paper", "paper", "a", "USD", 8, 10**14, PAPER_FULL, "c"))
    writer.feed(DefineInstrument(T0_NS, X))
    given = Quote("X", T0_NS, 10_000, source=Source.CALLER)
    plan = ExitPlan(stop_px=9_000)
    writer.submit(SubmitIntent(T0_NS, Intent("k1", "c1", "t", "s", "X", Action.OPEN, 1, 5, plan=plan), given))
    writer.submit(SubmitIntent(T0_NS, Intent("k2", "c2", "t", "s", "X", Action.OPEN, 1, 5)))
    writer.submit(SubmitIntent(T0_NS, Intent("", "c3", "t", "s", "X", Action.OPEN, 1, 5)))
    writer.submit(SubmitIntent(T0_NS, Intent("k4", "c4", "t", "s", "X", Action.OPEN, 1, 0)))
    writer.flush()
    journal.close()


def test_claims_rebuilt_from_events_are_those_of_the_journal(tmp_path: Path) -> None:
    trade(tmp_path / "j")
    journal = SqliteJournal(tmp_path / "j", readonly=True)
    verdict = verify(journal, claims_of=ClaimsReader())
    assert (verdict.ok, verdict.keys_rebuilt, [stream.keys for stream in verdict.streams]) == (True, True, [2])
    journal.close()


def test_claim_that_was_removed_or_changed_is_found(tmp_path: Path) -> None:
    for number, damage in enumerate(["DELETE FROM keys WHERE key = 'k1'", "UPDATE keys SET digest = zeroblob(32)"]):
        path = tmp_path / f"j{number}"
        trade(path)
        conn = apsw.Connection(str(path))
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f'DROP TRIGGER "{name}"')
        conn.execute(damage)
        conn.close()
        journal = SqliteJournal(path, readonly=True)
        verdict = verify(journal, claims_of=ClaimsReader())
        assert not all(stream.ok for stream in verdict.streams)
        journal.close()
