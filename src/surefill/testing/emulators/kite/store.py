"""What the emulated Kite keeps, in the truth that all emulated venues share.

Kite's own things (orders with every step they took, trades, triggers, prices, the session) are notes there; beside
them its orders, executions and positions stand in the common form, for whoever compares venues. One hop, one commit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Generic, TypeVar

import msgspec

from surefill.testing.emulators.groundwork import records
from surefill.testing.emulators.groundwork.records import OrdType, Status, Tif
from surefill.testing.emulators.groundwork.store import Store as CommonStore
from surefill.testing.emulators.kite.amounts import px_text
from surefill.testing.emulators.kite.gtt_orders import Gtt
from surefill.testing.emulators.kite.instruments import Instrument
from surefill.testing.emulators.kite.market import Price
from surefill.testing.emulators.kite.orders import (
    AMO_CANCELLED,
    CANCELLED,
    COMPLETE,
    REJECTED,
    TRIGGER_PENDING,
    WAITING,
    Order,
    Trade,
)
from surefill.units import NS_PER_MS

T = TypeVar("T")
_STATUS: Final = {
    REJECTED: Status.REJECTED,
    CANCELLED: Status.CANCELED,
    AMO_CANCELLED: Status.CANCELED,
    COMPLETE: Status.FILLED,
    TRIGGER_PENDING: Status.PENDING,
    **dict.fromkeys(WAITING, Status.PENDING),
}
_ORD_TYPE: Final = {
    "MARKET": OrdType.MARKET,
    "LIMIT": OrdType.LIMIT,
    "SL": OrdType.STOP_LIMIT,
    "SL-M": OrdType.STOP,
}


class Table(Generic[T]):
    """Rows by key, in memory and written through; keys sort in the order in which rows came."""

    def __init__(self, store: CommonStore, name: str, kind: type[T]) -> None:
        self._store = store
        self._name = name
        self._kind = kind
        read = msgspec.json.Decoder(kind).decode
        self._rows: dict[str, T] = {key: read(body) for key, body in store.notes(name).items()}

    def get(self, key: str) -> T | None:
        """The row, or None."""
        return self._rows.get(key)

    def __getitem__(self, key: str) -> T:
        return self._rows[key]

    def values(self) -> list[T]:
        """All rows, oldest first."""
        return list(self._rows.values())

    def put(self, key: str, row: T) -> T:
        """Write it, in its old place if it has one."""
        self._store.note(self._name, key, msgspec.json.encode(row).decode())
        self._rows[key] = row
        return row

    def remove(self, key: str) -> None:
        """Forget it."""
        self._store.note(self._name, key, None)
        self._rows.pop(key, None)


class Store:
    """The tables; `load` reads them anew."""

    def __init__(self, common: CommonStore, account: str) -> None:
        self.common = common
        self._account = account
        self.load()

    def load(self) -> None:
        """What is in the file, in memory."""
        self.orders = Table(self.common, "orders", Order)
        self._steps = Table(self.common, "steps", Order)
        self._history: dict[str, list[Order]] = {}
        for step in self._steps.values():
            self._history.setdefault(step.order_id, []).append(step)
        self.trades = Table(self.common, "trades", Trade)
        self.gtts = Table(self.common, "gtts", Gtt)
        self.prices = Table(self.common, "prices", Price)
        self.instruments = Table(self.common, "instruments", Instrument)
        self.state = Table(self.common, "state", dict[str, object])

    def next_number(self, name: str) -> int:
        """The next of a row of numbers, over restarts."""
        found = self.state.get("numbers") or {}
        number = int(str(found.get(name, 0))) + 1
        self.state.put("numbers", {**found, name: number})
        return number

    def put_order(self, order: Order) -> Order:
        """The order as it now stands, here and in the common truth; a new one comes back with its number there."""
        row = self._common_order(order)
        if not order.number:
            order = msgspec.structs.replace(order, number=self.common.add_order(row).number)
        else:
            self.common.put_order(row)
        return self.orders.put(order.order_id, order)

    def put_step(self, order: Order) -> None:
        """One more step of an order's life."""
        self._steps.put(f"{order.order_id}/{self.next_number('step'):09d}", order)
        self._history.setdefault(order.order_id, []).append(order)

    def history(self, order_id: str) -> list[Order]:
        """The steps of one order."""
        return list(self._history.get(order_id, ()))

    def put_trade(self, trade: Trade, order_number: int) -> None:
        """A new trade, here and in the common truth with its position; a move (number 0) is no execution."""
        self.trades.put(trade.trade_id, trade)
        side = 1 if trade.transaction_type == "BUY" else -1
        at_ms = trade.ts_ns // NS_PER_MS
        where = (self._account, "", trade.key, trade.product)
        px, qty = _dec(trade.px), Decimal(trade.quantity)
        position, realized = records.booked(self.common.position(*where), side, px, qty, at_ms)
        self.common.put_position(position)
        if order_number:
            self.common.add_execution(
                records.Execution(order_number, *where, side, px, qty, realized=realized, ts_ms=at_ms)
            )

    def _common_order(self, order: Order) -> records.Order:
        status = _STATUS.get(order.status)
        return records.Order(
            account=self._account,
            scope="",
            symbol=order.key,
            side=order.side,
            ord_type=_ORD_TYPE[order.order_type],
            qty=Decimal(order.quantity),
            px=_dec(order.price),
            stop_px=_dec(order.trigger_price),
            tif=Tif.IOC if order.validity == "IOC" else Tif.GTC,
            tag=order.tag,
            bucket=order.product,
            venue=order.order_id,
            status=status or (Status.PARTIALLY_FILLED if order.filled_quantity else Status.NEW),
            cum_qty=Decimal(order.filled_quantity),
            cum_value=_dec(order.value),
            text=order.status_message,
            received_ms=order.order_ns // NS_PER_MS,
            updated_ms=max(order.order_ns, order.exchange_update_ns) // NS_PER_MS,
            number=order.number,
        )


def _dec(px: int) -> Decimal:
    return Decimal(px_text(px))
