"""The journal: append, read, snapshot, chain, verify, export. It stores opaque bytes and knows no domain
event."""

from surefill.journal.chain import genesis, verified
from surefill.journal.memory import MemoryJournal
from surefill.journal.protocol import Batch, Head, Journal, KeyClaim, Lease, Record, Snapshot
from surefill.journal.sqlite import SqliteJournal

__all__ = [
    "Batch",
    "Head",
    "Journal",
    "KeyClaim",
    "Lease",
    "MemoryJournal",
    "Record",
    "Snapshot",
    "SqliteJournal",
    "genesis",
    "verified",
]
