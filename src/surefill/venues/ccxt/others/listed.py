"""ccxt's markets as listings: one shape for all exchanges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from surefill.units import QTY_MAX
from surefill.venues.ccxt.filters import Filters
from surefill.venues.ccxt.listing import Listing, decimals_of


def listings_of(markets: Mapping[str, Any], category: str) -> dict[str, Listing]:
    """Those of the product that is traded ("spot" or "linear"), by ccxt's unified symbol."""
    wanted: Iterable[Any] = (each for each in markets.values() if each.get(category) and not each.get("option"))
    return {each["symbol"]: _listing(each) for each in wanted if _has_steps(each)}


def _has_steps(market: Mapping[str, Any]) -> bool:
    precision = market.get("precision") or {}
    return bool(precision.get("price") and precision.get("amount"))


def _listing(market: Mapping[str, Any]) -> Listing:
    tick, lot = _text(market["precision"]["price"]), _text(market["precision"]["amount"])
    price_decimals, qty_decimals = decimals_of(tick), decimals_of(lot)
    limits = market.get("limits") or {}

    def bound(name: str, which: str, decimals: int, most: int) -> int:
        value = (limits.get(name) or {}).get(which)
        number = Decimal(_text(value or 0)).scaleb(decimals)
        return int(number) if number <= most else 0

    filters = Filters(
        price_decimals=price_decimals,
        qty_decimals=qty_decimals,
        tick=int(Decimal(tick).scaleb(price_decimals)),
        min_px=bound("price", "min", price_decimals, 2**40),
        max_px=bound("price", "max", price_decimals, 2**40),
        lot=int(Decimal(lot).scaleb(qty_decimals)),
        min_qty=bound("amount", "min", qty_decimals, QTY_MAX),
        max_qty=bound("amount", "max", qty_decimals, QTY_MAX),
        min_notional=bound("cost", "min", price_decimals + qty_decimals, 2**62),
        max_notional=bound("cost", "max", price_decimals + qty_decimals, 2**62),
    )
    return Listing(
        market["symbol"],
        market["id"],
        market["base"],
        market.get("settle") or market["quote"],
        price_decimals,
        qty_decimals,
        filters,
        tradable=market.get("active") is not False,
        multiplier=_text(market.get("contractSize") or 1),
        perpetual=bool(market.get("swap")),
    )


def _text(number: Any) -> str:
    """ccxt tells steps as floats: their shortest text is what the exchange wrote."""
    return f"{Decimal(repr(number) if isinstance(number, float) else str(number)):f}"
