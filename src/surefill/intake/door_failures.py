"""What a door says when the engine's answer never came. Unknown is not rejected."""

from __future__ import annotations

from typing import Final, NamedTuple

from surefill.errors import AppendFailed, SurefillError

OUTCOME_UNKNOWN: Final = "OUTCOME_UNKNOWN"


class Failure(NamedTuple):
    """`unknown`: it may have happened, and only asking again under the same id tells. Else nothing has happened."""

    unknown: bool
    code: str
    reason: str


def failure_from(error: SurefillError) -> Failure:
    """Only where the journal can have kept nothing is it certain that nothing has happened."""
    if not isinstance(error, AppendFailed):
        return Failure(False, error.code, error.message)
    if error.values.get("durable") == "no":
        return Failure(False, "JOURNAL_UNAVAILABLE", "the journal did not take it, so nothing was done: see the log")
    return Failure(True, OUTCOME_UNKNOWN, error.message)
