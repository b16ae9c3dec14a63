"""The journal in this door's words: INTENT_EMITTED, POLICY_EVALUATED, INTENT_APPROVED, ORDER_FILLED, POSITION_OPENED …

A view, nothing else: the journal holds the core's events, and these names are read off them. ORDER_FILLED is the
truth that balances are rebuilt from; POSITION_* are breadcrumbs beside it and never replayed.

==================  =================================================================================================
the core's event    here
==================  =================================================================================================
IntentAccepted      INTENT_EMITTED, POLICY_EVALUATED, INTENT_APPROVED
IntentRefused       INTENT_EMITTED, POLICY_EVALUATED, then POLICY_REJECTED (a rule of policy) or ORDER_REJECTED
IntentEvaluated     the same, `stage` "evaluation" instead of "execution", and nothing after it
OrderAccepted       ORDER_PLACED (of orders that rest; one that trades at once shows its fill only)
OrderFilled         ORDER_FILLED, then POSITION_OPENED, POSITION_SCALED or POSITION_CLOSED (a flip: closed, opened)
DustLeft            POSITION_CLOSED, with what is left and cannot be sold as its quantity
OrderCanceled …     ORDER_CANCELED, ORDER_EXPIRED, ORDER_REJECTED
WorkspaceReset      PAPER_RESET
==================  =================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from surefill.domain import codec
from surefill.domain.events import (
    DustLeft,
    Event,
    InstrumentDefined,
    IntentAccepted,
    IntentEvaluated,
    IntentRefused,
    OrderAccepted,
    OrderCanceled,
    OrderCreated,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrdersRetired,
    WorkspaceOpened,
    WorkspaceReset,
)
from surefill.domain.instrument import Instrument
from surefill.domain.intent import Intent
from surefill.domain.orders import OrderRequest
from surefill.domain.refusals import RefusalCode
from surefill.domain.state import Book
from surefill.intake.intents.policy import ORDER_TERMS
from surefill.journal.protocol import Journal
from surefill.rules.codes import ExitReason, PositionEffect, Side
from surefill.units import datetime_from_ns, quanta_float
from surefill.views.wording import avg_px

#: What a rule of policy says no with, where a gate said it: to an intent that came through another door.
POLICY_REFUSALS = frozenset(
    {
        RefusalCode.ENGINE_HALTED,
        RefusalCode.VENUE_HALTED,
        RefusalCode.HALTED,
        RefusalCode.SYMBOL_HALTED,
        RefusalCode.STRATEGY_PAUSED,
        RefusalCode.UPSTREAM_HALTED,
        RefusalCode.THROTTLED,
        RefusalCode.REGIME_DRIFT,
        RefusalCode.DRAWDOWN,
        RefusalCode.SIZE_ABOVE_CAP,
    }
)
POSITION_EVENTS = frozenset({"POSITION_OPENED", "POSITION_SCALED", "POSITION_CLOSED"})

_POSITION_WORDS = {
    PositionEffect.OPENED: ("POSITION_OPENED",),
    PositionEffect.SCALED: ("POSITION_SCALED",),
    PositionEffect.REDUCED: ("POSITION_SCALED",),
    PositionEffect.CLOSED: ("POSITION_CLOSED",),
    PositionEffect.FLIPPED: ("POSITION_CLOSED", "POSITION_OPENED"),
}


_EVALUATION, _EXECUTION = "evaluation", "execution"


class TradeEvent(msgspec.Struct, frozen=True):
    """One line of the story. `seq` is the journal's event it was read off (several may share one).

    `intent_id` is empty for what no intent asked for: an exit by the position's own plan, a reset. Figures in
    `payload` are in units.
    """

    event_type: str
    seq: int
    ts: datetime
    workspace_id: str
    correlation_id: str
    intent_id: str = ""
    order_id: str = ""
    symbol: str = ""
    payload: dict[str, object] = {}


class _Order(msgspec.Struct, frozen=True):
    """What later events of an order do not repeat."""

    order_ref: str
    intent_id: str
    symbol: str
    exit_reason: int
    request: OrderRequest | None = None


class EventView:
    """Reads events in order of `seq`. Begin at the journal's start, or with the book as it stands."""

    def __init__(self, workspace_id: str = "", book: Book | None = None) -> None:
        self._workspace_id = workspace_id
        self._instruments: dict[str, Instrument] = {}
        self._orders: dict[str, _Order] = {}
        self._money_decimals = 0
        if book is not None:
            self._workspace_id = book.workspace_id
            self._instruments = dict(book.instruments)
            self._money_decimals = book.money_decimals
            for cl_ord_id, order in (*book.orders.items(), *book.done.items()):
                request = order.request
                self._orders[cl_ord_id] = _Order(
                    request.order_ref, order.intent_id, request.instrument_id, order.exit_reason, request
                )

    def apply(self, seq: int, event: Event) -> list[TradeEvent]:
        """What one event is called here: mostly nothing, at most a handful."""
        read = _READ.get(type(event))
        return [] if read is None else read(self, seq, event)

    # -- bookkeeping ------------------------------------------------------------------------------------------

    def _opened(self, _seq: int, event: WorkspaceOpened) -> list[TradeEvent]:
        self._workspace_id, self._money_decimals = event.workspace_id, event.money_decimals
        return []

    def _defined(self, _seq: int, event: InstrumentDefined) -> list[TradeEvent]:
        self._instruments[event.instrument.instrument_id] = event.instrument
        return []

    def _created(self, _seq: int, event: OrderCreated) -> list[TradeEvent]:
        request = event.request
        self._orders[request.cl_ord_id] = _Order(
            request.order_ref, event.intent_id, request.instrument_id, event.exit_reason, request
        )
        return []

    def _retired(self, _seq: int, event: OrdersRetired) -> list[TradeEvent]:
        for cl_ord_id in event.cl_ord_ids:
            self._orders.pop(cl_ord_id, None)
        return []

    # -- words ------------------------------------------------------------------------------------------------

    def _accepted(self, seq: int, event: IntentAccepted) -> list[TradeEvent]:
        intent = event.intent
        return [
            self._of_intent("INTENT_EMITTED", seq, event, intent, dict(intent.context)),
            self._of_intent("POLICY_EVALUATED", seq, event, intent, _said(_EXECUTION, True, event.warnings)),
            self._of_intent("INTENT_APPROVED", seq, event, intent, {"limits_version": event.limits_version}),
        ]

    def _evaluated(self, seq: int, event: IntentEvaluated) -> list[TradeEvent]:
        intent = event.intent
        if event.code:
            return self._no(seq, event, intent, _EVALUATION)
        instrument = self._instruments[intent.instrument_id]
        approved: dict[str, object] = {
            "limits_version": event.limits_version,
            "quantity": quanta_float(event.qty, instrument.qty_decimals),
        }
        if event.resized:
            approved["modified_quantity"], approved["modification"] = approved["quantity"], event.resized
        said = _said(_EVALUATION, True, event.warnings)
        said |= {name: approved[name] for name in ("modified_quantity", "modification") if name in approved}
        return [
            self._of_intent("INTENT_EMITTED", seq, event, intent, dict(intent.context)),
            self._of_intent("POLICY_EVALUATED", seq, event, intent, said),
            self._of_intent("INTENT_APPROVED", seq, event, intent, approved),
        ]

    def _refused(self, seq: int, event: IntentRefused) -> list[TradeEvent]:
        return self._no(seq, event, event.intent, _EXECUTION)

    def _no(self, seq: int, event: IntentRefused | IntentEvaluated, intent: Intent, stage: str) -> list[TradeEvent]:
        """Policy said no, or it let pass what the order's terms then stopped."""
        code = RefusalCode(event.code)
        by_policy = code in POLICY_REFUSALS or event.rule not in ("", ORDER_TERMS)
        said = _said(stage, not by_policy, event.warnings)
        why: dict[str, object] = {"code": code.name, "reason": event.reason}
        if by_policy and event.rule:
            said["rule"] = why["rule"] = event.rule
        return [
            self._of_intent("INTENT_EMITTED", seq, event, intent, dict(intent.context)),
            self._of_intent("POLICY_EVALUATED", seq, event, intent, said),
            self._of_intent("POLICY_REJECTED" if by_policy else "ORDER_REJECTED", seq, event, intent, why),
        ]

    def _placed(self, seq: int, event: OrderAccepted) -> list[TradeEvent]:
        return [self._of_order("ORDER_PLACED", seq, event, event.cl_ord_id, {})]

    def _ended(self, seq: int, event: OrderCanceled | OrderExpired) -> list[TradeEvent]:
        name = "ORDER_CANCELED" if isinstance(event, OrderCanceled) else "ORDER_EXPIRED"
        return [self._of_order(name, seq, event, event.cl_ord_id, {"reason": event.text})]

    def _rejected(self, seq: int, event: OrderRejected) -> list[TradeEvent]:
        why: dict[str, object] = {"code": event.code, "reason": event.text}
        return [self._of_order("ORDER_REJECTED", seq, event, event.cl_ord_id, why)]

    def _filled(self, seq: int, event: OrderFilled) -> list[TradeEvent]:
        order = self._orders.get(event.cl_ord_id)
        symbol = order.symbol if order is not None else event.position.partition("|")[0]
        instrument = self._instruments[symbol]
        realised = quanta_float(event.realised, self._money_decimals)
        fill: dict[str, object] = {
            "side": Side(event.side).name,
            "quantity": quanta_float(event.last_qty, instrument.qty_decimals),
            "fill_price": quanta_float(event.last_px, instrument.price_decimals),
            "fee": quanta_float(event.fee, self._money_decimals),
            "exec_id": event.exec_id,
            "realized_pnl": realised,
            "cash": quanta_float(event.cash, self._money_decimals),
        }
        if order is not None and order.request is not None and order.exit_reason:
            fill["exit_reason"] = ExitReason(order.request.reason_at(event.last_px, order.exit_reason)).name.lower()
        held: dict[str, object] = {
            "quantity": quanta_float(event.position_qty, instrument.qty_decimals),
            "avg_price": avg_px(event.position_cost, event.position_qty, instrument.price_decimals),
            "realized_pnl": realised,
        }
        words = _POSITION_WORDS.get(PositionEffect(event.effect), ())
        return [
            self._of_order("ORDER_FILLED", seq, event, event.cl_ord_id, fill, symbol, event.order_id),
            *(self._of_order(word, seq, event, event.cl_ord_id, held, symbol, event.order_id) for word in words),
        ]

    def _dusted(self, seq: int, event: DustLeft) -> list[TradeEvent]:
        """The trade is over, but for what its venue does not take back."""
        symbol = event.position.partition("|")[0]
        held: dict[str, object] = {"quantity": quanta_float(event.qty, self._instruments[symbol].qty_decimals)}
        return [
            TradeEvent(
                "POSITION_CLOSED",
                seq,
                self._ts(event),
                self._workspace_id,
                event.correlation_id,
                "",
                "",
                symbol,
                held | {"dust": True},
            )
        ]

    def _reset(self, seq: int, event: WorkspaceReset) -> list[TradeEvent]:
        self._orders.clear()
        payload: dict[str, object] = {
            "starting_equity": quanta_float(event.starting_cash, self._money_decimals),
            "by": event.by,
        }
        return [TradeEvent("PAPER_RESET", seq, self._ts(event), self._workspace_id, "", payload=payload)]

    def _of_intent(self, name: str, seq: int, event: Event, intent: Intent, payload: dict[str, object]) -> TradeEvent:
        return TradeEvent(
            name,
            seq,
            self._ts(event),
            self._workspace_id,
            event.correlation_id,
            intent.intent_id,
            "",
            intent.instrument_id,
            payload,
        )

    def _of_order(
        self,
        name: str,
        seq: int,
        event: Event,
        cl_ord_id: str,
        payload: dict[str, object],
        symbol: str = "",
        order_id: str = "",
    ) -> TradeEvent:
        order = self._orders.get(cl_ord_id, _Order(order_id, "", symbol, 0))
        return TradeEvent(
            name,
            seq,
            self._ts(event),
            self._workspace_id,
            event.correlation_id,
            order.intent_id,
            order.order_ref,
            order.symbol,
            payload,
        )

    @staticmethod
    def _ts(event: Event) -> datetime:
        return datetime_from_ns(event.ts_ns)


def _said(stage: str, approved: bool, warnings: tuple[str, ...]) -> dict[str, object]:
    """What POLICY_EVALUATED tells."""
    said: dict[str, object] = {"stage": stage, "approved": approved}
    return said | {"warnings": list(warnings)} if warnings else said


_READ: dict[type[Event], Callable[[EventView, int, Any], list[TradeEvent]]] = {
    WorkspaceOpened: EventView._opened,
    InstrumentDefined: EventView._defined,
    IntentAccepted: EventView._accepted,
    IntentRefused: EventView._refused,
    IntentEvaluated: EventView._evaluated,
    OrderCreated: EventView._created,
    OrderAccepted: EventView._placed,
    OrderFilled: EventView._filled,
    DustLeft: EventView._dusted,
    OrderCanceled: EventView._ended,
    OrderExpired: EventView._ended,
    OrderRejected: EventView._rejected,
    OrdersRetired: EventView._retired,
    WorkspaceReset: EventView._reset,
}


def trade_events(journal: Journal, workspace_id: str) -> Iterator[TradeEvent]:
    """A workspace's whole story, read off its journal."""
    view = EventView(workspace_id)
    for record in journal.read(workspace_id):
        yield from view.apply(record.seq, codec.decode(record.payload))
