"""Triggers that wait at the broker (GTT): one price, or a pair of which the first to be reached ends the other."""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.testing.emulators.kite.amounts import shown
from surefill.testing.emulators.kite.clock import stamp

ACTIVE: Final = "active"
TRIGGERED: Final = "triggered"
DELETED: Final = "deleted"
DISABLED: Final = "disabled"
#: Where triggers are to be had, by segment; not for currency and commodities, nor within the day. Source: zerodha.com
#: /tos/gtt, and support.zerodha.com, "Are GTT orders available for F&O?", 2026.
EXCHANGES: Final = ("NSE", "BSE", "NFO", "BFO")
PRODUCTS: Final = ("CNC", "NRML", "MTF")
#: One that is placed nearer to the last price than this part of it is disabled (support.zerodha.com, as in `rules`).
NEAREST: Final = 400
YEAR_NS: Final = 365 * 86_400 * 10**9


class GttLeg(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a trigger places; prices in ten-thousandths of a rupee."""

    transaction_type: str
    quantity: int
    order_type: str
    product: str
    price: int
    result: dict[str, object] | None = None


class Gtt(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger; `last_price` is that of the time it was placed, and tells which way the price has to go."""

    id: int
    user_id: str
    type: str
    exchange: str
    tradingsymbol: str
    instrument_token: int
    last_price: int
    trigger_values: list[int]
    orders: list[GttLeg]
    status: str = ACTIVE
    created_ns: int = 0
    updated_ns: int = 0

    @property
    def key(self) -> str:
        """`EXCHANGE:TRADINGSYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"

    def struck(self, last: int) -> int | None:
        """Which leg the price has reached, or None."""
        for index, value in enumerate(self.trigger_values):
            upwards = value > self.last_price
            if (last >= value) if upwards else (last <= value):
                return index
        return None

    def payload(self) -> dict[str, object]:
        """As the JSON shows it."""
        where = {"exchange": self.exchange, "tradingsymbol": self.tradingsymbol}
        return {
            "id": self.id,
            "user_id": self.user_id,
            "parent_trigger": None,
            "type": self.type,
            "created_at": stamp(self.created_ns),
            "updated_at": stamp(self.updated_ns),
            "expires_at": stamp(self.created_ns + YEAR_NS),
            "status": self.status,
            "condition": {
                **where,
                "last_price": shown(self.last_price),
                "trigger_values": [shown(value) for value in self.trigger_values],
                "instrument_token": self.instrument_token,
            },
            "orders": [
                {
                    **where,
                    "product": leg.product,
                    "order_type": leg.order_type,
                    "transaction_type": leg.transaction_type,
                    "quantity": leg.quantity,
                    "price": shown(leg.price),
                    "result": leg.result,
                }
                for leg in self.orders
            ],
            "meta": {},
        }
