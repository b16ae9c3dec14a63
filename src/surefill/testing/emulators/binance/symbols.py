"""The symbols that are traded here, their filters, and what exchangeInfo says of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from surefill.testing.emulators.binance.errors import bad_symbol
from surefill.testing.emulators.groundwork.store import Store

_QUOTES = ("USDT", "USDC", "FDUSD", "BTC", "EUR")
#: Tick and step of spot, of USD-M, and USD-M's smallest notional. The orders of magnitude are real, dates drift.
_KNOWN = {
    "BTCUSDT": ("0.01", "0.00001", "0.10", "0.001", "100"),
    "ETHUSDT": ("0.01", "0.0001", "0.01", "0.001", "20"),
    "BNBUSDT": ("0.01", "0.001", "0.010", "0.01", "5"),
    "SOLUSDT": ("0.01", "0.001", "0.0100", "0.01", "5"),
}
_OTHERS = ("0.0001", "0.001", "0.0001", "0.001", "5")


class Symbol(NamedTuple):
    """One symbol in one market."""

    name: str
    base: str
    quote: str
    tick: Decimal
    step: Decimal
    min_notional: Decimal
    max_qty: Decimal = Decimal(9000)

    @property
    def px_digits(self) -> int:
        """Digits of a price after the point."""
        return -int(self.tick.as_tuple().exponent)

    @property
    def qty_digits(self) -> int:
        """Digits of a quantity after the point."""
        return -int(self.step.as_tuple().exponent)


def symbol_of(name: str, scope: str) -> Symbol:
    """The symbol in "spot" or "usdm"; every pair of a known quote asset exists."""
    quote = next((each for each in _QUOTES if name.endswith(each) and len(name) > len(each)), "")
    if not quote or not name.isalnum():
        raise bad_symbol()
    spot_tick, spot_step, tick, step, notional = _KNOWN.get(name, _OTHERS)
    base = name.removesuffix(quote)
    if scope == "spot":
        return Symbol(name, base, quote, Decimal(spot_tick), Decimal(spot_step), Decimal(5))
    return Symbol(name, base, quote, Decimal(tick), Decimal(step), Decimal(notional), Decimal(1000))


def traded(store: Store, scope: str) -> list[Symbol]:
    """All symbols: the known ones and those that were given a price."""
    names = {*_KNOWN, *store.notes("symbols")}
    return [symbol_of(name, scope) for name in sorted(names)]


def listed(store: Store, name: str, scope: str) -> Symbol:
    """A symbol that is traded here; -1121 for every other."""
    if name not in _KNOWN and store.noted("symbols", name) is None:
        raise bad_symbol()
    return symbol_of(name, scope)


def spot_info(symbol: Symbol) -> dict[str, Any]:
    """One entry of /api/v3/exchangeInfo."""
    return {
        "symbol": symbol.name,
        "status": "TRADING",
        "baseAsset": symbol.base,
        "baseAssetPrecision": 8,
        "quoteAsset": symbol.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": _eight(symbol.tick),
                "maxPrice": "1000000.00000000",
                "tickSize": _eight(symbol.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": _eight(symbol.step),
                "maxQty": _eight(symbol.max_qty),
                "stepSize": _eight(symbol.step),
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": "0.00000000",
                "maxQty": _eight(symbol.max_qty / 100),
                "stepSize": "0.00000000",
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": "5",
                "bidMultiplierDown": "0.2",
                "askMultiplierUp": "5",
                "askMultiplierDown": "0.2",
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": _eight(symbol.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def usdm_info(symbol: Symbol) -> dict[str, Any]:
    """One entry of /fapi/v1/exchangeInfo."""
    return {
        "symbol": symbol.name,
        "pair": symbol.name,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": symbol.base,
        "quoteAsset": symbol.quote,
        "marginAsset": symbol.quote,
        "pricePrecision": symbol.px_digits,
        "quantityPrecision": symbol.qty_digits,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": str(symbol.tick),
                "maxPrice": "1000000",
                "tickSize": str(symbol.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": str(symbol.step),
                "maxQty": str(symbol.max_qty),
                "stepSize": str(symbol.step),
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": str(symbol.step),
                "maxQty": "120",
                "stepSize": str(symbol.step),
            },
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": str(symbol.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _eight(number: Decimal) -> str:
    return f"{number:.8f}"
