"""The story of one intent, in words: what was asked, what the gates said, what the venue did, how it left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from surefill.domain import events as e
from surefill.domain.account import MoveKind
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Action, Intent
from surefill.domain.market import Source
from surefill.domain.refusals import RefusalCode
from surefill.rules.codes import OrdStatus, PositionEffect
from surefill.units import iso_from_ns, quanta_text
from surefill.views.fold import Fold
from surefill.views.wording import avg_px, exit_word, float_text, one_line, ord_type_word, side_word


def story(events: Iterable[e.Event], correlation_id: str) -> list[str]:
    """The lines of one story, each with its time, out of a workspace's whole stream."""
    fold, lines = Fold(), []
    for event in events:
        fold.apply(event)
        if event.correlation_id == correlation_id:
            said = _in_words(fold, event)
            if said:
                lines.append(f"{iso_from_ns(event.ts_ns)}  {one_line(said)}")
    return lines


def _in_words(fold: Fold, event: e.Event) -> str:
    tell = _TELL.get(type(event))
    return "" if tell is None else tell(_Scale(fold), event)


class _Scale:
    """Numbers of the instrument at hand as a person writes them."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold

    def instrument_of(self, event: Any) -> Instrument | None:
        """The instrument that an event of an order or a position speaks of."""
        order = self.fold.order(getattr(event, "cl_ord_id", ""))
        if order is not None:
            return self.fold.instrument(order.request.instrument_id)
        position = self.fold.book.positions.get(getattr(event, "position", ""))
        return None if position is None else self.fold.instrument(position.instrument_id)

    def px(self, instrument: Instrument | None, px: int) -> str:
        return quanta_text(px, instrument.price_decimals if instrument else 0)

    def qty(self, instrument: Instrument | None, qty: int) -> str:
        return quanta_text(qty, instrument.qty_decimals if instrument else 0)

    def money(self, money: int) -> str:
        book = self.fold.book
        return f"{quanta_text(money, book.money_decimals)} {book.currency}"

    def ref(self, cl_ord_id: str) -> str:
        order = self.fold.order(cl_ord_id)
        return cl_ord_id if order is None else order.request.order_ref


def _wish(scale: _Scale, intent: Intent) -> str:
    instrument = scale.fold.instrument(intent.instrument_id)
    if intent.action == Action.CLOSE and not intent.order_qty:
        asked = f"close all of {intent.instrument_id}"
    else:
        verb = "close" if intent.action == Action.CLOSE else side_word(intent.side) if intent.side else "trade"
        asked = f"{verb} {scale.qty(instrument, intent.order_qty)} {intent.instrument_id}"
    kind = ord_type_word(intent.ord_type)
    at = f" at {scale.px(instrument, intent.px)}" if intent.px else ""
    trigger = f" triggered at {scale.px(instrument, intent.stop_px)}" if intent.stop_px else ""
    why = f" ({intent.reason})" if intent.reason else ""
    return f"{intent.strategy_id or 'somebody'} asks to {asked}, {kind}{at}{trigger}{why}"


def _accepted(scale: _Scale, event: e.IntentAccepted) -> str:
    profile = scale.fold.book.profile
    gates = f"the {len(profile.gates)} gates of profile {profile.name} (limits version {event.limits_version})"
    return f"{_wish(scale, event.intent)}: passed by {gates}"


def _refused(scale: _Scale, event: e.IntentRefused) -> str:
    return f"{_wish(scale, event.intent)}: REFUSED, {RefusalCode(event.code).name}: {event.reason}"


def _created(scale: _Scale, event: e.OrderCreated) -> str:
    request = event.request
    instrument = scale.fold.instrument(request.instrument_id)
    what = f"{side_word(request.side)} {scale.qty(instrument, request.order_qty)} {request.instrument_id}"
    why = f" for the {exit_word(event.exit_reason)} exit" if event.exit_reason else ""
    source = f", {Source(event.arrival_source).name.lower()} price" if event.arrival_source else ""
    seen = f" with the market at {scale.px(instrument, request.arrival_px)}{source}" if request.arrival_px else ""
    return f"order {request.order_ref}: {what} {ord_type_word(request.ord_type)}{why}{seen}"


def _placed(scale: _Scale, event: e.OrderAccepted) -> str:
    return f"order {scale.ref(event.cl_ord_id)} is working at the venue"


def _rejected(scale: _Scale, event: e.OrderRejected) -> str:
    return f"order {scale.ref(event.cl_ord_id)} was rejected by the venue: {event.code} {event.text}"


def _unknown(scale: _Scale, event: e.OrderOutcomeUnknown) -> str:
    return f"order {scale.ref(event.cl_ord_id)}: OUTCOME_UNKNOWN, {event.reason}"


def _filled(scale: _Scale, event: e.OrderFilled) -> str:
    instrument = scale.instrument_of(event)
    what = f"{scale.qty(instrument, event.last_qty)} at {scale.px(instrument, event.last_px)}"
    now = "flat"
    if event.position_qty:
        average = avg_px(event.position_cost, event.position_qty, instrument.price_decimals if instrument else 0)
        now = f"{scale.qty(instrument, event.position_qty)} at {float_text(average)}"
    made = f", realised {scale.money(event.realised)}" if event.realised else ""
    fee = f", fee {scale.money(event.fee)}" if event.fee else ""
    if event.fee_qty:
        fee += f" (of it {scale.qty(instrument, event.fee_qty)} taken out of the position)"
    late = " (LATE: after the order's end)" if event.late else ""
    effect = PositionEffect(event.effect).name.lower()
    return f"order {scale.ref(event.cl_ord_id)} traded {what}{late}: position {effect}, now {now}{made}{fee}"


def _over(scale: _Scale, event: e.OrderCanceled | e.OrderExpired) -> str:
    word = "cancelled" if isinstance(event, e.OrderCanceled) else "expired"
    return f"order {scale.ref(event.cl_ord_id)} {word}{f': {event.text}' if event.text else ''}"


def _cancel(scale: _Scale, event: e.CancelRequested) -> str:
    return f"cancel of order {scale.ref(event.cl_ord_id)} asked for by {event.by}"


def _cancel_refused(scale: _Scale, event: e.CancelRefused) -> str:
    return f"cancel of order {scale.ref(event.cl_ord_id)} refused: {event.code} {event.text}"


def _resolved(scale: _Scale, event: e.OrderResolved) -> str:
    status = OrdStatus(event.status).name
    return f"order {scale.ref(event.cl_ord_id)} declared {status} by {event.by}: {event.evidence}"


def _protected(scale: _Scale, event: e.ProtectionSet) -> str:
    instrument = scale.instrument_of(event)
    parts = []
    if event.stop_px:
        risk = f" (risk {scale.px(instrument, event.initial_risk)})" if event.initial_risk else ""
        parts.append(f"stop {scale.px(instrument, event.stop_px)}{risk}")
    if event.target_px:
        parts.append(f"target {scale.px(instrument, event.target_px)}")
    if event.trail_distance:
        parts.append(f"trailing {scale.px(instrument, event.trail_distance)} behind")
    if event.ladder:
        parts.append("levels " + ", ".join(scale.px(instrument, step.px) for step in event.ladder))
    if event.time_stop_bars:
        parts.append(f"out after {event.time_stop_bars} bars")
    if event.max_hold_ns:
        parts.append(f"out after {quanta_text(event.max_hold_ns, 9)} s")
    if event.end_of_day:
        parts.append("out at the end of the day")
    return f"position {event.position} guarded: {', '.join(parts)}"


def _stop_moved(scale: _Scale, event: e.StopMoved) -> str:
    instrument = scale.instrument_of(event)
    return f"stop moved to {scale.px(instrument, event.stop_px)}, the price was {scale.px(instrument, event.px)}"


def _exit(scale: _Scale, event: e.ExitTriggered) -> str:
    instrument = scale.instrument_of(event)
    source = Source(event.source).name.lower()
    return (
        f"exit: {exit_word(event.reason)} at {scale.px(instrument, event.px)} ({source} price),"
        f" {scale.qty(instrument, event.qty)} to close"
    )


def _dust(scale: _Scale, event: e.DustLeft) -> str:
    left = scale.qty(scale.instrument_of(event), event.qty)
    return f"position {event.position} is over: {left} is left, too little for an order at its venue"


def _anomaly(scale: _Scale, event: e.AnomalyNoted) -> str:
    return f"ANOMALY {event.kind}: {event.detail}"


def _halted(scale: _Scale, event: e.Halted) -> str:
    what = event.instrument_id or scale.fold.book.workspace_id
    return f"{what} halted by {event.by}: {event.code}, {event.reason}"


def _elsewhere(scale: _Scale, event: e.ExternalTraded) -> str:
    instrument = scale.fold.instrument(event.instrument_id)
    what = f"{side_word(event.side)} {scale.qty(instrument, event.last_qty)} {event.instrument_id}"
    made = f", realised {scale.money(event.realised)}" if event.realised else ""
    now = scale.qty(instrument, event.position_qty) if event.position_qty else "flat"
    return f"made elsewhere: {what} at {scale.px(instrument, event.last_px)}, position now {now}{made}"


def _moved(scale: _Scale, event: e.AccountMoved) -> str:
    move = event.move
    name = MoveKind(move.kind).name.lower() if move.kind in list(MoveKind) else f"move of kind {move.kind}"
    if event.refused:
        return f"{name} {move.move_id} NOT BOOKED: {event.refused}"
    now = f", {move.instrument_id} now {scale.qty(scale.fold.instrument(move.instrument_id), event.position_qty)}"
    return f"{name} {move.move_id}: cash {scale.money(move.amount)}{now if move.qty else ''}"


_TELL: dict[type[e.Event], Callable[[_Scale, Any], str]] = {
    e.IntentAccepted: _accepted,
    e.IntentRefused: _refused,
    e.OrderCreated: _created,
    e.OrderAccepted: _placed,
    e.OrderRejected: _rejected,
    e.OrderOutcomeUnknown: _unknown,
    e.OrderFilled: _filled,
    e.OrderCanceled: _over,
    e.OrderExpired: _over,
    e.CancelRequested: _cancel,
    e.CancelRefused: _cancel_refused,
    e.OrderResolved: _resolved,
    e.ProtectionSet: _protected,
    e.StopMoved: _stop_moved,
    e.ExitTriggered: _exit,
    e.DustLeft: _dust,
    e.AnomalyNoted: _anomaly,
    e.Halted: _halted,
    e.ExternalTraded: _elsewhere,
    e.AccountMoved: _moved,
}
