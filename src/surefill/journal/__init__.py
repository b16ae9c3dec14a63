"""The journal: append, read, snapshot, chain, verify, export. It stores opaque bytes and knows no domain event."""

from surefill.journal.anchors import Anchor, anchor
from surefill.journal.chain import genesis, verified
from surefill.journal.exchange import export_journal, import_journal
from surefill.journal.memory import MemoryJournal
from surefill.journal.protocol import Batch, Head, Journal, KeyClaim, Lease, Record, Snapshot
from surefill.journal.sqlite import SqliteJournal
from surefill.journal.verification import StreamVerification, Verification, verify

__all__ = [
    "Anchor",
    "Batch",
    "Head",
    "Journal",
    "KeyClaim",
    "Lease",
    "MemoryJournal",
    "Record",
    "Snapshot",
    "SqliteJournal",
    "StreamVerification",
    "Verification",
    "anchor",
    "export_journal",
    "genesis",
    "import_journal",
    "verified",
    "verify",
]
