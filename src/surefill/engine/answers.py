"""A venue's outcome as an input of the core."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from surefill.domain.effects import AmendOrder, CancelOrder, SubmitOrder
from surefill.domain.inputs import Input, OutcomeUnknown, VenueReports
from surefill.domain.reports import OUTCOME_UNKNOWN, ExecType, VenueReport
from surefill.errors import InvariantBreach
from surefill.venues.protocol import Accepted, Outcome, Rejected

T = TypeVar("T")

CANNOT_AMEND = Rejected("NOT_SUPPORTED", "this venue does not change working orders")


def at_once(call: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits: a venue in this process has nothing to wait for."""
    try:
        call.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    call.close()
    raise InvariantBreach("a venue that says it is in this process has waited for something outside it")


def submit_answer(effect: SubmitOrder, outcome: Outcome, ts_ns: int) -> Input:
    """Accepted and rejected are reports; everything else is unknown, never rejected."""
    cl_ord_id = effect.request.cl_ord_id
    if isinstance(outcome, Accepted):
        # Accepted says that the venue has it, even when it says nothing else.
        return VenueReports(ts_ns, outcome.reports or (VenueReport(cl_ord_id, ExecType.NEW),))
    if isinstance(outcome, Rejected):
        return VenueReports(ts_ns, (_refused(cl_ord_id, ExecType.REJECTED, outcome),))
    return OutcomeUnknown(ts_ns, cl_ord_id, outcome.reason)


def cancel_answer(effect: CancelOrder, outcome: Outcome, ts_ns: int) -> Input:
    """A cancel that was refused, or whose outcome is unknown, sends the core to ask what became of the order."""
    cl_ord_id = effect.request.cl_ord_id
    if isinstance(outcome, Accepted):
        return VenueReports(ts_ns, outcome.reports)
    if not isinstance(outcome, Rejected):
        outcome = Rejected(OUTCOME_UNKNOWN, outcome.reason, outcome.raw)
    return VenueReports(ts_ns, (_refused(cl_ord_id, ExecType.CANCEL_REJECTED, outcome),))


def amend_answer(effect: AmendOrder, outcome: Outcome, ts_ns: int) -> Input:
    """Changed as asked for; else it is not, or nobody knows: the core asks for a new order instead."""
    cl_ord_id = effect.request.cl_ord_id
    if isinstance(outcome, Accepted):
        return VenueReports(ts_ns, (VenueReport(cl_ord_id, ExecType.REPLACED), *outcome.reports))
    if not isinstance(outcome, Rejected):
        outcome = Rejected(OUTCOME_UNKNOWN, outcome.reason, outcome.raw)
    return VenueReports(ts_ns, (_refused(cl_ord_id, ExecType.REPLACE_REJECTED, outcome),))


def _refused(cl_ord_id: str, exec_type: int, outcome: Rejected) -> VenueReport:
    return VenueReport(
        cl_ord_id,
        exec_type,
        code=outcome.code,
        text=outcome.text,
        raw=outcome.raw,
        undelivered=outcome.undelivered,
        retry_after_ns=outcome.retry_after_ns,
    )
