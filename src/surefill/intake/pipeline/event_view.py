"""From the journal's events to the contract's. Whatever is published has happened and is durable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from surefill.domain import events as e
from surefill.domain.orders import Order
from surefill.domain.refusals import RefusalCode
from surefill.intake.pipeline.events import (
    OrderCancelled,
    OrderFailed,
    OrderFilled,
    OrderPlaced,
    PipelineEvent,
    PositionClosed,
    PositionOpened,
    SystemError,
)
from surefill.intake.pipeline.order_states import OrderState, state_of
from surefill.intake.pipeline.order_view import exchange_of
from surefill.rules.codes import OrdStatus, OrdType, PositionEffect
from surefill.units import datetime_from_ns, quanta_float
from surefill.views.fold import Fold
from surefill.views.trades import Trade, TradeLog
from surefill.views.wording import avg_px, one_line, side_word

COMPONENT = "ExecutionEngine"
_REJECTING = (e.OrderRejected, e.OrderResolved)
_UNHEARD = (OrdStatus.SUBMITTED, OrdStatus.UNKNOWN)


class EventView:
    """Folds the journal of a workspace; `fold` is the state behind it."""

    def __init__(self) -> None:
        self._trades = TradeLog()
        self._undelivered = ""

    @property
    def fold(self) -> Fold:
        """The state after the events taken so far."""
        return self._trades.fold

    def undelivered(self, order: Order) -> bool:
        """Whether the rejection that has just been applied was proof that the venue never had this order."""
        return order.request.cl_ord_id == self._undelivered

    def take(self, event: e.Event) -> list[PipelineEvent]:
        """Fold one event; what it says in the contract's words, in the order in which it happened."""
        if isinstance(event, e.VenueReported):
            heard_of = self.fold.order(event.report.cl_ord_id)
            proof = event.report.undelivered and heard_of is not None and heard_of.status in _UNHEARD
            self._undelivered = event.report.cl_ord_id if proof else ""
        cl_ord_id = getattr(event, "cl_ord_id", "")
        order = self.fold.order(cl_ord_id) if cl_ord_id else None
        unheard = order is not None and order.status in _UNHEARD
        ended = self._trades.apply(event)
        self._trades.closed.clear()
        order = self.fold.order(cl_ord_id) if cl_ord_id else None
        said: list[PipelineEvent] = []
        if order is not None and unheard and isinstance(event, e.OrderAccepted | e.OrderFilled):
            said.append(_placed(self.fold, event, order))
        make = _SAYS.get(type(event))
        if make is not None:
            said += make(self.fold, event, order, ended)
        if order is not None and order.status == OrdStatus.REJECTED and isinstance(event, _REJECTING):
            said.append(_failed(self.fold, event, order, undelivered=self.undelivered(order)))
        return said


def _meta(fold: Fold, event: e.Event) -> dict[str, Any]:
    return {"timestamp": datetime_from_ns(event.ts_ns), "correlation_id": event.correlation_id}


def _order_meta(fold: Fold, event: e.Event, order: Order) -> dict[str, Any]:
    return {**_meta(fold, event), "exchange": exchange_of(fold, order.correlation_id)}


def _scales(fold: Fold, symbol: str) -> tuple[int, int]:
    instrument = fold.book.instruments[symbol]
    return instrument.price_decimals, instrument.qty_decimals


def _placed(fold: Fold, event: e.Event, order: Order) -> OrderPlaced:
    request = order.request
    price_decimals, qty_decimals = _scales(fold, request.instrument_id)
    return OrderPlaced(
        request.cl_ord_id,
        order.order_id,
        request.instrument_id,
        side_word(request.side),
        OrdType(request.ord_type).name,
        quanta_float(request.order_qty, qty_decimals),
        quanta_float(request.px, price_decimals) if request.px else None,
        reduce_only=request.reduce_only,
        **_order_meta(fold, event, order),
    )


def _filled(fold: Fold, event: e.OrderFilled, order: Order | None, ended: Trade | None) -> list[PipelineEvent]:
    assert order is not None  # a fill is booked to an order that the state still holds
    request, book = order.request, fold.book
    price_decimals, qty_decimals = _scales(fold, request.instrument_id)
    meta = _order_meta(fold, event, order)
    said: list[PipelineEvent] = [
        OrderFilled(
            request.cl_ord_id,
            order.order_id,
            request.instrument_id,
            side_word(request.side),
            quanta_float(event.last_qty, qty_decimals),
            quanta_float(event.last_px, price_decimals),
            quanta_float(event.fee, book.money_decimals),
            book.currency,
            quanta_float(order.cum_qty, qty_decimals),
            quanta_float(max(0, request.order_qty - order.cum_qty), qty_decimals),
            avg_px(order.cum_notional, order.cum_qty, price_decimals),
            **meta,
        )
    ]
    if ended is not None:
        said.append(_closed(fold, ended, meta))
    if event.effect in (PositionEffect.OPENED, PositionEffect.FLIPPED):
        plan = order.plan
        said.append(
            PositionOpened(
                request.instrument_id,
                _held_side(event.position_qty),
                quanta_float(abs(event.position_qty), qty_decimals),
                avg_px(event.position_cost, event.position_qty, price_decimals),
                quanta_float(plan.stop_px, price_decimals) if plan and plan.stop_px else None,
                quanta_float(plan.target_px, price_decimals) if plan and plan.target_px else None,
                **meta,
            )
        )
    return said


