"""The four lists in which a client finds its orders again: working, ended, deals, positions.

Every stamp is of the server's clock as it stood then: a change of its offset changes nothing that is stamped already.
"""

from __future__ import annotations

import json
from typing import Any

from surefill.testing.emulators.groundwork.records import Order, OrdType, Status
from surefill.testing.emulators.mt5.books import Ledger, ticket_of
from surefill.testing.emulators.mt5.constants import Constants as Mt5

Row = dict[str, Any]
_STATES = {
    Status.PENDING: Mt5.ORDER_STATE_PLACED,
    Status.NEW: Mt5.ORDER_STATE_PLACED,
    Status.PARTIALLY_FILLED: Mt5.ORDER_STATE_PARTIAL,
    Status.FILLED: Mt5.ORDER_STATE_FILLED,
    Status.CANCELED: Mt5.ORDER_STATE_CANCELED,
    Status.EXPIRED: Mt5.ORDER_STATE_CANCELED,
    Status.REJECTED: Mt5.ORDER_STATE_REJECTED,
}


class Lists:
    """What the terminal lists. `hidden`: deals that a fault keeps back for a while."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._store = ledger, ledger.store
        self.hidden: set[int] = set()

    def working(self) -> list[Row]:
        """Orders that work."""
        return [self._row(order) for order in self._store.orders(open_only=True)]

    def ended(self) -> list[Row]:
        """Orders of the history."""
        return [self._row(order) for order in self._store.orders() if not order.is_open]

    def deals(self) -> list[Row]:
        """All deals, but for those that a fault keeps back for a while."""
        return [deal for deal in self._ledger.deals() if deal["ticket"] not in self.hidden]

    def positions(self) -> list[Row]:
        """Open positions."""
        return [self._held(each) for each in self._ledger.positions()]

    def _held(self, held: Row) -> Row:
        quote, side = self._store.quote(held["symbol"]), int(held["side"])
        return {
            "ticket": held["ticket"],
            "time": held["time_msc"] // 1000,
            "time_msc": held["time_msc"],
            "time_update": held["time_update_msc"] // 1000,
            "time_update_msc": held["time_update_msc"],
            "type": 0 if side > 0 else 1,
            "magic": held["magic"],
            "identifier": held["ticket"],
            "reason": held["reason"],
            "volume": float(held["volume"]),
            "price_open": float(held["price_open"]),
            "sl": held["sl"],
            "tp": held["tp"],
            "price_current": float(quote.px(-side)) if quote is not None else 0.0,
            "swap": float(held["swap"]),
            "profit": float(self._ledger.floating(held)),
            "symbol": held["symbol"],
            "comment": held["comment"],
            "external_id": "",
        }

    def _row(self, order: Order) -> Row:
        terms, quote = json.loads(order.venue), self._store.quote(order.symbol)
        setup = order.received_ms + terms["offset_s"] * 1000
        done = 0 if order.is_open else order.updated_ms + self._ledger.offset_of(order) * 1000
        state = _STATES[order.status]
        if self._store.noted("expired", str(order.number)):
            state = Mt5.ORDER_STATE_EXPIRED
        kind = terms["type"]
        if kind >= Mt5.ORDER_TYPE_BUY_STOP_LIMIT and self._store.noted("triggered", str(order.number)):
            kind -= 4
        return {
            "ticket": ticket_of(order),
            "time_setup": setup // 1000,
            "time_setup_msc": setup,
            "time_done": done // 1000,
            "time_done_msc": done,
            "time_expiration": 0,
            "type": kind,
            "type_time": terms["time"],
            "type_filling": terms["filling"],
            "state": state,
            "magic": terms["magic"],
            "position_id": terms["position"] or (ticket_of(order) if order.cum_qty else 0),
            "position_by_id": 0,
            "reason": terms["reason"],
            "volume_initial": float(order.qty),
            "volume_current": float(order.leaves_qty),
            "price_open": terms["price"],
            "sl": terms["sl"],
            "tp": terms["tp"],
            "price_current": float(quote.px(order.side)) if quote is not None else 0.0,
            "price_stoplimit": float(order.px) if order.ord_type == OrdType.STOP_LIMIT else 0.0,
            "symbol": order.symbol,
            "comment": terms["comment"],
            "external_id": "",
        }
