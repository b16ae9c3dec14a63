from __future__ import annotations

from pathlib import Path

import pytest
from tests.venues.kite.lines import STAMP_NS

from surefill.errors import VenueOutcomeUnknown
from surefill.secret import Secret
from surefill.testing.emulators.kite.instruments import LISTING, dump
from surefill.units import NS_PER_DAY, NS_PER_HOUR, iso_from_ns
from surefill.venues.kite.listing import DumpCache, listing_of
from surefill.venues.kite.settings import KiteSettings

SETTINGS = KiteSettings(
    api_key="k",
    access_token=Secret("t"),
    freeze_quantities={"NFO:NIFTY": 1_800, "NSE:SBIN": 7},
    multipliers={"CDS:USDINR": 1_000},
)
LISTED = listing_of(dump(list(LISTING)), SETTINGS)


@pytest.mark.parametrize(
    ("instrument_id", "decimals", "tick", "lot", "freeze", "money", "calendar", "tradable"),
    [
        ("NSE:INFY", 2, 5, 1, 0, 100, "nse", True),
        ("NSE:SBIN", 2, 5, 1, 7, 100, "nse", True),
        ("BSE:SBIN", 2, 5, 1, 0, 100, "nse", True),
        ("NSE:NIFTY 50", 2, 1, 1, 0, 100, "nse", False),
        ("NFO:NIFTY26DECFUT", 2, 10, 75, 1_800, 100, "nfo", True),
        ("CDS:USDINR26DECFUT", 4, 25, 1, 0, 1_000, "24x7", True),
        ("MCX:LEADMINI26DECFUT", 2, 5, 1, 0, 100, "24x7", False),  # its multiplier is not known
    ],
)
def test_line_of_the_dump_is_an_instrument(
    instrument_id: str, decimals: int, tick: int, lot: int, freeze: int, money: int, calendar: str, tradable: bool
) -> None:
    listed = LISTED[instrument_id]
    made, terms = listed.instrument, listed.instrument.terms[0]
    assert (made.price_decimals, terms.tick, terms.lot, listed.freeze_qty) == (decimals, tick, lot, freeze)
    assert (made.money_per_notional, made.calendar, terms.tradable) == (money, calendar, tradable)


def test_contract_is_traded_to_the_end_of_its_expiry_day() -> None:
    before, over = LISTED["NFO:NIFTY26DECFUT"].instrument.terms
    assert (before.tradable, over.tradable) == (True, False)
    assert iso_from_ns(over.effective_ns) == "2026-12-29T18:30:00Z"
    assert LISTED["NFO:NIFTY26DECFUT"].expiry == "2026-12-29"


@pytest.mark.parametrize("text", ["", "instrument_token\n", "<html>", "a,b\n1,2\n"])
def test_text_that_is_no_dump_is_no_answer(text: str) -> None:
    with pytest.raises(VenueOutcomeUnknown):
        listing_of(text, SETTINGS)


def test_dump_is_kept_for_a_day_and_then_forgotten(tmp_path: Path) -> None:
    cache = DumpCache(tmp_path / "cache")
    assert cache.get("NSE", STAMP_NS) == ""
    cache.put("NSE", STAMP_NS, "today")
    cache.put("NFO", STAMP_NS, "other")
    assert cache.get("NSE", STAMP_NS + NS_PER_HOUR) == "today"
    assert cache.get("NSE", STAMP_NS + NS_PER_DAY - 2 * NS_PER_HOUR) == "today"  # 08:00: there is no newer one
    assert cache.get("NSE", STAMP_NS + NS_PER_DAY) == ""
    cache.put("NSE", STAMP_NS + NS_PER_DAY, "tomorrow")
    assert sorted(file.name for file in (tmp_path / "cache").iterdir()) == [
        "instruments-NFO-2026-11-27.csv",
        "instruments-NSE-2026-11-28.csv",
    ]


def test_dump_without_a_folder_is_not_kept() -> None:
    cache = DumpCache(None)
    cache.put("NSE", STAMP_NS, "today")
    assert cache.get("NSE", STAMP_NS) == ""
