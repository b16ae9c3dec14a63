"""Symbols as instruments, and the terminal's doubles as quanta.

A double of the terminal is the result of a computation (1.6921300000000001): its 13 leading digits are what was
meant, and those must be exact in the symbol's own decimals. Nothing is rounded to a tick.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from surefill.domain.instrument import Instrument, Terms
from surefill.errors import ConfigError
from surefill.units import PPB, PRICE_MAX, QTY_MAX, money_per_notional, quanta_float, to_quanta
from surefill.venues.mt5.records import SymbolRecord

_LINEAR = frozenset({0, 2, 3, 4, 5, 32, 38})  # forex, CFD, index, leverage, no leverage, stocks
_BY_TICK_VALUE = frozenset({1, 33})  # futures
_FOREX = frozenset({0, 5})
_CLOSED = frozenset({0, 3})  # disabled, close only


def cleaned(value: float) -> float:
    """A double without the noise in its last digits."""
    return float(f"{value:.13g}")


def decimals_of(step: float) -> int:
    """How many decimals a step has: 2 for 0.01."""
    exponent = Decimal(repr(cleaned(step))).normalize().as_tuple().exponent
    return max(-int(exponent), 0)


class Scale:
    """A symbol's prices and lots as quanta, and back."""

    def __init__(self, symbol: SymbolRecord) -> None:
        self.symbol = symbol
        self.price_decimals = max(symbol.digits, decimals_of(symbol.trade_tick_size))
        self.qty_decimals = decimals_of(symbol.volume_step)

    def px(self, price: float) -> int:
        """A price in quanta; 0: none. Raises InputError."""
        return to_quanta(cleaned(price), self.price_decimals, field=f"price of {self.symbol.name}")

    def qty(self, lots: float) -> int:
        """Lots in quanta. Raises InputError."""
        return to_quanta(cleaned(lots), self.qty_decimals, field=f"volume of {self.symbol.name}")

    def price(self, px: int) -> float:
        """Quanta as a price."""
        return quanta_float(px, self.price_decimals)

    def lots(self, qty: int) -> float:
        """Quanta as lots."""
        return quanta_float(qty, self.qty_decimals)


def _multiplier(symbol: SymbolRecord) -> Decimal:
    """What a lot's value grows by when its price grows by one; 0 where that is not always the same."""
    if symbol.trade_calc_mode in _LINEAR:
        return Decimal(repr(cleaned(symbol.trade_contract_size)))
    if symbol.trade_calc_mode in _BY_TICK_VALUE and symbol.trade_tick_size:
        return Decimal(repr(cleaned(symbol.trade_tick_value))) / Decimal(repr(cleaned(symbol.trade_tick_size)))
    return Decimal(0)


def margin_ppb_of(symbol: SymbolRecord, volume: float, price: float, margin: float) -> int:
    """The margin of a volume as a share of its value at `price`, rounded up; 0 where there is none."""
    value = Decimal(repr(price)) * Decimal(repr(volume)) * _multiplier(symbol)
    share = Decimal(repr(margin)) / value if value > 0 and margin > 0 else Decimal(0)
    return int((share * PPB).to_integral_value(ROUND_CEILING))


def instrument_of(symbol: SymbolRecord, money_decimals: int, calendar: str, margin_ppb: int = 0) -> Instrument | None:
    """The symbol as an instrument; None where its profit is not linear in its price (options, bonds, collateral).

    `margin_ppb`: the share of its value that a position binds, 0 where it is not known.
    """
    scale, multiplier = Scale(symbol), _multiplier(symbol)
    if not multiplier:
        return None
    try:
        per_notional = money_per_notional(multiplier, scale.price_decimals, scale.qty_decimals, money_decimals)
    except ConfigError as error:
        raise ConfigError(f"{symbol.name}: {error.message}", code=error.code, **error.values) from error
    terms = Terms(
        tick=to_quanta(cleaned(symbol.trade_tick_size), scale.price_decimals, field="tick", max_quanta=PRICE_MAX) or 1,
        lot=scale.qty(symbol.volume_step),
        min_qty=scale.qty(symbol.volume_min),
        max_qty=min(scale.qty(symbol.volume_max), QTY_MAX),
        tradable=symbol.trade_mode not in _CLOSED,
    )
    forex = symbol.trade_calc_mode in _FOREX
    return Instrument(
        symbol.name,
        symbol.currency_profit,
        scale.price_decimals,
        scale.qty_decimals,
        per_notional,
        (terms,),
        pip=(10 if symbol.digits in (3, 5) else 1) if forex else 0,
        calendar=calendar,
        underlying=symbol.name,
        margin_ppb=margin_ppb,
    )
