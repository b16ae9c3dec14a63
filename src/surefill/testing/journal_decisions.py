"""What each decision in a journal must fulfil: intents, orders, what is sent again, switches and breakers.

A check takes the event in and yields what is wrong with it: (number of the invariant, text).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from surefill.domain import events as e
from surefill.domain.ids import cl_ord_id as derived_id
from surefill.domain.intent import Action, Intent
from surefill.domain.position import position_key
from surefill.domain.reports import OUTCOME_UNKNOWN
from surefill.domain.risk import WORKSPACE
from surefill.rules.codes import OrdStatus, PartialFill
from surefill.testing.journal_audit import Audit, Audited, Findings, known


def _intent_accepted(audit: Audit, seq: int, event: e.IntentAccepted) -> Findings:
    audit.accepted = seq, event
    if event.limits_version != audit.version:
        yield 9, f"an intent passed limits version {event.limits_version}, in force is {audit.version}"


def _created(audit: Audit, _seq: int, event: e.OrderCreated) -> Findings:
    request = event.request
    cl_ord_id = request.cl_ord_id
    for name in (cl_ord_id, request.order_ref):
        if name in audit.ids:
            yield 2, f"{name} is used a second time"
        audit.ids.add(name)
    order = audit.orders[cl_ord_id] = Audited(event)
    if event.exit_reason:
        yield from _cites_exit(audit, event, order.key)
    elif event.parent:
        yield from _cites_parent(audit, order, event)
    else:
        yield from _cites_intent(audit, event)
    if request.reduce_only:
        if audit.exceeds(order.key, withheld=order.withheld):
            yield (
                22,
                f"{cl_ord_id} reduces {order.key} ({audit.qty[order.key]}) together with others by more than there is",
            )
        return
    held_back = audit.held_back(request.instrument_id, event.strategy_id)
    if held_back:
        yield 10, f"{cl_ord_id} is an entry, decided on {held_back}"


def _cites_intent(audit: Audit, event: e.OrderCreated) -> Findings:
    (seq, accepted), request = audit.accepted, event.request
    if accepted is None or event.causation_seq != seq or accepted.intent.instrument_id != request.instrument_id:
        yield 9, f"{request.cl_ord_id} cites no intent that passed the gates"
        return
    intent = accepted.intent
    audit.accepted = 0, None  # one order for one intent
    if request.cl_ord_id != _origin(audit, f"{intent.intent_id}|{intent.correlation_id}", event.number):
        yield 2, f"{request.cl_ord_id} does not derive from its intent"
    if accepted.sized:
        return  # the core sized it: its first order is what was approved
    approved = _approved(audit, intent, event.ts_ns)
    if request.order_qty != approved:
        yield 11, f"{request.cl_ord_id} asks for {request.order_qty}, its intent for {approved}"


def _approved(audit: Audit, intent: Intent, ts_ns: int) -> int:
    """The intent's quantity; of a close of all that is held, where odd lots stay behind, the whole lots."""
    held = abs(audit.qty[position_key(intent.instrument_id, intent.bucket)])
    wanted = intent.order_qty or held
    if intent.action == Action.CLOSE and wanted == held:
        return audit.instruments[intent.instrument_id].terms_at(ts_ns).leaving_qty(held)
    return wanted


_SAME_TERMS = (
    *("instrument_id", "bucket", "side", "ord_type", "px", "stop_px", "time_in_force", "reduce_only", "arrival_px"),
)


def _cites_parent(audit: Audit, order: Audited, event: e.OrderCreated) -> Findings:
    """A further order takes up what those before it left, and no more."""
    request, parent = event.request, audit.orders.get(event.parent)
    family = audit.families.setdefault(event.parent, [] if parent is None else [parent])
    if not family:
        yield 9, f"{request.cl_ord_id} takes up the rest of {event.parent}, which was never decided on"
        return
    first = family[0].request
    if audit.profile.limits.partial_fill != PartialFill.RETRY or event.attempt > audit.profile.limits.attempts_max:
        yield 9, f"{request.cl_ord_id} is attempt {event.attempt} of {event.parent}, which its profile does not allow"
    if request.cl_ord_id != _origin(audit, f"rest|{event.parent}", event.number):
        yield 2, f"{request.cl_ord_id} does not derive from {event.parent}"
    if any(getattr(request, name) != getattr(first, name) for name in _SAME_TERMS):
        yield 11, f"{request.cl_ord_id} has other terms than {event.parent}"
    left = first.order_qty - sum(member.cum_qty for member in family)
    if request.order_qty > left or any(member.live for member in family):
        yield 11, f"{request.cl_ord_id} asks for {request.order_qty}, {left} of {event.parent} is left"
    family.append(order)


def _cites_exit(audit: Audit, event: e.OrderCreated, key: str) -> Findings:
    request = event.request
    if request.target_px and not audit.profile.limits.targets_at_venue:
        yield 22, f"{request.cl_ord_id} has a target linked to it, where its profile links none"
    if audit.orders[request.cl_ord_id].rests:
        if not audit.profile.limits.stops_at_venue:
            yield 9, f"{request.cl_ord_id} rests at the venue, where its profile keeps no stops"
    elif key not in audit.triggered:
        yield 9, f"{request.cl_ord_id} cites no exit that was triggered"
    if request.cl_ord_id != _origin(audit, f"exit|{key}|{event.number}", event.number):
        yield 2, f"{request.cl_ord_id} does not derive from its exit"
    if request.order_qty > abs(audit.qty[key]):
        yield 11, f"{request.cl_ord_id} closes {request.order_qty} of {audit.qty[key]}"


def _origin(audit: Audit, origin: str, number: int) -> str:
    return derived_id(audit.workspace_id, origin, number)


