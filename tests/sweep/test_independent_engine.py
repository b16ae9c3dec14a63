"""Real bars through an engine that somebody else wrote (backtesting.py): the same fills, and why the others differ.

SMA 20/50, long only, a stop 5 % below and a target 10 % above the close of the decision, each rounded to the tick
towards it; decided at a close, executed at the next open; inside a bar the stop before the target, a gap at the open.

One difference is known and counted: where the next open is beyond the stop or the target already, surefill refuses the
entry (STOP_ON_WRONG_SIDE, TARGET_ON_WRONG_SIDE), and backtesting.py enters and leaves at once.
"""

import math
import warnings
from typing import NamedTuple

import pytest

from surefill.domain import codec
from surefill.domain.events import IntentRefused, OrderFilled
from surefill.domain.inputs import DefineInstrument, OpenWorkspace
from surefill.domain.instrument import Instrument, Terms
from surefill.domain.profile import PAPER_FULL
from surefill.engine.writer import WorkspaceWriter
from surefill.journal import MemoryJournal
from surefill.market.dataset import load_demo_bars
from surefill.market.series import BarSeries
from surefill.strategy import EntrySpec, ExecutionSpec, ExitSpec, RiskSpec
from surefill.strategy.backtest import Backtest
from surefill.venues.paper import PaperVenue

SERIES = load_demo_bars()
FAST, SLOW, DOLLARS = 20, 50, 2_000.0


class Trade(NamedTuple):
    """A round trip: bars by their place, prices in quanta."""

    entry_bar: int
    entry_px: int
    exit_bar: int
    exit_px: int
    qty: int


def ours(series: BarSeries) -> tuple[list[Trade], set[int]]:
    """Closed trades; and the bars at whose opens an entry was refused for a stop or a target on the wrong side."""
    decimals = series.price_decimals
    instrument = Instrument(series.symbol, "USD", decimals, 0, 10 ** (6 - decimals), (Terms(),))
    writer = WorkspaceWriter(MemoryJournal(), "w", PaperVenue())
    writer.feed(OpenWorkspace(0, "w", "backtest", "paper", "a", "USD", 6, 10**13, PAPER_FULL, ""))
    writer.feed(DefineInstrument(0, instrument))
    spec = ExecutionSpec(
        workspace_id="w",
        symbols=(series.symbol,),
        entry=EntrySpec(type="sma_cross", params={"fast": FAST, "slow": SLOW}),
        exit=ExitSpec(type="stop_target", stop_loss_pct=5.0, take_profit_pct=10.0),
        risk=RiskSpec(dollars_per_trade=DOLLARS),
    )
    Backtest(writer, spec, {series.symbol: series}).run()
    bar_of = {ns: at for column in (series.ts_ns, series.open_ns) for at, ns in enumerate(column)}
    trades, refused, entry = [], set(), None
    for record in writer.journal.read("w"):
        event = codec.decode(record.payload)
        if isinstance(event, IntentRefused):
            refused.add(bar_of[event.ts_ns])
        elif isinstance(event, OrderFilled) and event.side > 0:
            entry = event
        elif isinstance(event, OrderFilled):
            assert entry is not None
            qty = entry.last_qty
            trades.append(Trade(bar_of[entry.ts_ns], entry.last_px, bar_of[event.ts_ns], event.last_px, qty))
    return trades, refused


def theirs(series: BarSeries) -> list[Trade]:
    """Closed trades of backtesting.py, whose strategy reckons everything for itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from backtesting import Backtest as TheirBacktest
        from backtesting import Strategy

        scale = 10**series.price_decimals
        closes = [px / scale for px in series.close_px]

        def average(count: int, end: int) -> float:
            return math.fsum(closes[end - count : end]) / count

        class Cross(Strategy):  # type: ignore[misc]
            def init(self) -> None:
                pass

            def next(self) -> None:
                end = len(self.data)
                if end < SLOW:
                    return
                above = average(FAST, end) > average(SLOW, end)
                below = average(FAST, end) < average(SLOW, end)
                if self.position:
                    if below:
                        self.position.close()
                elif end > SLOW and above and average(FAST, end - 1) <= average(SLOW, end - 1):
                    px = series.close_px[end - 1]
                    stop = min(math.ceil(px * 95 / 100), px - 1)
                    target = max(px * 110 // 100, px + 1)
                    qty = int(DOLLARS * scale // px)
                    if qty:
                        self.buy(size=qty, sl=stop / scale, tp=target / scale)

        columns = {
            "Open": series.open_px,
            "High": series.high_px,
            "Low": series.low_px,
            "Close": series.close_px,
        }
        frame = pd.DataFrame({name: [px / scale for px in column] for name, column in columns.items()})
        found = TheirBacktest(frame, Cross, cash=10_000_000, finalize_trades=False).run()
        rows = found["_trades"].sort_values("EntryBar").itertuples()
    return [
        Trade(row.EntryBar, round(row.EntryPrice * scale), row.ExitBar, round(row.ExitPrice * scale), row.Size)
        for row in rows
    ]


@pytest.mark.parametrize("symbol", sorted(SERIES))
def test_fills_over_real_bars_equal_those_of_an_independent_engine(symbol: str) -> None:
    series = SERIES[symbol]
    trades, refused = ours(series)
    there = [trade for trade in theirs(series) if trade.entry_bar not in refused]
    assert trades
    assert trades == there


def test_entries_that_only_the_independent_engine_makes_are_those_beyond_their_levels() -> None:
    beyond = 0
    for series in SERIES.values():
        _, refused = ours(series)
        at_once = [trade for trade in theirs(series) if trade.entry_bar in refused]
        assert all(trade.exit_bar == trade.entry_bar for trade in at_once)
        beyond += len(at_once)
    assert beyond
