from __future__ import annotations

import pickle
from array import array

import msgspec
import pytest

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.series import BarSeries

BARS = [Bar("X", n * 60, n * 60 + 60, 100 + n, 110 + n, 90 + n, 105 + n, 7 * n, n % 3 == 2) for n in range(6)]


def _series(bars: list[Bar] = BARS) -> BarSeries:
    return BarSeries.from_bars(bars, instrument_id="X", timeframe="1minute", price_decimals=2, qty_decimals=1)


def test_series_gives_its_bars_back() -> None:
    series = _series()
    assert list(series) == BARS
    assert [series[at] for at in range(-6, 6)] == BARS + BARS
    assert (len(series), series.symbol, series.instrument_id) == (6, "X", "X")
    assert (series.timeframe, series.price_decimals, series.qty_decimals) == ("1m", 2, 1)
    assert list(_series([])) == []


@pytest.mark.parametrize("index", [6, -7, 100])
def test_series_at_an_index_outside_raises(index: int) -> None:
    with pytest.raises(IndexError):
        _series()[index]


@pytest.mark.parametrize(
    "part",
    [slice(None), slice(2, 5), slice(-2, None), slice(4, 2), slice(2, 99), slice(0, 0), slice(3), slice(-99, 2)],
)
def test_slice_is_what_a_list_would_give(part: slice) -> None:
    sliced = _series()[part]
    assert list(sliced) == BARS[part]
    assert sliced.close_px.tolist() == [bar.close_px for bar in BARS[part]]
    assert list(sliced[1:]) == BARS[part][1:]


def test_slice_with_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="step 1 only"):
        _series()[::2]


def test_slice_does_not_show_its_neighbours() -> None:
    sliced = _series()[1:3]
    with pytest.raises(IndexError):
        sliced[2]
    with pytest.raises(IndexError):
        sliced[-3]


def test_until_gives_what_was_known_then() -> None:
    assert list(_series()[1:4].until(2)) == BARS[1:3]
    assert list(_series().until(99)) == BARS


def test_columns_are_integers_and_floats_of_the_bars() -> None:
    series = _series()[1:4]
    ints = (series.open_ns, series.ts_ns, series.open_px, series.high_px, series.low_px, series.close_px)
    names = ("open_ns", "ts_ns", "open_px", "high_px", "low_px", "close_px")
    for name, column in zip(names, ints, strict=True):
        assert column.tolist() == [getattr(bar, name) for bar in BARS[1:4]]
    assert series.volume.tolist() == [7, 14, 21]
    assert series.session_end.tolist() == [0, 1, 0]
    assert series.opens.tolist() == [1.01, 1.02, 1.03]
    assert series.highs.tolist() == [1.11, 1.12, 1.13]
    assert series.lows.tolist() == [0.91, 0.92, 0.93]
    assert series.closes.tolist() == [1.06, 1.07, 1.08]
    assert series.volumes.tolist() == [0.7, 1.4, 2.1]


def test_columns_cannot_be_written() -> None:
    series = _series()
    for column in (series.close_px, series.closes, series.causal("same", lambda whole: array("d", whole.closes))):
        with pytest.raises(TypeError):
            column[0] = 1


def test_causal_column_is_made_once_for_all_slices_from_the_start() -> None:
    made: list[int] = []

    def running_sum(bars: BarSeries) -> array[float]:
        made.append(len(bars))
        total = 0.0
        return array("d", [total := total + close for close in bars.closes])

    series = _series()
    for count in range(1, 7):
        expected = running_sum(series[:count])
        made.clear()
        assert series[:count].causal("sum", running_sum).tolist() == expected.tolist()
        assert made == ([6] if count == 1 else [])
    assert series[2:4].causal("sum", running_sum).tolist() == pytest.approx([1.07, 2.15])
    assert made == [2]


def test_causal_columns_are_forgotten_when_there_are_many() -> None:
    series = _series()
    for number in range(100):
        series.causal(number, lambda bars, n=number: array("d", [n] * len(bars)))  # type: ignore[misc]
    assert series.causal(99, lambda bars: array("d")).tolist() == [99.0] * 6
    assert series.causal(0, lambda bars: array("d", [0.5] * len(bars))).tolist() == [0.5] * 6


def test_series_may_be_pickled_and_a_slice_takes_its_own_bars_only() -> None:
    whole = BarSeries.from_bars(
        (Bar("X", n, n + 1, 5, 6, 4, 5) for n in range(10_000)), instrument_id="X", timeframe="1m", price_decimals=2
    )
    packed = pickle.dumps(whole[5_000:5_003])
    assert len(packed) < 1_000
    copied = pickle.loads(packed)
    assert list(copied) == list(whole[5_000:5_003])
    assert (copied.symbol, copied.timeframe, copied.price_decimals) == ("X", "1m", 2)


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (msgspec.structs.replace(BARS[1], instrument_id="Y"), "a bar of Y among those of X"),
        (msgspec.structs.replace(BARS[1], open_ns=59), "begins before the previous one ends"),
        (BARS[0], "begins before the previous one ends"),
    ],
)
def test_series_of_misplaced_bars_is_refused(second: Bar, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        _series([BARS[0], second])
    assert refused.value.code == "BARS_OUT_OF_ORDER"
