"""Orders and trades as the venue keeps them, and as its JSON shows them."""

from __future__ import annotations

from typing import Final

import msgspec

from surefill.testing.emulators.kite.amounts import average, shown
from surefill.testing.emulators.kite.clock import stamp

RECEIVED: Final = "PUT ORDER REQ RECEIVED"
VALIDATING: Final = "VALIDATION PENDING"
OPEN_PENDING: Final = "OPEN PENDING"
OPEN: Final = "OPEN"
TRIGGER_PENDING: Final = "TRIGGER PENDING"
MODIFY_VALIDATING: Final = "MODIFY VALIDATION PENDING"
MODIFY_PENDING: Final = "MODIFY PENDING"
MODIFIED: Final = "MODIFIED"
CANCEL_PENDING: Final = "CANCEL PENDING"
CANCELLED: Final = "CANCELLED"
COMPLETE: Final = "COMPLETE"
REJECTED: Final = "REJECTED"
AMO_RECEIVED: Final = "AMO REQ RECEIVED"
AMO_MODIFIED: Final = "MODIFY AMO REQ RECEIVED"
AMO_CANCELLED: Final = "CANCELLED AMO"

#: Nothing follows these.
ENDED: Final = frozenset({CANCELLED, COMPLETE, REJECTED, AMO_CANCELLED})
#: The exchange has it, and it can trade or be activated.
RESTING: Final = frozenset({OPEN, TRIGGER_PENDING})
#: A change is on its way to the exchange.
CHANGING: Final = frozenset({MODIFY_VALIDATING, MODIFY_PENDING, MODIFIED})
#: It waits for the market to open.
WAITING: Final = frozenset({AMO_RECEIVED, AMO_MODIFIED})

BUY: Final = "BUY"
SELL: Final = "SELL"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order. Prices and `value` (price times quantity of what traded) in ten-thousandths of a rupee.

    `protected_px` is the worst price of an order that names none; `modifications` counts the changes made;
    `cover_px` is the stop that a cover order brings along; a `hung` one stays where it is until it is let go; `day`
    counts the venue's trading days; `number` is that of the common truth; one that
    `follows` another was placed when that was full.
    """

    order_id: str
    exchange: str
    tradingsymbol: str
    instrument_token: int
    transaction_type: str
    quantity: int
    product: str
    order_type: str
    variety: str = "regular"
    validity: str = "DAY"
    validity_ttl: int = 0
    price: int = 0
    trigger_price: int = 0
    disclosed_quantity: int = 0
    market_protection: int = 0
    tag: str = ""
    status: str = RECEIVED
    status_message: str = ""
    status_message_raw: str = ""
    exchange_order_id: str = ""
    parent_order_id: str = ""
    order_ns: int = 0
    exchange_update_ns: int = 0
    exchange_ns: int = 0
    filled_quantity: int = 0
    cancelled_quantity: int = 0
    value: int = 0
    modified: bool = False
    modifications: int = 0
    protected_px: int = 0
    meta: dict[str, object] = {}
    placed_by: str = ""
    guid: str = ""
    cover_px: int = 0
    hung: bool = False
    day: int = 0
    number: int = 0
    follows: str = ""

    @property
    def key(self) -> str:
        """`EXCHANGE:TRADINGSYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def side(self) -> int:
        """+1 buys, -1 sells."""
        return 1 if self.transaction_type == BUY else -1

    @property
    def leaves_qty(self) -> int:
        """What may still trade."""
        return self.quantity - self.filled_quantity - self.cancelled_quantity

    @property
    def limit_px(self) -> int:
        """The worst price that it trades at."""
        return self.price or self.protected_px

    def payload(self) -> dict[str, object]:
        """A line of the order book; of a cancelled order the pending quantity stays, as in the recorded samples."""
        line: dict[str, object] = {
            "placed_by": self.placed_by,
            "order_id": self.order_id,
            "exchange_order_id": self.exchange_order_id or None,
            "parent_order_id": self.parent_order_id or None,
            "status": self.status,
            "status_message": self.status_message or None,
            "status_message_raw": self.status_message_raw or None,
            "order_timestamp": stamp(self.order_ns),
            "exchange_update_timestamp": stamp(self.exchange_update_ns),
            "exchange_timestamp": stamp(self.exchange_ns),
            "variety": self.variety,
            "modified": self.modified,
            "exchange": self.exchange,
            "tradingsymbol": self.tradingsymbol,
            "instrument_token": self.instrument_token,
            "order_type": self.order_type,
            "transaction_type": self.transaction_type,
            "validity": self.validity,
            "product": self.product,
            "quantity": self.quantity,
            "disclosed_quantity": self.disclosed_quantity,
            "price": shown(self.price),
            "trigger_price": shown(self.trigger_price),
            "average_price": average(self.value, self.filled_quantity),
            "filled_quantity": self.filled_quantity,
            "pending_quantity": 0 if self.status == REJECTED else self.quantity - self.filled_quantity,
            "cancelled_quantity": self.cancelled_quantity,
            "market_protection": self.market_protection,
            "meta": self.meta,
            "tag": self.tag or None,
            "guid": self.guid,
        }
        if self.tag:
            line["tags"] = [self.tag]
        if self.validity == "TTL":
            line["validity_ttl"] = self.validity_ttl
        return line

    def step_payload(self) -> dict[str, object]:
        """A line of the order's history."""
        line = self.payload()
        return {name: line[name] for name in HISTORY_FIELDS}


#: A history's lines tell less than the order book.
HISTORY_FIELDS: Final = (
    "average_price",
    "cancelled_quantity",
    "disclosed_quantity",
    "exchange",
    "exchange_order_id",
    "exchange_timestamp",
    "filled_quantity",
    "instrument_token",
    "order_id",
    "order_timestamp",
    "order_type",
    "parent_order_id",
    "pending_quantity",
    "placed_by",
    "price",
    "product",
    "quantity",
    "status",
    "status_message",
    "tag",
    "tradingsymbol",
    "transaction_type",
    "trigger_price",
    "validity",
    "variety",
    "modified",
)


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One execution, or half of a move from one product to another (`order_id` is then empty).

    `day` counts the venue's trading days; a `hidden` one has happened and is not told yet.
    """

    trade_id: str
    order_id: str
    exchange_order_id: str
    exchange: str
    tradingsymbol: str
    instrument_token: int
    product: str
    transaction_type: str
    px: int
    quantity: int
    ts_ns: int
    order_ns: int = 0
    day: int = 0
    hidden: bool = False

    @property
    def key(self) -> str:
        """`EXCHANGE:TRADINGSYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"

    def payload(self) -> dict[str, object]:
        """A line of the trade book."""
        at = stamp(self.ts_ns)
        return {
            "trade_id": self.trade_id,
            "order_id": self.order_id,
            "exchange": self.exchange,
            "tradingsymbol": self.tradingsymbol,
            "instrument_token": self.instrument_token,
            "product": self.product,
            "average_price": shown(self.px),
            "quantity": self.quantity,
            "exchange_order_id": self.exchange_order_id,
            "transaction_type": self.transaction_type,
            "fill_timestamp": at,
            "order_timestamp": (stamp(self.order_ns) or "")[11:],
            "exchange_timestamp": at,
        }
