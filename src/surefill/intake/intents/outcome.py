"""What the caller of this door hears: codes, HTTP statuses, figures in units.

A refusal is an answer, not an exception. Each code has one HTTP status, kept here as a field until the HTTP door sends
it.

====  ==========================================================================================================
200   done, or refused by policy: POLICY_REJECTED, STRATEGY_PAUSED (success false)
202   OUTCOME_UNKNOWN while an order's fate is not known (status SUBMITTED)
400   the request cannot be executed: UNSUPPORTED_ACTION, UNSUPPORTED_MODE, INVALID_FILL_PRICE, INVALID_QUANTITY,
      NO_POSITION, PARTIAL_CLOSE_NOT_SUPPORTED, INSUFFICIENT_CASH, and the core's other refusals by their own names
404   UNKNOWN_WORKSPACE, UNKNOWN_ORDER
409   ALREADY_EXECUTED (same id, same content), INTENT_CONFLICT (same id, other content)
422   INVALID_REQUEST, NOT_TEXT, NOT_UNICODE, WRONG_TYPE: not the shape of a request
503   JOURNAL_DOWN, NOT_READY, QUEUE_FULL, STOPPED: not done, or nobody knows (`status`): ask again under the same id
====  ==========================================================================================================
"""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.domain.instrument import Instrument
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import ConfigError, InputError, SurefillError, WorkspaceHalted
from surefill.intake.intents.event_view import TradeEvent
from surefill.rules.codes import OrdStatus, Side
from surefill.strategy.intents import TradeIntent
from surefill.units import quanta_float
from surefill.views.wording import avg_px

_STATUS_WORDS: Final = {
    OrdStatus.SUBMITTED: "SUBMITTED",
    OrdStatus.UNKNOWN: "SUBMITTED",
    OrdStatus.NEW: "SUBMITTED",
}
_HTTP: Final = {
    "POLICY_REJECTED": 200,
    "STRATEGY_PAUSED": 200,
    "OUTCOME_UNKNOWN": 202,
    "UNKNOWN_WORKSPACE": 404,
    "UNKNOWN_ORDER": 404,
    "ALREADY_EXECUTED": 409,
    "INTENT_CONFLICT": 409,
    "INVALID_REQUEST": 422,
    "NOT_UNICODE": 422,
    "NOT_TEXT": 422,
    "WRONG_TYPE": 422,
    "JOURNAL_DOWN": 503,
}
#: The core's refusals that this door has another word for; the core's own stays in `detail`.
_WORDS: Final = {
    "OFF_LOT": "INVALID_QUANTITY",
    "QUANTITY_OUT_OF_RANGE": "INVALID_QUANTITY",
}


class ExecutionOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one intent.

    `status`: FILLED, PARTIALLY_FILLED, SUBMITTED (it works, or its fate is not known), CANCELED, EXPIRED, REJECTED;
    UNKNOWN where the journal failed and it cannot be said whether the intent was executed.
    `code` and `reason` are empty on success; `detail` is the core's own code where this door has another word.
    For ALREADY_EXECUTED and INTENT_CONFLICT `correlation_id`, `order_id` and the figures are those of the first intent.
    `events` is what this intent led to in this door's words; empty where nothing was journaled.
    """

    success: bool
    http_status: int
    status: str
    workspace_id: str
    intent_id: str
    correlation_id: str
    symbol: str = ""
    order_id: str = ""
    side: str = ""
    filled_quantity: float = 0.0
    fill_price: float | None = None
    fees: float = 0.0
    code: str = ""
    reason: str = ""
    detail: str = ""
    events: tuple[TradeEvent, ...] = ()


def http_status_of(code: str) -> int:
    """The HTTP status of a code; "" is success."""
    return _HTTP.get(code, 400) if code else 200


def names_of(intent: object) -> tuple[str, str, str, str]:
    """What `refused` is told of an intent; nothing of what is none."""
    if not isinstance(intent, TradeIntent):
        return "", "", "", ""
    return intent.workspace_id, intent.id, intent.correlation_id, intent.symbol


def refused(
    workspace_id: str, intent_id: str, correlation_id: str, symbol: str, error: SurefillError
) -> ExecutionOutcome:
    """The answer where the engine gave none: the request did not get that far, or the journal failed."""
    known = isinstance(error, InputError | ConfigError | WorkspaceHalted)  # these come before anything is done
    code = error.code if known else "JOURNAL_DOWN"
    return ExecutionOutcome(
        success=False,
        http_status=503 if isinstance(error, WorkspaceHalted) else http_status_of(code),
        status="REJECTED" if known or error.values.get("durable") == "no" else "UNKNOWN",
        workspace_id=workspace_id,
        intent_id=intent_id,
        correlation_id=correlation_id,
        symbol=symbol,
        code=code,
        reason=error.message,
        detail="" if code == error.code else error.code,
    )


def answered(
    workspace_id: str, receipt: Receipt, instrument: Instrument, money_decimals: int, events: tuple[TradeEvent, ...]
) -> ExecutionOutcome:
    """The answer that a receipt is."""
    code, reason, detail = _code(receipt)
    executed = receipt.verdict != Verdict.REFUSED and receipt.order_ref != ""
    return ExecutionOutcome(
        success=not code,
        http_status=http_status_of(code),
        status=_status(receipt) if executed else "REJECTED",
        workspace_id=workspace_id,
        intent_id=receipt.intent_id,
        correlation_id=receipt.correlation_id,
        symbol=instrument.instrument_id,
        order_id=receipt.order_ref if executed else "",
        side=Side(receipt.side).name if executed else "",
        filled_quantity=quanta_float(receipt.cum_qty, instrument.qty_decimals),
        fill_price=avg_px(receipt.cum_notional, receipt.cum_qty, instrument.price_decimals)
        if receipt.cum_qty
        else None,
        fees=quanta_float(receipt.fees, money_decimals),
        code=code,
        reason=reason,
        detail=detail,
        events=events,
    )


def _status(receipt: Receipt) -> str:
    status = OrdStatus(receipt.status)
    return _STATUS_WORDS.get(status, status.name)


def _code(receipt: Receipt) -> tuple[str, str, str]:
    """This door's code, the reason, and the core's code where it differs."""
    first = receipt.correlation_id
    if receipt.verdict == Verdict.DUPLICATE:
        return "ALREADY_EXECUTED", f"intent {receipt.intent_id} was executed before, as {first}", ""
    if receipt.verdict == Verdict.CONFLICT:
        return "INTENT_CONFLICT", receipt.reason, receipt.code
    if receipt.verdict == Verdict.REFUSED:
        word = _WORDS.get(receipt.code, receipt.code)
        if receipt.rule and word != "STRATEGY_PAUSED":
            word = "POLICY_REJECTED"
        return word, receipt.reason, "" if word == receipt.code else receipt.code
    if receipt.status == OrdStatus.UNKNOWN:
        return "OUTCOME_UNKNOWN", receipt.reason, ""
    if receipt.status == OrdStatus.REJECTED:
        return receipt.code or "REJECTED", receipt.reason, ""
    return "", "", ""
