"""Every journal keeps the contract: the public suite, on each backend and on the faulty wrapper."""

from __future__ import annotations

from pathlib import Path

from surefill.journal import Journal, MemoryJournal, SqliteJournal
from surefill.testing.faulty_journal import FaultyJournal
from surefill.testing.journal_conformance import JournalConformance


class TestMemoryJournal(JournalConformance):
    def make(self, place: Path) -> Journal:
        return MemoryJournal()


class TestSqliteJournal(JournalConformance):
    def make(self, place: Path) -> Journal:
        return SqliteJournal(place / "journal.db")


class TestSqliteJournalWithConstantCheckpoints(JournalConformance):
    def make(self, place: Path) -> Journal:
        return SqliteJournal(place / "journal.db", checkpoint_pages=1)


class TestFaultyJournalWithoutFaults(JournalConformance):
    def make(self, place: Path) -> Journal:
        return FaultyJournal(MemoryJournal())
