"""What a venue has no way of taking is refused before it is an order: it would only come back from there."""

from __future__ import annotations

import msgspec

from surefill.domain.inputs import Input, SubmitIntent
from surefill.domain.intent import Intent
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.rules.codes import OrdType, TimeInForce
from surefill.venues.protocol import Capabilities, Venue


def fitted(item: Input, venue: Venue) -> Input:
    """The input as it is; an intent that the venue cannot take with why not, which is journaled with it."""
    if not isinstance(item, SubmitIntent) or item.refusal is not None:
        return item
    refusal = _misfit(item.intent, venue.capabilities)
    return item if refusal is None else msgspec.structs.replace(item, refusal=refusal)


def _misfit(intent: Intent, capabilities: Capabilities) -> Refusal | None:
    """Codes that mean nothing are left to the gates."""
    if intent.ord_type not in list(OrdType) or intent.time_in_force not in list(TimeInForce):
        return None
    name, kind, time = capabilities.name, OrdType(intent.ord_type), TimeInForce(intent.time_in_force)
    if kind not in capabilities.ord_types:
        return Refusal(RefusalCode.UNSUPPORTED_ORDER_TYPE, f"{name} has no {kind.name} orders")
    if not capabilities.takes(kind, time):
        taken = ", ".join(each.name for each in TimeInForce if capabilities.takes(kind, each)) or "none"
        reason = f"{name} takes no {kind.name} order that is {time.name}: it may be {taken}"
        return Refusal(RefusalCode.UNSUPPORTED_TIME_IN_FORCE, reason)
    return None
