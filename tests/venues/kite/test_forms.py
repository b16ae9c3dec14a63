from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.venues.kite.lines import STAMP_NS, TAG
from tests.venues.kite.rig import INFY, request_for

from surefill.domain.instrument import Instrument, Terms
from surefill.errors import ConfigError
from surefill.rules.codes import OrdType, TimeInForce
from surefill.secret import Secret
from surefill.venues.kite.forms import bucket_of, objection, order_form, pieces_max_qty, product_of
from surefill.venues.kite.listing import Listed
from surefill.venues.kite.settings import KiteSettings

SHARE = Listed(Instrument(INFY, "INR", 2, 0, 100, (Terms(tick=5, lot=5, min_qty=5),)), 408065, "NSE", "INFY", "", 40)


def settings(**changes: Any) -> KiteSettings:
    return KiteSettings(**{"api_key": "k", "access_token": Secret("t"), "product": "MIS", **changes})


LIMIT = {"ord_type": OrdType.LIMIT, "px": 150_005}
REFUSED: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("OFF_LOT", {"order_qty": 7}, {}),
    ("OFF_LOT", {"order_qty": 0}, {}),
    ("OFF_TICK", {"ord_type": OrdType.LIMIT, "px": 150_003}, {}),
    ("OFF_TICK", {"ord_type": OrdType.LIMIT, "px": 0}, {}),
    ("OFF_TICK", {"ord_type": OrdType.STOP, "stop_px": 3}, {}),
    ("OFF_TICK", {"ord_type": OrdType.STOP_LIMIT, "px": 5, "stop_px": 3}, {}),
    ("OVER_FREEZE", {"order_qty": 45}, {"slicing": False}),
    ("OVER_FREEZE", {"order_qty": 45}, {"variety": "amo"}),
    ("UNSUPPORTED", {"time_in_force": TimeInForce.GTC}, {}),
    ("UNSUPPORTED", {"time_in_force": TimeInForce.FOK}, {}),
    ("UNSUPPORTED", {"time_in_force": TimeInForce.IOC}, {"variety": "amo"}),
    ("NO_PRODUCT", {"bucket": ""}, {"product": ""}),
    ("NO_PRODUCT", {"bucket": "MIS"}, {}),  # it has a bucket already: ""
    ("NO_PRODUCT", {"bucket": "OTHER"}, {}),
)


@pytest.mark.parametrize(("code", "terms", "changes"), REFUSED, ids=str)
def test_order_that_the_venue_would_not_take_is_not_sent(
    code: str, terms: dict[str, Any], changes: dict[str, Any]
) -> None:
    refused = objection(request_for(TAG, **terms), SHARE, settings(**changes), STAMP_NS)
    assert refused is not None
    assert refused.code == code


@pytest.mark.parametrize("terms", [{}, LIMIT, {"order_qty": 45}, {"bucket": "CNC"}], ids=str)
def test_order_that_fits_is_not_objected_to(terms: dict[str, Any]) -> None:
    assert objection(request_for(TAG, **terms), SHARE, settings(), STAMP_NS) is None


def test_what_is_not_listed_or_not_tradable_is_refused() -> None:
    unlisted = objection(request_for(TAG), None, settings(), STAMP_NS)
    assert unlisted is not None
    assert unlisted.code == "UNKNOWN_INSTRUMENT"
    over = msgspec.structs.replace(
        SHARE,
        instrument=msgspec.structs.replace(SHARE.instrument, terms=(Terms(), Terms(effective_ns=1, tradable=False))),
    )
    expired = objection(request_for(TAG), over, settings(), STAMP_NS)
    assert expired is not None
    assert expired.code == "NOT_TRADABLE"


FORMS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({}, {"order_type": "MARKET", "market_protection": -1}),
    (LIMIT, {"order_type": "LIMIT", "price": "1500.05"}),
    ({"ord_type": OrdType.STOP, "stop_px": 150_005}, {
        "order_type": "SL-M", "trigger_price": "1500.05", "market_protection": -1}),
    ({"ord_type": OrdType.STOP_LIMIT, "stop_px": 150_005, "px": 150_100}, {
        "order_type": "SL", "trigger_price": "1500.05", "price": "1501"}),
)  # fmt: skip


@pytest.mark.parametrize(("terms", "more"), FORMS, ids=str)
def test_form_says_what_was_asked_for_and_nothing_else(terms: dict[str, Any], more: dict[str, Any]) -> None:
    assert order_form(request_for(TAG, **terms), SHARE, settings()) == {
        "variety": "regular", "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": 10,
        "product": "MIS", "tag": TAG, "validity": "DAY", **more,
    }  # fmt: skip


def test_iceberg_is_cut_into_lots() -> None:
    form = order_form(request_for(TAG, order_qty=35), SHARE, settings(variety="iceberg", iceberg_legs=3))
    assert (form["iceberg_legs"], form["iceberg_quantity"]) == (3, 15)


def test_slices_are_whole_lots_below_the_freeze_quantity() -> None:
    assert (
        pieces_max_qty(request_for(TAG, order_qty=45), msgspec.structs.replace(SHARE, freeze_qty=43), settings()) == 40
    )
    assert pieces_max_qty(request_for(TAG, order_qty=40), SHARE, settings()) == 0


def test_product_and_bucket_are_one_to_one() -> None:
    for product in ("MIS", "CNC", "NRML"):
        assert product_of(bucket_of(product, settings()), settings()) == product


@pytest.mark.parametrize(
    "changes",
    [
        {"product": "XYZ"}, {"variety": "co"}, {"variety": "iceberg"}, {"iceberg_legs": 3},
        {"market_protection": 0}, {"market_protection": 101},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        settings(**changes)
