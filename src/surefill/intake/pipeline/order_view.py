"""The contract's order manager: what the core's orders look like from this door. It manages nothing, it looks.

It is folded from the journal's events, so a restart changes nothing in it. It is written on the engine's thread and
may be read from any; what it hands out never changes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from surefill.domain import events as e
from surefill.domain.orders import Order
from surefill.domain.refusals import RefusalCode
from surefill.errors import LocalError
from surefill.intake.pipeline.events import FrozenDict
from surefill.intake.pipeline.order_states import LEGAL_MOVES, OrderState, state_of
from surefill.rules.codes import OrdStatus, OrdType
from surefill.units import datetime_from_ns, quanta_float
from surefill.views.fold import Fold
from surefill.views.wording import avg_px, exit_word, side_word

HISTORY_MAX: Final = 1_000
_NO_MOVES: Final[Mapping[OrderState, datetime]] = FrozenDict()


@dataclass(frozen=True)
class ManagedOrder:
    """One order as it stood when it was asked for. Prices, quantities and money in units.

    `retry_count`: submissions after the first. `outcome_unknown`: nobody knows what became of it; it is asked for
    until there is evidence. `timed_out`: it was canceled because its time was up. `arrival_price`: what the decision
    was made at. `timestamps`: when each state was reached. `exit_reason`: "" for what upstream asked for.
    """

    client_order_id: str
    exchange_order_id: str
    symbol: str
    side: str
    order_type: str
    quantity: float
    price: float | None
    stop_price: float | None
    state: OrderState
    filled_quantity: float = 0.0
    average_fill_price: float = 0.0
    commission: float = 0.0
    retry_count: int = 0
    error_code: str = ""
    error_message: str = ""
    outcome_unknown: bool = False
    reduce_only: bool = False
    exit_reason: str = ""
    timed_out: bool = False
    arrival_price: float = 0.0
    exchange: str = ""
    correlation_id: str = ""
    timestamps: Mapping[OrderState, datetime] = field(default_factory=lambda: _NO_MOVES)

    @property
    def created_at(self) -> datetime:
        """When it was decided on."""
        return self.timestamps[OrderState.PENDING]

    @property
    def updated_at(self) -> datetime:
        """When it last moved."""
        return max(self.timestamps.values())

    @property
    def remaining_quantity(self) -> float:
        """What has not traded."""
        return self.quantity - self.filled_quantity

    @property
    def fill_ratio(self) -> float:
        """What has traded, as a fraction of what was asked."""
        return self.filled_quantity / self.quantity if self.quantity else 0.0

    @property
    def slippage_pct(self) -> float:
        """How much worse than the price at the decision it filled, in percent; below 0 it was better."""
        if not self.filled_quantity or not self.arrival_price:
            return 0.0
        worse = self.average_fill_price - self.arrival_price
        return 100 * (worse if self.side == "BUY" else -worse) / self.arrival_price


class OrderManager:
    """Active orders, the last 1000 that are over, and counts of all. `take` is the engine's, the rest anybody's."""

    def __init__(self, history_max: int = HISTORY_MAX) -> None:
        self._history_max = history_max
        self._lock = threading.Lock()
        self._active: dict[str, ManagedOrder] = {}
        self._history: dict[str, ManagedOrder] = {}
        self._by_exchange_id: dict[str, str] = {}
        self._waiting: dict[str, list[Future[ManagedOrder]]] = {}
        self._counts: Counter[OrderState] = Counter()
        self._retries = 0
        self._commission = 0.0

    # -- looking ----------------------------------------------------------------------------------------------

    def get_order(self, client_order_id: str) -> ManagedOrder | None:
        """By our own id. A signal that was refused stands under the id that its OrderFailed carries."""
        with self._lock:
            return self._active.get(client_order_id) or self._history.get(client_order_id)

    def get_order_by_exchange_id(self, exchange_order_id: str) -> ManagedOrder | None:
        """By the venue's id."""
        with self._lock:
            known = self._by_exchange_id.get(exchange_order_id, "")
            return self._active.get(known) or self._history.get(known)

    def get_active_orders(self, symbol: str | None = None) -> list[ManagedOrder]:
        """Those that are not over, oldest first."""
        with self._lock:
            return [order for order in self._active.values() if symbol in (None, order.symbol)]

    def get_order_history(self, limit: int | None = None) -> list[ManagedOrder]:
        """Those that are over, the last one last."""
        with self._lock:
            orders = list(self._history.values())
        return orders if limit is None else orders[max(0, len(orders) - limit) :]

    def get_statistics(self) -> dict[str, int | float]:
        """Counts since the workspace began; `fill_rate` is filled orders per order that is over, 0.0 before any is."""
        with self._lock:
            counts = {state.value.lower(): self._counts[state] for state in OrderState if state.is_final}
            over = sum(counts.values())
            return {
                "total": over + len(self._active),
                "active": len(self._active),
                **counts,
                "retries": self._retries,
                "commission": self._commission,
                "fill_rate": counts["filled"] / over if over else 0.0,
            }

    def when_final(self, client_order_id: str) -> Future[ManagedOrder]:
        """Done when that order is over. An order that is not known (any more) is a LocalError in it."""
        future: Future[ManagedOrder] = Future()
        with self._lock:
            over = self._history.get(client_order_id)
            if over is not None:
                future.set_result(over)
            elif client_order_id in self._active:
                self._waiting.setdefault(client_order_id, []).append(future)
            else:
                future.set_exception(LocalError(f"there is no order {client_order_id!r} here"))
        return future

    # -- following --------------------------------------------------------------------------------------------

    def take(self, fold: Fold, event: e.Event, undelivered: Callable[[Order], bool]) -> None:
        """Follow an event that has just been applied to `fold`. Raises LocalError for a move that is not legal.

        `undelivered`: whether an order's rejection proved that the venue never had it.
        """
        if isinstance(event, e.WorkspaceReset):
            with self._lock:
                self._active.clear()
        elif isinstance(event, e.IntentRefused):
            self._put(_refused(fold, event))
        elif isinstance(event, e.OrderCreated):
            order = fold.order(event.request.cl_ord_id)
            if order is not None:
                moment = datetime_from_ns(event.ts_ns)
                moves = FrozenDict({OrderState.PENDING: moment, OrderState.SUBMITTED: moment})
                self._put(managed(fold, order, OrderState.SUBMITTED, moves))
        else:
            order = fold.order(getattr(event, "cl_ord_id", ""))
            before = None if order is None else self.get_order(order.request.cl_ord_id)
            if order is not None and before is not None:
                over = before.state.is_final  # what comes later may add a fill, and changes no end
                state = before.state if over else state_of(order, undelivered=undelivered(order))
                after = managed(fold, order, state, before.timestamps)
                self._put(moved(before, after, datetime_from_ns(event.ts_ns)))

    def _put(self, order: ManagedOrder) -> None:
        with self._lock:
            known = self._active.pop(order.client_order_id, None) or self._history.get(order.client_order_id)
            self._retries += order.retry_count - (known.retry_count if known else 0)
            self._commission += order.commission - (known.commission if known else 0.0)
            if order.exchange_order_id:
                self._by_exchange_id[order.exchange_order_id] = order.client_order_id
            if not order.state.is_final:
                self._active[order.client_order_id] = order
                return
            if order.client_order_id not in self._history:
                self._counts[order.state] += 1
            self._history[order.client_order_id] = order
            waiting = self._waiting.pop(order.client_order_id, ())
            if len(self._history) > self._history_max:
                oldest = self._history.pop(next(iter(self._history)))
                self._by_exchange_id.pop(oldest.exchange_order_id, None)
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(order)


