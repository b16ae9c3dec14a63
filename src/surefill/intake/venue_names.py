"""How callers of doors 1 and 2 name things, and how the venue does: symbols and products.

Kite's instruments are `EXCHANGE:SYMBOL`, and it keeps positions apart by product; both doors' documents say the plain
symbol, the exchange (if at all) and the product apart. Elsewhere a symbol is what it is, and there are no products.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from surefill.config import Settings
from surefill.config.venues import KITE
from surefill.domain.instrument import Instrument
from surefill.errors import InputError

PRODUCTS: Final = ("MIS", "NRML", "CNC")


def bucket_of(product: str, settings: Settings) -> str:
    """Where the venue keeps a position of that product. Kite's configured product is the bucket ""."""
    if settings.workspace.venue != KITE or product == settings.venues.kite.product:
        return ""
    return product


class VenueNames:
    """The instrument ids of one workspace. `listed`: what its venue trades."""

    def __init__(self, settings: Settings, listed: Mapping[str, Instrument]) -> None:
        self._at_kite = settings.workspace.venue == KITE
        self._exchanges = settings.venues.kite.exchanges
        self._listed = listed
        self._met: dict[str, str] = {}

    def of(self, symbol: str, exchange: str = "") -> str:
        """The instrument id of a symbol. Raises InputError where that is not one.

        Without an exchange it is the one that was said last, else the only one that trades the symbol.
        """
        if not self._at_kite or ":" in symbol:
            return symbol
        if exchange:
            return self._said(symbol, exchange.strip().upper())
        if symbol in self._met:
            return self._met[symbol]
        found = [name for each in self._exchanges if (name := f"{each}:{symbol}") in self._listed]
        if len(found) > 1:
            raise InputError(f"{symbol} is traded as {' and '.join(found)}: say which", code="AMBIGUOUS_SYMBOL")
        return found[0] if found else symbol

    def _said(self, symbol: str, exchange: str) -> str:
        name = f"{exchange}:{symbol}"
        if name not in self._listed:
            raise InputError(
                f"{name} is not in the day's list of {', '.join(self._exchanges)} (venues.kite.exchanges)",
                code="UNKNOWN_INSTRUMENT",
            )
        self._met[symbol] = name
        return name
