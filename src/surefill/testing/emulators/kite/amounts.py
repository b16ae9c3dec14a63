"""Prices as integers: ten-thousandths of a rupee, which every segment's tick is a multiple of."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from surefill.errors import InputError
from surefill.testing.emulators.kite.errors import bad_input
from surefill.units import MONEY_MAX, quanta_text, to_quanta

PX_DECIMALS: Final = 4
PX_ONE: Final = 10**PX_DECIMALS


def read_px(text: str | float, field: str) -> int:
    """A price from a form or a test, exactly. Raises KiteError where it is none."""
    try:
        return to_quanta(text, PX_DECIMALS, field=field)
    except InputError as error:
        raise bad_input(f"Invalid `{field}`.") from error


def shown(px: int) -> int | float:
    """A price or an amount as the JSON shows it: whole numbers without a point."""
    whole, rest = divmod(px, PX_ONE)
    return px / PX_ONE if rest else whole


def in_paise(amount: int) -> str:
    """An amount for a message, to the paisa."""
    return f"{amount / PX_ONE:.2f}"


def average(value: int, qty: int) -> int | float:
    """Value over quantity; 0 of nothing. As the venue does, a rounded figure: the trades are exact."""
    return 0 if not qty else shown(round(value / qty)) if value % qty else shown(value // qty)


def money(text: str | float | Decimal, field: str) -> int:
    """An amount of rupees of a test's, in ten-thousandths."""
    return to_quanta(text, PX_DECIMALS, field=field, max_quanta=MONEY_MAX)


def px_text(px: int) -> str:
    """A price in words."""
    return quanta_text(px, PX_DECIMALS)
