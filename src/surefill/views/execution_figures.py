"""How executions went, over a window: the contract's figures, from the log alone.

=================  ==================================================================================================
total              executions of the window that have ended; one that the risk manager itself rejected is none
successful         FILLED; PARTIALLY_FILLED is counted by itself
failed             REJECTED and EXPIRED
success_rate       successful / total
average_slippage   mean of the pips of those that filled, wholly or in part
timeout_rate       executions that timed out / total
network_error_rate executions about which something was not known for a time / total
latency            from the decision's arrival to the last fill
=================  ==================================================================================================

A rate of nothing is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from surefill.domain.refusals import RefusalCode
from surefill.units import NS_PER_S, ns_from_iso
from surefill.views.execution_table import Stored
from surefill.views.execution_words import ExecutionStatus, RejectionReason

_FAILED = (ExecutionStatus.REJECTED, ExecutionStatus.EXPIRED)


class ExecutionFigures(msgspec.Struct, frozen=True):
    """The figures of a window. Pips are not signed; latencies in seconds. `open` have not ended yet."""

    total: int = 0
    successful: int = 0
    partial: int = 0
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    rejected_upstream: int = 0
    success_rate: float | None = None
    average_slippage_pips: float | None = None
    worst_slippage_pips: float | None = None
    rejections: dict[str, int] = {}
    timeout_rate: float | None = None
    network_errors: int = 0
    network_error_rate: float | None = None
    average_latency_s: float | None = None
    worst_latency_s: float | None = None

    @property
    def rejected(self) -> int:
        """How many were REJECTED, whatever for."""
        return sum(self.rejections.values())


def figures_of(versions: Iterable[Stored]) -> ExecutionFigures:
    """The figures of executions, given all versions of their rows, oldest first."""
    newest: dict[str, Stored] = {}
    unsure: set[str] = set()
    for version in versions:
        execution_id = str(version.cells["execution_id"])
        newest[execution_id] = version
        if version.cells["rejection_reason"] == RejectionReason.NETWORK_ERROR:
            unsure.add(execution_id)
    rows = [row for row in newest.values() if row.details["code"] != RefusalCode.UPSTREAM_REJECTED.name]
    ended = [row for row in rows if row.details["over"]]
    statuses = Counter(str(row.cells["status"]) for row in ended)
    slippages = [float(pips) for row in rows if (pips := row.cells["slippage_pips"]) is not None]
    latencies = [_latency_s(row) for row in ended if row.cells["fill_timestamp"]]
    timeouts = sum(row.cells["rejection_reason"] == RejectionReason.ORDER_TIMEOUT for row in ended)
    total = len(ended)
    return ExecutionFigures(
        total=total,
        successful=statuses[ExecutionStatus.FILLED],
        partial=statuses[ExecutionStatus.PARTIALLY_FILLED],
        failed=sum(statuses[status] for status in _FAILED),
        cancelled=statuses[ExecutionStatus.CANCELLED],
        open=len(rows) - total,
        rejected_upstream=len(newest) - len(rows),
        success_rate=_ratio(statuses[ExecutionStatus.FILLED], total),
        average_slippage_pips=_ratio(sum(slippages), len(slippages)),
        worst_slippage_pips=max(slippages, default=None),
        rejections=dict(
            sorted(
                Counter(
                    str(row.cells["rejection_reason"])
                    for row in ended
                    if row.cells["status"] == ExecutionStatus.REJECTED
                ).items()
            )
        ),
        timeout_rate=_ratio(timeouts, total),
        network_errors=len(unsure),
        network_error_rate=_ratio(len(unsure), len(rows)),
        average_latency_s=_ratio(sum(latencies), len(latencies)),
        worst_latency_s=max(latencies, default=None),
    )


def _latency_s(row: Stored) -> float:
    first, last = str(row.cells["created_timestamp"]), str(row.cells["fill_timestamp"])
    return (ns_from_iso(last) - ns_from_iso(first)) / NS_PER_S


def _ratio(above: float, below: int) -> float | None:
    return above / below if below else None
