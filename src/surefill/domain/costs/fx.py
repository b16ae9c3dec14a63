"""Foreign exchange: a commission by the lot or by the value, and the swap of positions held overnight.

There is no tariff that holds for everybody: commission and swap are the broker's, and are given. The swap is an
estimate; no simulated fill books it.
"""

from __future__ import annotations

import msgspec

from surefill.domain.costs.schedule import FX, Component, CostSchedule, Rate
from surefill.domain.instrument import Instrument
from surefill.rules.arithmetic import rate_ceil
from surefill.rules.codes import FeeKind
from surefill.units import NS_PER_DAY, NS_PER_HOUR, to_quanta

_BEGIN = "1970-01-01"
_GIVEN = "given by the configuration"
#: The weight of the night that begins with the rollover of a day, Monday first. Settlement is two days later, so
#: Wednesday's carries the weekend.
_NIGHTS = (1, 1, 3, 1, 1, 0, 0)
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_POINTS_DECIMALS = 9
_POINTS_MAX_PPB = 2**50


def fx_schedule(*, per_lot: str = "", lot_units: str = "100000", pct: str = "") -> CostSchedule:
    """A commission on each side: `per_lot` money for each `lot_units` units, `pct` percent of the value, or both."""
    components = []
    if per_lot:
        lots = (Rate(_BEGIN, _GIVEN, amount=per_lot, units=lot_units),)
        components.append(Component("commission by the lot", FX, FeeKind.PER_UNIT, lots))
    if pct or not per_lot:
        value = (Rate(_BEGIN, _GIVEN, pct or "0"),)
        components.append(Component("commission on the value", FX, FeeKind.PER_NOTIONAL, value))
    return CostSchedule("fx", _BEGIN, tuple(components))


class SwapRates(msgspec.Struct, frozen=True):
    """What holding one unit for one night brings (above 0) or costs (below), as brokers quote it.

    In parts per billion of a price quantum: money for each unit and points are the same thing, seen from two sides.
    """

    long_ppb: int
    short_ppb: int


def swap_from_points(long_points: str, short_points: str, point: int) -> SwapRates:
    """From points; `point` is one point in price quanta. Raises InputError for text that is no number."""
    return SwapRates(_ppb(long_points) * point, _ppb(short_points) * point)


def swap_from_amounts(long_amount: str, short_amount: str, price_decimals: int) -> SwapRates:
    """From money for each unit and night, such as "-0.00013"."""
    return SwapRates(*(_ppb(each, _POINTS_DECIMALS + price_decimals) for each in (long_amount, short_amount)))


def nights_held(opened_ns: int, closed_ns: int, rollover_ns: int = 21 * NS_PER_HOUR) -> int:
    """The nights to pay for: Wednesday's counts three times, Saturday's and Sunday's not at all; 7 in a week.

    `rollover_ns`: the time of the day, UTC, at which a night begins: 17:00 in New York, so 21 hours in summer and 22 in
    winter. A position that is open at that moment, and was before it, has been held over the night.
    """
    first, last = _day(opened_ns, rollover_ns), _day(closed_ns, rollover_ns)
    weeks, rest = divmod(max(0, last - first), 7)
    return weeks * sum(_NIGHTS) + sum(_NIGHTS[(first + 1 + n + _EPOCH_WEEKDAY) % 7] for n in range(rest))


def swap_cost(
    instrument: Instrument,
    position_qty: int,
    rates: SwapRates,
    opened_ns: int,
    closed_ns: int,
    rollover_ns: int = 21 * NS_PER_HOUR,
) -> int:
    """The money that a position of this signed quantity costs between two moments; negative is income.

    Each night is rounded against us. The rates are taken to hold for the whole time; brokers change them daily.
    """
    rate_ppb = rates.long_ppb if position_qty > 0 else rates.short_ppb
    one_night = rate_ceil(abs(position_qty) * instrument.money_per_notional, -rate_ppb)
    return one_night * nights_held(opened_ns, closed_ns, rollover_ns)


def _day(ts_ns: int, rollover_ns: int) -> int:
    """The number of the last day, since 1970, whose rollover is not after this moment."""
    return (ts_ns - rollover_ns) // NS_PER_DAY


def _ppb(text: str, decimals: int = _POINTS_DECIMALS) -> int:
    return to_quanta(text, decimals, field="swap", max_quanta=_POINTS_MAX_PPB, allow_negative=True)
