"""Every form of a strategy says what its first one says; and whoever does not is found out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from examples.my_strategy import BuyTheDip
from hypothesis import given, settings
from hypothesis import strategies as st

from surefill.domain.market import Bar
from surefill.market.series import BarSeries
from surefill.strategy import Decision, EntrySpec, ExecutionSpec, MarketSnapshot, Position
from surefill.strategy.arrays import highest_before, lowest_before, sma_differences
from surefill.strategy.donchian_stop import DonchianStop
from surefill.strategy.forms import Signals
from surefill.strategy.indicators import SlidingHigh
from surefill.strategy.registry import BUILT_IN
from surefill.testing.strategy_conformance import (
    Holding,
    StrategyConformance,
    assert_signals_agree,
    assert_stream_agrees,
    awkward_series,
    spec_for,
)

STRATEGIES = {strategy.name: strategy for strategy in BUILT_IN}


class TestBreakout52WeekHigh(StrategyConformance):
    strategy = STRATEGIES["breakout_52w_high"]
    entries = (EntrySpec(), EntrySpec(lookback_days=1), EntrySpec(lookback_days=7))


class TestEmaCross(StrategyConformance):
    strategy = STRATEGIES["ema_cross"]
    entries = (EntrySpec(), EntrySpec(params={"fast": 1, "slow": 2}), EntrySpec(params={"fast": 3, "slow": 11}))


class TestSmaCross(StrategyConformance):
    strategy = STRATEGIES["sma_cross"]
    entries = (EntrySpec(), EntrySpec(params={"fast": 1, "slow": 2}), EntrySpec(params={"fast": 3, "slow": 11}))


class TestDonchian(StrategyConformance):
    strategy = STRATEGIES["donchian"]
    entries = (EntrySpec(), EntrySpec(params={"entry_bars": 1, "exit_bars": 1}), EntrySpec(params={"exit_bars": 40}))


class TestDonchianStop(StrategyConformance):
    strategy = STRATEGIES["donchian_stop"]
    entries = (EntrySpec(), EntrySpec(params={"entry_bars": 1, "exit_bars": 1}), EntrySpec(params={"exit_bars": 40}))


class TestRsiReversal(StrategyConformance):
    strategy = STRATEGIES["rsi_reversal"]
    entries = (EntrySpec(), EntrySpec(params={"period": 2, "lower": 40, "upper": 60.5}))


def _entries(name: str) -> st.SearchStrategy[EntrySpec]:
    short = st.integers(1, 15)
    drawn: dict[str, st.SearchStrategy[dict[str, Any]]] = {
        "breakout_52w_high": st.just({}),
        "donchian_stop": st.fixed_dictionaries({"entry_bars": short, "exit_bars": short}),
        "donchian": st.fixed_dictionaries({"entry_bars": short, "exit_bars": short}),
        "rsi_reversal": st.fixed_dictionaries(
            {"period": st.integers(2, 15), "lower": st.integers(5, 50), "upper": st.floats(51, 99)}
        ),
    }
    crosses = st.tuples(short, short).map(lambda pair: {"fast": pair[0], "slow": pair[0] + pair[1]})
    return st.builds(EntrySpec, lookback_days=st.integers(1, 40), params=drawn.get(name, crosses))


@pytest.mark.parametrize("name", STRATEGIES)
@settings(max_examples=40)
@given(st.data())
def test_forms_of_a_built_in_strategy_agree_bar_by_bar(name: str, data: st.DataObject) -> None:
    strategy: Any = STRATEGIES[name]
    spec = spec_for(strategy, data.draw(_entries(name)))
    quiet = data.draw(st.booleans())
    series = awkward_series(data.draw(st.integers(0, 2**32)), data.draw(st.integers(0, 60)), quiet=quiet)
    held = data.draw(st.lists(st.booleans(), min_size=len(series), max_size=len(series)))
    assert_stream_agrees(strategy, spec, series, lambda at: Holding(3.0, 1.0) if held[at] else None)
    assert_signals_agree(strategy, spec, series)


INTS = st.lists(st.integers(-(2**40), 2**40), max_size=40)


@given(INTS, st.integers(1, 50))
def test_extremes_before_are_those_of_the_window(values: list[int], count: int) -> None:
    column, sliding = np.array(values, np.int64), SlidingHigh(count)
    highs, lows = highest_before(column, count).tolist(), lowest_before(column, count).tolist()
    for at, value in enumerate(values):
        pushed = sliding.push(value)
        if at:
            window = values[max(at - count, 0) : at]
            assert (highs[at], lows[at], pushed) == (max(window), min(window), max(window))


@pytest.mark.parametrize("high", [2**40, 2**20])
@given(st.data())
def test_sma_differences_are_exact_where_64_bits_are_not_enough(high: int, data: st.DataObject) -> None:
    closes = data.draw(st.lists(st.integers(high - 2, high), min_size=1, max_size=30))
    fast, slow = data.draw(st.sampled_from([(1, 2), (3, 7), (5, 29)]))
    repeated = closes * (4_000 // len(closes)) if high == 2**40 else closes
    if high == 2**40:
        fast, slow = fast * 131, slow * 131  # 2**40 * 131**2 * 145 is beyond 2**62
    signs = sma_differences(np.array(repeated, np.int64), fast, slow).tolist()
    for at in {0, slow - 2, slow - 1, slow, len(repeated) - 1}:
        if 0 <= at < len(repeated):
            until = repeated[: at + 1]
            exact = sum(until[-fast:]) * slow - sum(until[-slow:]) * fast if at >= slow - 1 else 0
            assert signs[at] == (exact > 0) - (exact < 0)


class _Wrong(BuyTheDip):
    """The example's strategy with further forms, each of them wrong in one way."""

    def __init__(self, how: str) -> None:
        self.how = how

    def start(self, spec: ExecutionSpec, price_decimals: int) -> _Wrong:
        return self

    def on_bar(self, bar: Bar, position: Position | None) -> Iterator[Decision | str]:
        return iter(())

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        made = Signals(np.zeros(len(series), np.int8), np.zeros(len(series), np.int8))
        if self.how == "first bar":
            made.entries[0] = 1
        elif self.how == "wide":
            made = Signals(made.entries.astype(np.int64), made.exits)
        elif self.how == "short":
            made = Signals(made.entries[1:], made.exits)
        elif self.how == "narrow price":
            made = made._replace(px=made.entries)  # type: ignore[arg-type]
        return made


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("nothing", "entries say 0"),
        ("first bar", "first bar"),
        ("wide", "int64"),
        ("short", "shape"),
        ("narrow price", "px are int8"),
    ],
)
def test_vectorised_form_that_differs_is_found_out(how: str, what: str) -> None:
    wrong = _Wrong(how)
    with pytest.raises(AssertionError, match=what):
        assert_signals_agree(
            wrong, spec_for(wrong, EntrySpec(params={"bars": 2, "drop_pct": 0.1})), awkward_series(2, 60, quiet=True)
        )


