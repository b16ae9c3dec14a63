"""NautilusTrader 2 over minute bars, event by event: SMA 20/50, long only; one JSON line.

`--bars` is an .npz of the benchmark that starts it: open_ns, ts_ns, open, high, low, close in hundredths. `--exits`:
`never` (no trades at all), `signals` (out when the averages cross back), `levels` (a bracket with stop and target too).
The strategy keeps its sums bar by bar, as a user would write it; the risk engine is on, logging is off.
Runs in the peers' environment (`benchmarks/peers/setup`), not in surefill's.
"""

import argparse
import json
import platform
import resource
import time
from collections import deque
from decimal import Decimal

import nautilus_trader
import numpy as np
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.model import (
    AccountType,
    Bar,
    BarType,
    Currency,
    CurrencyPair,
    InstrumentId,
    Money,
    OmsType,
    OrderSide,
    Price,
    Quantity,
    Symbol,
    Venue,
)
from nautilus_trader.risk import RiskEngineConfig
from nautilus_trader.trading import Strategy, StrategyConfig

PAIR = InstrumentId.from_str("AAAUSD.SIM")
BARS = BarType.from_str("AAAUSD.SIM-1-MINUTE-LAST-EXTERNAL")
FAST, SLOW, STOP, TARGET, DOLLARS = 20, 50, 0.01, 0.02, 2_000


class Crossing(Strategy):
    """Long while the fast average is above the slow one."""

    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.exits = "never"
        self.closes: deque[float] = deque(maxlen=SLOW)
        self.short = self.long = self.before = 0.0
        self.held = False
        self.entries = 0

    def on_start(self) -> None:
        """Ask for the market."""
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        """Move the averages on, and trade on a cross."""
        close = float(bar.close)
        closes = self.closes
        count = len(closes)
        if count >= FAST:
            self.short -= closes[-FAST]
        if count == SLOW:
            self.long -= closes[0]
        closes.append(close)
        self.short += close
        self.long += close
        if count + 1 < SLOW:
            return
        now = self.short * SLOW - self.long * FAST
        before, self.before = self.before, now
        if self.exits == "never" or count < SLOW:
            return
        if self.held:
            if now < 0:
                self.cancel_all_orders(PAIR)
                self.close_all_positions(PAIR)
                self.held = False
        elif before <= 0 < now:
            self.enter(close)

    def enter(self, close: float) -> None:
        """Buy what the money buys."""
        self.held = True
        self.entries += 1
        qty = Quantity.from_int(int(DOLLARS / close))
        if self.exits == "signals":
            self.submit_order(self.order_factory.market(PAIR, OrderSide.BUY, qty))
            return
        stop, target = Price(round(close * (1 - STOP), 2), 2), Price(round(close * (1 + TARGET), 2), 2)
        self.submit_order_list(
            self.order_factory.bracket(
                PAIR, OrderSide.BUY, qty, tp_price=target, sl_trigger_price=stop, tp_post_only=False
            )
        )

    def on_position_closed(self, event: object) -> None:
        """Stop, target or our own exit."""
        self.held = False


def instrument() -> CurrencyPair:
    """Something with two decimals."""
    return CurrencyPair(
        PAIR,
        Symbol("AAAUSD"),
        Currency.from_str("EUR"),
        Currency.from_str("USD"),
        2,
        0,
        Price(0.01, 2),
        Quantity.from_int(1),
        0,
        0,
    )


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", required=True)
    parser.add_argument("--exits", choices=("never", "signals", "levels"), default="signals")
    options = parser.parse_args()
    columns = np.load(options.bars)
    volume = Quantity.from_int(1_000_000)
    bars = [
        Bar(BARS, *(Price(px / 100, 2) for px in row[:4]), volume, row[4], row[4])
        for row in zip(*(columns[name].tolist() for name in ("open", "high", "low", "close", "ts_ns")), strict=True)
    ]
    quiet = LoggerConfig(bypass_logging=True)
    risk = RiskEngineConfig(bypass=False, max_order_submit_rate="1000000/00:00:01")
    engine = BacktestEngine(
        BacktestEngineConfig(bypass_logging=True, run_analysis=False, logging=quiet, risk_engine=risk)
    )
    usd = Currency.from_str("USD")
    engine.add_venue(
        Venue("SIM"),
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(10_000_000, usd)],
        base_currency=usd,
        fee_model=MakerTakerFeeModel(Decimal(0), Decimal(0)),
    )
    engine.add_instrument(instrument())
    engine.add_data(bars)
    strategy = Crossing(StrategyConfig(log_events=False, log_commands=False))
    strategy.exits = options.exits
    engine.add_strategy(strategy)
    begin = time.process_time()
    engine.run()
    took = time.process_time() - begin
    print(
        json.dumps(
            {
                "name": "NautilusTrader",
                "version": nautilus_trader.__version__,
                "python": platform.python_version(),
                "bars": len(bars),
                "seconds": took,
                "trades": strategy.entries,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )
    engine.dispose()


if __name__ == "__main__":
    main()
