"""How far trades went against their entry and in its favour."""

from __future__ import annotations

import pytest

from surefill.domain.market import Bar
from surefill.market.series import BarSeries
from surefill.units import NS_PER_DAY
from surefill.views.excursions import Excursion, excursion
from surefill.views.trades import Trade

BARS = [Bar("X", at * NS_PER_DAY, (at + 1) * NS_PER_DAY, 100, 110 + at, 90 - at, 100, 1, True) for at in range(1, 11)]
SERIES = BarSeries.from_bars(BARS, instrument_id="X", timeframe="1d", price_decimals=0)


def _trade(entry_day: float, exit_day: float, side: int = 1) -> Trade:
    """Ten units in at 100, out at 100."""
    times = int(entry_day * NS_PER_DAY), int(exit_day * NS_PER_DAY)
    return Trade("X", "X", "s", "c", side, *times, 10, 1_000, 10, 1_000, 0, 0, 2, "signal")


@pytest.mark.parametrize(
    ("entry_day", "exit_day", "side", "expected"),
    [
        (2, 4, 1, (0.13, 0.13)),  # bars that open on days 2 and 3
        (2, 3, 1, (0.12, 0.12)),
        (2.5, 3, 1, (0.12, 0.12)),  # entered within the bar of day 2
        (2, 2, 1, (0.0, 0.0)),
        (2, 3.5, -1, (0.13, 0.13)),
    ],
)
def test_excursion_row(entry_day: float, exit_day: float, side: int, expected: tuple[float, float]) -> None:
    adverse, favourable = expected
    assert excursion(_trade(entry_day, exit_day, side), SERIES) == pytest.approx((adverse, favourable))


def test_excursion_of_a_short_is_that_of_a_long_turned_round() -> None:
    bars = [Bar("X", 0, NS_PER_DAY, 100, 104, 97, 100, 1, True)]
    series = BarSeries.from_bars(bars, instrument_id="X", timeframe="1d", price_decimals=0)
    assert excursion(_trade(0, 1), series) == pytest.approx(Excursion(0.03, 0.04))
    assert excursion(_trade(0, 1, -1), series) == pytest.approx(Excursion(0.04, 0.03))
