"""Door 3 on a clock and a market that the test moves, with a journal in memory unless one is given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from surefill.domain.events import Event
from surefill.engine.clock import VirtualClock
from surefill.intake.pipeline import EventBus, ExecutionEngine, ExecutionHandler, PipelineResult, TradingSignalGenerated
from surefill.intake.pipeline.events import PipelineEvent
from surefill.journal.protocol import Journal
from surefill.units import NS_PER_S, ns_from_datetime
from surefill.venues.protocol import Venue

BTC = "BTC/USDT"
ETH = "ETH/USDT"
START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
T = TypeVar("T")


def signal(symbol: str = BTC, **changes: Any) -> TradingSignalGenerated:
    """A sound purchase at 100 with a stop at 98.5 and a target at 104; 2 % of 10000 USDT buy 2."""
    given: dict[str, Any] = {
        "side": "BUY",
        "signal_strength": 0.8,
        "confluence_score": 4.0,
        "entry_price": 100.0,
        "stop_loss": 98.5,
        "take_profit": 104.0,
    }
    return TradingSignalGenerated(**{"symbol": symbol, **given, **changes})


def sale(symbol: str = BTC, **changes: Any) -> TradingSignalGenerated:
    """The mirror of `signal`."""
    return signal(symbol, **{"side": "SELL", "stop_loss": 101.5, "take_profit": 96.0, **changes})


class Feed:
    """Prices that the test sets; sizes only where it says so."""

    def __init__(self, px: Any = 100.0, **quote: Any) -> None:
        self.px = px
        self.quote = quote

    def get_ltp(self, _symbol: str) -> Any:
        return self.px

    def get_quote(self, _symbol: str) -> Mapping[str, Any]:
        return self.quote


class Rig:
    """An engine on its bus. `heard` are all events in order. Keyword settings are sections of the configuration."""

    def __init__(
        self,
        *,
        handlers: Sequence[ExecutionHandler] | None = None,
        market_data: Any = None,
        venue: Venue | None = None,
        journal: Journal | None = None,
        folder: Path | None = None,
        live: bool = False,
        **settings: Any,
    ) -> None:
        self.clock = VirtualClock(ns_from_datetime(START))
        self.bus = EventBus()
        self.heard: list[PipelineEvent] = []
        self._news: asyncio.Event | None = None
        config = {"journal": {"path": ":memory:"}, **settings}
        if folder is not None:
            config |= {"journal": {"path": str(folder / "journal")}, "artifacts": {"dir": str(folder / "artifacts")}}
        self.engine = ExecutionEngine(
            self.bus,
            config=config,
            handlers=handlers,
            market_data=market_data,
            venue=venue,
            clock=None if live else self.clock,
            journal=journal,
        )
        self.bus.subscribe(PipelineEvent, self._hear)

    async def _hear(self, event: PipelineEvent) -> None:
        self.heard.append(event)
        if self._news is not None:
            self._news.set()

    def run(self, story: Callable[[Rig], Awaitable[T]]) -> T:
        """Tell a story on a loop, and close everything."""

        async def life() -> T:
            self._news = asyncio.Event()
            async with asyncio.timeout(20):
                self.bus.attach()
                told = await story(self)
                await self.bus.drain()
                return told

        try:
            return asyncio.run(life())
        finally:
            self.engine.close()
            self.bus.close()

    async def send(self, one: TradingSignalGenerated) -> PipelineResult:
        self.tick()
        result = await self.engine.on_trading_signal(one)
        assert result is not None, self.bus.errors
        await self.bus.drain()
        return result

    def tick(self, seconds: float = 1) -> None:
        self.clock.advance_to(self.clock.now_ns() + round(seconds * NS_PER_S))

    async def price(self, px: float, symbol: str = BTC) -> None:
        """The market moves, and the engine is shown it."""
        self.tick()
        await self.engine.update_prices({symbol: px})
        await self.bus.drain()

    async def wait(self, seconds: float) -> None:
        """Time passes, and the engine notices."""
        self.tick(seconds)
        await self.engine.pipeline.door.read(lambda _state: None)

    async def until(self, kind: type[PipelineEvent]) -> None:
        """Wait until such an event has been told."""
        assert self._news is not None
        while not self.of(kind):
            self._news.clear()
            await self._news.wait()

    def of(self, kind: type[T]) -> list[T]:
        """What was told of this kind."""
        return [event for event in self.heard if isinstance(event, kind)]

    def journal_events(self) -> list[Event]:
        """What the journal holds."""
        return list(self.engine.pipeline.door.door.events())


def one(result_of: TradingSignalGenerated, **settings: Any) -> tuple[PipelineResult, Rig]:
    """The result of one signal to a fresh engine."""
    rig = Rig(**settings)

    async def story(rig: Rig) -> PipelineResult:
        return await rig.send(result_of)

    return rig.run(story), rig
