"""Runs drawn at random: bars with gaps and doji, instruments, rules, costs, exits, and a strategy of drawn wishes."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from surefill.domain.costs.crypto import BINANCE_SPOT
from surefill.domain.costs.india import ZERODHA
from surefill.domain.inputs import DefineInstrument, OpenWorkspace
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Bar
from surefill.domain.profile import PAPER_FULL, PAPER_LONG_ONLY, V3, Profile
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import MemoryJournal
from surefill.market.series import BarSeries
from surefill.rules.codes import FeeKind, FillMode
from surefill.strategy import (
    Decision,
    EntrySpec,
    ExecutionSpec,
    ExitSpec,
    Position,
    RiskSpec,
    StrategyRegistry,
    StrategyRunner,
)
from surefill.strategy.advice import Advice, Foreseen, Streamed, Whole
from surefill.strategy.backtest import Backtest
from surefill.strategy.forms import CLOSES_LONG, CLOSES_SHORT, Signals
from surefill.units import NS_PER_MIN
from surefill.venues.paper import PaperVenue
from surefill.venues.paper.settings import FeeRule, PaperSettings

MONEY_DECIMALS = 6
START_NS = 1_727_720_400 * 10**9  # 2024-09-30, an hour before India's charges change


Wishes = dict[str, list[int]]


class Flags:
    """A strategy that wants in and out at random: what it wants is drawn before the run, bar by bar. In all forms."""

    name = "flags"
    default_exit = "none"

    def __init__(
        self, series: dict[str, BarSeries], enters: Wishes, leaves: Wishes, px: Wishes, stop_px: Wishes
    ) -> None:
        self.series = series
        self.enters, self.leaves, self.px, self.stop_px = enters, leaves, px, stop_px

    def evaluate(self, spec, snapshot, position):  # type: ignore[no-untyped-def]
        yield from self.said(snapshot.symbol, snapshot.bar_count - 1, position)

    def said(self, symbol: str, at: int, position: Position | None) -> Iterator[Decision]:
        wants, leaves = self.enters[symbol][at], self.leaves[symbol][at]
        if position is None and wants:
            opens = Decision.open_long if wants > 0 else Decision.open_short
            scale = 10 ** self.series[symbol].price_decimals
            px, stop_px = (quanta[symbol][at] / scale or None for quanta in (self.px, self.stop_px))
            yield opens("in", px=px, stop_px=stop_px)
        elif position is not None and position.quantity > 0 and leaves & CLOSES_LONG:
            yield Decision.close_long("out")
        elif position is not None and position.quantity < 0 and leaves & CLOSES_SHORT:
            yield Decision.close_short("out")

    def start(self, spec, price_decimals):  # type: ignore[no-untyped-def]
        return Stream(self)

    def signals(self, spec, series):  # type: ignore[no-untyped-def]
        return self.whole(series.symbol)

    def whole(self, symbol: str) -> Signals:
        px, stop_px = (np.array(wishes[symbol], np.int64) for wishes in (self.px, self.stop_px))
        return Signals(
            np.array(self.enters[symbol], np.int8),
            np.array(self.leaves[symbol], np.int8),
            px if px.any() else None,
            stop_px if stop_px.any() else None,
        )


class Stream:
    """The same, bar by bar; what it says after a bar, it says once."""

    def __init__(self, flags: Flags) -> None:
        self.flags, self.shown = flags, 0

    def on_bar(self, bar, position):  # type: ignore[no-untyped-def]
        at, self.shown = self.shown, self.shown + 1
        return tuple(self.flags.said(bar.instrument_id, at, position)) or ("nothing",)


@dataclass
class Scene:
    series: dict[str, BarSeries]
    instruments: dict[str, Instrument]
    profile: Profile
    paper: PaperSettings
    spec: ExecutionSpec
    strategy: Flags
    cash: int
    at_close: bool


def bars_of(rng: random.Random, name: str, decimals: int, count: int) -> BarSeries:
    """Bars with gaps in price and in time, doji, and now and then the end of a session."""
    open_ns, px, step_ns = START_NS, rng.randint(200, 20_000), NS_PER_MIN * rng.choice((1, 3))
    wild = rng.choice((0.001, 0.01, 0.05))

    def walked(px: int) -> int:
        return max(1, px + round(px * rng.gauss(0, wild)))

    bars = []
    for _ in range(count):
        open_ns += step_ns * (rng.randint(2, 50) if rng.random() < 0.05 else 1)
        if rng.random() < 0.1:
            px = walked(walked(walked(px)))
        prices = [px] * 4 if rng.random() < 0.05 else [px, walked(px), walked(px), walked(px)]
        bars.append(
            Bar(
                name,
                open_ns,
                open_ns + step_ns - rng.choice((0, 0, 1)),
                prices[0],
                max(prices),
                min(prices),
                prices[1],
                0,
                rng.random() < 0.1,
            )
        )
        px = prices[1]
    return BarSeries.from_bars(bars, instrument_id=name, timeframe="1m", price_decimals=decimals, qty_decimals=2)


def exit_of(rng: random.Random) -> ExitSpec:
    kind = rng.choice(("none", "eod", "stop_target", "stop_target", "stop_target"))
    if kind != "stop_target":
        return ExitSpec.model_validate({"type": kind})
    found = {
        "stop_loss_pct": rng.choice((0.1, 0.5, 2.5, 33.3)),
        "take_profit_pct": rng.choice((0.2, 1.0, 7.25, 150.0)),
        "trailing_pct": rng.choice((0.3, 1.0, 12.5)),
        "time_stop_bars": rng.randint(1, 20),
        "end_of_day": True,
        "ladder": [
            {"profit_pct": rng.choice((0.1, 0.5, 2.0, 120.0)), "close_pct": rng.choice((10.0, 33.3, 50.0, 100.0))}
            for _ in range(rng.randint(1, 4))
        ],
    }
    names = rng.sample(sorted(found), rng.randint(1, len(found)))
    chosen = {name: found[name] for name in names}
    if "stop_loss_pct" in names and rng.random() < 0.4:
        chosen["stop_partial_pct"] = rng.choice((0.1, 50.0, 99.0))
    return ExitSpec.model_validate({"type": "stop_target", **chosen})


def prices_of(rng: random.Random, series: dict[str, BarSeries]) -> tuple[Wishes, Wishes]:
    """Prices near each close that an entry waits for, or 0: all at the market, all of one kind, or some of each."""
    kinds = rng.choice(((0,), (0,), (1,), (2,), (3,), (0, 1, 2, 3)))
    away = rng.choice((0.001, 0.01, 0.05))
    found: tuple[Wishes, Wishes] = ({}, {})
    for name, bars in series.items():
        rolls = [rng.choice(kinds) for _ in bars]
        for bit, wishes in enumerate(found, 1):
            wishes[name] = [
                max(1, round(px * (1 + rng.gauss(0, away)))) if roll & bit else 0
                for roll, px in zip(rolls, bars.close_px, strict=True)
            ]
    return found


def scene(seed: int) -> Scene:
    rng = random.Random(seed)
    decimals = rng.choice((0, 2, 4))
    names = ("AAA", "BBB", "CCC")[: rng.randint(1, 3)]
    series = {name: bars_of(rng, name, decimals, rng.choice((1, 2, 5, 60, 200))) for name in names}
    scale = 10 ** (MONEY_DECIMALS - decimals - 2)
    lot = rng.choice((1, 5, 100))
    terms = Terms(
        tick=rng.choice((1, 5, 25)), lot=lot, min_qty=lot * rng.choice((1, 30)), max_qty=rng.choice((2**40, 40_000))
    )
    limits = msgspec.structs.replace(
        PAPER_FULL.limits,
        target_first_on_bar=rng.random() < 0.3,
        stop_granularity=rng.choice((1, 1, 7)),
        allow_negative_cash=rng.random() < 0.2,
        cost_cushion_ppb=rng.choice((0, 3_000_000)),
    )
    fees = (
        FeeRule(FeeKind.PER_NOTIONAL, rate_ppb=123_457),
        FeeRule(FeeKind.PER_UNIT, per_unit=3),
        FeeRule(FeeKind.PER_ORDER, per_order=1_000_001),
    )
    paper = PaperSettings(
        rng.choice(tuple(FillMode)),
        rng.choice((0, 400_001)),
        rng.choice((0, 500_003)),
        fees=tuple(rng.sample(fees, rng.randint(0, 3))),
        costs=rng.choice((BINANCE_SPOT, ZERODHA, None)),
        money_decimals=MONEY_DECIMALS,
    )
    segment = "futures" if paper.costs is ZERODHA else "spot"
    instruments = {name: Instrument(name, "USD", decimals, 2, scale, (terms,), segment=segment) for name in names}
    sides = rng.choice(((1,), (-1,), (1, -1), (1, -1)))
    enters = {name: [rng.choice(sides) * (rng.random() < 0.3) for _ in series[name]] for name in names}
    leaves = {name: [rng.choice((1, 2, 3)) * (rng.random() < 0.15) for _ in series[name]] for name in names}
    spec = ExecutionSpec(
        workspace_id="w",
        symbols=names,
        timeframe="1m",
        entry=EntrySpec(type="flags", good_for_bars=rng.choice((1, 1, 2, 5))),
        exit=exit_of(rng),
        risk=RiskSpec(dollars_per_trade=rng.choice((10.0, 333.33, 2_000.0, 2_000.0)), max_positions=rng.randint(1, 3)),
        enabled=rng.random() < 0.97,
    )
    profile = msgspec.structs.replace(
        rng.choice((PAPER_FULL, PAPER_FULL, V3, PAPER_LONG_ONLY)), limits=limits, costs=paper.costs
    )
    cash = rng.choice((2_500, 2_500, 100_000)) * 10**MONEY_DECIMALS
    return Scene(
        series,
        instruments,
        profile,
        paper,
        spec,
        Flags(series, enters, leaves, *prices_of(rng, series)),
        cash,
        rng.random() < 0.5,
    )


def writer_of(this: Scene) -> WorkspaceWriter:
    """A workspace that is open, with its instruments."""
    writer = WorkspaceWriter(MemoryJournal(), "w", PaperVenue(this.paper))
    writer.feed(OpenWorkspace(0, "w", "backtest", "paper", "a", "USD", MONEY_DECIMALS, this.cash, this.profile, ""))
    for instrument in this.instruments.values():
        writer.feed(DefineInstrument(0, instrument))
    return writer


def backtest_of(this: Scene, writer: WorkspaceWriter, form: str = "whole") -> Backtest:
    """The scene through the engine, with its strategy in that form: whole, foreseen or streamed."""
    registry = StrategyRegistry()
    registry.add(this.strategy)
    made: dict[str, Callable[[], Advice]] = {
        "whole": Whole,
        "foreseen": lambda: Foreseen(this.strategy, this.spec, this.series),
        "streamed": lambda: Streamed(this.strategy, this.spec, this.series),
    }
    return Backtest(
        writer,
        this.spec,
        this.series,
        runner=StrategyRunner(registry),
        fill_at="close" if this.at_close else "next_open",
        advice=made[form](),
    )
