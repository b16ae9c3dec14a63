"""The ticker on the emulated Kite: prices over reconnections, silence noticed, order updates as hints."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tests.venues.kite.hand import Kite
from tests.venues.kite.rig import INFY, INFY_TOKEN, PX, kite, settings_for

from surefill.domain.instrument import Instrument, Terms
from surefill.domain.market import Quote
from surefill.errors import InputError
from surefill.secret import Secret
from surefill.venues.kite import KiteVenue
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.kite.ticker import TOKENS_MAX, Ticker, pause_s

SHARE = Instrument(INFY, "INR", 2, 0, 100, (Terms(),))


@pytest.fixture
def emulated() -> Iterator[Kite]:
    with kite() as venue:
        yield venue


async def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not what():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


def ticking(emulated: Kite, story: Callable[[Ticker, list[Quote], list[str]], Awaitable[None]], **changes: Any) -> None:
    """Tell a story about a ticker that is subscribed to INFY."""

    async def run() -> None:
        hints: list[str] = []
        quotes: list[Quote] = []
        ticker = Ticker(settings_for(emulated, **changes), hints.append)
        await ticker.subscribe([(INFY_TOKEN, SHARE)], quotes.append)
        running = asyncio.create_task(ticker.run())
        try:
            await story(ticker, quotes, hints)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def test_prices_come_with_both_sides_and_the_exchanges_time(emulated: Kite) -> None:
    async def story(ticker: Ticker, quotes: list[Quote], hints: list[str]) -> None:
        await until(lambda: bool(quotes))
        emulated.price(INFY, 1501.05, bid=1501, ask=1501.1)
        await until(lambda: quotes[-1].last_px == 150_105)
        assert (quotes[-1].bid_px, quotes[-1].ask_px, quotes[-1].instrument_id) == (150_100, 150_110, INFY)
        assert abs(quotes[-1].ts_ns - time.time_ns()) < 5 * 10**9

    ticking(emulated, story)


def test_broken_connection_is_made_anew_and_asked_for_everything_again(emulated: Kite) -> None:
    async def story(ticker: Ticker, quotes: list[Quote], hints: list[str]) -> None:
        for px in (1502, 1503):
            await until(lambda: bool(quotes))
            assert emulated.do("disconnect") == 1
            quotes.clear()
            await until(lambda: bool(quotes))
            emulated.price(INFY, px)
            await until(lambda px=px: bool(quotes) and quotes[-1].last_px == px * 100)  # type: ignore[misc]
        assert ticker.connections >= 3
        assert hints.count("") >= 3  # what happened in between was told to nobody

    ticking(emulated, story)


def test_connection_that_falls_silent_is_given_up(emulated: Kite) -> None:
    emulated.rules(heartbeat_ms=60_000)

    async def story(ticker: Ticker, quotes: list[Quote], hints: list[str]) -> None:
        await until(lambda: ticker.connections >= 2)

    ticking(emulated, story, silence_s=0.05)


def test_connection_that_beats_is_kept(emulated: Kite) -> None:
    async def story(ticker: Ticker, quotes: list[Quote], hints: list[str]) -> None:
        await until(lambda: ticker.connections == 1)
        await asyncio.sleep(0.5)  # ten heartbeats, and longer than it may be silent
        assert ticker.connections == 1

    ticking(emulated, story, silence_s=0.3)


def test_order_update_is_a_hint_at_that_order(emulated: Kite) -> None:
    form = {
        "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": "3", "product": "CNC",
        "order_type": "LIMIT", "price": "1480",
    }  # fmt: skip

    async def story(ticker: Ticker, quotes: list[Quote], hints: list[str]) -> None:
        await until(lambda: bool(quotes))
        order_id = emulated.do("trade", form=form)["order_id"]
        await until(lambda: order_id in hints)

    ticking(emulated, story)


def test_ended_token_is_tried_again_until_there_is_a_new_one(emulated: Kite) -> None:
    async def story(ticker: Ticker, quotes: list[Quote], hints: list[str]) -> None:
        await until(lambda: bool(quotes))
        emulated.do("expire")
        emulated.do("disconnect")
        quotes.clear()
        await until(lambda: ticker._connection is None)
        ticker.renew(Secret(emulated.access_token()))
        await until(lambda: bool(quotes))

    ticking(emulated, story)


def test_token_is_in_no_log_of_ours(emulated: Kite, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens: list[str] = []

    async def story(ticker: Ticker, quotes: list[Quote], hints: list[str]) -> None:
        await until(lambda: bool(quotes))
        tokens.append(ticker._token.reveal())

    ticking(emulated, story)
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith("uvicorn")]  # the venue's own
    assert not any(tokens[0] in message for message in ours)


def test_subscription_of_the_venue_reaches_the_ticker(emulated: Kite) -> None:
    async def run() -> None:
        venue = KiteVenue(settings_for(emulated, ticker=True))
        quotes: list[Quote] = []
        try:
            await venue.connect(lambda _report: None)
            await venue.subscribe([INFY], quotes.append)
            await until(lambda: bool(quotes))
            assert quotes[-1].last_px == PX
            with pytest.raises(InputError):
                await venue.subscribe(["NSE:NOTHING"], quotes.append)
        finally:
            await venue.close()

    asyncio.run(run())


def test_more_instruments_than_a_connection_has_are_refused() -> None:
    async def run() -> None:
        ticker = Ticker(KiteSettings(api_key="k", access_token=Secret("t")), lambda _order_id: None)
        with pytest.raises(InputError):
            await ticker.subscribe(((token, SHARE) for token in range(TOKENS_MAX + 1)), lambda _quote: None)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("failures", "chance", "pause"),
    [(0, 0.0, 0.25), (0, 1.0, 0.5), (1, 1.0, 1.0), (3, 0.0, 2.0), (6, 1.0, 30.0), (10**6, 1.0, 30.0)],
)
def test_pause_doubles_up_to_a_bound_and_chance_takes_up_to_half(failures: int, chance: float, pause: float) -> None:
    assert pause_s(KiteSettings(api_key="k", access_token=Secret("t")), failures, chance) == pause
