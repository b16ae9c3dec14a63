"""An order's form, read and checked as the broker's first checks do: what fails here never reaches the order book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from surefill.testing.emulators.kite.amounts import px_text, read_px
from surefill.testing.emulators.kite.errors import KiteError, bad_input
from surefill.testing.emulators.kite.instruments import EQUITY_EXCHANGES, Instrument
from surefill.testing.emulators.kite.market import Price, band
from surefill.testing.emulators.kite.orders import BUY, SELL, Order
from surefill.testing.emulators.kite.rules import Rules

VARIETIES: Final = frozenset({"regular", "amo", "co", "iceberg"})
PRODUCTS: Final = frozenset({"CNC", "MIS", "NRML", "MTF"})
DELIVERY: Final = frozenset({"CNC", "MTF"})
ORDER_TYPES: Final = frozenset({"MARKET", "LIMIT", "SL", "SL-M"})
VALIDITIES: Final = frozenset({"DAY", "IOC", "TTL"})
PRICED: Final = frozenset({"LIMIT", "SL"})
TRIGGERED: Final = frozenset({"SL", "SL-M"})
UNPRICED: Final = frozenset({"MARKET", "SL-M"})
REQUIRED: Final = ("exchange", "tradingsymbol", "transaction_type", "quantity", "product", "order_type")
TAG_MAX: Final = 20
TTL_MAX_MIN: Final = 60
LEGS: Final = range(2, 11)
Form = Mapping[str, str]


def read_order(variety: str, form: Form, instrument: Instrument, price: Price, rules: Rules) -> Order:
    """The order that a form asks for, without an id. Raises KiteError."""
    _check_variety(variety, rules)
    order = Order(
        order_id="",
        variety=variety,
        exchange=instrument.exchange,
        tradingsymbol=instrument.tradingsymbol,
        instrument_token=instrument.instrument_token,
        transaction_type=one_of(form, "transaction_type", frozenset({BUY, SELL})),
        quantity=whole(form, "quantity"),
        product=one_of(form, "product", PRODUCTS),
        order_type=one_of(form, "order_type", ORDER_TYPES),
        validity=one_of(form, "validity", VALIDITIES, "DAY"),
        validity_ttl=whole(form, "validity_ttl", 0),
        disclosed_quantity=whole(form, "disclosed_quantity", 0),
        market_protection=_protection(form),
        tag=_tag(form),
    )
    order = with_prices(order, form)
    _check_product(order)
    check_terms(order, instrument, price)
    return _of_variety(order, form)


def instrument_key(form: Form) -> str:
    """Which instrument the form is about. Raises KiteError where a field is missing."""
    for name in REQUIRED:
        if not form.get(name):
            raise bad_input(f"Missing or empty field `{name}`.")
    return f"{form['exchange']}:{form['tradingsymbol']}"


def with_prices(order: Order, form: Form) -> Order:
    """The order with the prices that the form names; those that its type does not know are dropped."""
    price = read_px(form["price"], "price") if form.get("price") else order.price
    trigger = read_px(form["trigger_price"], "trigger_price") if form.get("trigger_price") else order.trigger_price
    return msgspec.structs.replace(
        order,
        price=price if order.order_type in PRICED else 0,
        trigger_price=trigger if order.order_type in TRIGGERED or order.variety == "co" else 0,
    )


def changed(order: Order, form: Form, instrument: Instrument, price: Price) -> Order:
    """The order with the changes that a form asks for. Raises KiteError."""
    order = msgspec.structs.replace(
        order,
        order_type=one_of(form, "order_type", ORDER_TYPES, order.order_type),
        validity=one_of(form, "validity", VALIDITIES, order.validity),
        quantity=whole(form, "quantity", order.quantity),
        disclosed_quantity=whole(form, "disclosed_quantity", order.disclosed_quantity),
        market_protection=_protection(form) if "market_protection" in form else order.market_protection,
    )
    order = with_prices(order, form)
    if order.quantity <= order.filled_quantity:
        raise bad_input("Quantity should be greater than the quantity that has traded.")
    check_terms(order, instrument, price)
    return order


def _check_variety(variety: str, rules: Rules) -> None:
    if variety == "auction":
        raise bad_input("There is no auction for this instrument.")
    if variety not in VARIETIES:
        raise bad_input("Invalid `variety`.")
    if variety == "amo" and rules.market_open:
        raise bad_input("After market orders (AMO) are not accepted while the market is open.")
    if variety != "amo" and not rules.market_open:
        raise bad_input("Markets are closed right now. Use after market orders (AMO).")


def _check_product(order: Order) -> None:
    equity = order.exchange in EQUITY_EXCHANGES
    if order.product in DELIVERY and not equity:
        raise bad_input(f"{order.product} is not allowed on {order.exchange}.")
    if order.product == "NRML" and equity:
        raise bad_input(f"NRML is not allowed on {order.exchange}.")
    if order.validity == "TTL" and not 1 <= order.validity_ttl <= TTL_MAX_MIN:
        raise bad_input(f"`validity_ttl` should be from 1 to {TTL_MAX_MIN} minutes.")
    if order.variety == "amo" and order.validity != "DAY":
        raise bad_input("After market orders are valid for the day only.")


def check_terms(order: Order, instrument: Instrument, price: Price) -> None:
    """Lots, ticks, the band, protection. Raises KiteError."""
    if order.quantity <= 0 or order.quantity % instrument.lot_size:
        raise bad_input(f"Invalid `quantity`: it should be a multiple of the lot size {instrument.lot_size}.")
    if order.disclosed_quantity and not order.quantity // 10 <= order.disclosed_quantity <= order.quantity:
        raise bad_input("Disclosed quantity should be from 10% of the quantity up to the quantity.")
    if order.order_type in PRICED:
        _check_px(order.price, "price", instrument, price)
    if order.order_type in TRIGGERED or order.variety == "co":
        _check_px(order.trigger_price, "trigger_price", instrument, price)
    if order.order_type == "SL" and order.side * (order.price - order.trigger_price) < 0:
        raise bad_input("The price of a stoploss order should be beyond its trigger price.")
    if order.order_type in UNPRICED and not order.market_protection:
        raise bad_input(f"{order.order_type} orders without `market_protection` are not allowed.")


def _check_px(px: int, field: str, instrument: Instrument, price: Price) -> None:
    if not px:
        raise bad_input(f"Missing or empty field `{field}`.")
    if px % instrument.tick:
        raise bad_input(f"Tick size for this script is {px_text(instrument.tick)}. Enter `{field}` in multiples of it.")
    low, high = band(instrument, price)
    if not low <= px <= high:
        raise bad_input(
            f"Your `{field}` is outside the circuit limits {px_text(low)} to {px_text(high)}. Place an order within"
            " the daily range."
        )


def _of_variety(order: Order, form: Form) -> Order:
    if order.variety == "co":
        if order.product != "MIS" or order.order_type not in ("MARKET", "LIMIT"):
            raise bad_input("Cover orders are MIS, MARKET or LIMIT.")
        return msgspec.structs.replace(order, product="CO", cover_px=order.trigger_price, trigger_price=0)
    if order.variety == "iceberg":
        return _first_leg(order, whole(form, "iceberg_legs", 0), whole(form, "iceberg_quantity", 0))
    return order


def _first_leg(order: Order, legs: int, leg_quantity: int) -> Order:
    if legs not in LEGS:
        raise bad_input(f"`iceberg_legs` should be from {LEGS[0]} to {LEGS[-1]}.")
    if not 0 < leg_quantity < order.quantity <= legs * leg_quantity:
        raise bad_input("`iceberg_quantity` should be the quantity divided by the legs.")
    leg = {
        "leg": 1,
        "legs": legs,
        "leg_quantity": leg_quantity,
        "total_quantity": order.quantity,
        "remaining_quantity": order.quantity - leg_quantity,
    }
    return msgspec.structs.replace(order, quantity=leg_quantity, meta={"iceberg": leg})


def one_of(form: Form, field: str, allowed: frozenset[str], default: str = "") -> str:
    """A word of a list. Raises KiteError."""
    value = form.get(field) or default
    if value not in allowed:
        raise bad_input(f"Invalid `{field}`.")
    return value


def whole(form: Form, field: str, default: int | None = None) -> int:
    """A whole number that is not negative. Raises KiteError."""
    text = form.get(field)
    if not text and default is not None:
        return default
    if not text or not text.isascii() or not text.isdigit():
        raise bad_input(f"Invalid `{field}`.")
    return int(text)


def _protection(form: Form) -> int:
    """Whole percents from 1 to 100, or -1 for what the broker takes; 0 is none."""
    text = form.get("market_protection") or "0"
    if text == "-1":
        return -1
    try:
        pct = float(text)
    except ValueError:
        raise _bad_protection() from None
    if not 0 <= pct <= 100 or pct != int(pct):
        raise _bad_protection()
    return int(pct)


def _bad_protection() -> KiteError:
    return bad_input("`market_protection` should be -1, or a percentage above 0 up to 100.")


def _tag(form: Form) -> str:
    tag = form.get("tag") or ""
    if len(tag) > TAG_MAX or (tag and not (tag.isascii() and tag.isalnum())):
        raise bad_input(f"`tag` should be alphanumeric and at most {TAG_MAX} characters.")
    return tag
