"""What one order costs vn.py in process: one JSON line.

The backtesting engine of its CTA module over ticks whose strategy does nothing, then the same with one order per
tick, priced to cross, since it knows no market orders. No risk check, no events beyond calls to the strategy, nothing
kept but dictionaries: the least that vn.py does for an order. The difference of the processor times over the number
of orders is what an order costs. An order trades on the tick after it, so a tick with orders fills one and sends one:
the median time of such ticks, less that of ticks without orders, is an order's p50. Asserted: every order filled, the
last position right. Runs in the peers' environment (`benchmarks/peers/setup`), not in surefill's.

    .venv-peers/bin/python benchmarks/peers/vnpy_orders.py [--orders 5000]
"""

import argparse
import contextlib
import importlib.metadata
import io
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = tempfile.TemporaryDirectory()
os.chdir(FOLDER.name)
Path(".vntrader").mkdir()  # else it makes one in the home directory, and reads what is there

from vnpy.trader.constant import Exchange, Interval  # noqa: E402
from vnpy.trader.object import TickData, TradeData  # noqa: E402
from vnpy_ctastrategy import CtaTemplate  # noqa: E402
from vnpy_ctastrategy.backtesting import BacktestingEngine  # noqa: E402
from vnpy_ctastrategy.base import BacktestingMode  # noqa: E402

T0 = datetime(2024, 11, 19, 9, 15, tzinfo=ZoneInfo("UTC"))
PX = 19_500.0


class Alternating(CtaTemplate):
    """Buys, sells, buys …, one order per tick; or none at all."""

    active = False
    sent = 0
    filled = 0

    def on_init(self) -> None:
        """Nothing to prepare."""

    def on_tick(self, tick: TickData) -> None:
        """Send the next order."""
        if not self.active:
            return
        if self.sent % 2 == 0:
            self.buy(PX + 10, 1)
        else:
            self.sell(PX - 10, 1)
        self.sent += 1

    def on_trade(self, trade: TradeData) -> None:
        """Count it."""
        self.filled += 1


def ticks(count: int) -> list[TickData]:
    """One tick a second."""
    return [
        TickData(
            gateway_name="BACKTESTING",
            symbol="NIFTY",
            exchange=Exchange.LOCAL,
            datetime=T0 + timedelta(seconds=n),
            last_price=PX,
            bid_price_1=PX - 0.05,
            ask_price_1=PX + 0.05,
        )
        for n in range(count)
    ]


def run(count: int, trading: bool) -> tuple[float, float]:
    """Processor seconds over `count` ticks and one more, on which the last order trades; seconds of one such tick."""
    engine = BacktestingEngine()
    engine.output = lambda text: None
    engine.set_parameters("NIFTY.LOCAL", Interval.TICK, T0, 0, 0, 1, 0.05, 10**9, mode=BacktestingMode.TICK)
    engine.add_strategy(Alternating, {})
    strategy = engine.strategy
    strategy.active = trading
    engine.history_data = ticks(count)
    (last,) = ticks(1)
    begin = time.process_time()
    engine.run_backtesting()
    strategy.active = False
    engine.new_tick(last)
    took = time.process_time() - begin
    if trading:
        assert (strategy.sent, strategy.filled, len(engine.trades)) == (count, count, count)
        assert strategy.pos == count % 2, strategy.pos
    strategy.active = trading
    return took, statistics.median(_timed(engine.new_tick, tick) for tick in ticks(1_000))


def _timed(step: Callable[[TickData], None], tick: TickData) -> float:
    begin = time.perf_counter()
    step(tick)
    return time.perf_counter() - begin


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=5_000)
    options = parser.parse_args()
    with contextlib.redirect_stdout(io.StringIO()):
        run(100, True)
        without, tick_without = run(options.orders, False)
        with_orders, tick_with = run(options.orders, True)
    figures = {
        "name": "vn.py (no risk checks)",
        "version": importlib.metadata.version("vnpy"),
        "python": platform.python_version(),
        "orders": options.orders,
        "marginal_us": (with_orders - without) / options.orders * 1e6,
        "p50_us": (tick_with - tick_without) * 1e6,
        "p50_of": "sending it and filling it, on the tick after",
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
