"""How much, and at which exact prices: exact arithmetic on the decimals that floats stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from surefill.plain import plain_number
from surefill.rules.exits import distance_away, level_away
from surefill.rules.sizing import qty_within
from surefill.strategy.spec import ExitSpec, LadderSpec


def whole_lots(units: Fraction, lot: Fraction) -> float:
    """`units` rounded down to a multiple of the lot; 0 if it is less than one."""
    return float(units // lot * lot)


def affordable(dollars: float, price: float, lot: Fraction) -> float:
    """How many units `dollars` buy at `price`, in whole lots.

    The rule divides integers, so numerators and denominators of the decimals go in crosswise. They may be beyond the
    rule's 64 bits, which bind compiled kernels only.
    """
    (budget, budget_of), (px, px_of) = exact_ratio(dollars), exact_ratio(price)
    lots = qty_within(budget * px_of * lot.denominator, px * lot.numerator, budget_of)
    return lots * lot.numerator / lot.denominator


def whole_ticks(price: float, step: Decimal, direction: int) -> float:
    """`price` as a multiple of `step`, rounded up (+1) or down (-1)."""
    ticks = exact(price) / Fraction(step)
    return float((math.ceil(ticks) if direction > 0 else math.floor(ticks)) * Fraction(step))


def exit_prices(
    spec: ExitSpec, price: float, step: Decimal, side: int
) -> tuple[float | None, float | None, float | None]:
    """Stop, target and trailing distance of a position entered at `price`, in multiples of `step`; None: not used.

    `side` is +1 for long, -1 for short. Rounded towards the entry price, so that neither risk nor target is larger than
    asked; but each at least one step away from it.
    """
    (entry, entry_of), (tick, tick_of) = exact_ratio(price), step.as_integer_ratio()
    scale = math.lcm(entry_of, tick_of)
    entry_px, tick_px = entry * (scale // entry_of), tick * (scale // tick_of)

    def price_of(px: int) -> float | None:
        return px / scale if px else None

    stop = target = trail = None
    if spec.stop_loss_pct is not None:
        stop = price_of(level_away(entry_px, tick_px, *parts(spec.stop_loss_pct), -side))
    if spec.take_profit_pct is not None:
        target = price_of(level_away(entry_px, tick_px, *parts(spec.take_profit_pct), side))
    if spec.trailing_pct is not None:
        trail = price_of(distance_away(entry_px, tick_px, *parts(spec.trailing_pct)))
    return stop, target, trail


def ladder_prices(ladder: Sequence[LadderSpec], price: float, step: Decimal, side: int) -> list[list[float]]:
    """Pairs of a price and the percentage that leaves there; without steps that would be no price."""
    found = []
    for rung in ladder:
        _, target, _ = exit_prices(ExitSpec(type="stop_target", take_profit_pct=rung.profit_pct), price, step, side)
        if target is not None:
            found.append([target, rung.close_pct])
    return found


@lru_cache(typed=True)
def parts(pct: float) -> tuple[int, int]:
    """A percentage as (parts, of): 2.5 is 25 in 1000."""
    fraction = exact(pct) / 100
    return fraction.numerator, fraction.denominator


def exact(value: float) -> Fraction:
    """The decimal that a float stands for (0.1 is one tenth)."""
    return _exact(value) if type(value) is float else Fraction(str(plain_number(value, "figure")))


@lru_cache
def _exact(value: float) -> Fraction:
    return Fraction(repr(value))


def exact_ratio(value: float) -> tuple[int, int]:
    """The same as (numerator, denominator), in lowest terms."""
    if type(value) is float and math.isfinite(value):
        return Decimal(repr(value)).as_integer_ratio()
    return exact(value).as_integer_ratio()
