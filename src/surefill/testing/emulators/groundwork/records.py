"""What an emulated venue keeps: orders, executions, positions, balances, quotes.

Prices, quantities and money are decimals, exact; an instant is in milliseconds since 1970, UTC. Sides are +1 and -1.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)


class OrdType(enum.StrEnum):
    """What an order waits for: nothing, a limit, or a trigger (then nothing or a limit)."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"


class Tif(enum.StrEnum):
    """How long it waits. POST_ONLY rests or is refused."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "POST_ONLY"


class Status(enum.StrEnum):
    """Where an order stands. PENDING: its trigger has not been reached."""

    PENDING = "PENDING"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


OPEN = (Status.PENDING, Status.NEW, Status.PARTIALLY_FILLED)
_WITH_LIMIT = (OrdType.LIMIT, OrdType.STOP_LIMIT, OrdType.TAKE_PROFIT_LIMIT)
_WITH_TRIGGER = (OrdType.STOP, OrdType.STOP_LIMIT, OrdType.TAKE_PROFIT, OrdType.TAKE_PROFIT_LIMIT)


class Order(NamedTuple):
    """An order as it stands. `number` counts the venue's orders from 1; 0: not yet received.

    `scope` parts one venue's markets (spot, futures, algo orders); `bucket` is the position it counts to (hedge side,
    product, ticket); `tag` a mark of the sender's; `venue` what only this kind of venue knows, as text it reads itself.
    """

    account: str
    scope: str
    symbol: str
    side: int
    ord_type: OrdType
    qty: Decimal
    px: Decimal = ZERO
    stop_px: Decimal = ZERO
    tif: Tif = Tif.GTC
    client_id: str = ""
    tag: str = ""
    bucket: str = ""
    reduce_only: bool = False
    venue: str = ""
    status: Status = Status.NEW
    cum_qty: Decimal = ZERO
    cum_value: Decimal = ZERO
    text: str = ""
    received_ms: int = 0
    updated_ms: int = 0
    number: int = 0

    @property
    def leaves_qty(self) -> Decimal:
        """What has not traded."""
        return self.qty - self.cum_qty

    @property
    def avg_px(self) -> Decimal:
        """Average price of what has traded, 0 while nothing has."""
        return self.cum_value / self.cum_qty if self.cum_qty else ZERO

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.status in OPEN

    @property
    def has_limit(self) -> bool:
        """Whether its price is bounded."""
        return self.ord_type in _WITH_LIMIT

    @property
    def has_trigger(self) -> bool:
        """Whether it waits for a price before it works."""
        return self.ord_type in _WITH_TRIGGER


class Execution(NamedTuple):
    """One trade of one order. `realized` is the money it realised where the venue keeps positions."""

    order_number: int
    account: str
    scope: str
    symbol: str
    bucket: str
    side: int
    px: Decimal
    qty: Decimal
    fee: Decimal = ZERO
    fee_asset: str = ""
    maker: bool = False
    realized: Decimal = ZERO
    ts_ms: int = 0
    number: int = 0


class Position(NamedTuple):
    """What an account holds of a symbol in one bucket: signed quantity, average price, money realised so far."""

    account: str
    scope: str
    symbol: str
    bucket: str = ""
    qty: Decimal = ZERO
    avg_px: Decimal = ZERO
    realized: Decimal = ZERO
    updated_ms: int = 0


class Balance(NamedTuple):
    """How much of an asset an account has, free and held back for open orders."""

    account: str
    scope: str
    asset: str
    free: Decimal = ZERO
    locked: Decimal = ZERO


class Quote(NamedTuple):
    """Prices of a symbol, and how much trades at them (None: any quantity)."""

    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    bid_qty: Decimal | None = None
    ask_qty: Decimal | None = None

    def px(self, side: int) -> Decimal:
        """What a taker of that side pays or gets."""
        return self.ask if side > 0 else self.bid

    def shown(self, side: int) -> Decimal | None:
        """How much a taker of that side finds."""
        return self.ask_qty if side > 0 else self.bid_qty


def booked(position: Position, side: int, px: Decimal, qty: Decimal, ts_ms: int) -> tuple[Position, Decimal]:
    """The position after an execution, and the money realised: reducing keeps the average, crossing zero reopens."""
    signed = side * qty
    held = position.qty
    if held * side >= 0:
        avg_px = (position.avg_px * abs(held) + px * qty) / (abs(held) + qty)
        return position._replace(qty=held + signed, avg_px=avg_px, updated_ms=ts_ms), ZERO
    closed = min(abs(held), qty)
    realized = (px - position.avg_px) * closed * (1 if held > 0 else -1)
    left = held + signed
    if not left:
        avg_px = ZERO
    else:
        avg_px = position.avg_px if left * held > 0 else px
    return position._replace(qty=left, avg_px=avg_px, realized=position.realized + realized, updated_ms=ts_ms), realized
