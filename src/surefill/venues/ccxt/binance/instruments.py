"""exchangeInfo as listings. Source: binance-spot-api-docs, filters.md; USDⓈ-M futures, "Common definition"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from surefill.errors import VenueOutcomeUnknown
from surefill.units import PPB, QTY_MAX, to_quanta
from surefill.venues.ccxt.filters import Filters
from surefill.venues.ccxt.listing import Listing, decimals_of
from surefill.venues.protocol import RateLimit

_PERIOD_S = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
_NOTIONAL_MAX = 2**62
#: The most decimals of price and quantity together with which what is traded still fits into the integers: beyond it
#: quantities are counted in steps, and commissions in the base asset cannot be counted.
DECIMALS_FINE = 12


def listings_of(info: Any) -> dict[str, Listing]:
    """All symbols by our instrument id. Raises VenueOutcomeUnknown where exchangeInfo cannot be read."""
    try:
        found = [_listing(each) for each in info["symbols"]]
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise VenueOutcomeUnknown(f"exchangeInfo cannot be read: {error!r}") from error
    return {each.instrument_id: each for each in found}


def rate_limits_of(info: Any) -> tuple[RateLimit, ...]:
    """The limits that exchangeInfo names: orders of the account, weight of the address."""
    return tuple(_rate_limits(info.get("rateLimits", ())))


def _rate_limits(rows: Any) -> Iterator[RateLimit]:
    for row in rows:
        kind = str(row.get("rateLimitType", ""))
        if kind and "limit" in row:
            window_ns = int(row["intervalNum"]) * _PERIOD_S[row["interval"]] * 10**9
            scope = "account" if kind == "ORDERS" else "address"
            yield RateLimit("order" if kind == "ORDERS" else kind.lower(), int(row["limit"]), window_ns, scope)


def _listing(row: Mapping[str, Any]) -> Listing:
    filters = {each["filterType"]: each for each in row["filters"]}
    price_decimals = _decimals(filters.get("PRICE_FILTER", {}), "tickSize", row, "pricePrecision")
    qty_decimals = _decimals(filters.get("LOT_SIZE", {}), "stepSize", row, "quantityPrecision")
    margin = str(row.get("marginAsset", ""))
    if not margin and price_decimals + _commission_decimals(row) <= DECIMALS_FINE:
        qty_decimals = max(qty_decimals, _commission_decimals(row))
    return Listing(
        _instrument_id(row, margin),
        str(row["symbol"]),
        str(row["baseAsset"]),
        margin or str(row["quoteAsset"]),
        price_decimals,
        qty_decimals,
        _filters(filters, price_decimals, qty_decimals, usdm=bool(margin)),
        tradable=row.get("status", row.get("contractStatus")) == "TRADING",
        perpetual=bool(margin),
        leaves_dust=not margin,
        counts_fees=bool(margin) or qty_decimals >= _commission_decimals(row),
    )


def _commission_decimals(row: Mapping[str, Any]) -> int:
    """How fine the balance of the base asset is, out of which commissions are taken."""
    return int(row.get("baseCommissionPrecision", 8))


def _instrument_id(row: Mapping[str, Any], margin: str) -> str:
    """ccxt's unified symbol: BTC/USDT, BTC/USDT:USDT, BTC/USDT:USDT-260327."""
    pair = f"{row['baseAsset']}/{row['quoteAsset']}"
    if not margin:
        return pair
    _, _, delivery = str(row["symbol"]).partition("_")
    return f"{pair}:{margin}-{delivery}" if delivery else f"{pair}:{margin}"


def _decimals(row: Mapping[str, Any], name: str, symbol: Mapping[str, Any], precision: str) -> int:
    step = str(row.get(name, "0"))
    if Decimal(step) > 0:
        return decimals_of(step)
    return int(symbol.get(precision, 8))


def _filters(rows: Mapping[str, Mapping[str, Any]], price_decimals: int, qty_decimals: int, *, usdm: bool) -> Filters:
    def px(row: str, name: str) -> int:
        return _quanta(rows.get(row, {}).get(name), price_decimals, 2**40)

    def qty(row: str, name: str) -> int:
        return _quanta(rows.get(row, {}).get(name), qty_decimals, QTY_MAX)

    notional = {**rows.get("MIN_NOTIONAL", {}), **rows.get("NOTIONAL", {})}
    least = notional.get("notional", notional.get("minNotional"))
    band = {**rows.get("PERCENT_PRICE", {}), **rows.get("PERCENT_PRICE_BY_SIDE", {})}
    up, down = band.get("multiplierUp"), band.get("multiplierDown")
    return Filters(
        price_decimals=price_decimals,
        qty_decimals=qty_decimals,
        tick=px("PRICE_FILTER", "tickSize"),
        min_px=px("PRICE_FILTER", "minPrice"),
        max_px=px("PRICE_FILTER", "maxPrice"),
        lot=qty("LOT_SIZE", "stepSize"),
        min_qty=qty("LOT_SIZE", "minQty"),
        max_qty=qty("LOT_SIZE", "maxQty"),
        market_lot=qty("MARKET_LOT_SIZE", "stepSize"),
        market_min_qty=qty("MARKET_LOT_SIZE", "minQty"),
        market_max_qty=qty("MARKET_LOT_SIZE", "maxQty"),
        min_notional=_quanta(least, price_decimals + qty_decimals, _NOTIONAL_MAX),
        min_notional_market=bool(notional.get("applyMinToMarket", notional.get("applyToMarket", True))),
        min_notional_reduces=not usdm,
        max_notional=_quanta(notional.get("maxNotional"), price_decimals + qty_decimals, _NOTIONAL_MAX),
        max_notional_market=bool(notional.get("applyMaxToMarket", False)),
        # USD-M bounds buys from above and sales from below only.
        buy_up_ppb=_ppb(band.get("bidMultiplierUp", up)),
        buy_down_ppb=_ppb(band.get("bidMultiplierDown", None if usdm else down)),
        sell_up_ppb=_ppb(band.get("askMultiplierUp", None if usdm else up)),
        sell_down_ppb=_ppb(band.get("askMultiplierDown", down)),
    )


def _quanta(value: Any, decimals: int, most: int) -> int:
    """A bound in quanta; one beyond what surefill counts bounds nothing."""
    number = Decimal(str(value or 0)).scaleb(decimals)
    return int(number) if number <= most else 0


def _ppb(value: Any) -> int:
    return to_quanta(str(value or 0), 9, field="multiplier", max_quanta=10**6 * PPB)
