"""Whom to tell what: alerts about single executions, about figures that leave their bounds, about the engine itself.

Alerts are told on a thread of their own: whoever hears them may take his time, and may call the door.
"""

from __future__ import annotations

import enum
import functools
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from surefill.domain.effects import Notify
from surefill.domain.refusals import RefusalCode
from surefill.views.execution_figures import ExecutionFigures
from surefill.views.execution_groups import group_of
from surefill.views.execution_table import Stored
from surefill.views.execution_words import ExecutionStatus, RejectionReason

_log = logging.getLogger("surefill.rpm")

#: What the engine pages about, in this door's words; anything else keeps its own.
_OF_THE_ENGINE: Final = {
    "APPEND_FAILED": "DATABASE_ERROR",
    "JOURNAL_LOST": "DATABASE_ERROR",
    "FENCED": "DATABASE_ERROR",
    "PUBLISH_FAILED": "DATABASE_ERROR",
    "BOOKS_NOT_COMPARED": "BROKER_CONNECTION_LOST",
    "UNKNOWN_UNRESOLVED": "NETWORK_ERROR",
}
_NO_CONNECTION: Final = "NOT_SENT"
_LOG: Final = "the log"  # beside execution ids


@dataclass(frozen=True)
class Alert:
    """Something that a person should know. `execution_id` is empty where it is about no single execution."""

    code: str
    text: str
    execution_id: str = ""


@dataclass(frozen=True)
class AlertLimits:
    """When figures alert. Rates as fractions; below `executions_min` ended executions no rate is judged."""

    success_rate_min: float = 0.90
    average_slippage_max_pips: float = 5.0
    rejections_max: int = 10
    executions_min: int = 10


OnAlert = Callable[[Alert], None]


class _Errand(enum.Enum):
    """What else the alerts' thread does."""

    LOOK = 1
    STOP = 2


def alert_of(row: Stored) -> Alert | None:
    """What a row's newest version has to tell a person, if anything."""
    cells, code = row.cells, _code_of(row)
    if code is None:
        return None
    what = f"{cells['symbol'] or cells['rpm_decision_id']} {cells['status']}"
    return Alert(code, f"{what}: {cells['rejection_details'] or cells['rejection_reason']}", str(cells["execution_id"]))


def _code_of(row: Stored) -> str | None:
    status, reason = row.cells["status"], row.cells["rejection_reason"]
    refusal = row.details["code"]
    if reason == RejectionReason.NETWORK_ERROR:
        unreached = any(_NO_CONNECTION in order["told"] for order in row.details["orders"])
        return "BROKER_CONNECTION_LOST" if unreached else "NETWORK_ERROR"
    if refusal == RefusalCode.UPSTREAM_HALTED.name:
        return "KILL_SWITCH"
    if refusal == RefusalCode.CROSSED_MARKET.name:
        return "PRICES_UNREASONABLE"
    if reason in _TOLD_BY_REASON:
        return str(reason)
    if status == ExecutionStatus.PARTIALLY_FILLED and row.details["over"]:
        return "PARTIAL_FILL"
    return None


_TOLD_BY_REASON: Final = frozenset(
    {
        RejectionReason.MARGIN_INSUFFICIENT,
        RejectionReason.MARGIN_DEPLETED,
        RejectionReason.BROKER_REJECTION,
        RejectionReason.ORDER_TIMEOUT,
        RejectionReason.SLIPPAGE_EXCEEDED,
        RejectionReason.TRADING_HALTED,
    }
)


def alerts_of_figures(figures: ExecutionFigures, limits: AlertLimits) -> Iterator[Alert]:
    """Which figures of the window are out of bounds."""
    rate, pips = figures.success_rate, figures.average_slippage_pips
    if rate is not None and figures.total >= limits.executions_min and rate < limits.success_rate_min:
        yield Alert(
            "SUCCESS_RATE_LOW",
            f"{figures.successful} of {figures.total} executions were filled ({rate:.1%}), at least"
            f" {limits.success_rate_min:.0%} is expected",
        )
    if pips is not None and pips > limits.average_slippage_max_pips:
        yield Alert(
            "SLIPPAGE_HIGH",
            f"slippage is {pips:.2f} pips on average, at most {limits.average_slippage_max_pips:g} is expected",
        )
    if figures.rejected > limits.rejections_max:
        told = ", ".join(f"{reason} {count}" for reason, count in figures.rejections.items())
        yield Alert(
            "REJECTIONS_HIGH", f"{figures.rejected} executions were rejected ({told}), {limits.rejections_max} may be"
        )


