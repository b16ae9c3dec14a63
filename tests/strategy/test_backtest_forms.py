"""A backtest asks a strategy bar by bar where it can, and nothing shows of it but the time that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.strategy import runs
from tests.strategy.runs import minutes

from surefill.domain.market import Bar
from surefill.errors import InputError, StrategyError
from surefill.journal import MemoryJournal
from surefill.strategy import Decision, ExecutionSpec, MarketSnapshot, Position, StrategyRegistry, StrategyRunner
from surefill.strategy.advice import Foreseen, Streamed, Whole
from surefill.strategy.backtest import Backtest
from surefill.strategy.registry import BUILT_IN

SERIES = {
    "A": runs.series_of("A", minutes(count=80), 3, "1m"),
    "B": runs.series_of("B", minutes(5, 60, missing_every=4), 3, "1m"),
}
SHORT: dict[str, dict[str, Any]] = {
    "breakout_52w_high": {"lookback_days": 5},
    "ema_cross": {"params": {"fast": 2, "slow": 4}},
    "sma_cross": {"params": {"fast": 2, "slow": 4}},
    "donchian": {"params": {"entry_bars": 4, "exit_bars": 2}},
    "donchian_stop": {"params": {"entry_bars": 4, "exit_bars": 2}},
    "rsi_reversal": {"params": {"period": 3, "lower": 45, "upper": 55}},
}


def _run(
    entry: dict[str, Any], exit_type: str, runner: StrategyRunner | None = None, form: type[Any] | None = None
) -> list[bytes]:
    journal, runner = MemoryJournal(), runner or StrategyRunner()
    writer = runs.opened(journal, sorted(SERIES))
    spec = runs.spec_for(SERIES, entry=entry, exit={"type": exit_type})
    strategy = runner.registry.get(spec.entry.type)
    advice = None if form is None else form() if form is Whole else form(strategy, spec, SERIES)
    Backtest(writer, spec, SERIES, runner=runner, advice=advice).run()
    return runs.payloads_of(journal)


@pytest.mark.parametrize("exit_type", ["none", "eod"])
@pytest.mark.parametrize("name", [strategy.name for strategy in BUILT_IN])
def test_backtest_in_a_quicker_form_writes_the_journal_of_one_that_evaluates(name: str, exit_type: str) -> None:
    entry = {"type": name, **SHORT[name]}
    evaluated = _run(entry, exit_type, form=Whole)
    assert _run(entry, exit_type, form=Streamed) == evaluated
    assert _run(entry, exit_type, form=Foreseen) == evaluated
    assert _run(entry, exit_type) == evaluated
    assert sum(b'"OrderFilled"' in payload for payload in evaluated) > 1


class Watchful:
    """Says nothing, and sees to it that it is shown every bar once and in order; fails at bar `fails_at`."""

    name = "watchful"
    parameters = ()

    def __init__(self, fails_at: int = -1) -> None:
        self.seen: dict[str, list[int]] = {}
        self.fails_at = fails_at

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Iterator[Decision]:
        raise AssertionError("there is a quicker form")

    def start(self, spec: ExecutionSpec, price_decimals: int) -> Watchful:
        return self

    def on_bar(self, bar: Bar, position: Position | None) -> Iterator[Decision | str]:
        seen = self.seen.setdefault(bar.instrument_id, [])
        seen.append(bar.open_ns)
        if len(seen) == self.fails_at:
            raise ZeroDivisionError("of its own")
        yield "watched"


def test_backtest_shows_every_bar_once_and_in_order() -> None:
    strategy, registry = Watchful(), StrategyRegistry()
    registry.add(strategy)
    _run({"type": "watchful"}, "eod", StrategyRunner(registry))
    assert strategy.seen == {symbol: bars.open_ns.tolist() for symbol, bars in SERIES.items()}


def test_stream_that_raises_stops_the_run_with_its_place() -> None:
    registry = StrategyRegistry()
    registry.add(Watchful(fails_at=7))
    with pytest.raises(StrategyError, match=r"failed on A at .*: ZeroDivisionError: of its own"):
        _run({"type": "watchful"}, "none", StrategyRunner(registry))


def test_spec_that_cannot_be_is_refused_before_the_run() -> None:
    with pytest.raises(InputError, match="must be below"):
        _run({"type": "ema_cross", "params": {"fast": 9, "slow": 3}}, "none")
