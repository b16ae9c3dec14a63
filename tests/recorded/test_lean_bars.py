"""Bars of other markets: trade before and after hours, six decimals of volume, a quarter of a century of days."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import pytest
from tests.recorded.lean import EQUITY_SCALE, lean_csv
from tests.recorded.recordings import recorded

from surefill.market.bar_format import BarFormat
from surefill.market.csv_bars import csv_decimals, load_csv_bars
from surefill.market.series import BarSeries
from surefill.market.sessions import calendar_named
from surefill.units import iso_from_ns


class Market(NamedTuple):
    """How the files of a market are to be read."""

    timeframe: str
    zone: str
    calendar: str
    scale: int


US = Market("1m", "America/New_York", "us_equities", EQUITY_SCALE)
INDIA = Market("1m", "Asia/Kolkata", "nse", EQUITY_SCALE)
CRYPTO = Market("1m", "UTC", "24x7", 1)


class Zip(NamedTuple):
    """What one zip is known to hold. `inside`: bars that begin while the market is open; prices in quanta."""

    path: str
    market: Market
    decimals: tuple[int, int]
    bars: int
    inside: int
    session_ends: dict[str, int]  # UTC time of day: how many
    first_px: int
    last_px: int


SPY = "equity/usa/minute/spy/{}_trade.zip"
BEES = "equity/india/minute/juniorbees/{}_trade.zip"
YES = "equity/india/minute/yesbank/{}_trade.zip"
FOUR, TEN, MIDNIGHT = {"20:00": 1}, {"10:00": 1}, {"00:00": 1}

ZIPS = [
    Zip(SPY.format(20131004), US, (2, 0), 711, 390, FOUR, 16_765, 16_884),
    Zip(SPY.format(20131007), US, (2, 0), 828, 390, FOUR, 16_741, 16_730),
    Zip(SPY.format(20131008), US, (2, 0), 828, 390, FOUR, 16_742, 16_595),
    Zip(SPY.format(20131009), US, (2, 0), 813, 390, FOUR, 16_598, 16_572),
    Zip(SPY.format(20131010), US, (2, 0), 883, 390, FOUR, 16_643, 16_875),
    Zip(SPY.format(20131011), US, (2, 0), 776, 390, FOUR, 16_895, 17_041),
    Zip(BEES.format(20190101), INDIA, (2, 0), 217, 217, TEN, 29_000, 28_999),
    Zip(BEES.format(20190102), INDIA, (2, 0), 201, 201, TEN, 29_100, 28_762),
    Zip(BEES.format(20190103), INDIA, (2, 0), 188, 188, TEN, 28_725, 28_495),
    Zip(BEES.format(20190104), INDIA, (2, 0), 177, 177, TEN, 28_600, 28_600),
    Zip(YES.format(20190709), INDIA, (2, 0), 377, 375, TEN, 9_500, 9_135),
    Zip(YES.format(20190710), INDIA, (2, 0), 376, 375, TEN, 9_215, 9_300),
    Zip(YES.format(20190711), INDIA, (2, 0), 377, 375, TEN, 9_400, 9_245),
    Zip("crypto/binance/minute/btcbusd/20221213_trade.zip", CRYPTO, (2, 5), 1440, 1440, MIDNIGHT, 1_721_212, 1_777_708),
    Zip("crypto/bybit/minute/btcusdt/20221213_trade.zip", CRYPTO, (2, 6), 1440, 1440, MIDNIGHT, 1_720_886, 1_777_849),
    Zip(
        "cryptofuture/binance/minute/btcusd/20221213_trade.zip",
        *(CRYPTO, (1, 0), 1439, 1439, MIDNIGHT, 172_040, 177_797),
    ),
    Zip(
        "crypto/binance/hour/btcusdt_trade.zip",
        *(CRYPTO._replace(timeframe="1h"), (2, 6), 120, 120, {"00:00": 5}, 924_601, 986_400),
    ),
    # A day ends at 20:00 UTC in summer and at 21:00 in winter; half days three hours earlier.
    Zip(
        "equity/usa/daily/spy.zip",
        *(
            US._replace(timeframe="1d"),
            (4, 0),
            5849,
            5849,
            {"20:00": 3619, "21:00": 2178, "17:00": 13, "18:00": 39},
            973_100,
            3_963_300,
        ),
    ),
    # On 15 of the 52 half days the file goes on after the close.
    Zip(
        "equity/usa/hour/spy.zip",
        *(
            US._replace(timeframe="1h"),
            (4, 0),
            40_832,
            34_937,
            {"20:00": 3619, "21:00": 2178, "17:00": 13, "18:00": 39},
            973_100,
            3_963_300,
        ),
    ),
]


def load(source: Zip) -> BarSeries:
    market = source.market
    price_decimals, qty_decimals = source.decimals
    fmt = BarFormat(
        instrument_id="X",
        timeframe=market.timeframe,
        price_decimals=price_decimals,
        qty_decimals=qty_decimals,
        calendar=calendar_named(market.calendar),
        zone=market.zone,
    )
    return load_csv_bars(lean_csv(recorded(f"market/lean/{source.path}"), scale=market.scale), fmt)


@pytest.mark.parametrize("source", ZIPS, ids=lambda source: source.path)
def test_lean_zip_loaded_holds_what_is_known_of_it(source: Zip) -> None:
    series = load(source)

    calendar = calendar_named(source.market.calendar)
    ends = Counter(iso_from_ns(series.ts_ns[at])[11:16] for at in range(len(series)) if series.session_end[at])
    assert len(series) == source.bars
    assert sum(map(calendar.is_open, series.open_ns)) == source.inside
    assert ends == source.session_ends
    assert (series.open_px[0], series.close_px[-1]) == (source.first_px, source.last_px)
    assert min(series.volume) >= 0 < max(series.volume)


@pytest.mark.parametrize("source", ZIPS, ids=lambda source: source.path)
def test_lean_figures_need_the_decimals_that_they_were_read_with(source: Zip) -> None:
    zipped = recorded(f"market/lean/{source.path}")

    assert csv_decimals(lean_csv(zipped, scale=source.market.scale)) == source.decimals
