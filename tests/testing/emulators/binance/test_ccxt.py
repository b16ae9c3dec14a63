"""The real ccxt client trades at the emulated Binance."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt
import pytest
from tests.testing.emulators.binance.clients import SPOT, SWAP, talk

from surefill.testing.emulators import EmulatorProcess


async def _watched(venue: EmulatorProcess, client: Any, channel: str) -> Any:
    """Begin to watch orders; it is heard from the moment this returns."""
    watching = asyncio.ensure_future(client.watch_orders())
    for _ in range(500):
        if await asyncio.to_thread(venue.control, "listeners", channel=channel):
            return watching
        await asyncio.sleep(0.01)
    raise AssertionError(f"nobody listens to {channel}")


def test_spot_order_lives_from_market_data_to_its_trades(venue: EmulatorProcess) -> None:
    async def say(client: Any) -> None:
        assert (await client.fetch_bids_asks([SPOT]))[SPOT]["ask"] == 50000
        watching = await _watched(venue, client, "spot account main")
        bought = await client.create_order(SPOT, "market", "buy", 0.01, None, {"newClientOrderId": "one"})
        assert (bought["status"], bought["filled"], bought["average"]) == ("closed", 0.01, 50000)
        (told,) = await watching
        assert (told["clientOrderId"], told["status"]) == ("one", "closed")
        (trade,) = await client.fetch_my_trades(SPOT)
        assert (trade["order"], trade["fee"]) == (bought["id"], {"currency": "BTC", "cost": 0.00001})
        resting = await client.create_order(SPOT, "limit", "buy", 0.01, 40000, {"newClientOrderId": "two"})
        assert (await client.fetch_balance())["USDT"] == {"free": 99100, "used": 400, "total": 99500}
        assert [each["id"] for each in await client.fetch_open_orders(SPOT)] == [resting["id"]]
        assert (await client.cancel_order(resting["id"], SPOT))["status"] == "canceled"
        found = await client.fetch_order(None, SPOT, {"origClientOrderId": "two"})
        assert (found["id"], found["status"]) == (resting["id"], "canceled")
        with pytest.raises(ccxt.OrderNotFound):
            await client.fetch_order(None, SPOT, {"origClientOrderId": "never"})

    talk(venue, "binance", say)


def test_spot_edit_replaces_the_order(venue: EmulatorProcess) -> None:
    async def say(client: Any) -> None:
        first = await client.create_order(SPOT, "limit", "buy", 0.01, 40000)
        second = await client.edit_order(first["id"], SPOT, "limit", "buy", 0.02, 41000)
        assert [each["id"] for each in await client.fetch_open_orders(SPOT)] == [second["id"]]

    talk(venue, "binance", say)


def test_futures_position_is_opened_protected_and_stopped_out(venue: EmulatorProcess) -> None:
    async def say(client: Any) -> None:
        watching = await _watched(venue, client, "usdm account main")
        await client.create_order(SWAP, "market", "buy", 0.01, None, {"newClientOrderId": "in"})
        assert [each["clientOrderId"] for each in await watching] == ["in"]
        stop = await client.create_order(
            SWAP, "market", "sell", 0.01, None, {"stopLossPrice": 45000, "reduceOnly": True}
        )
        assert stop["status"] == "open"
        assert [each["id"] for each in await client.fetch_open_orders(SWAP, None, None, {"trigger": True})] == [
            stop["id"]
        ]
        (position,) = await client.fetch_positions([SWAP])
        assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.01, 50000)
        await asyncio.to_thread(venue.price, "BTCUSDT", 44000)
        assert await client.fetch_positions([SWAP]) == []
        done = await client.fetch_order(stop["id"], SWAP, {"trigger": True})
        assert done["info"]["algoStatus"] == "FINISHED"
        assert [each["side"] for each in await client.fetch_my_trades(SWAP)] == ["buy", "sell"]
        assert (await client.fetch_balance())["USDT"]["total"] == pytest.approx(99939.53)

    talk(venue, "binanceusdm", say)
    assert venue.truth().positions == []


def test_futures_hedge_mode_keeps_long_and_short_apart(venue: EmulatorProcess) -> None:
    async def say(client: Any) -> None:
        await client.set_position_mode(True)
        with pytest.raises(ccxt.ExchangeError, match="-4059"):
            await client.set_position_mode(True)
        await client.create_order(SWAP, "market", "buy", 0.02, None, {"positionSide": "LONG"})
        await client.create_order(SWAP, "market", "sell", 0.01, None, {"positionSide": "SHORT"})
        found = {each["side"]: each["contracts"] for each in await client.fetch_positions([SWAP])}
        assert found == {"long": 0.02, "short": 0.01}

    talk(venue, "binanceusdm", say)


@pytest.mark.parametrize(("kind", "symbol"), [("binance", SPOT), ("binanceusdm", SWAP)])
def test_quotes_are_streamed(venue: EmulatorProcess, kind: str, symbol: str) -> None:
    async def say(client: Any) -> None:
        market = "spot" if kind == "binance" else "usdm"
        watching = asyncio.ensure_future(client.watch_bids_asks([symbol]))
        for _ in range(500):
            if await asyncio.to_thread(venue.control, "listeners", channel=f"{market} btcusdt@bookticker"):
                break
            await asyncio.sleep(0.01)
        await asyncio.to_thread(venue.price, "BTCUSDT", None, bid=50001, ask=50002)
        quote = (await watching)[symbol]
        assert (quote["bid"], quote["ask"]) == (50001, 50002)

    talk(venue, kind, say)
