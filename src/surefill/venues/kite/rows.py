"""Lines of the order book and of the trade book, as Kite tells them: prices exact, times Indian."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

import msgspec

from surefill.errors import VenueOutcomeUnknown
from surefill.rules.codes import OrdType, Side
from surefill.units import ns_from_datetime
from surefill.venues.kite.codes import Phase, phase_of

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
ORDER_TYPES: Final = {
    OrdType.MARKET: "MARKET",
    OrdType.LIMIT: "LIMIT",
    OrdType.STOP: "SL-M",
    OrdType.STOP_LIMIT: "SL",
}
ORD_TYPES: Final = {text: ord_type for ord_type, text in ORDER_TYPES.items()}
#: The broker closes these before the day ends.
INTRADAY: Final = frozenset({"MIS", "CO", "BO"})


class OrderRow(msgspec.Struct, frozen=True):
    """One line of the order book, or of an order's history (which tells less)."""

    order_id: str
    status: str
    exchange: str
    tradingsymbol: str
    transaction_type: str
    order_type: str
    product: str
    quantity: int
    filled_quantity: int = 0
    cancelled_quantity: int = 0
    price: Decimal = Decimal(0)
    trigger_price: Decimal = Decimal(0)
    variety: str = "regular"
    modified: bool = False
    status_message: str | None = None
    order_timestamp: str | None = None
    exchange_update_timestamp: str | None = None
    placed_by: str | None = None
    tag: str | None = None
    tags: list[str] | None = None
    parent_order_id: str | None = None
    meta: dict[str, Any] | None = None

    @property
    def instrument_id(self) -> str:
        """`EXCHANGE:TRADINGSYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def phase(self) -> Phase:
        """Where it is in its life."""
        return phase_of(self.status)

    @property
    def side(self) -> int:
        """+1 buys, -1 sells. Raises VenueOutcomeUnknown where it is neither."""
        return side_of(self.transaction_type)

    @property
    def labels(self) -> frozenset[str]:
        """All tags."""
        return frozenset((*(self.tags or ()), *((self.tag,) if self.tag else ())))

    @property
    def whole_qty(self) -> int:
        """The quantity of the order; of an iceberg's leg, that of the whole iceberg."""
        leg = (self.meta or {}).get("iceberg")
        return int(leg["total_quantity"]) if isinstance(leg, dict) else self.quantity

    def is_square_off(self, user_id: str) -> bool:
        """Whether the broker made it to close an intraday position.

        Kite marks them with nothing; what is taken for one is an intraday order without a tag that somebody other
        than the account's user placed.
        """
        return self.product in INTRADAY and not self.labels and bool(self.placed_by) and self.placed_by != user_id


class TradeRow(msgspec.Struct, frozen=True):
    """One execution. `average_price` is its own price; `order_timestamp` has no date and is not read."""

    trade_id: str
    order_id: str
    exchange: str
    tradingsymbol: str
    product: str
    average_price: Decimal
    quantity: int
    transaction_type: str
    fill_timestamp: str | None = None
    exchange_timestamp: str | None = None

    @property
    def instrument_id(self) -> str:
        """`EXCHANGE:TRADINGSYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def side(self) -> int:
        """+1 buys, -1 sells. Raises VenueOutcomeUnknown where it is neither."""
        return side_of(self.transaction_type)

    @property
    def exec_id(self) -> str:
        """Exchanges number trades by the day, and both sides of a trade alike: the order's id makes it unique."""
        return f"{self.order_id}-{self.trade_id}"

    @property
    def transact_ns(self) -> int:
        """When it traded, to the second."""
        return ns_from_stamp(self.fill_timestamp or self.exchange_timestamp)


def side_of(transaction_type: str) -> int:
    """+1 buys, -1 sells. Raises VenueOutcomeUnknown where it is neither."""
    try:
        return SIDES[transaction_type]
    except KeyError:
        raise VenueOutcomeUnknown(f"an order that neither buys nor sells: {transaction_type!r}") from None


def ns_from_stamp(text: str | None) -> int:
    """Nanoseconds since 1970 UTC of "2021-05-31 09:18:57", Indian time; 0 of nothing. Raises VenueOutcomeUnknown."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise VenueOutcomeUnknown(f"a time that cannot be read: {text!r}") from None
    return ns_from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=IST))
