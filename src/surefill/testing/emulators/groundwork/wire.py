"""The faults of a wire, around a venue's application: what is lost, late, garbled or refused on the way."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from surefill.testing.emulators.groundwork.desk import Answer, Desk, Emulator
from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault
from surefill.testing.remote_venue.faults import Fault

#: Where the connection's transport is found, so that it can be broken without a farewell.
TRANSPORT = "surefill.transport"
CONTROL = "/_control"

# Instead of an answer: the request is not done. After it: it is done, and this is said.
_INSTEAD: tuple[AnyFault, ...] = (Fault.THROTTLED, WireFault.BANNED, WireFault.OVERLOADED, WireFault.UNAVAILABLE)
_AFTER: tuple[AnyFault, ...] = (Fault.SERVER_ERROR, WireFault.STATUS_UNKNOWN)
_GARBLED = Answer(200, b"\x00<html>502 Bad Gateway</html>\n", {"content-type": "text/html"})


def broken_off(scope: Scope) -> None:
    """Break the connection: a reset, not a farewell."""
    scope["state"][TRANSPORT].abort()


class Wire:
    """An ASGI application around the venue's. Reports leave after the answer, unless a fault says otherwise."""

    def __init__(self, desk: Desk, venue: Emulator, control: ASGIApp) -> None:
        self._desk, self._venue, self._control = desk, venue, control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one connection or request."""
        if scope["type"] != "http":
            await self._venue.app(scope, receive, send)
        elif scope["path"].startswith(CONTROL):
            await self._control(scope, receive, send)
        else:
            await self._request(scope, receive, send)
            self._desk.streams.flush()

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        op, strike = self._venue.op_of(scope["method"], scope["path"]), self._desk.faults.strike
        if strike(Fault.LOSE_REQUEST, op):
            await _until_gone(receive)
            return
        if strike(Fault.DISCONNECT, op):
            broken_off(scope)
            await _until_gone(receive)
            return
        body = await _body(receive)
        if strike(Fault.DELAY_REQUEST, op):
            await asyncio.sleep(self._desk.delay_ms / 1000)
        for fault in _INSTEAD:
            if strike(fault, op):
                await _say(self._venue.answer_of(fault, op), send)
                return
        if op not in ("submit", "cancel", "amend") and strike(Fault.QUERY_ERROR, op):
            await _say(self._venue.answer_of(Fault.QUERY_ERROR, op), send)
            return
        said = await self._done(scope, body, receive)
        await self._answered(op, said, scope, receive, send)

    async def _done(self, scope: Scope, body: bytes, receive: Receive) -> list[Message]:
        """Let the venue do it, and keep what it says."""
        said: list[Message] = []
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def once() -> Message:
            return unread.pop() if unread else await receive()

        async def keep(message: Message) -> None:
            said.append(message)

        await self._venue.app(scope, once, keep)
        return said

    async def _answered(self, op: str, said: list[Message], scope: Scope, receive: Receive, send: Send) -> None:
        strike, streams = self._desk.faults.strike, self._desk.streams
        if op == "submit" and strike(Fault.FILLED_UNSEEN, op):
            streams.forget()
            await _until_gone(receive)
            return
        if strike(Fault.LOSE_ANSWER, op):
            streams.flush()
            await _until_gone(receive)
            return
        if strike(Fault.DISCONNECT_AFTER, op):
            broken_off(scope)
            await _until_gone(receive)
            return
        if op == "submit" and strike(Fault.FILL_BEFORE_ACK, op):
            streams.flush()
            await asyncio.sleep(self._desk.short_ms / 1000)
        if strike(Fault.DELAY_ANSWER, op):
            streams.flush()
            await asyncio.sleep(self._desk.delay_ms / 1000)
        for fault in _AFTER:
            if strike(fault, op):
                await _say(self._venue.answer_of(fault, op), send)
                return
        if strike(Fault.GARBLE_ANSWER, op):
            await _say(_GARBLED, send)
            return
        for message in said:
            await send(message)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _until_gone(receive: Receive) -> None:
    """Keep the client waiting until it gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(answer: Answer, send: Send) -> None:
    headers: list[Any] = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
