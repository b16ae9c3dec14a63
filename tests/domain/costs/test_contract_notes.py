"""Notes reckoned by hand from the published rates, to the paisa. Money below is in paise: 2000 is 20 rupees."""

from __future__ import annotations

import pytest
from tests.domain.costs.trading import instrument, noon, tariff

from surefill.domain.costs import contract_note, estimate_round_trip

BUY, SELL = 1, -1

# The calculator's standard case: 400 shares (or a lot of 400), bought at 1000 and sold at 1100: 400,000 and 440,000
# rupees; options at 100 and 110. Each comment is rate x value, rounded up to the paisa; GST is 18 % of brokerage,
# exchange, IPFT and SEBI as they stand above it.
NOTES = [
    (
        "equity_intraday",
        BUY,
        1000_00,
        "2025-06-02",
        {
            "brokerage": 20_00,  # 0.03 % would be 120: the cap
            "exchange": 11_88,  # 0.00297 %
            "ipft": 40,  # 0.0001 %
            "sebi": 40,  # 0.0001 %
            "stamp": 12_00,  # 0.003 %
            "gst": 5_89,  # 18 % of 32.68 = 5.8824
        },
    ),
    (
        "equity_intraday",
        SELL,
        1100_00,
        "2025-06-02",
        {
            "brokerage": 20_00,
            "stt": 110_00,  # 0.025 %
            "exchange": 13_07,  # 13.068
            "ipft": 44,
            "sebi": 44,
            "gst": 6_12,  # 18 % of 33.95 = 6.111
        },
    ),
    (
        "equity_delivery",
        BUY,
        1000_00,
        "2025-06-02",
        {
            "brokerage": 0,
            "stt": 400_00,  # 0.1 %
            "exchange": 11_88,
            "ipft": 40,
            "sebi": 40,
            "stamp": 60_00,  # 0.015 %
            "gst": 2_29,  # 18 % of 12.68 = 2.2824
        },
    ),
    (
        "equity_delivery",
        SELL,
        1100_00,
        "2025-06-02",
        {
            "brokerage": 0,
            "stt": 440_00,
            "exchange": 13_07,
            "ipft": 44,
            "sebi": 44,
            "gst": 2_52,  # 18 % of 13.95 = 2.511
        },
    ),
    (
        "futures",
        BUY,
        1000_00,
        "2025-06-02",
        {
            "brokerage": 20_00,
            "exchange": 6_92,  # 0.00173 %
            "ipft": 40,
            "sebi": 40,
            "stamp": 8_00,  # 0.002 %
            "gst": 4_99,  # 18 % of 27.72 = 4.9896
        },
    ),
    (
        "futures",
        SELL,
        1100_00,
        "2025-06-02",
        {
            "brokerage": 20_00,
            "stt": 88_00,  # 0.02 %
            "exchange": 7_62,  # 7.612
            "ipft": 44,
            "sebi": 44,
            "gst": 5_13,  # 18 % of 28.50
        },
    ),
    (
        "futures",
        SELL,
        1100_00,
        "2026-04-01",
        {"brokerage": 20_00, "stt": 220_00, "exchange": 7_62, "ipft": 44, "sebi": 44, "gst": 5_13},  # STT 0.05 %
    ),
    (
        "options",
        BUY,
        100_00,
        "2025-06-02",
        {
            "brokerage": 20_00,  # flat
            "exchange": 14_02,  # 0.03503 % of 40,000 = 14.012
            "ipft": 20,  # 0.0005 %
            "sebi": 4,
            "stamp": 1_20,  # 0.003 %
            "gst": 6_17,  # 18 % of 34.26 = 6.1668
        },
    ),
    (
        "options",
        SELL,
        110_00,
        "2025-06-02",
        {
            "brokerage": 20_00,
            "stt": 44_00,  # 0.1 % of the premium
            "exchange": 15_42,  # 15.4132
            "ipft": 22,
            "sebi": 5,  # 0.044
            "gst": 6_43,  # 18 % of 35.69 = 6.4242
        },
    ),
    (
        "options",
        SELL,
        110_00,
        "2022-01-03",  # before IPFT, before GST on the SEBI fee
        {
            "brokerage": 20_00,
            "stt": 22_00,  # 0.05 %
            "exchange": 23_32,  # 0.053 %
            "sebi": 5,
            "gst": 7_80,  # 18 % of 43.32 = 7.7976
        },
    ),
    (
        "equity_intraday",
        BUY,
        2_50,
        "2025-06-02",  # 400 at 2.50 is 1,000: the percentage is below the cap
        {"brokerage": 30, "exchange": 3, "ipft": 1, "sebi": 1, "stamp": 3, "gst": 7},  # GST: 18 % of 0.35 = 0.063
    ),
]


@pytest.mark.parametrize(("segment", "side", "px", "day", "note"), NOTES)
def test_contract_note_by_hand_is_met_to_the_paisa(
    segment: str, side: int, px: int, day: str, note: dict[str, int]
) -> None:
    assert contract_note(tariff(), instrument(segment), side, 400, px, noon(day)) == note


def test_contract_note_with_finer_money_is_still_in_whole_paise() -> None:
    fine = contract_note(
        tariff(money_decimals=8), instrument("options", money_decimals=8), SELL, 400, 110_00, noon("2025-06-02")
    )
    assert {name: money / 10**6 for name, money in fine.items()} == NOTES[8][4]


@pytest.mark.parametrize(
    ("segment", "entry_px", "exit_px", "money"),
    [
        ("equity_intraday", 1000_00, 1100_00, 50_57 + 150_07),
        ("equity_delivery", 1000_00, 1100_00, 474_97 + 456_47),
        ("futures", 1000_00, 1100_00, 40_71 + 121_63),
        ("options", 100_00, 110_00, 41_63 + 86_12),
    ],
)
def test_round_trip_is_the_sum_of_both_notes(segment: str, entry_px: int, exit_px: int, money: int) -> None:
    at_ns = noon("2025-06-02")
    assert estimate_round_trip(tariff(), instrument(segment), BUY, 400, entry_px, exit_px, at_ns, at_ns + 1) == money


def test_round_trip_of_a_short_sells_first_and_pays_by_each_day_of_its_own() -> None:
    """Sold at 1100 the day before the STT rises, bought back at 1000 the day after: the old rate, on the sale."""
    trip = estimate_round_trip(
        tariff(), instrument("futures"), SELL, 400, 1100_00, 1000_00, noon("2026-03-31"), noon("2026-04-01")
    )
    assert trip == 121_63 + 40_71


def test_round_trip_of_a_long_pays_the_new_rate_where_it_is_sold_after_the_change() -> None:
    trip = estimate_round_trip(
        tariff(), instrument("futures"), BUY, 400, 1000_00, 1100_00, noon("2026-03-31"), noon("2026-04-01")
    )
    assert trip == 40_71 + 121_63 - 88_00 + 220_00


@pytest.mark.parametrize(("bucket", "segment"), [("MIS", "equity_intraday"), ("CNC", "equity_delivery"), ("", "")])
def test_contract_note_of_equity_goes_by_the_bucket_and_is_delivery_where_that_is_silent(
    bucket: str, segment: str
) -> None:
    at_ns = noon("2025-06-02")
    note = contract_note(tariff(), instrument("equity"), BUY, 400, 1000_00, at_ns, bucket=bucket)
    assert note == contract_note(tariff(), instrument(segment or "equity_delivery"), BUY, 400, 1000_00, at_ns)
