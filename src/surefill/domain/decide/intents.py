"""Deciding on intents: ask the gates, then create the order; and on requests to cancel."""

from __future__ import annotations

from surefill.domain import ids
from surefill.domain.decide import breakers, exits, resting
from surefill.domain.decide.cancels import cancel
from surefill.domain.decide.sending import create_order
from surefill.domain.decide.step import Step
from surefill.domain.events import IntentAccepted, IntentEvaluated, IntentRefused, OrderCreated
from surefill.domain.gates import Question, refusal_of
from surefill.domain.gates.question import NOWHERE
from surefill.domain.gates.sizes import moment_of
from surefill.domain.inputs import EvaluateIntent, RequestCancel, SubmitIntent
from surefill.domain.orders import OrderRequest
from surefill.domain.policy import PASSED, Ruling
from surefill.domain.refusals import Refusal
from surefill.domain.sizing import SizingSpec, size
from surefill.domain.state import State


def submit(this: Step, item: SubmitIntent) -> None:
    """Gate an intent; accepted, it becomes one order, refused, a journaled reason."""
    if item.quote is not None:
        exits.quote(this, item.quote)
    intent = item.intent
    this.correlation_id, this.cause = intent.correlation_id, 0
    question = Question(this.state, intent, item.ts_ns)
    refusal, sized = _of_door(question, item.refusal), ""
    if refusal is None and intent.sizing is not None and not intent.order_qty and not question.is_exit:
        refusal, sized = _size(question, intent.sizing)
    ruling = PASSED
    if refusal is None and item.policy is not None:
        ruling = item.policy(_copied(question))
        refusal = ruling.refusal
    refusal = refusal or refusal_of(question)
    if refusal is None:
        _accept(this, question, item.given_px, sized, ruling)
    else:
        _refuse(this, question, refusal, ruling)
        breakers.watch(this)


def _of_door(question: Question, refusal: Refusal | None) -> Refusal | None:
    """What the door found wrong, as far as it concerns this intent."""
    return None if refusal is not None and refusal.entries_only and question.is_exit else refusal


def _copied(question: Question) -> Question:
    """The same question: whatever policy does to it, the order is made of the first."""
    again = Question(question.state, question.intent, question.ts_ns)
    again.qty = question.qty
    return again


def evaluate(this: Step, item: EvaluateIntent) -> None:
    """Let policy speak before there is an order, and keep what it said."""
    ruling, intent = ruling_on(this.state, item), item.intent
    refusal = ruling.refusal
    this.emit(
        IntentEvaluated(
            item.ts_ns,
            intent.correlation_id,
            0,
            intent,
            this.book.limits_version,
            ruling.qty,
            0 if refusal is None else refusal.code,
            "" if refusal is None else refusal.reason,
            ruling.rule,
            ruling.warnings,
            ruling.resized,
            0 if item.quote is None else item.quote.last_px,
        )
    )


def ruling_on(state: State, item: EvaluateIntent) -> Ruling:
    """What policy says at the price that came with the intent. The state is as before when it returns."""
    quotes = state.quotes
    if item.quote is not None:
        state.quotes = {**quotes, item.quote.instrument_id: item.quote}
    try:
        question = Question(state, item.intent, item.ts_ns)
        if question.instrument is NOWHERE and item.instrument is not None:
            question.instrument, question.terms = item.instrument, item.instrument.terms_at(item.ts_ns)
        return item.policy(question)
    finally:
        state.quotes = quotes


def _size(q: Question, spec: SizingSpec) -> tuple[Refusal | None, str]:
    """Set the quantity, once; after this nothing changes it. What is not known, or no whole lot, is a refusal."""
    if q.instrument is NOWHERE:
        return None, ""  # a gate says so
    found = size(spec, moment_of(q))
    if isinstance(found, Refusal):
        return found, ""
    q.qty = found.qty
    return None, found.figures


def _refuse(this: Step, question: Question, refusal: Refusal, ruling: Ruling) -> None:
    book, profile = this.book, question.profile
    number = book.number + 1
    ref = ids.order_ref(profile.id_style, profile.id_prefix, book.workspace_id, this.ts_ns, number)
    intent = question.intent
    this.emit(
        IntentRefused(
            this.ts_ns,
            this.correlation_id,
            this.cause,
            intent,
            number,
            book.limits_version,
            ref,
            refusal.code,
            refusal.reason,
            ruling.rule,
            ruling.warnings,
        )
    )


def _accept(this: Step, question: Question, given_px: int, sized: str, ruling: Ruling) -> None:
    book, intent, profile = this.book, question.intent, question.profile
    ts_ns, number = this.ts_ns, book.number + 1
    reduce_only = question.is_exit
    value = question.value if intent.basket_id and not reduce_only else 0
    this.emit(
        IntentAccepted(
            ts_ns,
            this.correlation_id,
            this.cause,
            intent,
            number,
            book.limits_version,
            given_px,
            value,
            sized,
            ruling.warnings,
        )
    )
    request = OrderRequest(
        ids.cl_ord_id(book.workspace_id, f"{intent.intent_id}|{intent.correlation_id}", number),
        ids.order_ref(profile.id_style, profile.id_prefix, book.workspace_id, ts_ns, number),
        intent.instrument_id,
        intent.bucket,
        question.side,
        intent.ord_type,
        question.qty,
        intent.px,
        intent.stop_px,
        intent.time_in_force,
        reduce_only,
        question.arrival_px,
        ts_ns,
        ts_ns + profile.limits.send_by_ns,
    )
    quote = question.quote
    create_order(
        this,
        OrderCreated(
            ts_ns,
            this.correlation_id,
            book.seq,
            request,
            number,
            intent.intent_id,
            intent.strategy_id,
            arrival_source=0 if quote is None else quote.source,
            arrival_ns=0 if quote is None else quote.ts_ns,
            plan=None if reduce_only else intent.plan,
            arrival_spread=question.spread,
            timeout_ns=0 if reduce_only else intent.timeout_ns or profile.limits.order_timeout_ns,
            withheld=reduce_only and resting.stands(this, question.key),
        ),
    )


def request_cancel(this: Step, item: RequestCancel) -> None:
    """Ask the venue to cancel a live order; a finished or unknown one needs nothing."""
    order = this.book.orders.get(item.cl_ord_id)
    if order is not None:
        cancel(this, order, item.by)
