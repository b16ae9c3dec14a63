"""Trading-signal events on paper: a decision engine publishes, the chain executes, subscribers hear what became of it.

    python examples/signal_pipeline.py

One signal is bought and leaves at its target, one is too weak, one asks for more than is allowed. A subscriber that
raises hurts nobody.
"""

from __future__ import annotations

import asyncio
import logging

import structlog

from surefill.intake.pipeline import (
    EventBus,
    ExecutionEngine,
    OrderFailed,
    OrderFilled,
    PositionClosed,
    TradingSignalGenerated,
)

CONFIG = {
    "pipeline": {"asset_classes": {"majors": {"bases": ["BTC", "ETH"], "trailing_pct": 1.5, "max_hold_s": 86_400}}},
    "fees": [{"name": "taker", "kind": "per_notional", "rate_bps": 10}],
    "journal": {"path": ":memory:"},
}


def signal(symbol: str, price: float, confluence: float, size_pct: float = 2.0) -> TradingSignalGenerated:
    """A purchase with its stop 1.5 % below and its target 4 % above."""
    return TradingSignalGenerated(
        symbol=symbol,
        side="BUY",
        signal_strength=0.8,
        confluence_score=confluence,
        entry_price=price,
        stop_loss=round(price * 0.985, 2),
        take_profit=round(price * 1.04, 2),
        position_size_pct=size_pct,
        primary_signals=["ema_cross"],
    )


async def on_fill(fill: OrderFilled) -> None:
    """An async subscriber."""
    paid = f"{fill.commission:.4f} {fill.commission_asset}"
    print(f"filled: {fill.side} {fill.quantity:.4f} {fill.symbol} at {fill.price}, {paid}")


def on_failure(failure: OrderFailed) -> None:
    """A plain function will do."""
    print(f"refused: {failure.symbol} {failure.error_code}: {failure.error_message}")


def on_close(closed: PositionClosed) -> None:
    """This one has a fault of its own, after it has done its work."""
    print(f"closed: {closed.symbol} by {closed.exit_reason}, {closed.realized_pnl:+.2f} USDT")
    raise RuntimeError("a subscriber's own fault")


async def trade() -> None:
    """Publish signals, let the market move, and look at the account."""
    bus = EventBus()
    bus.subscribe("OrderFilled", on_fill)
    bus.subscribe(OrderFailed, on_failure)
    bus.subscribe(PositionClosed, on_close)
    async with ExecutionEngine(bus, config=CONFIG) as engine:
        await bus.publish(signal("BTC/USDT", 50_000.0, confluence=5.0))
        await bus.drain()
        await bus.publish(signal("ETH/USDT", 3_000.0, confluence=2.0))
        await bus.drain()
        large = await engine.on_trading_signal(signal("SOL/USDT", 150.0, confluence=6.0, size_pct=20.0))
        assert large is not None
        print(f"warned: {large.warnings[0]}")
        await engine.update_prices({"BTC/USDT": 52_000.0})
        await bus.drain()
        balance = await engine.exchange.get_balance()
        counts = engine.order_manager.get_statistics()
        print(
            f"{counts['filled']} filled, {counts['rejected']} rejected, equity {balance.total:.2f} {balance.currency}"
        )
        print(f"{bus.error_count} subscriber failed: {bus.errors[0].message}")
    bus.close()


def main() -> None:
    """Trade, with the log kept to what is wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(trade())


if __name__ == "__main__":
    main()
