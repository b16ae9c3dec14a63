"""Each filter with the figure just inside and just outside of it."""

from __future__ import annotations

import msgspec
import pytest
from tests.venues.ccxt.orders import order

from surefill.domain.orders import OrderRequest
from surefill.rules.codes import OrdType
from surefill.units import PPB
from surefill.venues.ccxt.filters import Filters, breach_of

FILTERS = Filters(
    price_decimals=2,
    qty_decimals=5,
    tick=5,
    min_px=100,
    max_px=10_000_000,
    lot=10,
    min_qty=20,
    max_qty=5_000,
    market_lot=20,
    market_min_qty=40,
    market_max_qty=1_000,
    min_notional=10**8,
    max_notional=10**10,
    buy_up_ppb=2 * PPB,
    buy_down_ppb=PPB // 2,
    sell_up_ppb=3 * PPB,
    sell_down_ppb=PPB // 4,
)
PX = 6_000_000


def limit(**terms: object) -> OrderRequest:
    known = {"ord_type": OrdType.LIMIT, "side": 1, "px": PX, "order_qty": 100, "arrival_px": PX}
    return msgspec.structs.replace(order("a"), **(known | terms))


def market(qty: int, **terms: object) -> OrderRequest:
    return msgspec.structs.replace(order("a"), **({"order_qty": qty, "arrival_px": PX} | terms))


@pytest.mark.parametrize(
    ("request_", "name", "figures"),
    [
        (limit(), "", ""),
        (limit(px=PX + 1), "PRICE_FILTER", "60000.01 is no multiple of 0.05"),
        (limit(px=95), "PRICE_FILTER", "0.95 is below 1"),
        (limit(px=10_000_005), "PRICE_FILTER", "100000.05 is above 100000"),
        (limit(order_qty=105), "LOT_SIZE", "0.00105 is no multiple of 0.0001"),
        (limit(order_qty=10), "LOT_SIZE", "0.0001 is below 0.0002"),
        (limit(order_qty=5_010), "LOT_SIZE", "0.0501 is above 0.05"),
        (market(100), "", ""),
        (market(110), "MARKET_LOT_SIZE", "0.0011 is no multiple of 0.0002"),
        (market(20), "MARKET_LOT_SIZE", "0.0002 is below 0.0004"),
        (market(1_020), "MARKET_LOT_SIZE", "0.0102 is above 0.01"),
        (limit(order_qty=20, px=4_999_995), "NOTIONAL", "9.99999 is below 10"),
        (limit(order_qty=20, px=5_000_000), "", ""),
        (limit(order_qty=2_000), "NOTIONAL", "1200 is above 1000"),
        (market(40, arrival_px=0), "", ""),
        (limit(px=9_000_000, arrival_px=4_000_000), "PERCENT_PRICE", "90000 against a market of 40000"),
        (limit(px=8_000_000, arrival_px=4_000_000), "", ""),
        (limit(px=1_900_000, arrival_px=4_000_000), "PERCENT_PRICE", "19000 against a market of 40000"),
        (limit(side=-1, px=9_000_000, arrival_px=4_000_000), "", ""),
        (limit(side=-1, px=1_000_000, arrival_px=4_000_005), "PERCENT_PRICE", "less than 0.25 of it"),
        (limit(px=9_000_000, arrival_px=4_000_000, reduce_only=True), "", ""),
        (limit(px=9_000_000, arrival_px=0), "", ""),
    ],
)
def test_order_held_against_filters_names_the_one_and_its_figures(
    request_: OrderRequest, name: str, figures: str
) -> None:
    breach = breach_of(FILTERS, request_)

    assert (breach.name if breach else "") == name
    assert figures in (breach.text if breach else "")


def test_smallest_value_does_not_hold_for_what_reduces_where_the_venue_says_so() -> None:
    filters = msgspec.structs.replace(FILTERS, min_notional_reduces=False)

    assert breach_of(filters, limit(order_qty=20, px=4_000_000)) is not None
    assert breach_of(filters, limit(order_qty=20, px=4_000_000, reduce_only=True)) is None


def test_stop_order_at_market_has_its_trigger_checked_against_the_tick() -> None:
    stop = msgspec.structs.replace(order("a"), ord_type=OrdType.STOP, stop_px=PX + 1, order_qty=100)

    breach = breach_of(FILTERS, stop)

    assert breach is not None
    assert breach.name == "PRICE_FILTER"
