"""The built-in strategies, each by what the runner makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from tests.strategy.books import Book, Held, daily, spec_of

from surefill.errors import InputError
from surefill.market.dataset import load_demo_bars
from surefill.market.series import BarSeries
from surefill.strategy import (
    ExecutionSpec,
    MarketSnapshot,
    Ohlcv,
    Position,
    StrategyEvaluation,
    StrategyRunner,
    snapshots,
)
from surefill.strategy.crossing import _emas
from surefill.strategy.indicators import ema
from surefill.units import datetime_from_ns

RUNNER = StrategyRunner()


def _evaluated(
    spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None = None
) -> tuple[list[str], list[str]]:
    """The actions and the signals."""
    book = Book(positions={} if position is None else {"AAPL": position})
    evaluation = RUNNER.evaluate(spec, snapshot, book)
    return [intent.action.value for intent in evaluation.intents], list(evaluation.signals)


OPEN, CLOSE = ["OPEN_LONG"], ["CLOSE_LONG"]
TRIGGERED = "breakout_entry_triggered"

# (lookback, closes, highs by bar, last price or None for the close, holds?, end of day?, actions, signals)
BREAKOUT = [
    (3, [10, 11, 12, 13], {}, None, False, False, OPEN, [TRIGGERED]),
    (3, [10, 11, 12, 12], {}, None, False, False, [], []),  # equal is not above
    (3, [10, 11, 12, 13], {3: 99}, None, False, False, OPEN, [TRIGGERED]),  # its own high does not count
    (3, [10, 11, 12, 13], {0: 13}, None, False, False, [], []),  # the high of the oldest bar in reach
    (2, [10, 11, 12, 13], {0: 13}, None, False, False, OPEN, [TRIGGERED]),  # out of reach
    (3, [10, 11, 12, 12], {}, 12.01, False, False, OPEN, [TRIGGERED]),  # the last price decides
    (3, [10, 11, 12, 13], {}, 12.0, False, False, [], []),
    (5, [10, 11, 12], {}, None, False, False, OPEN, ["lookback_partial_2_of_5", TRIGGERED]),
    (5, [10, 11, 11], {}, None, False, False, [], ["lookback_partial_2_of_5"]),
    (1, [10, 11], {}, None, False, False, OPEN, [TRIGGERED]),
    (3, [10, 11, 12, 13], {}, None, True, False, [], ["entry_skipped_position_open"]),
    (3, [10, 11, 12, 12], {}, None, True, False, [], []),
    (3, [10, 11, 12, 13], {}, None, True, True, CLOSE, ["eod_exit_triggered"]),
    (3, [10, 11, 12, 9], {}, None, True, True, CLOSE, ["eod_exit_triggered"]),
    (3, [10, 11, 12, 13], {}, None, False, True, OPEN, [TRIGGERED]),
]


@pytest.mark.parametrize(
    ("lookback", "closes", "highs", "last_price", "holds", "is_eod", "actions", "signals"), BREAKOUT
)
def test_breakout_52w_high_row(
    lookback: int,
    closes: list[float],
    highs: dict[int, float],
    last_price: float | None,
    holds: bool,
    is_eod: bool,
    actions: list[str],
    signals: list[str],
) -> None:
    spec = spec_of({"type": "breakout_52w_high", "lookback_days": lookback})
    snapshot = daily(closes, highs, last_price=last_price, is_eod=is_eod)
    assert _evaluated(spec, snapshot, Held(5) if holds else None) == (actions, signals)


def test_breakout_on_daily_bars_is_out_at_the_end_of_the_bar_it_came_in() -> None:
    spec = spec_of({"type": "breakout_52w_high", "lookback_days": 2})
    assert _evaluated(spec, daily([10, 11, 12])) == (OPEN, [TRIGGERED])
    assert _evaluated(spec, daily([10, 11, 12, 13]), Held(5)) == (CLOSE, ["eod_exit_triggered"])


# fast 2, slow 3: (closes, holds?, actions, signals)
CROSSES = [
    ([10, 10, 10, 10, 20], False, OPEN, ["{}_up"]),
    ([10, 10, 10, 20, 30], False, [], []),  # crossed one bar ago
    ([10, 10, 10, 10, 10], False, [], []),
    ([30, 20, 10, 9, 8], False, [], []),
    ([10, 10, 20], False, [], ["lookback_partial_2_of_3"]),
    ([10, 10, 10, 20], False, OPEN, ["{}_up"]),
    ([20, 20, 20, 20, 10], True, CLOSE, ["{}_down"]),
    ([30, 30, 20, 10, 5], True, CLOSE, ["{}_down"]),  # crossed bars ago, and still held
    ([10, 10, 10, 10, 20], True, [], []),
    ([10, 10, 10, 10, 10], True, [], []),
    ([20, 10], True, CLOSE, ["{}_down"]),
]


@pytest.mark.parametrize("name", ["ema_cross", "sma_cross"])
@pytest.mark.parametrize(("closes", "holds", "actions", "signals"), CROSSES)
def test_cross_row(name: str, closes: list[float], holds: bool, actions: list[str], signals: list[str]) -> None:
    if name == "sma_cross" and len(closes) <= 3 and holds:
        actions, signals = [], []  # no average of three bars yet
    spec = spec_of({"type": name, "params": {"fast": 2, "slow": 3}})
    expected = (actions, [signal.format(name) for signal in signals])
    assert _evaluated(spec, daily(closes), Held(5) if holds else None) == expected


def test_ema_cross_defaults_to_20_and_50() -> None:
    flat = [10.0] * 50
    assert _evaluated(spec_of("ema_cross"), daily([*flat, 11])) == (OPEN, ["ema_cross_up"])
    assert _evaluated(spec_of("ema_cross"), daily([*flat[1:], 11])) == ([], ["lookback_partial_49_of_50"])


# entry 3, exit 2: (closes, holds?, actions, signals)
CHANNELS = [
    ([10, 11, 12, 13], False, OPEN, ["donchian_up"]),
    ([13, 11, 12, 13], False, [], []),
    ([10, 11, 12], False, [], ["lookback_partial_2_of_3"]),
    ([10, 11, 12, 13], True, [], []),
    ([9, 11, 12, 10], True, CLOSE, ["donchian_down"]),
    ([9, 11, 12, 11], True, [], []),
]


@pytest.mark.parametrize(("closes", "holds", "actions", "signals"), CHANNELS)
def test_donchian_row(closes: list[float], holds: bool, actions: list[str], signals: list[str]) -> None:
    spec = spec_of({"type": "donchian", "params": {"entry_bars": 3, "exit_bars": 2}})
    assert _evaluated(spec, daily(closes), Held(5) if holds else None) == (actions, signals)


# period 2, 30/70: (closes, holds?, actions, signals)
REVERSALS = [
    ([10, 9, 8, 9], False, OPEN, ["rsi_turned_up"]),
    ([10, 9, 8, 7], False, [], []),
    ([10, 9, 8, 9, 10], False, [], []),
    ([10, 9], False, [], ["lookback_partial_1_of_2"]),
    ([10, 9, 12, 15], True, CLOSE, ["rsi_overbought"]),
    ([10, 9, 8, 9], True, [], []),
]


@pytest.mark.parametrize(("closes", "holds", "actions", "signals"), REVERSALS)
def test_rsi_reversal_row(closes: list[float], holds: bool, actions: list[str], signals: list[str]) -> None:
    spec = spec_of({"type": "rsi_reversal", "params": {"period": 2}})
    assert _evaluated(spec, daily(closes), Held(5) if holds else None) == (actions, signals)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"type": "moon_phase"}, "strategy 'moon_phase' is not known; there are breakout_52w_high, donchian,"),
        ({"type": "breakout_52w_high", "params": {"x": 1}}, "entry.params.x is no parameter of .*; it has none"),
        ({"type": "ema_cross", "params": {"quick": 1}}, "entry.params.quick is no parameter .*; it has fast, slow"),
        ({"type": "ema_cross", "params": {"fast": 0}}, "entry.params.fast must be a whole number from 1 to"),
        ({"type": "ema_cross", "params": {"fast": 2.5}}, "whole number"),
        ({"type": "ema_cross", "params": {"fast": True}}, "whole number"),
        ({"type": "ema_cross", "params": {"fast": "20"}}, "whole number"),
        ({"type": "ema_cross", "params": {"fast": 50}}, r"fast must be below entry.params.slow \(got 50 and 50\)"),
        ({"type": "rsi_reversal", "params": {"lower": 101}}, "entry.params.lower must be a number from 0.0 to 100.0"),
        ({"type": "rsi_reversal", "params": {"lower": 70}}, "lower must be below entry.params.upper"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(entry: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        _evaluated(spec_of(entry), daily([10, 11, 12]))


def test_rsi_parameters_may_be_whole() -> None:
    spec = spec_of({"type": "rsi_reversal", "params": {"period": 2, "lower": 20, "upper": 80}})
    assert _evaluated(spec, daily([10, 11, 12]), Held(1)) == (CLOSE, ["rsi_overbought"])


# One truth, two ways: over a series (columns shared, computed once) and over plain lists (computed each time).


def _listed(series: BarSeries, count: int) -> MarketSnapshot:
    bars = [
        Ohlcv(datetime_from_ns(ts_ns), open_, high, low, close, volume)
        for ts_ns, open_, high, low, close, volume in zip(
            series.ts_ns[:count],
            series.opens[:count],
            series.highs[:count],
            series.lows[:count],
            series.closes[:count],
            series.volumes[:count],
            strict=True,
        )
    ]
    return MarketSnapshot(series.symbol, bars[-1].ts, series.timeframe, bars)


def _traded(
    spec: ExecutionSpec, series: BarSeries, snapshot_of: Callable[[BarSeries, int], MarketSnapshot]
) -> list[StrategyEvaluation]:
    book = Book()
    made = []
    for count in range(2, len(series) + 1):
        evaluation = RUNNER.evaluate(spec, snapshot_of(series, count), book)
        made.append(evaluation)
        for intent in evaluation.intents:
            if intent.action == "OPEN_LONG":
                book.positions["AAPL"] = Held(intent.quantity, intent.price or 0.0)
            else:
                del book.positions["AAPL"]
    return made


@pytest.mark.parametrize("exit_", [{"type": "none"}, {"type": "stop_target", "stop_loss_pct": 2.5}])
@pytest.mark.parametrize("name", ["breakout_52w_high", "donchian", "ema_cross", "rsi_reversal", "sma_cross"])
def test_series_and_list_of_the_same_bars_give_the_same_evaluations(name: str, exit_: dict[str, object]) -> None:
    series = load_demo_bars(("AAPL",))["AAPL"][:300]
    params = {"ema_cross": {"fast": 5, "slow": 13}, "sma_cross": {"fast": 5, "slow": 13}, "rsi_reversal": {"period": 5}}
    entry = {"type": name, "params": params.get(name, {}), "lookback_days": 30}
    spec = spec_of(entry, exit=exit_, risk={"dollars_per_trade": 1000, "lot_size": 1})

    def of_series(bars: BarSeries, count: int) -> MarketSnapshot:
        return MarketSnapshot.of_series(bars, count - 1, tick_size=0.01)

    def of_list(bars: BarSeries, count: int) -> MarketSnapshot:
        listed = _listed(bars, count)
        listed.tick_size = 0.01
        return listed

    over_series = _traded(spec, series, of_series)
    assert over_series == _traded(spec, series, of_list)
    assert sum(len(evaluation.intents) for evaluation in over_series) > 0


def test_ema_over_a_series_from_its_start_equals_the_ema_over_each_prefix() -> None:
    series = load_demo_bars(("FB",))["FB"]
    for snapshot in snapshots(series):
        assert list(_emas(snapshot, 20)) == ema(snapshot.closes, 20).tolist()
    for snapshot in snapshots(series[30:60]):
        assert list(_emas(snapshot, 20)) == ema(snapshot.closes, 20).tolist()


def test_evaluation_is_dated_by_the_snapshot() -> None:
    snapshot = daily([10, 11, 12])
    evaluation = RUNNER.evaluate(spec_of("breakout_52w_high"), snapshot, Book())
    assert isinstance(evaluation.ts, datetime)
    assert evaluation.ts == snapshot.ts
