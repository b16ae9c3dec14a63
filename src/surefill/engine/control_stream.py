"""The control stream: kill switches above the workspaces, in a journal stream of their own.

What workspaces stand in for together is asked here too (`engine.aggregate`).

A switch of the whole engine, or of one venue, is durable here before any workspace hears of it; every workspace then
journals what it saw of it, and one that opens later catches up. The outbox looks here once more before it writes to
the wire. The stream is begun with the first such switch: a journal without one has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from surefill.domain.inputs import Halt, Resume
from surefill.domain.risk import ENGINE, VENUE, Kill
from surefill.domain.state import Book, Elsewhere, State
from surefill.engine.aggregate import elsewhere
from surefill.engine.writer import WorkspaceWriter
from surefill.errors import InputError
from surefill.journal.protocol import Journal
from surefill.venues.paper import PaperVenue

STREAM: Final = "~control"
VENUE_PREFIX: Final = VENUE + ":"


class ControlStream:
    """The switches above the workspaces of one journal. Belongs to whoever holds the journal's lock."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._writer = self._open() if STREAM in journal.heads() else None
        #: The engine's workspaces, and whether their books can be trusted now.
        self.workspaces: Callable[[], Iterable[tuple[State, bool]]] = tuple

    def _open(self) -> WorkspaceWriter:
        return WorkspaceWriter(self._journal, STREAM, PaperVenue())

    @property
    def kills(self) -> Mapping[str, Kill]:
        """The switches that are not at NORMAL: `engine`, `venue:NAME`."""
        return self._writer.state.book.kills if self._writer is not None else {}

    def throw(self, item: Halt | Resume) -> None:
        """Make a switch durable; `scope` is `engine` or `venue:NAME`. Raises AppendFailed as the journal does."""
        if item.scope != ENGINE and not item.scope.startswith(VENUE_PREFIX):
            raise InputError(f"{item.scope!r} is not above a workspace: engine, or venue:NAME", code="INVALID_SCOPE")
        if self._writer is None:
            self._writer = self._open()
        self._writer.feed(item)
        self._writer.flush()

    def reopen(self) -> None:
        """The journal was reopened: fold again."""
        if self._writer is not None:
            self._writer.discard()

    def holds_back(self, venue: str) -> Kill | None:
        """The switch that keeps entries of a workspace at that venue back, if one does."""
        for scope in (ENGINE, VENUE_PREFIX + venue):
            kill = self.kills.get(scope)
            if kill is not None and kill.suspends:
                return kill
        return None

    def elsewhere(self, state: State) -> Elsewhere | None:
        """What the other workspaces that share a limit with this one stand in for; None: none is shared."""
        return elsewhere(state, self.workspaces())

    def unseen(self, book: Book, ts_ns: int) -> Iterator[Halt | Resume]:
        """What a workspace must still be told so that its book says what this stream says."""
        for scope, key in ((ENGINE, ENGINE), (VENUE, VENUE_PREFIX + book.venue)):
            ours, theirs = self.kills.get(key), book.kills.get(scope)
            if ours is not None and (theirs is None or theirs.level < ours.level):
                yield Halt(ts_ns, ours.code, ours.reason, ours.by, level=ours.level, scope=scope)
            elif theirs is not None and (ours is None or ours.level < theirs.level):
                level, by = (ours.level, ours.by) if ours is not None else (0, "control")
                yield Resume(ts_ns, by, level=level, scope=scope)


def of_venue(item: Halt | Resume, venue: str) -> Halt | Resume:
    """A switch of "the venue" as one of the venue of that name."""
    return msgspec.structs.replace(item, scope=VENUE_PREFIX + venue) if item.scope == VENUE else item
