"""From when on a venue's history may hold something new: read off the journal."""

from __future__ import annotations

from surefill.domain.codec import decode
from surefill.domain.events import Event, OrdersRetired, PositionsCompared
from surefill.engine.clock import Clock
from surefill.engine.writer import WorkspaceWriter

READ_MAX = 20_000
READ_AT_ONCE = 500


def last_written_ns(writer: WorkspaceWriter, clock: Clock) -> int:
    """When the workspace wrote last: what its venue said until then may be known."""
    return written_ns(writer, clock, writer.lease.next_seq - 1)


def written_ns(writer: WorkspaceWriter, clock: Clock, seq: int) -> int:
    """When it wrote the event of that number; now, where it has written none yet."""
    return _read(writer, seq, seq)[0].ts_ns if writer.lease.next_seq > 1 else clock.now_ns()


def last_agreed_ns(writer: WorkspaceWriter, known_seq: int = 0) -> int:
    """When the books agreed with the venue's last, by what is written after event `known_seq`; 0: it does not say.

    Orders that were retired end the search, for whose executions they were is forgotten; so do `READ_MAX` events.
    """
    end = writer.lease.next_seq - 1
    least = max(known_seq, end - READ_MAX)
    written_ns = 0
    while end > least:
        begin = max(least, end - READ_AT_ONCE) + 1
        for event in reversed(_read(writer, begin, end)):
            written_ns = event.ts_ns
            if isinstance(event, OrdersRetired) or (isinstance(event, PositionsCompared) and not event.differences):
                return written_ns
        end = begin - 1
    return 0 if known_seq else written_ns


def _read(writer: WorkspaceWriter, first: int, last: int) -> list[Event]:
    return [decode(record.payload) for record in writer.journal.read(writer.workspace_id, first, last)]
