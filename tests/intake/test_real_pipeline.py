"""Door 3 at real venues: every row of its contract that speaks of an exchange, at an emulated Binance."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.intake.real_grounds import BinanceGround

from surefill.intake.pipeline import (
    BinanceCCXTAdapter,
    EventBus,
    ExchangeError,
    ExchangeFactory,
    ExecutionEngine,
    InsufficientBalanceError,
    InvalidOrderError,
    OrderCancelled,
    OrderFailed,
    OrderFilled,
    OrderNotFoundError,
    OrderPlaced,
    OrderState,
    PipelineResult,
    PositionClosed,
    RateLimitError,
    SystemError,
    TradingSignalGenerated,
)
from surefill.intake.pipeline.events import PipelineEvent
from surefill.intake.pipeline.exchange import ExchangeAdapter
from surefill.intake.real_venue import RealVenue
from surefill.testing.emulators.thread import EmulatorThread
from surefill.testing.remote_venue.faults import Fault

T = TypeVar("T")
QUICK = {"base_delay": 0.02, "max_delay": 0.05, "poll_interval": 0.05, "max_wait_time": 5}
#: What the gates of this door ask of an entry.
LEVELS: dict[str, Any] = {
    "stop_loss": 58_850.0,
    "take_profit": 62_000.0,
    "signal_strength": 1.0,
    "confluence_score": 5.0,
}
MARKETS = {"binance": "spot", "binanceusdm": "future"}


@pytest.fixture(params=["binance", "binanceusdm"])
def ground(request: pytest.FixtureRequest, binance: EmulatorThread) -> BinanceGround:
    return BinanceGround(binance, request.param)


SPOT = pytest.mark.parametrize("ground", ["binance"], indirect=True)


class Rig:
    """An engine on its bus, at the venue; `heard` are all events in order."""

    def __init__(self, ground: BinanceGround, folder: Path, mode: str = "live", **pipeline: Any) -> None:
        self.ground, self.heard = ground, list[PipelineEvent]()
        self.bus = EventBus()
        venue = ground.real() if mode == "live" else RealVenue(market=ground.adapter())
        config = ground.config(folder, mode, pipeline={**QUICK, **pipeline})
        self.engine = ExecutionEngine(self.bus, config=config, venue=venue)
        self.bus.subscribe(PipelineEvent, self._hear)

    async def _hear(self, event: PipelineEvent) -> None:
        self.heard.append(event)

    def run(self, story: Callable[[Rig], Awaitable[T]]) -> T:
        async def life() -> T:
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

    def signal(self, **terms: Any) -> TradingSignalGenerated:
        ground = self.ground
        given: dict[str, Any] = {
            "side": "BUY",
            "signal_strength": 0.8,
            "confluence_score": 4.0,
            "entry_price": 60_000.0,
            "stop_loss": 59_400.0,
            "take_profit": 61_200.0,
            "exchange": "binance",
            "market_type": MARKETS[ground.name],
        }
        return TradingSignalGenerated(**{"symbol": ground.symbol, **given, **terms})

    async def send(self, **terms: Any) -> PipelineResult:
        result = await self.engine.on_trading_signal(self.signal(**terms))
        assert result is not None, self.bus.errors
        return result

    async def price(self, px: float, qty: float = -1) -> None:
        await asyncio.to_thread(self.ground.price, px, qty)

    async def until(self, kind: type[T], within_s: float = 10.0) -> T:
        """The first event of that kind, once it has been told."""
        end = time.monotonic() + within_s
        while not self.of(kind):
            assert time.monotonic() < end, f"no {kind.__name__} within {within_s} s: {self.heard}"
            await asyncio.sleep(0.01)
        return self.of(kind)[0]

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.heard if isinstance(event, kind)]


def test_signal_is_sized_by_the_balance_that_is_there_and_filled_once(ground: BinanceGround, tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        result = await rig.send()
        assert (result.success, result.state, result.error_code) == (True, OrderState.FILLED, "")
        assert result.average_price == 60_000
        assert 0.033 <= result.quantity <= 0.0334  # 2 % of 100000 USDT
        assert result.exchange_order_id
        await rig.until(OrderFilled)
        assert rig.of(OrderPlaced)[0].quantity == result.quantity

    rig = Rig(ground, tmp_path)
    rig.run(story)
    assert list(ground.sent().values()) == [1]
    fills = rig.of(OrderFilled)
    assert fills[0].commission > 0


@pytest.mark.parametrize(("reached", "reason"), [(59_300, "stop"), (61_300, "target")])
def test_position_is_left_when_the_venues_price_reaches_its_exit(
    ground: BinanceGround, tmp_path: Path, reached: int, reason: str
) -> None:
    async def story(rig: Rig) -> None:
        await rig.send()
        await rig.price(reached)
        closed = await rig.until(PositionClosed)
        assert closed.exit_reason == reason
        assert (closed.realized_pnl > 0) == (reason == "target")

    Rig(ground, tmp_path).run(story)
    assert sorted(ground.sent().values()) == [1, 1]


def test_signal_that_the_exchange_refuses_fails_and_is_not_retried(ground: BinanceGround, tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        ground.refuse_next()
        result = await rig.send()
        assert (result.success, result.state, result.failed_handler) == (
            False,
            OrderState.REJECTED,
            "OrderExecutorHandler",
        )
        failed = await rig.until(OrderFailed)
        assert (failed.retry_count, failed.is_retriable) == (0, False)
        assert failed.error_code == result.error_code != ""

    Rig(ground, tmp_path).run(story)
    assert ground.sent() == {}


def test_signal_that_was_throttled_is_sent_again_under_the_same_id(ground: BinanceGround, tmp_path: Path) -> None:
    """Proof that it did not arrive is the only reason to send again."""

    async def story(rig: Rig) -> None:
        ground.arm(Fault.THROTTLED, op="submit")
        result = await rig.send()
        assert (result.success, result.state, result.retry_count) == (True, OrderState.FILLED, 1)

    Rig(ground, tmp_path).run(story)
    assert list(ground.sent().values()) == [1]


@SPOT
def test_signal_throttled_for_good_fails_after_its_retries_and_may_come_anew(
    ground: BinanceGround, tmp_path: Path
) -> None:
    async def story(rig: Rig) -> None:
        ground.arm(Fault.THROTTLED, 3, op="submit")
        result = await rig.send()
        assert (result.success, result.state, result.retry_count) == (False, OrderState.FAILED, 2)
        assert (await rig.until(OrderFailed)).is_retriable

    Rig(ground, tmp_path, max_retries=2).run(story)
    assert ground.sent() == {}


@SPOT
def test_signal_whose_answer_never_comes_is_submitted_until_there_is_evidence(
    ground: BinanceGround, tmp_path: Path
) -> None:
    async def story(rig: Rig) -> None:
        await rig.engine.exchange.get_ticker(ground.symbol)
        ground.arm(Fault.LOSE_ANSWER, op="submit")
        ground.blind()
        ground.arm(Fault.QUERY_ERROR, 100)
        result = await rig.send()
        assert (result.success, result.state, result.error_code) == (True, OrderState.SUBMITTED, "OUTCOME_UNKNOWN")
        assert (await rig.until(SystemError)).error_type == "OUTCOME_UNKNOWN"
        assert not rig.of(OrderFilled)
        ground.binance.heal()
        filled = await rig.until(OrderFilled)
        assert filled.client_order_id == result.client_order_id

    Rig(ground, tmp_path, max_wait_time=0.3).run(story)
    assert list(ground.sent().values()) == [1]


@SPOT
def test_order_that_cannot_fill_is_cancelled_when_its_time_is_up(ground: BinanceGround, tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        exchange = rig.engine.exchange
        order = await exchange.place_order(ground.symbol, "BUY", "LIMIT", 0.01, 59_000.0, **LEVELS)
        assert not order.state.is_final
        cancelled = await rig.until(OrderCancelled)
        assert cancelled.client_order_id == order.client_order_id
        assert (await exchange.get_order(order.client_order_id)).state is OrderState.CANCELLED

    Rig(ground, tmp_path, max_wait_time=0.3).run(story)


@SPOT
def test_order_filled_in_part_is_flagged_and_what_filled_is_booked(ground: BinanceGround, tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        await rig.price(60_000, 0.01)
        result = await rig.send()
        assert (result.success, result.is_partial, result.filled_quantity) == (True, True, 0.01)
        (held,) = await rig.engine.exchange.get_positions()
        assert held.quantity == pytest.approx(0.01, rel=0.01)

    Rig(ground, tmp_path, max_wait_time=0.5).run(story)


ELSEWHERE: list[tuple[dict[str, str], str]] = [
    ({"exchange": "bybit"}, "the signal is for bybit, this workspace trades at binance"),
    ({"market_type": "margin"}, "the signal is for the market margin, this workspace trades at binance"),
    ({"symbol": "ETH/BTC"}, "counts in BTC, this workspace in USDT"),
    ({"symbol": "NOBODY/USDT"}, "NOBODY/USDT is not traded at"),
]


def test_signal_that_is_not_for_this_account_is_refused_and_nothing_is_sent(
    ground: BinanceGround, tmp_path: Path
) -> None:
    async def story(rig: Rig) -> None:
        for terms, words in ELSEWHERE:
            result = await rig.send(**terms)
            assert (result.success, result.failed_handler) == (False, "ValidationHandler")
            assert words in result.error_message

    Rig(ground, tmp_path).run(story)
    assert ground.sent() == {}


def test_dry_run_fills_at_the_venues_prices_and_sends_nothing(ground: BinanceGround, tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        result = await rig.send()
        assert (result.success, result.state, result.average_price) == (True, OrderState.FILLED, 60_000)
        await rig.price(59_300)
        assert (await rig.until(PositionClosed)).exit_reason == "stop"

    Rig(ground, tmp_path, "dry_run").run(story)
    assert ground.sent() == {}


@SPOT
def test_ids_of_orders_never_come_again_after_a_restart(ground: BinanceGround, tmp_path: Path) -> None:
    async def story(rig: Rig) -> str:
        await rig.engine.close_position(ground.symbol)
        result = await rig.send(intent_id="")
        return result.client_order_id

    ids = [Rig(ground, tmp_path).run(story) for _ in range(2)]
    assert len(set(ids)) == 2
    assert all(count == 1 for count in ground.sent().values())


# -- the exchange, made by the factory ----------------------------------------------------------------------------


def _made(ground: BinanceGround, folder: Path, mode: str, story: Callable[[ExchangeAdapter], Awaitable[T]]) -> T:
    """A story with the exchange that the factory makes of configuration alone: the adapter with its keys as well."""
    config = ground.config(folder, mode)
    del config["workspace"]["venue"]

    async def life() -> T:
        factory = ExchangeFactory({"binance": config}, venue=RealVenue(real_money=True, without_alerts=True))
        try:
            exchange = await factory.create("Binance", MARKETS[ground.name], testnet=True)
            assert exchange is await factory.create("binance", MARKETS[ground.name], testnet=True)
            return await story(exchange)
        finally:
            await factory.close_all()

    return asyncio.run(life())


def test_factory_makes_the_exchange_of_the_configuration_and_it_trades(ground: BinanceGround, tmp_path: Path) -> None:
    async def story(exchange: ExchangeAdapter) -> None:
        assert isinstance(exchange, BinanceCCXTAdapter)
        assert exchange.pipeline.settings.venues.crypto.sandbox
        assert (exchange.name, exchange.market_type, exchange.testnet) == ("binance", MARKETS[ground.name], True)
        assert (await exchange.get_balance()).free == 100_000
        info = await exchange.get_symbol_info(ground.symbol)
        assert (info.currency, info.lot_size) == ("USDT", 0.00001 if ground.name == "binance" else 0.001)
        assert (await exchange.get_ticker(ground.symbol)).bid == 60_000
        order = await exchange.place_order(ground.symbol, "BUY", "MARKET", 0.01, client_order_id="mine", **LEVELS)
        again = await exchange.place_order(ground.symbol, "BUY", "MARKET", 0.01, client_order_id="mine", **LEVELS)
        assert again.client_order_id == order.client_order_id
        assert (await exchange.get_order(order.exchange_order_id)).client_order_id == order.client_order_id
        async with asyncio.timeout(5):
            while not await exchange.get_positions(ground.symbol):
                await asyncio.sleep(0.01)
        with pytest.raises(OrderNotFoundError):
            await exchange.get_order("nobody's")
        with pytest.raises(InvalidOrderError):
            await exchange.place_order(ground.symbol, "BUY", "MARKET", 0.01)

    _made(ground, tmp_path, "live", story)
    assert list(ground.sent().values()) == [1]


def _poor(ground: BinanceGround) -> None:
    ground.binance.seed(account=ground.account, spot={"USDT": "1"}, usdm={"USDT": "1"})


def _throttling(ground: BinanceGround) -> None:
    ground.arm(Fault.THROTTLED, op="submit")


TROUBLES: list[tuple[Callable[[BinanceGround], None], type[ExchangeError]]] = [
    (_poor, InsufficientBalanceError),
    (_throttling, RateLimitError),
]


@pytest.mark.parametrize(("trouble", "error"), TROUBLES)
def test_exchange_order_that_the_venue_refuses_raises_the_contracts_error(
    ground: BinanceGround, tmp_path: Path, trouble: Callable[[BinanceGround], None], error: type[ExchangeError]
) -> None:
    async def story(rig: Rig) -> None:
        exchange = rig.engine.exchange
        await exchange.get_ticker(ground.symbol)
        trouble(ground)
        with pytest.raises(error):
            await exchange.place_order(ground.symbol, "BUY", "MARKET", 0.01, **LEVELS)

    Rig(ground, tmp_path, max_retries=0).run(story)
    assert ground.sent() == {}


def test_exchange_of_the_factory_is_a_dry_run_unless_it_is_told_otherwise(
    ground: BinanceGround, tmp_path: Path
) -> None:
    async def story(exchange: ExchangeAdapter) -> None:
        order = await exchange.place_order(ground.symbol, "BUY", "MARKET", 0.01, **LEVELS)
        assert (order.state, order.average_fill_price) == (OrderState.FILLED, 60_000)

    _made(ground, tmp_path, "dry_run", story)
    assert ground.sent() == {}