def _halted(audit: Audit, _seq: int, event: e.Halted) -> Findings:
    switch = _switch(event)
    if event.level < audit.halts.get(switch, 0):
        yield 10, f"{event.code} loosens the switch of {switch[1] or switch[0] or 'the workspace'}"
    audit.halts[switch] = event.level


def _resumed(audit: Audit, _seq: int, event: e.Resumed) -> Findings:
    switch = _switch(event)
    if event.level >= audit.halts.get(switch, 0):
        yield 10, f"resumed to {event.level}, which is no looser"
    audit.halts[switch] = event.level
    if not event.by:
        yield 10, "resumed by nobody"


def _switch(event: e.Halted | e.Resumed) -> tuple[str, str]:
    if event.instrument_id:
        return "instrument", event.instrument_id
    if event.strategy_id:
        return "strategy", event.strategy_id
    return "" if event.scope == WORKSPACE else event.scope, ""


def _tripped(audit: Audit, _seq: int, event: e.BreakerTripped) -> Findings:
    if event.breaker in audit.tripped:
        yield 10, f"{event.breaker} trips a second time"
    audit.tripped[event.breaker] = event.until_ns


def _rearmed(audit: Audit, _seq: int, event: e.BreakerRearmed) -> Findings:
    until_ns = audit.tripped.pop(event.breaker, None)
    if until_ns is None:
        yield 10, f"{event.breaker} is armed again and has not tripped"
    elif not event.by or (event.by == "cooling-off" and not 0 < until_ns <= event.ts_ns):
        yield 10, f"{event.breaker} is armed again by {event.by or 'nobody'} before its time"


def _session_set(audit: Audit, _seq: int, event: e.SessionSet) -> Findings:
    if event.calendar == audit.profile.calendar and event.day != audit.day:
        audit.day = event.day
        audit.tripped = {name: until_ns for name, until_ns in audit.tripped.items() if until_ns}
    yield from ()


@known
def _resend_scheduled(audit: Audit, order: Audited, event: e.OrderResendScheduled) -> Findings:
    proof = audit.evidenced(order, event) and audit.report[1] is not None and audit.report[1].undelivered
    if not proof or order.status != OrdStatus.SUBMITTED:
        yield 3, f"{event.cl_ord_id} is to be sent again without proof that it never arrived"
    if event.attempt != order.attempts + 1 or event.attempt > audit.profile.limits.attempts_max:
        yield 9, f"{event.cl_ord_id} is to be sent a {event.attempt}th time after {order.attempts}"
    order.attempts, order.resend_ns = event.attempt, event.at_ns


@known
def _resent(audit: Audit, order: Audited, event: e.OrderResent) -> Findings:
    if not 0 < order.resend_ns <= event.ts_ns or order.status != OrdStatus.SUBMITTED:
        yield 3, f"{event.cl_ord_id} is sent again and did not wait for it"
    held_back = "" if order.request.reduce_only else audit.held_back(order.request.instrument_id, order.strategy_id)
    if held_back:
        yield 10, f"{event.cl_ord_id} is an entry, sent again {held_back}"
    order.resend_ns = 0
    order.request = msgspec.structs.replace(order.request, send_by_ns=event.send_by_ns)


@known
def _released(audit: Audit, order: Audited, event: e.OrderReleased) -> Findings:
    if not order.withheld or any(other.rests for other in audit.reducing(order.key)):
        yield 22, f"{event.cl_ord_id} is sent while the stop of {order.key} may work"
    order.withheld = False
    order.request = msgspec.structs.replace(order.request, send_by_ns=event.send_by_ns)


@known
def _presumed_gone(audit: Audit, order: Audited, event: e.StopPresumedGone) -> Findings:
    limits = audit.profile.limits
    long = event.ts_ns - order.unknown_ns >= limits.exit_waits_ns > 0
    if not (long and order.rests and order.absences >= limits.absence_queries and order.status == OrdStatus.UNKNOWN):
        yield 22, f"{event.cl_ord_id} is presumed gone, and was not looked for often or long enough"
    order.presumed_gone = True


@known
def _replace_requested(_audit: Audit, order: Audited, event: e.ReplaceRequested) -> Findings:
    if not order.rests or not order.live or order.replacing is not None:
        yield 9, f"{event.cl_ord_id} is to be changed, and is no stop that rests, or is being changed already"
    order.replacing = event


@known
def _replaced(audit: Audit, order: Audited, event: e.OrderReplaced) -> Findings:
    asked = order.replacing or order.doubted
    order.replacing = order.doubted = None
    if asked is None or not audit.evidenced(order, event):
        yield 3, f"{event.cl_ord_id} is changed without the venue's word"
    else:
        terms = {"stop_px": asked.stop_px, "order_qty": asked.order_qty, "target_px": asked.target_px}
        order.request = msgspec.structs.replace(order.request, **terms)


@known
def _replace_refused(_audit: Audit, order: Audited, event: e.ReplaceRefused) -> Findings:
    order.doubted = order.replacing if event.code == OUTCOME_UNKNOWN else None
    order.replacing = None
    yield from ()


DECISIONS: dict[type[e.Event], Callable[[Audit, int, Any], Findings]] = {
    e.IntentAccepted: _intent_accepted,
    e.OrderCreated: _created,
    e.OrderResendScheduled: _resend_scheduled,
    e.OrderResent: _resent,
    e.OrderReleased: _released,
    e.StopPresumedGone: _presumed_gone,
    e.ReplaceRequested: _replace_requested,
    e.OrderReplaced: _replaced,
    e.ReplaceRefused: _replace_refused,
    e.Halted: _halted,
    e.Resumed: _resumed,
    e.BreakerTripped: _tripped,
    e.BreakerRearmed: _rearmed,
    e.SessionSet: _session_set,
}
