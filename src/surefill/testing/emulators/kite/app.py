"""The venue behind HTTP. What the wire may do to requests and answers is done around it (`common.wire`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute, compile_path
from starlette.websockets import WebSocket

from surefill.testing.emulators.groundwork import Fault, WireFault
from surefill.testing.emulators.kite.errors import KiteError, bad_input, not_found
from surefill.testing.emulators.kite.instruments import dump
from surefill.testing.emulators.kite.routes import ROUTES, Call, Handled
from surefill.testing.emulators.kite.routine import expire_due
from surefill.testing.emulators.kite.venue import Venue

_OPS: Final = [(route.method, compile_path(route.path)[0], route.op) for route in ROUTES]


def application(venue: Venue, ticker: Callable[[WebSocket], Awaitable[None]]) -> Starlette:
    """The ASGI application."""
    door = _Door(venue)
    routes: list[BaseRoute] = [WebSocketRoute("/", ticker), Route("/connect/login", door.login)]
    routes += [Route("/instruments", door.instruments), Route("/instruments/{exchange}", door.instruments)]
    routes += [Route(each.path, door.endpoint(each), methods=[each.method]) for each in ROUTES]
    return Starlette(routes=routes, exception_handlers={404: _nowhere, 405: _nowhere})


def op_of(method: str, path: str) -> str:
    """The name that faults know a request by: "submit", "amend", "cancel", "orders", … ("" for none)."""
    if path.startswith("/instruments"):
        return "instruments"
    return next((op for known, pattern, op in _OPS if known == method and pattern.match(path)), "")


class _Door:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def endpoint(self, handled: Handled) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            body = await request.body()
            try:
                self._admit(handled, request)
                data = self._do(handled, _read(request, body))
            except KiteError as error:
                return as_response(error)
            return _json(200, {"status": "success", "data": data})

        return answer

    def _admit(self, handled: Handled, request: Request) -> None:
        venue = self._venue
        if handled.op != "session":
            self._check_session(request, handled.op)
        expire_due(venue.book)
        venue.throttle.admit(handled.kind, venue.book.rules.limits, venue.book.day)

    def _check_session(self, request: Request, op: str) -> None:
        if self._venue.desk.faults.strike(WireFault.EXPIRE_TOKEN, op):
            self._venue.sessions.end()
        self._venue.sessions.check_header(request.headers.get("authorization", ""))

    def _do(self, handled: Handled, call: Call) -> object:
        op, strike = handled.op, self._venue.desk.faults.strike
        if handled.empty is None:
            return handled.do(self._venue, call)
        if strike(Fault.EMPTY_SNAPSHOT, op):
            return handled.empty
        return handled.do(self._venue, call._replace(stale=strike(Fault.STALE_SNAPSHOT, op)))

    async def login(self, request: Request) -> Response:
        api_key, redirect_url = request.query_params.get("api_key", ""), self._venue.book.rules.redirect_url
        try:
            return RedirectResponse(self._venue.sessions.login(api_key, redirect_url), 302)
        except KiteError as error:
            return as_response(error)

    async def instruments(self, request: Request) -> Response:
        try:
            self._check_session(request, "instruments")
        except KiteError as error:
            return as_response(error)
        exchange = request.path_params.get("exchange", "")
        return Response(dump(self._venue.store.instruments.values(), exchange), media_type="text/csv")


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


async def _nowhere(_: Request, error: Exception) -> Response:
    return as_response(not_found())


def as_response(error: KiteError) -> Response:
    """An error as its answer."""
    return _json(error.status, error.body)


def _json(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
