"""The figures that surefill ships: thirteen years of daily prices of five American shares, for demos and examples."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from surefill.domain.market import Bar
from surefill.market.adjust import DEMO_SPLITS, back_adjusted
from surefill.market.bar_format import BarChecks, BarFormat
from surefill.market.series import BarSeries
from surefill.market.sessions import Calendar, calendar_named
from surefill.units import ns_from_iso, to_quanta

DEMO_FILE: Final = "us_daily_2000_2013.csv.gz"
DEMO_PRICE_DECIMALS: Final = 5  # the source has 4; a half of them needs one more


def load_demo_bars(symbols: tuple[str, ...] = (), *, adjusted: bool = True) -> dict[str, BarSeries]:
    """Daily bars by symbol (all five, or the ones named): AAPL, FB, GOOG, IBM, MSFT, 2000-03-01 to 2013-03-01.

    Prices have 5 decimals, volumes are whole shares, sessions are New York's. `adjusted` undoes the splits, exactly;
    without it the figures are those of the day. Raises KeyError for another symbol.
    """
    calendar = calendar_named("us_equities")
    rows = _rows_by_symbol()
    loaded = {symbol: _series(symbol, rows[symbol], calendar) for symbol in symbols or rows}
    if not adjusted:
        return loaded
    return {symbol: back_adjusted(series, DEMO_SPLITS[symbol]) for symbol, series in loaded.items()}


def _rows_by_symbol() -> dict[str, list[list[str]]]:
    packed = files("surefill.market").joinpath("data", DEMO_FILE).read_bytes()
    by_symbol: dict[str, list[list[str]]] = {}
    reader = csv.reader(io.StringIO(gzip.decompress(packed).decode("ascii")))
    next(reader)
    for row in reader:
        by_symbol.setdefault(row[0], []).append(row)
    return by_symbol


def _series(symbol: str, rows: list[list[str]], calendar: Calendar) -> BarSeries:
    fmt = BarFormat(instrument_id=symbol, timeframe="1d", price_decimals=DEMO_PRICE_DECIMALS, calendar=calendar)
    return BarSeries.from_bars(
        _bars(rows, fmt), instrument_id=symbol, timeframe="1d", price_decimals=DEMO_PRICE_DECIMALS
    )


def _bars(rows: list[list[str]], fmt: BarFormat) -> Iterator[Bar]:
    checks = BarChecks(fmt)
    for _, day, *prices, volume, _ in rows:
        open_px, high_px, low_px, close_px = (
            to_quanta(float(price), DEMO_PRICE_DECIMALS, field="price") for price in prices
        )
        yield checks.bar(ns_from_iso(day), open_px, high_px, low_px, close_px, int(volume))
