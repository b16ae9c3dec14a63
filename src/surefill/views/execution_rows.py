"""An execution as a row: the cells of the contract's table, and beside them what the table has no column for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from surefill.domain.refusals import RefusalCode
from surefill.rules.codes import OrdStatus
from surefill.units import iso_from_ns
from surefill.views.execution_standing import (
    Execution,
    Piece,
    executed_units,
    fill_price,
    intended_price,
    slippage,
    slippage_pips,
    standing_of,
    told,
    units_text,
)
from surefill.views.execution_units import number, price_of
from surefill.views.execution_words import slippage_band

#: The columns of the contract's table, in its order.
COLUMNS: Final = (
    "execution_id",
    "order_id",
    "request_id",
    "rpm_decision_id",
    "symbol",
    "direction",
    "intended_units",
    "executed_units",
    "intended_price",
    "fill_price",
    "slippage_pips",
    "status",
    "rejection_reason",
    "rejection_details",
    "confidence_score",
    "regime",
    "risk_per_trade",
    "model_version",
    "rpm_version",
    "execution_engine_version",
    "created_timestamp",
    "submission_timestamp",
    "fill_timestamp",
    "last_update_timestamp",
)

Cell = str | int | float | None


def request_id_of(execution_id: str) -> str:
    """The id of the request that an execution carries out: there is one for each."""
    return "req_" + execution_id.removeprefix("exec_")


def time_text(ns: int) -> str | None:
    """UTC to the microsecond, always with six digits, so that text sorts as time does; None for no time."""
    if not ns:
        return None
    return f"{iso_from_ns(ns - ns % 10**9)[:-1]}.{ns % 10**9 // 1000:06d}Z"


def cells_of(execution: Execution) -> dict[str, Cell]:
    """The row of the contract's table."""
    context, stand = execution.context, standing_of(execution)
    return {
        "execution_id": execution.execution_id,
        "order_id": next((piece.order_id for piece in execution.pieces.values() if piece.order_id), None),
        "request_id": request_id_of(execution.execution_id),
        "rpm_decision_id": execution.decision_id,
        "symbol": execution.symbol,
        "direction": execution.direction,
        "intended_units": _number_of(context, "position_units") or 0,
        "executed_units": number(executed_units(execution)),
        "intended_price": _maybe(intended_price(execution)),
        "fill_price": _maybe(fill_price(execution)),
        "slippage_pips": _maybe(slippage_pips(execution)),
        "status": stand.status.value,
        "rejection_reason": None if stand.reason is None else str(stand.reason),
        "rejection_details": stand.details,
        "confidence_score": _number_of(context, "confidence_score"),
        "regime": context.get("regime"),
        "risk_per_trade": _number_of(context, "risk_per_trade"),
        "model_version": context.get("model_version"),
        "rpm_version": context.get("rpm_version"),
        "execution_engine_version": context.get("execution_engine_version"),
        "created_timestamp": time_text(execution.created_ns),
        "submission_timestamp": time_text(execution.submitted_ns),
        "fill_timestamp": time_text(execution.filled_ns),
        "last_update_timestamp": time_text(execution.updated_ns),
    }


def details_of(execution: Execution) -> dict[str, Any]:
    """What the table has no column for: the decision's own words, every order, the slippage's sign and band."""
    signed, pips = slippage(execution), slippage_pips(execution)
    return {
        "code": RefusalCode(execution.refused).name if execution.refused else None,
        "decision": execution.context,
        "limits_version": execution.limits_version,
        "over": execution.over,
        "slippage": _maybe(signed),
        "slippage_band": None if pips is None else slippage_band(pips).value,
        "orders": [_order_of(execution, cl_ord_id, piece) for cl_ord_id, piece in execution.pieces.items()],
    }


def _order_of(execution: Execution, cl_ord_id: str, piece: Piece) -> dict[str, Any]:
    price = None
    if piece.cum_qty and execution.instrument is not None:
        price = number(price_of(Fraction(piece.cum_notional, piece.cum_qty), execution.instrument))
    return {
        "cl_ord_id": cl_ord_id,
        "order_id": piece.order_id,
        "status": OrdStatus(piece.status).name,
        "units": units_text(execution, piece.order_qty),
        "executed_units": units_text(execution, piece.cum_qty),
        "fill_price": price,
        "attempts": piece.attempts,
        "timed_out": piece.timed_out,
        "told": told(piece),
    }


def _maybe(value: Fraction | None) -> int | float | None:
    return None if value is None else number(value)


def _number_of(context: dict[str, str], name: str) -> int | float | None:
    """A number as upstream said it; the door lets nothing else into these labels."""
    told = context.get(name)
    return number(Fraction(told)) if told else None
