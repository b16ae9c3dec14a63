"""A stream that is kept open, at a server that says what it likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection, serve

from surefill.venues.ccxt.settings import CcxtSettings
from surefill.venues.ccxt.stream import Stream


def streamed(
    says: tuple[str, ...], until: Callable[[list[ServerConnection], list[str]], bool], silence_s: float
) -> None:
    """Run a stream at a server that says this at each opening and then nothing more."""

    async def story() -> None:
        openings: list[ServerConnection] = []
        heard: list[str] = []

        async def speak(socket: ServerConnection) -> None:
            openings.append(socket)
            for text in says:
                await socket.send(text)
            await socket.wait_closed()

        async with serve(speak, "127.0.0.1", 0) as server:
            address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

            async def addressed() -> str:
                return address

            settings = CcxtSettings("binance", silence_s=silence_s, back_off_s=0.01)
            stream = Stream("test stream", settings, addressed, heard.append)
            await stream.start()
            async with asyncio.timeout(20):
                while not until(openings, heard):
                    await asyncio.sleep(0.005)
            await stream.close()
        assert all("Sec-WebSocket-Extensions" not in each.request.headers for each in openings if each.request)

    asyncio.run(story())


def test_stream_that_falls_silent_is_opened_again() -> None:
    streamed((), lambda openings, _: len(openings) > 2, 0.05)


def test_stream_that_falls_silent_after_messages_is_opened_again_and_told_anew() -> None:
    streamed(("one", "two"), lambda _, heard: heard[:4] == ["one", "two", "one", "two"], 0.05)


def test_stream_takes_every_message_of_one_opening_in_order() -> None:
    says = tuple(map(str, range(500)))
    streamed(says, lambda openings, heard: tuple(heard) == says and len(openings) == 1, 600.0)
