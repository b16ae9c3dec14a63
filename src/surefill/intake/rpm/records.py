"""Looking executions up, and their figures: everything here comes from the execution log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Final

from surefill.errors import InputError
from surefill.intake.open_door import OpenDoor
from surefill.intake.rpm.answers import log_of
from surefill.intake.rpm.messages import ExecutionLog
from surefill.intake.rpm.monitor import ExecutionMonitor
from surefill.units import NS_PER_DAY, NS_PER_S, ns_from_datetime, ns_from_iso
from surefill.views.execution_csv import executions_csv
from surefill.views.execution_figures import ExecutionFigures, figures_of
from surefill.views.execution_rows import time_text
from surefill.views.execution_table import Stored
from surefill.views.execution_words import RejectionReason

AUDIT_DAYS: Final = 7
HISTORY_MAX: Final = 1_000

Moment = str | date | datetime | None


class Window:
    """The figures of the last so many nanoseconds, whenever it is called."""

    def __init__(self, monitor: ExecutionMonitor, door: OpenDoor, length_ns: int) -> None:
        self._monitor, self._door, self._length_ns = monitor, door, length_ns

    def __call__(self) -> ExecutionFigures:
        """The figures of those that began within the window."""
        since = time_text(max(1, self._door.now_ns() - self._length_ns))
        return figures_of(self._monitor.table.versions(since=since or ""))


class ExecutionRecords:
    """The reading half of the contract's engine. Raises LocalError (LOG_UNAVAILABLE) while the log cannot be kept."""

    def __init__(self, monitor: ExecutionMonitor, door: OpenDoor, figures: Callable[[], ExecutionFigures]) -> None:
        self._monitor, self._door, self._figures = monitor, door, figures

    def execution(self, execution_id: str) -> ExecutionLog | None:
        """An execution in full; None for one that is not known."""
        row = self._monitor.row(execution_id)
        return None if row is None else log_of(row)

    def find(self, *, order_id: str = "", rpm_decision_id: str = "") -> list[ExecutionLog]:
        """Executions by the broker's order id, or by the decision's; the last first."""
        if not order_id and not rpm_decision_id:
            return []
        return _logs(self._monitor.table.newest(order_id=order_id, decision_id=rpm_decision_id))

    def history(self, symbol: str = "", limit: int = 50) -> list[ExecutionLog]:
        """The executions of a symbol, or of all, the last first. Raises InputError for a limit beyond 1 to 1000."""
        if type(limit) is not int or not 1 <= limit <= HISTORY_MAX:
            raise InputError(f"limit must be from 1 to {HISTORY_MAX} (got {limit!r})", code="INVALID_LIMIT")
        return _logs(self._monitor.table.newest(symbol=symbol, limit=limit))

    def preserved(self, symbol: str = "") -> list[ExecutionLog]:
        """Decisions whose spread was too wide and that were not sent again since: only upstream sends them again."""
        table = self._monitor.table
        rows = table.newest(symbol=symbol, reason=RejectionReason.SPREAD_TOO_WIDE)
        last = {str(row.cells["rpm_decision_id"]): row for row in reversed(rows)}
        kept = [row for key, row in last.items() if table.newest(decision_id=key, limit=1)[0].seq == row.seq]
        return _logs(reversed(kept))

    def metrics(self) -> ExecutionFigures:
        """The figures of the sliding window (`rpm.metrics_window_s`)."""
        return self._figures()

    def audit_trail(self, start_date: Moment = None, end_date: Moment = None) -> list[ExecutionLog]:
        """Every execution that began between two dates (the last 7 days), the last first; a day counts to its end.

        Dates are ISO 8601 text, dates or datetimes; without a zone they are UTC. Raises InputError (INVALID_TIME).
        """
        return _logs(self._between(start_date, end_date))

    def audit_csv(self, start_date: Moment = None, end_date: Moment = None) -> bytes:
        """The same as CSV: the contract's columns, cells that no spreadsheet calculates."""
        return executions_csv(self._between(start_date, end_date))

    def _between(self, start_date: Moment, end_date: Moment) -> list[Stored]:
        until_ns = self._door.now_ns() + NS_PER_S if end_date is None else _ns_of(end_date, "end_date", to_end=True)
        since_ns = until_ns - AUDIT_DAYS * NS_PER_DAY if start_date is None else _ns_of(start_date, "start_date")
        if since_ns > until_ns:
            raise InputError(
                f"start_date {start_date} is after end_date {end_date}: change them over", code="INVALID_TIME"
            )
        since, until = time_text(max(1, since_ns)), time_text(max(1, until_ns))
        return self._monitor.table.newest(since=since or "", until=until or "")


def _logs(rows: Iterable[Stored]) -> list[ExecutionLog]:
    return [log_of(row) for row in rows]


def _ns_of(moment: str | date | datetime, name: str, *, to_end: bool = False) -> int:
    """A moment in ns; the end of a day that was given without a time."""
    if isinstance(moment, datetime):
        return ns_from_datetime(moment)
    text = moment.isoformat() if isinstance(moment, date) else str(moment)
    ns = ns_from_iso(text, field=name)
    whole_day = len(text) == len("2025-12-23")
    return ns + NS_PER_DAY if to_end and whole_day else ns
