"""Plain symbols and products, as Kite has them; elsewhere they are what they are."""

from __future__ import annotations

import pytest

from surefill.config import Settings, load_settings
from surefill.domain.instrument import Instrument, Terms
from surefill.errors import InputError
from surefill.intake.venue_names import VenueNames, bucket_of

LISTED = {
    name: Instrument(name, "INR", 2, 0, 100, (Terms(),)) for name in ("NSE:INFY", "NSE:SBIN", "BSE:SBIN", "NFO:F1")
}


def _settings(venue: str, product: str = "") -> Settings:
    kite = {"product": product, "exchanges": ["NSE", "BSE", "NFO"]}
    return load_settings(None, {"workspace": {"venue": venue}, "venues": {"kite": kite}}, {})


NAMES = [
    ("INFY", "NSE", "NSE:INFY"),
    ("INFY", " nse ", "NSE:INFY"),
    ("NSE:INFY", "NFO", "NSE:INFY"),  # the symbol has said it
    ("INFY", "", "NSE:INFY"),  # the only one
    ("F1", "", "NFO:F1"),
    ("NOBODY", "", "NOBODY"),  # whoever is asked for it says that it is not known
    ("SBIN", "BSE", "BSE:SBIN"),
]


@pytest.mark.parametrize(("symbol", "exchange", "name"), NAMES)
def test_symbol_and_exchange_are_kites_name(symbol: str, exchange: str, name: str) -> None:
    assert VenueNames(_settings("kite"), LISTED).of(symbol, exchange) == name


def test_symbol_of_two_exchanges_is_not_guessed_until_one_is_said() -> None:
    names = VenueNames(_settings("kite"), LISTED)
    with pytest.raises(InputError, match="SBIN is traded as NSE:SBIN and BSE:SBIN: say which"):
        names.of("SBIN")
    names.of("SBIN", "BSE")
    assert names.of("SBIN") == "BSE:SBIN"
    with pytest.raises(InputError, match="NFO:SBIN is not in the day's list"):
        names.of("SBIN", "NFO")


@pytest.mark.parametrize("venue", ["paper", "binance", "mt5"])
def test_symbol_and_product_are_left_alone_elsewhere(venue: str) -> None:
    settings = _settings(venue, "MIS")
    assert VenueNames(settings, {}).of("INFY", "NSE") == "INFY"
    assert [bucket_of(product, settings) for product in ("MIS", "NRML", "CNC")] == ["", "", ""]


@pytest.mark.parametrize(("configured", "buckets"), [("MIS", ["", "NRML", "CNC"]), ("", ["MIS", "NRML", "CNC"])])
def test_product_is_a_bucket_at_kite_but_for_the_configured_one(configured: str, buckets: list[str]) -> None:
    settings = _settings("kite", configured)
    assert [bucket_of(product, settings) for product in ("MIS", "NRML", "CNC")] == buckets