def _dusted(fold: Fold, event: e.DustLeft, _order: Order | None, ended: Trade | None) -> list[PipelineEvent]:
    if ended is None:
        return []
    return [_closed(fold, ended, {**_meta(fold, event), "exchange": exchange_of(fold, event.correlation_id)})]


def _held_side(qty: int) -> str:
    return "LONG" if qty > 0 else "SHORT"


def _closed(fold: Fold, trade: Trade, meta: dict[str, Any]) -> PositionClosed:
    instrument = fold.book.instruments[trade.instrument_id]
    price_decimals, money_decimals = instrument.price_decimals, fold.book.money_decimals
    paid = trade.entry_notional * instrument.money_per_notional
    net = trade.realised - trade.fees
    return PositionClosed(
        trade.instrument_id,
        _held_side(trade.side),
        quanta_float(trade.exit_qty, instrument.qty_decimals),
        avg_px(trade.entry_notional, trade.entry_qty, price_decimals),
        avg_px(trade.exit_notional, trade.exit_qty, price_decimals),
        trade.exit_reason,
        quanta_float(net, money_decimals),
        100 * net / paid if paid else 0.0,
        quanta_float(trade.exit_ns - trade.entry_ns, 9),
        **meta,
    )


def _refused(fold: Fold, event: e.IntentRefused, _order: Order | None, _ended: Trade | None) -> list[PipelineEvent]:
    intent = event.intent
    return [
        OrderFailed(
            event.order_ref,
            intent.instrument_id,
            side_word(intent.side),
            RefusalCode(event.code).name,
            one_line(event.reason),
            exchange=intent.context.get("exchange", "") or fold.book.venue,
            **_meta(fold, event),
        )
    ]


def _failed(fold: Fold, event: e.Event, order: Order, *, undelivered: bool) -> OrderFailed:
    request = order.request
    return OrderFailed(
        request.cl_ord_id,
        request.instrument_id,
        side_word(request.side),
        order.code,
        one_line(order.text),
        order.attempts - 1,
        state_of(order, undelivered=undelivered) is OrderState.FAILED,
        **_order_meta(fold, event, order),
    )


def _over(
    fold: Fold, event: e.OrderCanceled | e.OrderExpired | e.OrderResolved, order: Order | None, _ended: Trade | None
) -> list[PipelineEvent]:
    return [] if order is None or order.status == OrdStatus.REJECTED else [_cancelled(fold, event, order)]


def _cancelled(fold: Fold, event: e.Event, order: Order) -> OrderCancelled:
    request = order.request
    _, qty_decimals = _scales(fold, request.instrument_id)
    return OrderCancelled(
        request.cl_ord_id,
        order.order_id,
        request.instrument_id,
        side_word(request.side),
        one_line(order.text) or OrdStatus(order.status).name,
        quanta_float(order.cum_qty, qty_decimals),
        quanta_float(max(0, request.order_qty - order.cum_qty), qty_decimals),
        **_order_meta(fold, event, order),
    )


def _trouble(fold: Fold, event: e.Event, kind: str, message: str, *, is_critical: bool = True) -> list[PipelineEvent]:
    text = one_line(message)
    return [SystemError(COMPONENT, kind, text, f"{kind}: {text}", is_critical, **_meta(fold, event))]


def _unknown(
    fold: Fold, event: e.OrderOutcomeUnknown, _order: Order | None, _ended: Trade | None
) -> list[PipelineEvent]:
    text = f"order {event.cl_ord_id}: {event.reason}; the venue is asked until there is evidence"
    return _trouble(fold, event, "OUTCOME_UNKNOWN", text, is_critical=False)


def _anomaly(fold: Fold, event: e.AnomalyNoted, _order: Order | None, _ended: Trade | None) -> list[PipelineEvent]:
    return _trouble(fold, event, event.kind, f"order {event.cl_ord_id}: {event.detail}")


def _halted(fold: Fold, event: e.Halted, _order: Order | None, _ended: Trade | None) -> list[PipelineEvent]:
    what = event.instrument_id or event.strategy_id or f"workspace {fold.book.workspace_id}"
    return _trouble(fold, event, "HALTED", f"{what} is halted by {event.by} ({event.code}): {event.reason}")


_SAYS: dict[type[e.Event], Callable[..., list[PipelineEvent]]] = {
    e.IntentRefused: _refused,
    e.OrderFilled: _filled,
    e.DustLeft: _dusted,
    e.OrderCanceled: _over,
    e.OrderExpired: _over,
    e.OrderResolved: _over,
    e.OrderOutcomeUnknown: _unknown,
    e.AnomalyNoted: _anomaly,
    e.Halted: _halted,
}
