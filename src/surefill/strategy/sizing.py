"""How much, and at which exact prices: exact arithmetic on the decimals that floats stand for."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from surefill.plain import plain_number
from surefill.rules.sizing import qty_within
from surefill.strategy.spec import ExitSpec


def whole_lots(units: Fraction, lot: Fraction) -> float:
    """`units` rounded down to a multiple of the lot; 0 if it is less than one."""
    return float(units // lot * lot)


def affordable(dollars: float, price: float, lot: Fraction) -> float:
    """How many units `dollars` buy at `price`, in whole lots.

    The rule divides integers, so numerators and denominators of the decimals go in crosswise. They may be beyond the
    rule's 64 bits, which bind compiled kernels only.
    """
    budget, lot_price = exact(dollars), exact(price) * lot
    lots = qty_within(budget.numerator * lot_price.denominator, lot_price.numerator, budget.denominator)
    return float(lots * lot)


def exit_prices(
    spec: ExitSpec, price: float, step: Decimal, side: int
) -> tuple[float | None, float | None, float | None]:
    """Stop, target and trailing distance of a position entered at `price`, in multiples of `step`; None: not used.

    `side` is +1 for long, -1 for short. Rounded towards the entry price, so that neither risk nor target is larger than
    asked; but each at least one step away from it.
    """
    entry, tick = exact(price), Fraction(step)
    stop = _level(entry, tick, spec.stop_loss_pct, -side)
    target = _level(entry, tick, spec.take_profit_pct, side)
    trail = None
    if spec.trailing_pct is not None:
        trail = float(max(entry * exact(spec.trailing_pct) / 100 // tick, 1) * tick)
    return stop, target, trail


def exact(value: float) -> Fraction:
    """The decimal that a float stands for (0.1 is one tenth)."""
    return Fraction(str(plain_number(value, "figure")))


def _level(entry: Fraction, tick: Fraction, pct: float | None, direction: int) -> float | None:
    """A price `pct` percent away from the entry, up or down; None if that would be no price."""
    if pct is None:
        return None
    away = entry * exact(pct) / 100
    wanted = entry + direction * away
    ticks = wanted // tick if direction > 0 else -(-wanted // tick)
    beyond = entry // tick + 1 if direction > 0 else -(-entry // tick) - 1
    ticks = max(ticks, beyond) if direction > 0 else min(ticks, beyond)
    return float(ticks * tick) if ticks > 0 else None