class AlertDesk:
    """Tells alerts, each once until its cause has gone or changed.

    `figures` gives those of the window, when asked. `group_moved` hears of a group one of whose executions has ended.
    """

    def __init__(self, on_alert: OnAlert | None, limits: AlertLimits) -> None:
        self._on_alert = on_alert
        self._limits = limits
        self.figures: Callable[[], ExecutionFigures] = ExecutionFigures
        self.group_moved: Callable[[str], None] = lambda _group_id: None
        self._queue: queue.SimpleQueue[Alert | _Errand | str] = queue.SimpleQueue()
        self._look_due = threading.Event()
        self._told: dict[str, str] = {}
        self._standing: frozenset[str] = frozenset()
        self._thread = threading.Thread(target=self._run, name="surefill-alerts", daemon=True)
        self._thread.start()

    def rows(self, rows: list[Stored], failure: Exception | None) -> None:
        """See where executions stand now, and whether the log can be kept."""
        if failure is not None and _LOG not in self._told:
            self._told[_LOG] = "told"
            text = f"the execution log is behind the journal: {type(failure).__name__}: {failure}"
            self._queue.put(Alert("DATABASE_ERROR", text))
        for row in rows:
            self._row(row)
            if row.details["over"] and group_of(row):
                self._queue.put(group_of(row))
        ended = any(row.details["over"] for row in rows)
        if failure is None and ended and not self._look_due.is_set():  # of several looks one is enough
            self._look_due.set()
            self._queue.put(_Errand.LOOK)

    def put(self, alert: Alert) -> None:
        """Tell this one."""
        self._queue.put(alert)

    def _row(self, row: Stored) -> None:
        alert, execution_id = alert_of(row), str(row.cells["execution_id"])
        if alert is not None and self._told.get(execution_id) != alert.code:
            self._queue.put(alert)
        self._told.pop(execution_id, None)
        if alert is not None and not row.details["over"]:
            self._told[execution_id] = alert.code

    def _look(self) -> None:
        """See how the figures stand: what has left its bounds is told once, until it is back within."""
        found = {alert.code: alert for alert in alerts_of_figures(self.figures(), self._limits)}
        for code in sorted(found.keys() - self._standing):
            self._tell(found[code])
        self._standing = frozenset(found)

    @property
    def standing(self) -> list[str]:
        """The figures that are out of bounds now."""
        return sorted(self._standing)

    def engine(self, _workspace_id: str, notice: Notify) -> None:
        """Hear what the engine pages about."""
        if notice.page:
            self._queue.put(Alert(_OF_THE_ENGINE.get(notice.code, notice.code), notice.text))

    def close(self) -> None:
        """Tell what waits, and stop."""
        self._queue.put(_Errand.STOP)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while (item := self._queue.get()) is not _Errand.STOP:
            if isinstance(item, Alert):
                self._tell(item)
            elif isinstance(item, str):
                self._safely(functools.partial(self.group_moved, item))
            else:
                self._look_due.clear()
                self._safely(self._look)

    def _safely(self, errand: Callable[[], None]) -> None:
        try:
            errand()
        except Exception:  # one errand that fails must not end the telling
            _log.exception("an errand of the alerts failed")

    def _tell(self, alert: Alert) -> None:
        _log.warning("%s: %s", alert.code, alert.text)
        if self._on_alert is None:
            return
        try:
            self._on_alert(alert)
        except Exception:  # it is the caller's own; the alert is in the log
            _log.exception("on_alert failed for %s", alert.code)
