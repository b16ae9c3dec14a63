"""Crypto exchanges through ccxt: Binance in depth, Bybit, OKX and Coinbase by configuration.

`open_venue(settings)` makes the adapter of `settings.exchange`; ccxt itself is imported when it first asks something.
"""

from __future__ import annotations

from surefill.errors import ConfigError
from surefill.venues.ccxt.binance.venue import BinanceVenue
from surefill.venues.ccxt.others.venue import DIALECTS, ExchangeVenue
from surefill.venues.ccxt.settings import CcxtSettings, Keys
from surefill.venues.protocol import LiveVenue

__all__ = ["BinanceVenue", "CcxtSettings", "ExchangeVenue", "Keys", "open_venue"]


def open_venue(settings: CcxtSettings) -> LiveVenue:
    """The adapter for an account. Raises ConfigError for an exchange that has none."""
    if settings.exchange in ("binance", "binanceusdm"):
        return BinanceVenue(settings)
    if settings.exchange in DIALECTS:
        return ExchangeVenue(settings)
    raise ConfigError(f"there is no adapter for the exchange {settings.exchange!r}")