def moved(before: ManagedOrder, after: ManagedOrder, moment: datetime) -> ManagedOrder:
    """`after` with the time of its move. Raises LocalError where the table has no such move."""
    if after.state is before.state:
        return after
    if after.state not in LEGAL_MOVES[before.state]:
        raise LocalError(f"order {after.client_order_id} cannot go from {before.state.value} to {after.state.value}")
    return replace(after, timestamps=FrozenDict({**before.timestamps, after.state: moment}))


def managed(fold: Fold, order: Order, state: OrderState, timestamps: Mapping[OrderState, datetime]) -> ManagedOrder:
    """An order of the core in the contract's words."""
    request, book = order.request, fold.book
    instrument = book.instruments[request.instrument_id]
    price_decimals, qty_decimals = instrument.price_decimals, instrument.qty_decimals
    return ManagedOrder(
        request.cl_ord_id,
        order.order_id,
        request.instrument_id,
        side_word(request.side),
        OrdType(request.ord_type).name,
        quanta_float(request.order_qty, qty_decimals),
        quanta_float(request.px, price_decimals) if request.px else None,
        quanta_float(request.stop_px, price_decimals) if request.stop_px else None,
        state,
        quanta_float(order.cum_qty, qty_decimals),
        avg_px(order.cum_notional, order.cum_qty, price_decimals),
        quanta_float(order.fees, book.money_decimals),
        order.attempts - 1,
        order.code,
        order.text,
        order.status == OrdStatus.UNKNOWN,
        request.reduce_only,
        exit_word(order.exit_reason),
        order.timed_out,
        quanta_float(request.arrival_px, price_decimals),
        exchange_of(fold, order.correlation_id),
        order.correlation_id,
        timestamps,
    )


def _refused(fold: Fold, event: e.IntentRefused) -> ManagedOrder:
    intent = event.intent
    instrument = fold.instrument(intent.instrument_id)
    moment = datetime_from_ns(event.ts_ns)
    return ManagedOrder(
        event.order_ref,
        "",
        intent.instrument_id,
        side_word(intent.side),
        OrdType(intent.ord_type).name,
        quanta_float(intent.order_qty, instrument.qty_decimals if instrument else 0),
        None,
        None,
        OrderState.REJECTED,
        error_code=RefusalCode(event.code).name,
        error_message=event.reason,
        exchange=intent.context.get("exchange", ""),
        correlation_id=event.correlation_id,
        timestamps=FrozenDict({OrderState.PENDING: moment, OrderState.REJECTED: moment}),
    )


def exchange_of(fold: Fold, correlation_id: str) -> str:
    """The exchange that the signal of this story named, else the workspace's venue."""
    return fold.labels_of(correlation_id).context.get("exchange", "") or fold.book.venue
