"""Keeps the table of executions as the journal says: caught up at the start, followed after every commit.

The table counts only if its guards are there and its stream and last event are the journal's; else it is set aside, and
made anew. Following never disturbs the engine: what fails here is said
once, in the log and in `failure`, and the journal has everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import apsw

from surefill.domain import codec
from surefill.domain.events import Event
from surefill.journal.protocol import Journal
from surefill.logs import logger
from surefill.views.execution_log import ExecutionLogFold, RowVersion
from surefill.views.execution_table import ExecutionTable, Progress

FILE: Final = "execution_logs.db"
MEMORY: Final = ":memory:"
BATCH: Final = 2_000
SAVE_EVERY: Final = 20_000

Listener = Callable[[RowVersion], None]

_log = logger("surefill.views")


class ExecutionKeeper:
    """The table of one workspace in one folder, or in memory where `folder` is None.

    Call `catch_up` once, then `follow` after every commit. `listeners` hear of every version that is followed live.
    """

    def __init__(self, folder: Path | None, journal: Journal, workspace_id: str) -> None:
        self.path = None if folder is None else folder / FILE
        self.journal = journal
        self.workspace_id = workspace_id
        self.listeners: list[Listener] = []
        self.failure: Exception | None = None
        self.fold = ExecutionLogFold()
        self.table: ExecutionTable
        self._stream = ""
        self._last: bytes = b""
        self._saved_seq = 0

    @property
    def seq(self) -> int:
        """The last event that the rows know."""
        return self.fold.fold.book.seq

    # -- starting ---------------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Go on where the table was left, or make it anew. Raises JournalError, OSError, apsw.Error."""
        self.table = self._opened()
        if not self._resume():
            self._begin_anew()
        self._write_from_journal()

    def _opened(self) -> ExecutionTable:
        if self.path is None:
            return ExecutionTable(MEMORY)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            table = ExecutionTable(str(self.path))
            table.is_empty()
        except apsw.NotADBError:
            self._set_aside(self.path)
            table = ExecutionTable(str(self.path))
        return table

    def _resume(self) -> bool:
        """Whether the table is this journal's up to where it says; the fold is there then too."""
        if self.table.is_empty():
            self.table.create()
            return True
        if not self.table.is_ours():
            return False
        progress = self.table.progress()
        if progress is None:
            return True
        if (progress.workspace_id, progress.stream) != (self.workspace_id, self._stream_id()):
            return False
        record = next(self.journal.read(self.workspace_id, progress.seq, progress.seq), None)
        if record is None or _digest(record.payload) != progress.event_sha256:
            return False
        saved = self.table.saved_fold()
        fold = ExecutionLogFold.restore(saved) if saved else None
        if fold is not None and fold.fold.book.seq <= progress.seq:
            self.fold, self._saved_seq = fold, fold.fold.book.seq
        for written in self.journal.read(self.workspace_id, self.seq + 1, progress.seq):
            self.fold.apply(codec.decode(written.payload))
        self._last = record.payload
        return True

    def _begin_anew(self) -> None:
        assert self.path is not None  # a table in memory is always empty at the start
        _log.warning("execution_log_made_anew", path=str(self.path))
        self.table.close()
        self._set_aside(self.path)
        self.table = ExecutionTable(str(self.path))
        self.table.create()

    def _set_aside(self, path: Path) -> None:
        """Nobody's file is deleted: what is in the way gets another name."""
        number = 0
        while (aside := path.with_name(f"{path.name}.set-aside{f'-{number}' if number else ''}")).exists():
            number += 1
        path.rename(aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def _write_from_journal(self) -> None:
        rows: list[RowVersion] = []
        for record in self.journal.read(self.workspace_id, self.seq + 1):
            rows += self.fold.apply(codec.decode(record.payload))
            self._last = record.payload
            if len(rows) >= BATCH:
                self._append(rows)
                rows = []
        if self._last:
            self._append(rows)

    # -- following --------------------------------------------------------------------------------------------

    def follow(self, first_seq: int, events: Sequence[Event]) -> None:
        """Take events that have just become durable. Never raises: see `failure`."""
        try:
            rows: list[RowVersion] = []
            if first_seq > self.seq + 1:  # committed while memory was being discarded: the journal has them
                records = self.journal.read(self.workspace_id, self.seq + 1, first_seq - 1)
                rows += self._applied(codec.decode(record.payload) for record in records)
            rows += self._applied(events[self.seq + 1 - first_seq :])
            for row in rows:
                for listener in self.listeners:
                    listener(row)
            if rows and self.failure is None:
                self._append(rows)
        except Exception as error:  # whatever it is, it is not the engine's: the journal has everything
            self._fail(error)

    def _applied(self, events: Iterable[Event]) -> list[RowVersion]:
        rows: list[RowVersion] = []
        for event in events:
            rows += self.fold.apply(event)
            self._last = codec.encode(event)
        return rows

    def _append(self, rows: Iterable[RowVersion]) -> None:
        self.table.append(rows, Progress(self.workspace_id, self._stream_id(), self.seq, _digest(self._last)))
        if self.seq - self._saved_seq >= SAVE_EVERY:
            self._save_fold()

    def _save_fold(self) -> None:
        self.table.save_fold(self.seq, self.fold.save())
        self._saved_seq = self.seq

    def _fail(self, error: Exception) -> None:
        if self.failure is None:
            _log.error(
                "execution_log_behind",
                path=str(self.path or MEMORY),
                why=f"{type(error).__name__}: {error}",
                do="mend the cause and start again: it is made from the journal",
                exc_info=not isinstance(error, OSError),
            )
        self.failure = error

    def close(self) -> None:
        """Leave everything ready for a quick start. The engine must have stopped."""
        if self.failure is None and self._last:
            try:
                self._append(())
                self._save_fold()
            except apsw.Error as error:
                self._fail(error)
        self.table.close()

    def _stream_id(self) -> str:
        """Which journal this is: a stream's first event never changes."""
        if not self._stream:
            first = next(self.journal.read(self.workspace_id, 1, 1), None)
            self._stream = first.chain_hash.hex() if first else ""
        return self._stream


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
