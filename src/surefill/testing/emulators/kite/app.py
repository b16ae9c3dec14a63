"""The venue behind HTTP: requests in, answers out, and in between what may go wrong with either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from surefill.testing.emulators.kite.book import Crash
from surefill.testing.emulators.kite.errors import DOUBTS, KiteError, bad_input, not_found, too_many
from surefill.testing.emulators.kite.instruments import dump
from surefill.testing.emulators.kite.routes import ROUTES, Call, Handled
from surefill.testing.emulators.kite.venue import Venue
from surefill.testing.remote_venue.faults import Fault

GARBLED: Final = b"<html><body>502 Bad Gateway</body></html>"


class Door:
    """Answers requests. `crash` ends the process; `abort(request)` breaks the request's connection."""

    def __init__(self, venue: Venue, crash: Callable[[], None], abort: Callable[[Request], None]) -> None:
        self._venue = venue
        self._crash = crash
        self._abort = abort

    def app(self, *more: BaseRoute) -> Starlette:
        """The ASGI application; `more` routes come first."""
        routes: list[BaseRoute] = [*more, Route("/connect/login", self._login)]
        routes += [Route("/instruments", self._instruments), Route("/instruments/{exchange}", self._instruments)]
        routes += [Route(each.path, self._endpoint(each), methods=[each.method]) for each in ROUTES]
        return Starlette(routes=routes, exception_handlers={404: self._nowhere, 405: self._nowhere})

    def _endpoint(self, handled: Handled) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                return await self._arrive(handled, request)
            except Crash:
                self._crash()
                raise

        return endpoint

    async def _arrive(self, handled: Handled, request: Request) -> Response:
        """What may happen to a request before it is handled."""
        op, strike = handled.op, self._venue.faults.strike
        body = await request.body()
        if strike(Fault.LOSE_REQUEST, op):
            return await self._silence(request)
        if strike(Fault.DISCONNECT, op):
            return self._broken(request)
        if strike(Fault.DELAY_REQUEST, op):
            await asyncio.sleep(self._venue.book.rules.delay_ms / 1000)
        try:
            if strike(Fault.THROTTLED, op):
                raise too_many()
            self._admit(handled, request)
            data = self._do(handled, _read(request, body))
        except KiteError as error:
            return await self._depart(op, request, _json(error.status, error.body))
        return await self._depart(op, request, _json(200, {"status": "success", "data": data}))

    def _admit(self, handled: Handled, request: Request) -> None:
        venue = self._venue
        if handled.op != "session":
            venue.sessions.check_header(request.headers.get("authorization", ""))
        venue.throttle.admit(handled.kind, venue.book.rules.limits, venue.book.day)

    def _do(self, handled: Handled, call: Call) -> object:
        op, strike = handled.op, self._venue.faults.strike
        if handled.empty is None:
            return handled.do(self._venue, call)
        if strike(Fault.QUERY_ERROR, op):
            raise self._doubt()
        if strike(Fault.EMPTY_SNAPSHOT, op):
            return handled.empty
        return handled.do(self._venue, call._replace(stale=strike(Fault.STALE_SNAPSHOT, op)))

    def _doubt(self) -> KiteError:
        return DOUBTS[self._venue.book.rules.doubt]

    async def _depart(self, op: str, request: Request, answer: Response) -> Response:
        """What may happen to an answer on its way out; streams are told in passing."""
        strike, rules, book = self._venue.faults.strike, self._venue.book.rules, self._venue.book
        if book.filled_untold and strike(Fault.FILLED_UNSEEN, op):
            book.forget_untold()
            return await self._silence(request)
        if book.filled_untold and strike(Fault.FILL_BEFORE_ACK, op):
            book.tell()
            await asyncio.sleep(rules.short_ms / 1000)
            return answer
        asyncio.get_running_loop().call_soon(book.tell)
        if strike(Fault.LOSE_ANSWER, op):
            return await self._silence(request)
        if strike(Fault.DISCONNECT_AFTER, op):
            return self._broken(request)
        if strike(Fault.GARBLE_ANSWER, op):
            return Response(GARBLED, 200, media_type="text/html")
        if strike(Fault.SERVER_ERROR, op):
            answer = _json(self._doubt().status, self._doubt().body)
        if strike(Fault.DELAY_ANSWER, op):
            await asyncio.sleep(rules.delay_ms / 1000)
        return answer

    async def _silence(self, request: Request) -> Response:
        """No answer, until the client gives up."""
        while not await request.is_disconnected():
            await asyncio.sleep(0.02)
        return Response(status_code=499)

    def _broken(self, request: Request) -> Response:
        self._abort(request)
        return Response(status_code=499)

    async def _login(self, request: Request) -> Response:
        try:
            return RedirectResponse(self._venue.sessions.login(request.query_params.get("api_key", "")), 302)
        except KiteError as error:
            return _json(error.status, error.body)

    async def _instruments(self, request: Request) -> Response:
        venue = self._venue
        try:
            venue.sessions.check_header(request.headers.get("authorization", ""))
            if venue.faults.strike(Fault.QUERY_ERROR, "instruments"):
                raise self._doubt()
        except KiteError as error:
            return _json(error.status, error.body)
        exchange = request.path_params.get("exchange", "")
        return Response(dump(venue.store.instruments.values(), exchange), media_type="text/csv")

    async def _nowhere(self, request: Request, error: Exception) -> Response:
        return _json(404, not_found().body)


def _read(request: Request, body: bytes) -> Call:
    query = request.query_params
    document: object = None
    form = dict(query)
    if "json" in request.headers.get("content-type", ""):
        try:
            document = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise bad_input("Invalid JSON.") from error
    else:
        form.update(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return Call(dict(request.path_params), form, query.getlist("i"), document)


def _json(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
