"""A strategy of your own: one small class.

Try it on the shipped prices:

    python examples/my_strategy.py

or name it wherever surefill takes a strategy: examples/my_strategy.py:BuyTheDip. An installed package offers its
strategies to everybody by an entry point instead:

    [project.entry-points."surefill.strategies"]
    buy_the_dip = "my_package.my_module:BuyTheDip"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from surefill.market.dataset import load_demo_bars
from surefill.strategy import (
    Decision,
    EntrySpec,
    ExecutionSpec,
    MarketSnapshot,
    Parameter,
    Position,
    RiskSpec,
    StrategyRegistry,
    StrategyRunner,
    TradeAction,
    TradeIntent,
    snapshots,
)

DROP_PCT = Parameter("drop_pct", 5.0, 0.1, 90.0, "how far below the recent high to buy, percent")
BARS = Parameter("bars", 20, 1, 1_000, "bars of the recent high")


class BuyTheDip:
    """Buy when the price has fallen well below its recent high; sell when the position is in profit."""

    name = "buy_the_dip"
    parameters = (DROP_PCT, BARS)  # optional: what the spec may set, and a sweep may vary

    def evaluate(
        self, spec: ExecutionSpec, snapshot: MarketSnapshot, position: Position | None
    ) -> Iterator[Decision | str]:
        """Called once per bar; keeps nothing between calls."""
        bars = int(BARS.of(spec))
        if position is not None:
            if snapshot.last_price > position.avg_price:
                yield Decision.close_long("back in profit")
        elif snapshot.bar_count <= bars:
            yield "waiting_for_bars"
        else:
            high = max(snapshot.highs[-bars - 1 : -1])
            if snapshot.last_price < high * (1 - DROP_PCT.of(spec) / 100):
                yield Decision.open_long(f"{snapshot.last_price} is more than {DROP_PCT.of(spec)} % below {high}")


class Holding(NamedTuple):
    """A position."""

    quantity: float
    avg_price: float


class Book:
    """Who holds what: all that a strategy is told. Here every intent is filled at the price it was made at."""

    def __init__(self, cash: float) -> None:
        self.cash = cash
        self.positions: dict[str, Holding] = {}

    def fill(self, intent: TradeIntent) -> None:
        """Believe that the intent was filled. (The engine does not believe: it waits for the venue.)"""
        price = intent.price or 0.0
        if intent.action is TradeAction.OPEN_LONG:
            self.positions[intent.symbol] = Holding(intent.quantity, price)
            self.cash -= intent.quantity * price
        else:
            del self.positions[intent.symbol]
            self.cash += intent.quantity * price


def main() -> None:
    """Follow Apple through its first shipped year."""
    registry = StrategyRegistry()
    registry.add(BuyTheDip)
    runner = StrategyRunner(registry)
    spec = ExecutionSpec(
        workspace_id="example",
        symbols=("AAPL",),
        entry=EntrySpec(type="buy_the_dip", params={"drop_pct": 15.0}),
        risk=RiskSpec(dollars_per_trade=5_000.0, lot_size=1.0),
    )
    book = Book(cash=10_000.0)
    for snapshot in snapshots(load_demo_bars(("AAPL",))["AAPL"][:250]):
        for intent in runner.evaluate(spec, snapshot, book).intents:
            book.fill(intent)
            print(f"{snapshot.ts:%Y-%m-%d} {intent.action} {intent.quantity:g} {intent.symbol}: {intent.reason}")
    print(f"cash {book.cash:.2f}, holding {book.positions or 'nothing'}")


if __name__ == "__main__":
    main()
