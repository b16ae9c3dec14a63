"""What the account holds: positions of the day and holdings in one, and its money."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import msgspec

from surefill.domain.position import position_key
from surefill.venues.kite.forms import bucket_of
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.protocol import Balance


class PositionRow(msgspec.Struct, frozen=True):
    """A line of the positions."""

    exchange: str
    tradingsymbol: str
    product: str
    quantity: int


class PositionsData(msgspec.Struct, frozen=True):
    """`net` has what was carried over night; what the day alone did is not read."""

    net: list[PositionRow]


class MtfHolding(msgspec.Struct, frozen=True):
    """The part of a holding that the broker has lent for."""

    quantity: int = 0


class HoldingRow(msgspec.Struct, frozen=True):
    """A line of the holdings. What was sold of it today stands among the positions, as a negative quantity."""

    exchange: str
    tradingsymbol: str
    realised_quantity: int
    t1_quantity: int
    mtf: MtfHolding = MtfHolding()


class Available(msgspec.Struct, frozen=True):
    """What can be used."""

    live_balance: Decimal = Decimal(0)


class Utilised(msgspec.Struct, frozen=True):
    """What is in use."""

    debits: Decimal = Decimal(0)


class Margins(msgspec.Struct, frozen=True):
    """One segment's money."""

    enabled: bool
    net: Decimal
    available: Available
    utilised: Utilised


def net_positions(positions: PositionsData, holdings: list[HoldingRow], settings: KiteSettings) -> dict[str, int]:
    """Signed quantity by position key; the buckets are products.

    Shares bought yesterday and before are holdings (with those on their way, T1), those of today are positions in CNC,
    and so is, below zero, what is sold of the holdings today: the sum of both is what is held.
    """
    held: Counter[str] = Counter()
    for position in positions.net:
        held[_key(position.exchange, position.tradingsymbol, position.product, settings)] += position.quantity
    for holding in holdings:
        exchange = settings.holdings_exchange or holding.exchange
        quantity = holding.realised_quantity + holding.t1_quantity
        held[_key(exchange, holding.tradingsymbol, "CNC", settings)] += quantity
        held[_key(exchange, holding.tradingsymbol, "MTF", settings)] += holding.mtf.quantity
    return {key: quantity for key, quantity in held.items() if quantity}


def _key(exchange: str, tradingsymbol: str, product: str, settings: KiteSettings) -> str:
    return position_key(f"{exchange}:{tradingsymbol}", bucket_of(product, settings))


def balances_of(margins: dict[str, Margins]) -> tuple[Balance, ...]:
    """Rupees by segment: `INR` is the equity segment's, `INR.COMMODITY` the other's. In use and free make the total."""
    names = {"equity": "INR", "commodity": "INR.COMMODITY"}
    return tuple(
        Balance(names.get(segment, f"INR.{segment.upper()}"), margin.net + margin.utilised.debits, margin.net)
        for segment, margin in margins.items()
        if margin.enabled
    )
