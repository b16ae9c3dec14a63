"""From JSON as it came over a wire to the contract's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from surefill.errors import InputError
from surefill.intake.rpm.messages import RiskMetrics, RPMOutput


def read_output(given: RPMOutput | Mapping[str, Any]) -> RPMOutput:
    """A decision, whether it comes as the message or as a mapping of its fields.

    Fields that are not known are ignored, as the document allows further ones; `risk_metrics` is kept as it is. Raises
    InputError (INVALID_SHAPE) for one that is missing or of the wrong kind: a number in quotes is no number.
    """
    if isinstance(given, RPMOutput):
        return given
    if not isinstance(given, Mapping):
        raise InputError(f"a decision is wanted, not {type(given).__name__}", code="INVALID_SHAPE")
    fields = {name: value for name, value in given.items() if name != "risk_metrics"}
    try:
        output: RPMOutput = msgspec.convert(fields, RPMOutput)
    except msgspec.ValidationError as error:
        raise InputError(f"the decision cannot be read: {error}", code="INVALID_SHAPE") from error
    metrics = given.get("risk_metrics")
    if metrics is not None:
        if not isinstance(metrics, Mapping):
            raise InputError("risk_metrics must be a mapping of figures", code="INVALID_SHAPE")
        output.risk_metrics = RiskMetrics(dict(metrics))
    return output
