"""What one MARKET order costs NautilusTrader 2 in process, its risk engine on: one JSON line.

A backtest over quotes whose strategy does nothing, then the same with one market order per quote; the difference of
their processor times (all threads) over the number of orders is what an order costs. The order goes strategy, risk
engine, execution engine, simulated exchange and back, with all of its events; logging is off. Asserted: every order
filled, the last position right. Runs in the peers' environment (`benchmarks/peers/setup`), not in surefill's.

    .venv-peers/bin/python benchmarks/peers/nautilus_orders.py [--orders 5000]
"""

import argparse
import json
import platform
import statistics
import time
from decimal import Decimal

import nautilus_trader
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.model import (
    AccountType,
    Currency,
    CurrencyPair,
    InstrumentId,
    Money,
    OmsType,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    Symbol,
    Venue,
)
from nautilus_trader.risk import RiskEngineConfig
from nautilus_trader.trading import Strategy, StrategyConfig

T0_NS = 1_732_000_000_000_000_000
PAIR = InstrumentId.from_str("EURUSD.SIM")
ONE = Quantity.from_int(1_000)


class Alternating(Strategy):
    """Buys, sells, buys …, one market order per quote; or none at all."""

    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.trading = False
        self.sent = 0
        self.filled = 0
        self.sent_at = 0.0
        self.waits: list[float] = []

    def on_start(self) -> None:
        """Ask for the market."""
        self.subscribe_quotes(PAIR)

    def on_quote(self, quote: QuoteTick) -> None:
        """Send the next order."""
        if not self.trading:
            return
        side = OrderSide.BUY if self.sent % 2 == 0 else OrderSide.SELL
        self.sent += 1
        self.sent_at = time.perf_counter()
        self.submit_order(self.order_factory.market(PAIR, side, ONE))

    def on_order_filled(self, event: object) -> None:
        """Note how long it took."""
        self.waits.append(time.perf_counter() - self.sent_at)
        self.filled += 1


def pair() -> CurrencyPair:
    """EUR/USD with five decimals."""
    return CurrencyPair(
        PAIR,
        Symbol("EURUSD"),
        Currency.from_str("EUR"),
        Currency.from_str("USD"),
        5,
        0,
        Price(0.00001, 5),
        Quantity.from_int(1),
        0,
        0,
    )


def quotes(count: int) -> list[QuoteTick]:
    """One quote a second, its price moving by a tick."""
    size = Quantity.from_int(10_000_000)
    return [
        QuoteTick(
            PAIR,
            Price(1.1 + n % 7 / 1e5, 5),
            Price(1.1 + (n % 7 + 1) / 1e5, 5),
            size,
            size,
            T0_NS + n * 10**9,
            T0_NS + n * 10**9,
        )
        for n in range(count)
    ]


def run(count: int, trading: bool) -> tuple[float, Alternating]:
    """Processor seconds of one backtest over `count` quotes."""
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
        [Money(1_000_000, usd)],
        base_currency=usd,
        fee_model=MakerTakerFeeModel(Decimal(0), Decimal(0)),
    )
    engine.add_instrument(pair())
    engine.add_data(quotes(count))
    strategy = Alternating(StrategyConfig(log_events=False, log_commands=False))
    strategy.trading = trading
    engine.add_strategy(strategy)
    begin = time.process_time()
    engine.run()
    took = time.process_time() - begin
    if trading:
        assert (strategy.sent, strategy.filled) == (count, count), (strategy.sent, strategy.filled)
        assert len(engine.cache.orders_closed()) == count
        net = sum(position.signed_qty for position in engine.cache.positions_open())
        assert net == count % 2 * 1_000, net
    engine.dispose()
    return took, strategy


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=5_000)
    options = parser.parse_args()
    run(100, True)
    without, _ = run(options.orders, False)
    with_orders, strategy = run(options.orders, True)
    figures = {
        "name": "NautilusTrader (risk engine on)",
        "version": nautilus_trader.__version__,
        "python": platform.python_version(),
        "orders": options.orders,
        "marginal_us": (with_orders - without) / options.orders * 1e6,
        "p50_us": statistics.median(strategy.waits) * 1e6,
        "p50_of": "from making it to hearing of its fill",
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
