"""Units, lots and pips: exact fractions between what a risk manager counts in and an instrument's quanta."""

from __future__ import annotations

from fractions import Fraction

from surefill.domain.instrument import Instrument


def contract_size(instrument: Instrument, money_decimals: int) -> Fraction:
    """How many units one whole quantity of the instrument stands for: 100 000 for a standard lot of a currency pair.

    It is the multiplier that the instrument was configured with, read back from the scale that it is journaled as.
    """
    exponent = instrument.price_decimals + instrument.qty_decimals - money_decimals
    scale = int(10 ** abs(exponent))
    return Fraction(instrument.money_per_notional) * (Fraction(scale) if exponent > 0 else Fraction(1, scale))


def units_of(qty: int, instrument: Instrument, money_decimals: int) -> Fraction:
    """A quantity in quanta as units."""
    return Fraction(qty, int(10**instrument.qty_decimals)) * contract_size(instrument, money_decimals)


def quanta_of_units(units: Fraction, instrument: Instrument, money_decimals: int) -> int | None:
    """Units as a quantity in quanta; None where they do not come out whole: nothing is ever rounded."""
    qty = units / contract_size(instrument, money_decimals) * 10**instrument.qty_decimals
    return qty.numerator if qty.denominator == 1 else None


def price_of(px: Fraction | int, instrument: Instrument) -> Fraction:
    """A price in quanta as a price."""
    return Fraction(px) / int(10**instrument.price_decimals)


def pips_between(one: Fraction, other: Fraction, instrument: Instrument) -> Fraction | None:
    """`one` less `other`, two prices, in pips; None for an instrument that has none."""
    if not instrument.pip:
        return None
    return (one - other) / Fraction(instrument.pip, 10**instrument.price_decimals)


def number(value: Fraction) -> int | float:
    """A whole number as it is, any other as the nearest float."""
    return value.numerator if value.denominator == 1 else float(value)
