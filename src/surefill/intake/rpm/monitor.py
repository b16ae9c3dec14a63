"""Watching executions: the log is kept at every commit, whoever waits for an end is woken, alerts go out.

The broker's reports arrive by themselves, so nobody polls: a wait ends with the commit that ends the execution.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from surefill.domain.events import Event
from surefill.errors import LocalError
from surefill.journal.protocol import Journal
from surefill.views.execution_keeper import ExecutionKeeper
from surefill.views.execution_log import RowVersion
from surefill.views.execution_table import ExecutionTable, Stored

RECENT_MAX: Final = 1_024

#: Hears where the executions of a commit stand, and why the log is behind the journal, if it is.
OnRows = Callable[[list[Stored], Exception | None], None]


class ExecutionMonitor:
    """Belongs to one workspace. `on_rows` hears, on the engine's thread, where each execution of a commit stands."""

    def __init__(self, folder: Path | None, journal: Journal, workspace_id: str, on_rows: OnRows) -> None:
        self._keeper = ExecutionKeeper(folder, journal, workspace_id)
        self._keeper.listeners.append(self._take)
        self._on_rows = on_rows
        self._news: dict[str, Stored] = {}
        self._recent: OrderedDict[str, Stored] = OrderedDict()
        self._moved = threading.Condition()

    @property
    def table(self) -> ExecutionTable:
        """The log as it is stored. Raises LocalError (LOG_UNAVAILABLE) while it is behind the journal."""
        if self.failure is not None:
            raise LocalError(
                f"the execution log is behind the journal ({self.failure}): mend that and start again",
                code="LOG_UNAVAILABLE",
            )
        return self._keeper.table

    @property
    def failure(self) -> Exception | None:
        """Why the log is behind the journal; None where it is not."""
        return self._keeper.failure

    def catch_up(self) -> None:
        """Bring the log up to the journal's present end."""
        self._keeper.catch_up()

    def follow(self, first_seq: int, events: Sequence[Event]) -> None:
        """Take events that have just become durable."""
        with self._moved:
            self._keeper.follow(first_seq, events)
            news, self._news = list(self._news.values()), {}
            self._moved.notify_all()
        self._on_rows(news, self.failure)

    def close(self) -> None:
        """Let go of the file. The engine must have stopped."""
        self._keeper.close()

    def _take(self, version: RowVersion) -> None:
        row = Stored(version.seq, version.cells, msgspec.json.decode(version.details))
        self._news[version.execution_id] = self._recent[version.execution_id] = row
        self._recent.move_to_end(version.execution_id)
        if len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)

    # -- looking ----------------------------------------------------------------------------------------------

    def row(self, execution_id: str) -> Stored | None:
        """Where an execution stands; None for one that is not known."""
        with self._moved:
            found = self._recent.get(execution_id)
        return found or next(iter(self.table.newest(execution_id=execution_id)), None)

    def open_count(self) -> int:
        """How many executions have not ended."""
        with self._moved:
            return sum(not execution.over for execution in self._keeper.fold.executions.values())

    def wait(self, execution_id: str, seconds: float) -> Stored | None:
        """Where an execution stands once it has ended, or when so much time is over."""
        end = time.monotonic() + seconds
        with self._moved:
            while self._lives(execution_id):
                left = end - time.monotonic()
                if left <= 0 or not self._moved.wait(left):
                    break
        return self.row(execution_id)

    def _lives(self, execution_id: str) -> bool:
        """Whether more may come of it; also of one that was begun before the last start."""
        executions = self._keeper.fold.executions.values()
        return any(each.execution_id == execution_id and not each.over for each in executions)
