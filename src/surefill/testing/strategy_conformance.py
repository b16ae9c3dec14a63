"""Do all forms of a strategy say the same? A suite to subclass, and the two functions that it is made of.

::

    class TestMyStrategy(StrategyConformance):
        strategy = MyStrategy()
        entries = (EntrySpec(), EntrySpec(params={"drop_pct": 2.0}))

`evaluate` is the truth. Bar by bar, over awkward series (gaps, bars that did not move, one bar, none), the incremental
form must say the very same decisions and signals, with a position and without one, and the vectorised form must open
and close where it does. The vectorised form is shown beginnings of a series too: whoever looks ahead says something
else there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from surefill.domain.market import Bar
from surefill.market.series import BarSeries
from surefill.market.synthetic import SplitMix
from surefill.strategy.decisions import Decision, Position, Strategy
from surefill.strategy.forms import CLOSES_LONG, CLOSES_SHORT, Incremental, Looped, Signals, Vectorised
from surefill.strategy.intents import TradeAction
from surefill.strategy.registry import StrategyRegistry
from surefill.strategy.snapshot import MarketSnapshot
from surefill.strategy.spec import EntrySpec, ExecutionSpec, RiskSpec
from surefill.units import NS_PER_DAY, to_quanta

SYMBOL: Final = "ANY"
_START_NS: Final = 1_700_000_000 * 10**9 // NS_PER_DAY * NS_PER_DAY
_PX_MAX: Final = 2**40
_ENTRY: Final = {TradeAction.OPEN_LONG: 1, TradeAction.OPEN_SHORT: -1}
_EXIT: Final = {TradeAction.CLOSE_LONG: CLOSES_LONG, TradeAction.CLOSE_SHORT: CLOSES_SHORT}

_PRICES: Final = ("px", "stop_px")
Said = tuple[Decision | str, ...]


class Holding(NamedTuple):
    """A position as strategies are shown it."""

    quantity: float
    avg_price: float


def awkward_series(seed: int, bars: int, *, price_decimals: int = 2, quiet: bool = False) -> BarSeries:
    """Daily bars by chance: gaps, missing days, bars without a move, closes on the high or the low.

    `quiet` prices move by a quantum or two, so that many are equal; others trend and jump.
    """
    chance = SplitMix(seed)
    step = 2 if quiet else (5, 100, 3_000)[chance.below(3)]
    px = chance.between(50, 500) if quiet else chance.between(1_000, 2_000_000)
    made, day = [], 0
    for _ in range(bars):
        day += 1 + (0, 0, 0, 2, 30)[chance.below(5)]
        gap = chance.between(-4, 4) * step if chance.below(10) == 0 else 0
        open_px = max(px + gap, 1)
        if chance.below(5) == 0:
            high = low = close = open_px
        else:
            high, low = open_px + chance.below(step + 1), max(open_px - chance.below(step + 1), 1)
            close = (high, low, chance.between(low, high))[chance.below(3)]
        px = min(close, _PX_MAX)
        open_ns = _START_NS + day * NS_PER_DAY
        made.append(Bar(SYMBOL, open_ns, open_ns + NS_PER_DAY, open_px, high, low, close, chance.below(1_000), True))
    return BarSeries.from_bars(made, instrument_id=SYMBOL, timeframe="1d", price_decimals=price_decimals)


def spec_for(strategy: Strategy, entry: EntrySpec) -> ExecutionSpec:
    """A spec of that strategy with that entry, checked as every spec is. Raises InputError."""
    registry = StrategyRegistry()
    registry.add(strategy)
    spec = ExecutionSpec(
        workspace_id="conformance",
        symbols=(SYMBOL,),
        entry=entry.model_copy(update={"type": strategy.name}),
        risk=RiskSpec(dollars_per_trade=1_000.0),
    )
    registry.check(spec)
    return spec


def assert_stream_agrees(
    strategy: Incremental, spec: ExecutionSpec, series: BarSeries, positions: Callable[[int], Position | None]
) -> int:
    """Compare `start(…).on_bar` with `evaluate` at every bar; how many decisions there were. Raises AssertionError.

    `positions` gives what is held at a bar.
    """
    stream = strategy.start(spec, series.price_decimals)
    decisions = 0
    for at, bar in enumerate(series):
        position = positions(at)
        told = tuple(stream.on_bar(bar, position))
        if at:
            truth = evaluated(strategy, spec, series, at, position)
            held = "nothing" if position is None else f"{position.quantity}"
            assert told == truth, f"bar {at}, holding {held}: on_bar says {told}, evaluate {truth}"
            decisions += sum(isinstance(each, Decision) for each in truth)
    return decisions


def assert_signals_agree(strategy: Vectorised, spec: ExecutionSpec, series: BarSeries, *, cuts: int = 3) -> int:
    """Compare `signals` with `evaluate` at every bar, and with itself on `cuts` beginnings of the series.

    Returns how many signals there were. Raises AssertionError.
    """
    signals = strategy.signals(spec, series)
    for name, column in _columns(signals).items():
        kind = "int64" if name in _PRICES else "int8"
        assert column.dtype.name == kind, f"{name} are {column.dtype}, not {kind}"
        assert column.shape == (len(series),), f"{name} have the shape {column.shape} for {len(series)} bars"
        assert not column[:1].any(), f"{name} say something at the first bar, where nobody is asked"
    entries, exits = signals.entries.tolist(), signals.exits.tolist()
    for at in range(1, len(series)):
        opened = evaluated(strategy, spec, series, at, None)
        entry = _of(opened, _ENTRY)
        assert entries[at] == entry, f"bar {at}: entries say {entries[at]}, evaluate {entry}"
        if entry:
            _assert_prices_agree(signals, at, opened, series.price_decimals)
        for quantity, bit in ((1.0, CLOSES_LONG), (-1.0, CLOSES_SHORT)):
            said = evaluated(strategy, spec, series, at, Holding(quantity, series.closes[at]))
            closes, told = _of(said, _EXIT) & bit, exits[at] & bit
            assert told == closes, f"bar {at}, holding {quantity}: exits say {told}, evaluate {closes}"
    if isinstance(strategy, Looped):
        assert_loop_agrees(strategy, spec, series, signals)
    for count in {len(series) * cut // (cuts + 1) for cut in range(1, cuts + 1)}:
        for name, column in _columns(strategy.signals(spec, series.until(count))).items():
            known = getattr(signals, name)[:count]
            assert column.tolist() == known.tolist(), f"{name} of the first {count} bars change with what comes after"
    return sum(map(bool, entries)) + sum(map(bool, exits))


def _columns(signals: Signals) -> dict[str, Any]:
    return {name: column for name, column in signals._asdict().items() if column is not None}


def _assert_prices_agree(signals: Signals, at: int, said: Said, price_decimals: int) -> None:
    """An entry waits for the same price, in quanta, or for none."""
    (decision,) = (each for each in said if isinstance(each, Decision))
    columns = _columns(signals)
    for name in _PRICES:
        price, told = getattr(decision, name), int(columns[name][at]) if name in columns else 0
        px = 0 if price is None else to_quanta(price, price_decimals, field=name)
        assert told == px, f"bar {at}: {name} is {told} in the signals, {px} in what evaluate says"


def assert_loop_agrees(strategy: Looped, spec: ExecutionSpec, series: BarSeries, signals: Signals) -> None:
    """Compare what `signal_loop` writes, as plain Python, with what `signals` has said. Raises AssertionError."""
    import numpy as np

    numbers = strategy.loop_numbers(spec)
    assert numbers is not None, f"{strategy.loop_numbers} has no numbers for {spec.entry}: nothing is compared"
    written = Signals(np.zeros(len(series), np.int8), np.zeros(len(series), np.int8))
    high_px, low_px, close_px = map(np.asarray, (series.high_px, series.low_px, series.close_px))
    strategy.signal_loop(high_px, low_px, close_px, numbers, written.entries, written.exits)
    for name, column in _columns(written).items():
        assert column.tolist() == getattr(signals, name).tolist(), f"{name} of signal_loop are not those of signals"


def evaluated(strategy: object, spec: ExecutionSpec, series: BarSeries, at: int, position: Position | None) -> Said:
    """What the strategy says of bar `at`, by its first form."""
    evaluate: Callable[..., Iterable[Decision | str]] = strategy.evaluate  # type: ignore[attr-defined]
    return tuple(evaluate(spec, MarketSnapshot.of_series(series, at), position))


def _of(said: Said, meaning: dict[TradeAction, int]) -> int:
    found = [decision for decision in said if isinstance(decision, Decision) and decision.action in meaning]
    for decision in found:
        own = (decision.quantity, decision.stop_loss, decision.take_profit)
        assert own == (None, None, None), f"signals cannot bring a quantity, stop or target, as {decision} does"
    assert len(found) <= 1, f"one bar brings one decision at most, not {found}"
    return meaning[found[0].action] if found else 0


class StrategyConformance:
    """Subclass it, set `strategy` and `entries`, and let pytest collect the subclass.

    `entries` are settings that make it trade within `bars`: forms that agree on nothing prove nothing.
    """

    strategy: ClassVar[Strategy]
    entries: ClassVar[Sequence[EntrySpec]] = (EntrySpec(),)
    bars: ClassVar[int] = 120
    seeds: ClassVar[int] = 6

    def test_incremental_form_says_what_evaluate_says(self) -> None:
        strategy = self.strategy
        if isinstance(strategy, Incremental):
            for entry in self.entries:
                spec = spec_for(strategy, entry)
                decisions = sum(self._streamed(strategy, spec, series) for series in self._series())
                assert decisions, f"{strategy.name} decided nothing with {entry}: name settings that make it trade"

    def test_vectorised_form_says_what_evaluate_says(self) -> None:
        strategy = self.strategy
        if isinstance(strategy, Vectorised):
            for entry in self.entries:
                spec = spec_for(strategy, entry)
                signals = sum(assert_signals_agree(strategy, spec, series) for series in self._series())
                assert signals, f"{strategy.name} decided nothing with {entry}: name settings that make it trade"

    def test_strategy_has_a_second_form(self) -> None:
        assert isinstance(self.strategy, Incremental | Vectorised), (
            f"{self.strategy.name} has only evaluate: there is nothing to compare"
        )

    def _streamed(self, strategy: Incremental, spec: ExecutionSpec, series: BarSeries) -> int:
        """With nothing held, with a long and a short position, and with positions that come and go."""
        chance = SplitMix(len(series))
        held = (None, Holding(2.0, 10.0), Holding(-2.0, 10.0))
        fixed = sum(assert_stream_agrees(strategy, spec, series, lambda _, p=each: p) for each in held)  # type: ignore[misc]
        return fixed + assert_stream_agrees(strategy, spec, series, lambda _: held[chance.below(3)])

    def _series(self) -> Iterable[BarSeries]:
        for bars in (0, 1, 2, 3):
            yield awkward_series(bars, bars)
        for seed in range(self.seeds):
            yield awkward_series(seed, self.bars, quiet=seed % 2 == 1)