class _Cheaper(DonchianStop):
    """Waits for another price when it is asked about a whole series."""

    name = "cheaper"

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        made = super().signals(spec, series)
        assert made.stop_px is not None
        return made._replace(stop_px=made.stop_px - made.entries)


def test_vectorised_form_that_waits_for_another_price_is_found_out() -> None:
    wrong = _Cheaper()
    with pytest.raises(AssertionError, match=r"stop_px is \d+ in the signals, \d+ in what evaluate says"):
        assert_signals_agree(wrong, spec_for(wrong, EntrySpec(params={"entry_bars": 3})), awkward_series(2, 30))


def test_incremental_form_that_differs_is_found_out() -> None:
    wrong = _Wrong("nothing")
    with pytest.raises(AssertionError, match="on_bar says"):
        assert_stream_agrees(wrong, spec_for(wrong, EntrySpec()), awkward_series(1, 30), lambda _: None)


class _LooksAhead:
    """Long as long as the next bar closes higher; its first form is told the future through the back door."""

    name = "looks_ahead"

    def __init__(self, series: BarSeries) -> None:
        self.series = series

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterator[Decision | str]:
        at = snapshot.bar_count - 1
        if position is None and at + 1 < len(self.series) and self.series[at + 1].close_px > self.series[at].close_px:
            yield Decision.open_long("it will rise")

    def signals(self, spec: ExecutionSpec, series: BarSeries) -> Signals:
        closes = np.asarray(series.close_px)
        entries = np.append(closes[1:] > closes[:-1], False).astype(np.int8)
        entries[0] = 0
        return Signals(entries, np.zeros(len(series), np.int8))


def test_vectorised_form_that_looks_ahead_is_found_out() -> None:
    series = next(
        series
        for series in (awkward_series(seed, 40) for seed in range(50))
        if series[10].close_px > series[9].close_px
    )
    wrong = _LooksAhead(series)
    with pytest.raises(AssertionError, match="change with what comes after"):
        assert_signals_agree(wrong, spec_for(wrong, EntrySpec()), series)


def test_suite_refuses_a_strategy_with_one_form_and_settings_that_never_trade() -> None:
    class Single(StrategyConformance):
        strategy = BuyTheDip()

    class Idle(StrategyConformance):
        strategy = STRATEGIES["sma_cross"]
        entries = (EntrySpec(params={"fast": 20, "slow": 9_000}),)
        seeds = 1

    with pytest.raises(AssertionError, match="nothing to compare"):
        Single().test_strategy_has_a_second_form()
    for check in (
        Idle().test_incremental_form_says_what_evaluate_says,
        Idle().test_vectorised_form_says_what_evaluate_says,
    ):
        with pytest.raises(AssertionError, match="make it trade"):
            check()
