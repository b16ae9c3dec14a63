"""Door 3's exchange: the account seen through the core, its errors, and the factory that makes one of each."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest
from tests.intake.pipeline_driving import BTC, ETH, Rig, signal

from surefill.errors import ConfigError, SurefillError
from surefill.intake.pipeline import (
    ExchangeAdapter,
    ExchangeError,
    ExchangeFactory,
    InsufficientBalanceError,
    InvalidOrderError,
    OrderNotFoundError,
    OrderState,
    RateLimitError,
    WorkspaceExchange,
)

FIGURES: dict[str, Any] = {"signal_strength": 0.8, "confluence_score": 4.0, "stop_loss": 98.5, "take_profit": 104.0}


def test_exchange_adapter_has_the_contracts_operations() -> None:
    operations = {"place_order", "cancel_order", "get_order", "get_balance", "get_positions", "get_ticker"}
    assert operations | {"get_symbol_info"} <= ExchangeAdapter.__abstractmethods__
    assert all(inspect.iscoroutinefunction(getattr(WorkspaceExchange, name)) for name in operations)


@pytest.mark.parametrize("kind", [RateLimitError, InsufficientBalanceError, OrderNotFoundError, InvalidOrderError])
def test_exchange_errors_are_the_contracts_tree(kind: type[ExchangeError]) -> None:
    assert issubclass(kind, ExchangeError)
    assert issubclass(ExchangeError, SurefillError)
    assert kind("why").code not in ("", ExchangeError.code)


def test_rate_limit_error_says_how_long_to_wait() -> None:
    assert RateLimitError("too many", retry_after=2.5).retry_after == 2.5
    assert RateLimitError("too many").retry_after is None


def test_exchange_looks_at_the_account_and_the_market() -> None:
    rig = Rig(instruments={BTC: {"tick": 0.01, "lot": 0.001, "price_decimals": 2, "qty_decimals": 3}})
    exchange = rig.engine.exchange

    async def story(rig: Rig) -> None:
        with pytest.raises(ExchangeError, match="no price of BTC/USDT"):
            await exchange.get_ticker(BTC)
        await rig.send(signal())
        await rig.price(101.0)
        ticker = await exchange.get_ticker(BTC)
        assert (ticker.symbol, ticker.last, ticker.bid, ticker.ask) == (BTC, 101.0, None, None)
        balance = await exchange.get_balance("USDT")
        assert (balance.currency, balance.free, balance.total) == ("USDT", 9_800.0, 10_002.0)
        (position,) = await exchange.get_positions()
        assert (position.symbol, position.side, position.quantity, position.entry_price) == (BTC, "LONG", 2.0, 100.0)
        assert position.unrealized_pnl == 2.0
        assert await exchange.get_positions(ETH) == []
        info = await exchange.get_symbol_info(BTC)
        assert (info.tick_size, info.lot_size, info.price_precision, info.quantity_precision) == (0.01, 0.001, 2, 3)
        with pytest.raises(ExchangeError, match="counts in USDT"):
            await exchange.get_balance("EUR")
        with pytest.raises(InvalidOrderError, match="not written like"):
            await exchange.get_symbol_info("BTC")

    rig.run(story)


def test_exchange_places_orders_through_the_gates_and_the_journal() -> None:
    rig = Rig()
    exchange = rig.engine.exchange

    async def story(rig: Rig) -> None:
        await rig.price(100.0)
        await exchange.get_symbol_info(BTC)
        await rig.price(100.0)
        order = await exchange.place_order(BTC, "buy", "market", 1.5, client_order_id="mine", **FIGURES)
        assert (order.state, order.filled_quantity, order.average_fill_price) == (OrderState.FILLED, 1.5, 100.0)
        assert await exchange.get_order(order.client_order_id) == order
        assert await exchange.get_order(order.exchange_order_id, BTC) == order
        again = await exchange.place_order(BTC, "buy", "market", 1.5, client_order_id="mine", **FIGURES)
        assert again == order
        closed = await exchange.place_order(BTC, "sell", "market", 0.5, reduce_only=True)
        assert (closed.reduce_only, closed.filled_quantity) == (True, 0.5)
        with pytest.raises(InvalidOrderError, match="ask for less"):
            await exchange.place_order(BTC, "sell", "market", 1.5, reduce_only=True)

    rig.run(story)


REFUSED: list[tuple[dict[str, Any], type[ExchangeError], str]] = [
    ({"confluence_score": None}, InvalidOrderError, "FIGURE_MISSING"),
    ({"confluence_score": 1.0}, InvalidOrderError, "CONFLUENCE_TOO_LOW"),
    ({"stop_loss": 90.0, "take_profit": 150.0}, InvalidOrderError, "STOP_TOO_FAR"),
    ({"quantity": 0}, InvalidOrderError, "INVALID_QUANTITY"),
    ({"quantity": -1}, InvalidOrderError, "NEGATIVE"),
    ({"side": "hold"}, InvalidOrderError, "INVALID_INPUT"),
    ({"order_type": "iceberg"}, InvalidOrderError, "INVALID_INPUT"),
    ({"order_type": "limit"}, InvalidOrderError, "PRICE_REQUIRED"),
    ({"symbol": "BTC"}, InvalidOrderError, "UNKNOWN_SYMBOL"),
    ({"quantity": 101}, InsufficientBalanceError, "INSUFFICIENT_CASH"),
]


@pytest.mark.parametrize(("changes", "kind", "code"), REFUSED)
def test_exchange_order_that_is_refused_raises_the_contracts_error(
    changes: dict[str, Any], kind: type[ExchangeError], code: str
) -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        await rig.engine.exchange.get_symbol_info(BTC)
        await rig.price(100.0)
        terms = {"symbol": BTC, "side": "BUY", "order_type": "MARKET", "quantity": 1, **FIGURES, **changes}
        with pytest.raises(kind) as raised:
            await rig.engine.exchange.place_order(**terms)
        assert raised.value.code == code

    rig.run(story)


def test_exchange_cancels_what_works_and_leaves_what_is_over() -> None:
    rig = Rig()
    exchange = rig.engine.exchange

    async def story(rig: Rig) -> None:
        await exchange.get_symbol_info(BTC)
        await rig.price(100.0)
        order = await exchange.place_order(BTC, "BUY", "LIMIT", 1, 99.0, **{**FIGURES, "stop_loss": 97.5})
        assert (order.state, order.price) == (OrderState.ACTIVE, 99.0)
        assert (await exchange.cancel_order(order.exchange_order_id)).state is OrderState.CANCELLED
        assert (await exchange.cancel_order(order.client_order_id)).state is OrderState.CANCELLED
        for call in (exchange.cancel_order, exchange.get_order):
            with pytest.raises(OrderNotFoundError, match="there is no order 'nobody'"):
                await call("nobody")
            with pytest.raises(OrderNotFoundError, match="of ETH/USDT"):
                await call(order.client_order_id, ETH)

    rig.run(story)


# -- the factory --------------------------------------------------------------------------------------------------


class Made(WorkspaceExchange):
    """An exchange that only remembers whether it was closed."""

    def __init__(self, config: Any, market_type: str, testnet: bool) -> None:
        self.config, self.market_type, self.testnet = config, market_type, testnet
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1
        if self.config == "fails":
            raise ConnectionError("the line is dead")


def test_factory_makes_one_exchange_for_each_name_market_type_and_testnet() -> None:
    async def story() -> None:
        factory = ExchangeFactory({"Mine": "configured"})
        factory.register("mine", Made)
        first = await factory.create("mine")
        assert await factory.create("MINE", "spot", False) is first
        others = [await factory.create("mine", "futures"), await factory.create("mine", testnet=True)]
        assert len({id(exchange) for exchange in (first, *others)}) == 3
        assert isinstance(first, Made)
        assert (first.config, first.market_type, first.testnet) == ("configured", "spot", False)
        together = await asyncio.gather(*(factory.create("mine", "margin") for _ in range(3)))
        assert len({id(exchange) for exchange in together}) == 1

    asyncio.run(story())


def test_factory_closes_all_even_when_one_fails_and_makes_new_ones_then() -> None:
    async def story() -> None:
        factory = ExchangeFactory()
        factory.register("mine", Made)
        failing = await factory.create("mine", config="fails")
        other = await factory.create("mine", "futures")
        await factory.close_all()
        assert isinstance(failing, Made)
        assert isinstance(other, Made)
        assert (failing.closed, other.closed) == (1, 1)
        await factory.close_all()
        assert other.closed == 1
        assert await factory.create("mine", "futures") is not other

    asyncio.run(story())


def test_factory_makes_the_paper_exchange_from_its_configuration(tmp_path: Path) -> None:
    async def story() -> None:
        factory = ExchangeFactory({"paper": {"journal": {"path": ":memory:"}, "workspace": {"starting_equity": 500}}})
        exchange = await factory.create("paper", testnet=True)
        assert (exchange.name, exchange.market_type, exchange.testnet) == ("paper", "spot", True)
        assert (await exchange.get_balance()).free == 500.0
        assert await factory.create("paper", testnet=True) is exchange
        await factory.close_all()
        with pytest.raises(SurefillError):
            await exchange.get_balance()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("name", "market_type", "testnet", "config", "words"),
    [
        ("mtgox", "spot", False, {}, "'mtgox' is not a known exchange"),
        ("okx", "future", False, {}, "the market 'future' of okx is not there"),
        ("binance", "margin", False, {}, "the market 'margin' of binance is not there"),
        ("binance", "spot", False, {}, "binance needs api_key, api_secret"),
        ("binance", "future", False, {}, "binanceusdm needs api_key, api_secret"),
        ("bybit", "swap", True, {}, "bybit needs api_key, api_secret"),
        ("binance", "spot", False, {"workspace": {"venue": "bybit"}}, "leave that out, or make it binance"),
        ("binance", "spot", False, {"workspace": {"mode": "paper"}}, "a workspace at binance is dry_run or live"),
        ("binance", "spot", False, {"workspace": {"mode": "live"}}, "sends real orders to binance"),
        ("binance", "spot", False, {"venues": {"crypto": {"sandbox": True}}}, "say testnet=True"),
    ],
)
def test_factory_makes_no_exchange_that_is_not_meant(
    name: str, market_type: str, testnet: bool, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        asyncio.run(ExchangeFactory().create(name, market_type, testnet, config))
    assert words in str(raised.value)
