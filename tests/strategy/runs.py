"""Backtests for tests: bars out of a seed, a strategy that decides by hash, a workspace in memory, and the cutting of
its journal at any commit."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from surefill.domain.inputs import DefineInstrument, OpenWorkspace
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Bar
from surefill.domain.profile import PAPER_FULL
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import Batch, Journal, MemoryJournal
from surefill.market.series import BarSeries
from surefill.rules.codes import FeeKind, FillMode
from surefill.strategy import Decision, ExecutionSpec, MarketSnapshot, Position, StrategyRegistry, StrategyRunner
from surefill.units import NS_PER_HOUR, NS_PER_MIN
from surefill.venues.paper import PaperSettings, PaperVenue
from surefill.venues.paper.settings import FeeRule

WORKSPACE = "w"
START_NS = 1_700_000_000_000_000_000 // NS_PER_HOUR * NS_PER_HOUR
SETTINGS = PaperSettings(
    fill_mode=FillMode.BID_ASK, spread_ppb=500_000, slippage_ppb=100_000, fees=(FeeRule(FeeKind.PER_ORDER, 0, 0, 100),)
)


class Dice:
    """Opens and closes as a hash of (symbol, moment) says; with `closes` some of it at the very close."""

    name = "dice"

    def __init__(self, *, at_close: bool = False) -> None:
        self.at_close = at_close

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Iterator[Decision]:
        roll = hashlib.sha256(f"{snapshot.symbol}|{snapshot.ts_ns}".encode()).digest()
        metadata: dict[str, object] = {"fill_at": "close"} if self.at_close and roll[1] % 3 == 0 else {}
        if position is None:
            if roll[0] % 2:
                yield Decision("OPEN_LONG", "even", metadata=metadata)  # type: ignore[arg-type]
        elif roll[0] % 4 == 0:
            yield Decision("CLOSE_LONG", "odd", metadata=metadata)  # type: ignore[arg-type]


class Waiting(Dice):
    """The same wishes, most of them for a price that they wait for: a limit, a stop, or both."""

    name = "waiting"

    def evaluate(self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None) -> Iterator[Decision]:
        for decision in super().evaluate(spec, snapshot, position):
            kind, price = int(snapshot.last_price * 100) % 4, snapshot.last_price
            px = price * (0.995, 0.998, 1.01, 1)[kind] if kind % 2 or kind == 2 else None
            stop_px = price * 1.002 if kind in (0, 2) else None
            opens = decision.action == "OPEN_LONG" and kind < 3
            yield msgspec.structs.replace(decision, px=px, stop_px=stop_px) if opens else decision


class Span(NamedTuple):
    """When a symbol's bars are: from `start_ns` every `every_ns`, each `long_ns` long, some of them missing."""

    start_ns: int
    every_ns: int
    long_ns: int
    bars: int
    missing_every: int = 0


def series_of(symbol: str, span: Span, seed: int, timeframe: str) -> BarSeries:
    """A random walk, at two decimals."""
    chance = random.Random(f"{symbol}{seed}")
    px = chance.randrange(9_000, 11_000)
    bars = []
    for at in range(span.bars):
        low, high = px - chance.randrange(1, 300), px + chance.randrange(1, 300)
        close = chance.randrange(low, high + 1)
        if not span.missing_every or (at + 1) % span.missing_every:
            open_ns = span.start_ns + at * span.every_ns
            end_ns = open_ns + span.long_ns
            bars.append(Bar(symbol, open_ns, end_ns, px, high, low, close, 1_000, timeframe == "1d" or at % 7 == 6))
        px = close + chance.randrange(-30, 31)
    return BarSeries.from_bars(bars, instrument_id=symbol, timeframe=timeframe, price_decimals=2)


def minutes(start: int = 0, count: int = 40, missing_every: int = 0) -> Span:
    """Bars of a minute, each beginning when the one before ends."""
    return Span(START_NS + start * NS_PER_MIN, NS_PER_MIN, NS_PER_MIN, count, missing_every)


def days(begin_hour: int, hours: int, count: int = 30) -> Span:
    """Daily bars of a market that opens and closes at its own hours."""
    return Span(START_NS + begin_hour * NS_PER_HOUR, 24 * NS_PER_HOUR, hours * NS_PER_HOUR, count)


def opened(journal: Journal, symbols: list[str], settings: PaperSettings = SETTINGS) -> WorkspaceWriter:
    """A writer on the workspace, which is opened if it is not there yet."""
    writer = WorkspaceWriter(journal, WORKSPACE, PaperVenue(settings))
    if not writer.state.book.workspace_id:
        before_ns = START_NS - 1
        writer.feed(
            OpenWorkspace(before_ns, WORKSPACE, "backtest", "paper", "a", "USD", 4, 10_000_0000, PAPER_FULL, "")
        )
        for symbol in symbols:
            writer.feed(DefineInstrument(before_ns, Instrument(symbol, "USD", 2, 0, 100, (Terms(),))))
        writer.flush()
    return writer


def dice_runner(*, at_close: bool) -> StrategyRunner:
    """A runner that knows the dice."""
    registry = StrategyRegistry()
    registry.add(Dice(at_close=at_close))
    registry.add(Waiting(at_close=at_close))
    return StrategyRunner(registry)


def commits_of(writer: WorkspaceWriter) -> list[int]:
    """A list that will hold the last sequence number of every commit from now on."""
    ends: list[int] = []
    writer.subscribers.append(lambda first_seq, events: ends.append(first_seq + len(events) - 1))
    return ends


def cut(journal: Journal, to_seq: int) -> MemoryJournal:
    """The journal as it was when `to_seq` was its last event."""
    shorter = MemoryJournal()
    payloads = [record.payload for record in journal.read(WORKSPACE, 1, to_seq)]
    claims = [claim for claim in journal.read_keys(WORKSPACE) if claim.seq <= to_seq]
    (refused,) = shorter.append([Batch(shorter.open_stream(WORKSPACE), payloads, claims)])
    assert refused is None
    return shorter


def payloads_of(journal: Journal) -> list[bytes]:
    """All events as bytes."""
    return [record.payload for record in journal.read(WORKSPACE)]


def spec_for(series: Mapping[str, BarSeries], **changed: object) -> ExecutionSpec:
    """The dice on these series, two positions at most, in the order in which they are given."""
    data: dict[str, object] = {
        "workspace_id": WORKSPACE,
        "symbols": list(series),
        "timeframe": next(iter(series.values())).timeframe,
        "entry": {"type": "dice"},
        "exit": {"type": "stop_target", "stop_loss_pct": 1.0, "trailing_pct": 2.0, "time_stop_bars": 6},
        "risk": {"dollars_per_trade": 3_000.0, "max_positions": 2, "lot_size": 1.0},
        **changed,
    }
    return ExecutionSpec.model_validate(data)
