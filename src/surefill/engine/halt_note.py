"""Keeps a halt over the end of the process although the journal takes nothing: see `journal.noted_halts`."""

from __future__ import annotations

from typing import Final

from surefill.domain.effects import Notify
from surefill.domain.events import Event, Halted
from surefill.domain.inputs import Halt
from surefill.engine.writer import WorkspaceWriter
from surefill.journal.noted_halts import NotedHalt, forget_halt, note_halt, noted_halts
from surefill.logs import logger

#: Alarms that a halt follows which may fail to be journaled, and the code of that halt.
_HALT_OF_ALARM: Final = {
    "APPEND_FAILED": "APPEND_FAILED",
    "JOURNAL_LOST": "APPEND_FAILED",
    "INVARIANT_BREACH": "INVARIANT_BREACH",
}

_log = logger("surefill.halt_note")


class HaltNote:
    """The note of one workspace of a journal file."""

    def __init__(self, journal_path: str, workspace_id: str) -> None:
        self._journal_path = journal_path
        self._workspace_id = workspace_id

    def take_alarm(self, workspace_id: str, notice: Notify) -> None:
        """An alarm of the engine: the halt that follows is noted before it is tried."""
        code = _HALT_OF_ALARM.get(notice.code)
        if code is not None and workspace_id in ("", self._workspace_id):
            try:
                note_halt(self._journal_path, NotedHalt(self._workspace_id, code, notice.text))
            except OSError as error:
                _log.warning("halt_not_noted", workspace_id=self._workspace_id, error=str(error))

    def follow(self, _first_seq: int, events: list[Event]) -> None:
        """A subscriber: once the workspace is halted by event, the note has done its work."""
        if any(isinstance(event, Halted) for event in events):
            self.forget()

    def forget(self) -> None:
        """Remove the note."""
        try:
            forget_halt(self._journal_path, self._workspace_id)
        except OSError as error:
            _log.warning("note_not_removed", workspace_id=self._workspace_id, error=str(error))

    def owed(self, writer: WorkspaceWriter, ts_ns: int) -> Halt | None:
        """The halt that must be journaled before anything else; None if there is none, or it has been."""
        noted = noted_halts(self._journal_path).get(self._workspace_id)
        if noted is None:
            return None
        if writer.state.book.halted_code:
            self.forget()
            return None
        return Halt(ts_ns, noted.code, noted.reason or "the journal could not be written", "surefill")
