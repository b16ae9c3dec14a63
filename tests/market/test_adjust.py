from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.adjust import Split, back_adjusted
from surefill.market.series import BarSeries
from surefill.units import NS_PER_DAY, QTY_MAX, ns_from_iso

DAY_1 = ns_from_iso("2024-01-01")


def _series(prices: list[tuple[int, int, int, int]], volume: int = 100) -> BarSeries:
    return BarSeries.from_bars(
        (
            Bar("X", DAY_1 + n * NS_PER_DAY, DAY_1 + (n + 1) * NS_PER_DAY, *ohlc, volume, True)
            for n, ohlc in enumerate(prices)
        ),
        instrument_id="X",
        timeframe="1d",
        price_decimals=2,
    )


FLAT = [(400, 400, 400, 400)] * 4


@pytest.mark.parametrize(
    ("splits", "closes", "volumes"),
    [
        ([], [400, 400, 400, 400], [100] * 4),
        ([Split("2024-01-03", 2, 1)], [200, 200, 400, 400], [200, 200, 100, 100]),
        ([Split("2024-01-03", 2, 1), Split("2024-01-02", 2, 1)], [100, 200, 400, 400], [400, 200, 100, 100]),
        ([Split("2024-01-03", 3, 2)], [267, 267, 400, 400], [150, 150, 100, 100]),
        ([Split("2024-01-03", 1, 10)], [4000, 4000, 400, 400], [10, 10, 100, 100]),
        ([Split("2024-01-01", 2, 1)], [400] * 4, [100] * 4),
        ([Split("2025-01-01", 2, 1)], [200] * 4, [200] * 4),
    ],
)
def test_prices_before_a_split_are_divided_by_it(splits: list[Split], closes: list[int], volumes: list[int]) -> None:
    adjusted = back_adjusted(_series(FLAT), splits)
    assert adjusted.close_px.tolist() == adjusted.open_px.tolist() == closes
    assert adjusted.volume.tolist() == volumes
    assert adjusted.ts_ns.tolist() == _series(FLAT).ts_ns.tolist()


def test_price_that_does_not_come_out_goes_to_the_nearest_quantum_half_to_even() -> None:
    adjusted = back_adjusted(_series([(3, 7, 1, 5)]), [Split("2024-02-01", 2, 1)])
    bar = adjusted[0]
    assert (bar.open_px, bar.high_px, bar.low_px, bar.close_px) == (2, 4, 1, 2)


def test_volume_is_never_beyond_the_largest_quantity() -> None:
    adjusted = back_adjusted(_series(FLAT, volume=QTY_MAX - 1), [Split("2024-02-01", 2, 1)])
    assert set(adjusted.volume) == {QTY_MAX}


@given(
    st.lists(st.lists(st.integers(1, 10**6), min_size=4, max_size=4).map(sorted), min_size=1, max_size=4),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_adjusted_bars_stay_consistent_and_close_to_the_truth(rows: list[list[int]], new: int, old: int) -> None:
    series = _series([(open_, high, low, close) for low, open_, close, high in rows])
    for before, after in zip(series, back_adjusted(series, [Split("2025-01-01", new, old)]), strict=True):
        assert 0 < after.low_px <= min(after.open_px, after.close_px)
        assert after.high_px >= max(after.open_px, after.close_px)
        assert after.low_px == 1 or abs(2 * (after.low_px * new - before.low_px * old)) <= new


def test_split_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="0 for 1"):
        back_adjusted(_series(FLAT), [Split("2024-01-02", 0, 1)])
    with pytest.raises(InputError, match="split day"):
        back_adjusted(_series(FLAT), [Split("soon", 2, 1)])
