"""GTT: exits that wait at the broker, over days, until a price is reached (good till triggered).

A single trigger places one order; a two-leg one has a stop and a target, and whichever price is reached first ends the
other. What a trigger places is a LIMIT order, which may be refused then or not fill. Kite gives a trigger neither tag
nor client id: after an unknown outcome it is found by its terms (`like`), or not at all.
https://kite.trade/docs/connect/v3/gtt/, read 2026-11-28.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from surefill.errors import InputError, VenueOutcomeUnknown
from surefill.rules.codes import Side
from surefill.units import quanta_text, to_quanta
from surefill.venues.kite.forms import bucket_of, product_of
from surefill.venues.kite.listing import Listed
from surefill.venues.kite.rows import INTRADAY, side_of
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.protocol import Rejected, Unknown

#: Where there are triggers: equity and its derivatives. Source: zerodha.com/tos/gtt, support.zerodha.com, 2026.
EXCHANGES = ("NSE", "BSE", "NFO", "BFO")


class GttLeg(msgspec.Struct, frozen=True):
    """At `trigger_px` an order of `qty` at the limit `px`; quanta."""

    trigger_px: int
    px: int
    qty: int


class Gtt(msgspec.Struct, frozen=True):
    """A trigger: one leg, or two of which the first has the lower trigger price.

    `trigger_id` and `status` ("active", "triggered", "disabled", "expired", "cancelled", "rejected", "deleted") are
    the venue's, `results` what became of the orders of each leg: "" where none was placed.
    """

    instrument_id: str
    bucket: str
    side: int
    legs: tuple[GttLeg, ...]
    trigger_id: int = 0
    status: str = ""
    results: tuple[str, ...] = ()
    raw: str = ""

    def like(self, other: Gtt) -> bool:
        """Whether both ask for the same."""
        mine = (self.instrument_id, self.bucket, self.side, self.legs)
        return mine == (other.instrument_id, other.bucket, other.side, other.legs)


class GttKept(msgspec.Struct, frozen=True):
    """The broker keeps it, under this id."""

    trigger_id: int


GttOutcome = GttKept | Rejected | Unknown


class GttId(msgspec.Struct):
    """The answer to a request about a trigger."""

    trigger_id: int


class _Condition(msgspec.Struct):
    exchange: str
    tradingsymbol: str
    trigger_values: list[Decimal]


class _Leg(msgspec.Struct):
    product: str
    transaction_type: str
    quantity: int
    price: Decimal
    result: dict[str, Any] | None = None


class GttRow(msgspec.Struct):
    """A trigger as Kite tells it."""

    id: int
    type: str
    status: str
    condition: _Condition
    orders: list[_Leg]


def gtt_of(row: GttRow, decimals: int, settings: KiteSettings) -> Gtt:
    """A trigger. Raises VenueOutcomeUnknown where it cannot be read."""
    instrument_id = f"{row.condition.exchange}:{row.condition.tradingsymbol}"
    if not row.orders or len(row.orders) != len(row.condition.trigger_values):
        raise VenueOutcomeUnknown(f"trigger {row.id} has {len(row.orders)} orders, which are not its prices' number")
    try:
        legs = tuple(
            GttLeg(
                to_quanta(trigger, decimals, field="trigger_values"),
                to_quanta(leg.price, decimals, field="price"),
                leg.quantity,
            )
            for trigger, leg in zip(row.condition.trigger_values, row.orders, strict=True)
        )
    except InputError as error:
        raise VenueOutcomeUnknown(f"trigger {row.id} cannot be read: {error.message}") from error
    first = row.orders[0]
    results = tuple(_result(leg) for leg in row.orders)
    raw = msgspec.json.encode(row).decode()
    bucket = bucket_of(first.product, settings)
    return Gtt(instrument_id, bucket, side_of(first.transaction_type), legs, row.id, row.status, results, raw)


def _result(leg: _Leg) -> str:
    told = (leg.result or {}).get("order_result") or {}
    return " ".join(str(told[name]) for name in ("status", "order_id", "rejection_reason") if told.get(name))


def gtt_objection(gtt: Gtt, listed: Listed | None, settings: KiteSettings) -> Rejected | None:
    """What the venue would not take, or None."""
    if listed is None:
        return Rejected("UNKNOWN_INSTRUMENT", f"{gtt.instrument_id} is not in the day's dump of instruments")
    product = product_of(gtt.bucket, settings)
    if not product:
        return Rejected("NO_PRODUCT", f"bucket {gtt.bucket!r} names no product here")
    if product in INTRADAY or listed.exchange not in EXCHANGES:
        return Rejected("NO_TRIGGERS", f"there are no triggers for {product} at {listed.exchange}")
    triggers = [leg.trigger_px for leg in gtt.legs]
    if len(gtt.legs) not in (1, 2) or triggers != sorted(set(triggers)):
        return Rejected("LEGS", "a trigger has one leg, or two with the lower trigger price first")
    tick, lot = listed.instrument.terms[0].tick, listed.instrument.terms[0].lot
    for leg in gtt.legs:
        if min(leg.trigger_px, leg.px) <= 0 or leg.trigger_px % tick or leg.px % tick:
            return Rejected("OFF_TICK", f"prices {leg.trigger_px} and {leg.px} are not multiples of the tick {tick}")
        if leg.qty <= 0 or leg.qty % lot:
            return Rejected("OFF_LOT", f"quantity {leg.qty} is not a multiple of the lot {lot}")
    return None


def gtt_form(gtt: Gtt, last_px: int, listed: Listed, settings: KiteSettings) -> dict[str, Any]:
    """What `place_gtt` is given. `last_px` tells Kite from which side the price will come."""
    decimals = listed.instrument.price_decimals

    def shown(px: int) -> float:
        return float(quanta_text(px, decimals))  # the library makes floats of them anyway

    return {
        "trigger_type": "single" if len(gtt.legs) == 1 else "two-leg",
        "tradingsymbol": listed.tradingsymbol,
        "exchange": listed.exchange,
        "trigger_values": [shown(leg.trigger_px) for leg in gtt.legs],
        "last_price": shown(last_px),
        "orders": [
            {
                "transaction_type": Side(gtt.side).name,
                "quantity": leg.qty,
                "order_type": "LIMIT",
                "product": product_of(gtt.bucket, settings),
                "price": shown(leg.px),
            }
            for leg in gtt.legs
        ],
    }
