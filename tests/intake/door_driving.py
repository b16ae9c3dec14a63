"""Doors 1 and 2 on a clock and a market that the test moves, with a journal in memory and no files unless asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from surefill.domain.events import Event
from surefill.engine.clock import VirtualClock
from surefill.intake.orders import ExecutionEngineV2, OrderIntent
from surefill.intake.orders import ExecutionResult as OrderResult
from surefill.intake.signals import ExecutionContext, ExecutionEngineV3, ExecutionResult
from surefill.journal.protocol import Journal
from surefill.units import NS_PER_S, ns_from_datetime
from surefill.views.positions import PositionRow

SYMBOL = "NIFTY24DECFUT"
START = datetime(2025, 11, 19, 9, 20, tzinfo=UTC)  # 14:50 in Mumbai: the market is open
NOTHING = object()


class Market:
    """A feed with a last price for every symbol, and bid and ask if they are set."""

    def __init__(self, px: Any = 19_500.0) -> None:
        self.px = px
        self.bid: Any = None
        self.ask: Any = None
        self.timestamp: Any = None

    def get_ltp(self, _symbol: str) -> Any:
        if isinstance(self.px, Exception):
            raise self.px
        return self.px

    def get_quote(self, _symbol: str) -> Mapping[str, Any]:
        return {"bid": self.bid, "ask": self.ask, "timestamp": self.timestamp}


class Heard:
    """A store that writes down what it is told."""

    def __init__(self) -> None:
        self.checkpoints: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        self.checkpoints.append(state)

    def record_order(self, **row: Any) -> None:
        self.rows.append(row)

    def append_orders(self, rows: list[dict[str, Any]]) -> None:
        self.rows += rows


def config_of(settings: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    config = {"journal": {"path": ":memory:"}, **settings}
    if folder is not None:
        config |= {"journal": {"path": str(folder / "journal")}, "artifacts": {"dir": str(folder / "artifacts")}}
    return config


class Signals:
    """Door 1. Keyword settings are sections of the configuration."""

    def __init__(
        self, px: Any = 19_500.0, *, folder: Path | None = None, journal: Journal | None = None, **settings: Any
    ) -> None:
        self.clock = VirtualClock(ns_from_datetime(START))
        self.market = Market(px)
        self.heard = Heard()
        config = config_of(settings, folder)
        self.engine = ExecutionEngineV3(config, self.heard, self.heard, self.market, clock=self.clock, journal=journal)

    def __enter__(self) -> Signals:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def tick(self, seconds: float = 1) -> None:
        self.clock.advance_to(self.clock.now_ns() + round(seconds * NS_PER_S))

    def context(self, symbol: str = SYMBOL, **terms: Any) -> ExecutionContext:
        given = {"logical_symbol": "NIFTY", "product": "MIS", "strategy_id": "EMA_20_50", "mode": "paper"}
        return ExecutionContext(**{"symbol": symbol, "timestamp": START, "timeframe": "5m", **given, **terms})

    def maybe(self, signal: Any, symbol: str = SYMBOL, **terms: Any) -> ExecutionResult | None:
        self.tick()
        return self.engine.process_signal(symbol, signal, self.context(**{"symbol": symbol, **terms}))

    def send(self, signal: Any, symbol: str = SYMBOL, **terms: Any) -> ExecutionResult:
        result = self.maybe(signal, symbol, **terms)
        assert result is not None
        return result

    def price(self, px: Any, symbol: str = SYMBOL) -> None:
        """The market moves, and the engine is shown it."""
        self.market.px = px
        self.tick()
        self.engine.update_positions({symbol: px})

    def candle(self, open_: float, high: float, low: float, close: float, seconds: float = 300, **more: Any) -> None:
        start = datetime.fromtimestamp(self.clock.now_ns() // NS_PER_S, UTC)
        self.tick(seconds)
        self.engine.on_candle_close(
            SYMBOL, {"start": start, "open": open_, "high": high, "low": low, "close": close, **more}
        )

    def position(self, symbol: str = SYMBOL) -> PositionRow:
        return self.engine.positions()[symbol]

    def events(self) -> list[Event]:
        return list(self.engine.journal_events())

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events()]


class Orders:
    """Door 2. Keyword settings are sections of the configuration."""

    def __init__(
        self, px: Any = 19_500.0, *, folder: Path | None = None, journal: Journal | None = None, **settings: Any
    ) -> None:
        self.clock = VirtualClock(ns_from_datetime(START))
        self.market = Market(px)
        self.heard = Heard()
        config = config_of(settings, folder)
        self.engine = ExecutionEngineV2(config, self.heard, self.heard, self.market, clock=self.clock, journal=journal)

    def __enter__(self) -> Orders:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def send(self, side: Any = "BUY", qty: Any = 1, **terms: Any) -> OrderResult:
        self.clock.advance_to(self.clock.now_ns() + NS_PER_S)
        given = {"symbol": SYMBOL, "strategy_code": "EMA_20_50"}
        return self.engine.execute_intent(OrderIntent(**{**given, "side": side, "qty": qty, **terms}))

    def price(self, px: float) -> None:
        """The market moves, and the engine is shown it."""
        self.market.px = px
        self.clock.advance_to(self.clock.now_ns() + NS_PER_S)
        self.engine.update_positions({SYMBOL: px})
