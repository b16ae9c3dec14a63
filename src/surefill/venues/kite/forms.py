"""An order as Kite's form, checked before anything is sent: what is wrong with it is proof that it did not happen."""

from __future__ import annotations

from typing import Final

from surefill.domain.orders import OrderRequest
from surefill.rules.codes import OrdType, Side, TimeInForce
from surefill.units import quanta_text
from surefill.venues.kite.listing import Listed
from surefill.venues.kite.rows import ORDER_TYPES
from surefill.venues.kite.settings import PRODUCTS, KiteSettings
from surefill.venues.kite.tags import tag_of
from surefill.venues.protocol import Rejected

VALIDITIES: Final = {TimeInForce.DAY: "DAY", TimeInForce.IOC: "IOC"}
PRICED: Final = frozenset({OrdType.LIMIT, OrdType.STOP_LIMIT})
STOPS: Final = frozenset({OrdType.STOP, OrdType.STOP_LIMIT})
UNPRICED: Final = frozenset({OrdType.MARKET, OrdType.STOP})
Form = dict[str, str | int]


def product_of(bucket: str, settings: KiteSettings) -> str:
    """The product of a bucket; "" where there is none. One product has one bucket."""
    if not bucket:
        return settings.product
    return bucket if bucket in PRODUCTS and bucket != settings.product else ""


def bucket_of(product: str, settings: KiteSettings) -> str:
    """The bucket of a product."""
    return "" if product == settings.product else product


def objection(request: OrderRequest, listed: Listed | None, settings: KiteSettings, now_ns: int) -> Rejected | None:
    """What the venue would not take, or None."""
    if listed is None:
        return Rejected("UNKNOWN_INSTRUMENT", f"{request.instrument_id} is not in the day's dump of instruments")
    if not product_of(request.bucket, settings):
        known = f"its own is {settings.product or 'not set'}"
        return Rejected("NO_PRODUCT", f"bucket {request.bucket!r} names no product here ({known})")
    if request.ord_type not in ORDER_TYPES or request.time_in_force not in VALIDITIES:
        return Rejected("UNSUPPORTED", f"order type {request.ord_type}, time in force {request.time_in_force}")
    if settings.variety != "regular" and request.time_in_force != TimeInForce.DAY:
        return Rejected("UNSUPPORTED", f"orders of variety {settings.variety} are valid for the day only")
    return _terms_objection(request, listed, settings, now_ns)


def _terms_objection(request: OrderRequest, listed: Listed, settings: KiteSettings, now_ns: int) -> Rejected | None:
    terms, decimals = listed.instrument.terms_at(now_ns), listed.instrument.price_decimals
    if not terms.tradable:
        return Rejected("NOT_TRADABLE", f"{request.instrument_id} has expired, is an index, or has no multiplier here")
    if request.order_qty <= 0 or request.order_qty % terms.lot:
        return Rejected("OFF_LOT", f"quantity {request.order_qty} is not a multiple of the lot {terms.lot}")
    for needed, px in ((request.ord_type in PRICED, request.px), (request.ord_type in STOPS, request.stop_px)):
        if needed and (px <= 0 or px % terms.tick):
            tick = quanta_text(terms.tick, decimals)
            return Rejected("OFF_TICK", f"price {quanta_text(px, decimals)} is not a multiple of the tick {tick}")
    if 0 < listed.freeze_qty < request.order_qty and (not settings.slicing or settings.variety != "regular"):
        return Rejected("OVER_FREEZE", f"quantity {request.order_qty} is above the freeze quantity {listed.freeze_qty}")
    return None


def pieces_max_qty(request: OrderRequest, listed: Listed, settings: KiteSettings) -> int:
    """The largest piece that the broker will cut the order into; 0 where it stays whole."""
    lot = listed.instrument.terms[0].lot
    if settings.variety == "iceberg":
        return -(-request.order_qty // (settings.iceberg_legs * lot)) * lot
    if 0 < listed.freeze_qty < request.order_qty:
        return listed.freeze_qty // lot * lot
    return 0


def order_form(request: OrderRequest, listed: Listed, settings: KiteSettings) -> Form:
    """What `place_order` is given."""
    form: Form = {
        "variety": settings.variety,
        "exchange": listed.exchange,
        "tradingsymbol": listed.tradingsymbol,
        "transaction_type": Side(request.side).name,
        "product": product_of(request.bucket, settings),
        "tag": tag_of(request.cl_ord_id),
        **change_form(request, listed, settings),
    }
    if settings.variety == "iceberg":
        form["iceberg_legs"] = settings.iceberg_legs
        form["iceberg_quantity"] = pieces_max_qty(request, listed, settings)
    return form


def change_form(request: OrderRequest, listed: Listed, settings: KiteSettings) -> Form:
    """The terms that can be changed while an order works."""
    decimals = listed.instrument.price_decimals
    form: Form = {
        "quantity": request.order_qty,
        "order_type": ORDER_TYPES[OrdType(request.ord_type)],
        "validity": VALIDITIES[TimeInForce(request.time_in_force)],
    }
    if request.ord_type in PRICED:
        form["price"] = quanta_text(request.px, decimals)
    if request.ord_type in STOPS:
        form["trigger_price"] = quanta_text(request.stop_px, decimals)
    if request.ord_type in UNPRICED:
        form["market_protection"] = settings.market_protection
    return form
