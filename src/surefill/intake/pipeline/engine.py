"""The contract's engine: hears signals on the bus, runs the chain, and tells the bus what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from surefill.engine.clock import Clock
from surefill.intake.door_settings import Config
from surefill.intake.pipeline.bus import EventBus, concurrent, shown
from surefill.intake.pipeline.events import SystemError, TradingSignalGenerated
from surefill.intake.pipeline.exchange import ExchangeAdapter
from surefill.intake.pipeline.handler import ExecutionHandler
from surefill.intake.pipeline.messages import PipelineResult
from surefill.intake.pipeline.order_view import OrderManager
from surefill.intake.pipeline.pipeline import ExecutionPipeline
from surefill.intake.pipeline.workspace_exchange import WorkspaceExchange
from surefill.intake.real_venue import VenueChoice
from surefill.journal.protocol import Journal


class ExecutionEngine:
    """Subscribes `on_trading_signal` when it is made; `close` it, or use it as a context manager, sync or async.

    `pipeline`: one that is given stays the caller's; else one is opened from `config` and `handlers`, which blocks.
    Events come from the journal: what is published has happened, is durable, and is told of exits too.
    """

    def __init__(
        self,
        event_bus: EventBus,
        pipeline: ExecutionPipeline | None = None,
        *,
        config: Config = None,
        handlers: Sequence[ExecutionHandler] | None = None,
        market_data: Any = None,
        venue: VenueChoice = None,
        clock: Clock | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.event_bus = event_bus
        self._owns_pipeline = pipeline is None
        self.pipeline = pipeline or ExecutionPipeline(
            config, handlers, market_data=market_data, venue=venue, clock=clock, journal=journal
        )
        self.pipeline.listen(event_bus.publish_from_thread)
        self._unsubscribe: Callable[[], None] = event_bus.subscribe(TradingSignalGenerated, self.on_trading_signal)

    @property
    def order_manager(self) -> OrderManager:
        """Every order, exits too."""
        return self.pipeline.orders

    @property
    def exchange(self) -> ExchangeAdapter:
        """The account as the contract's exchange."""
        return WorkspaceExchange(self.pipeline)

    def close(self) -> None:
        """Hear no more signals; stop the pipeline if it is the engine's own. Blocks."""
        self._unsubscribe()
        if self._owns_pipeline:
            self.pipeline.close()

    def __enter__(self) -> ExecutionEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> ExecutionEngine:
        self.event_bus.attach()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.event_bus.drain()
        self.close()

    @concurrent
    async def on_trading_signal(self, signal: TradingSignalGenerated) -> PipelineResult | None:
        """Execute a signal; None where even that could not be done, which is told as a critical SystemError.

        Signals do not wait for one another: one that is being followed up must not make the next one stale.
        """
        self.event_bus.attach()
        try:
            return await self.pipeline.execute(signal)
        except Exception as error:  # whatever it is, it is told, and hurts no other signal
            kind, text = type(error).__name__, shown(error)
            await self.event_bus.publish(
                SystemError("ExecutionEngine", kind, text, f"{kind}: {text}", is_critical=True)
            )
            return None

    async def close_position(self, symbol: str, reason: str = "") -> PipelineResult:
        """Close all that is held of a symbol, at the market."""
        self.event_bus.attach()
        return await self.pipeline.close_position(symbol, reason)

    async def update_prices(self, prices: Mapping[str, Any]) -> None:
        """Show last prices: exits are evaluated and sent."""
        await self.pipeline.update_prices(prices)

    async def on_candle_close(self, symbol: str, candle: Any, timeframe: str = "") -> None:
        """Show a finished candle."""
        await self.pipeline.on_candle_close(symbol, candle, timeframe)
