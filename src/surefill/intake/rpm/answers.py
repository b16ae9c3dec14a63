"""From the rows of the execution log to the contract's answers."""

from __future__ import annotations

from typing import Any

from surefill.engine.receipt import Receipt
from surefill.errors import SurefillError
from surefill.intake.door_failures import OUTCOME_UNKNOWN, failure_from
from surefill.intake.rpm.messages import (
    ExecutionConfirmation,
    ExecutionLog,
    ExecutionRequest,
    ExecutionStatus,
    RejectionReason,
    RPMOutput,
)
from surefill.units import iso_from_ns
from surefill.views.execution_rows import COLUMNS
from surefill.views.execution_table import Stored


def log_of(row: Stored) -> ExecutionLog:
    """An execution in full."""
    fields: dict[str, Any] = {name: row.cells[name] for name in COLUMNS}
    fields["status"] = ExecutionStatus(fields["status"])
    return ExecutionLog(**fields, request=_request_of(row), details=row.details)


def _request_of(row: Stored) -> ExecutionRequest:
    cells, said = row.cells, row.details["decision"]
    given: dict[str, Any] = {
        "request_id": cells["request_id"],
        "execution_id": cells["execution_id"],
        "rpm_decision_id": cells["rpm_decision_id"],
        "symbol": cells["symbol"],
        "direction": cells["direction"],
        "units": cells["intended_units"],
        "created_timestamp": cells["created_timestamp"],
        "intended_price": cells["intended_price"],
        "rpm_version": cells["rpm_version"],
        "config_hash": said.get("config_hash"),
    }
    for name in ("max_slippage_pips", "timeout_seconds"):
        given[name] = float(said.get(name, "nan"))
    for name in ("stop_loss", "take_profit"):
        given[name] = float(said[name]) if name in said else None
    return ExecutionRequest(**given)


def confirmation_of(row: Stored) -> ExecutionConfirmation:
    """What the caller gets back."""
    cells: dict[str, Any] = dict(row.cells)
    return ExecutionConfirmation(
        execution_id=cells["execution_id"],
        order_id=cells["order_id"],
        status=ExecutionStatus(cells["status"]),
        symbol=cells["symbol"],
        direction=cells["direction"],
        intended_units=cells["intended_units"],
        executed_units=cells["executed_units"] or 0,
        fill_price=cells["fill_price"],
        slippage_pips=cells["slippage_pips"],
        timestamp=cells["last_update_timestamp"],
        rejection_reason=cells["rejection_reason"],
        rejection_details=cells["rejection_details"],
    )


def conflict_of(output: RPMOutput, receipt: Receipt, now_ns: int) -> ExecutionConfirmation:
    """The decision's id was used for another decision: nothing was done, and nothing new is recorded."""
    details = f"{receipt.code}: {receipt.reason} (its execution is {receipt.order_ref})"
    return _unrecorded(output, ExecutionStatus.REJECTED, RejectionReason.VALIDATION_FAILED, details, now_ns)


def failure_of(output: RPMOutput, error: SurefillError, now_ns: int) -> ExecutionConfirmation:
    """The engine's answer never came. SUBMITTED where it may have happened all the same, ERROR where it cannot have."""
    unknown, code, reason = failure_from(error)
    if unknown:
        details = f"{OUTCOME_UNKNOWN}: {reason}; ask again under the same order_id"
        return _unrecorded(output, ExecutionStatus.SUBMITTED, RejectionReason.NETWORK_ERROR, details, now_ns)
    return _unrecorded(output, ExecutionStatus.ERROR, None, f"{code}: {reason}", now_ns)


def _unrecorded(
    output: RPMOutput, status: ExecutionStatus, reason: RejectionReason | None, details: str, now_ns: int
) -> ExecutionConfirmation:
    trade = output.decision.approved_trade
    return ExecutionConfirmation(
        execution_id="",
        order_id=None,
        status=status,
        symbol="" if trade is None else trade.symbol,
        direction=0 if trade is None else trade.direction,
        intended_units=0 if trade is None else trade.position_units,
        executed_units=0,
        fill_price=None,
        slippage_pips=None,
        timestamp=iso_from_ns(now_ns),
        rejection_reason=reason,
        rejection_details=details,
    )
