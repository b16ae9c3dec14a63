"""The gateway: the few functions of the package that an adapter needs, over HTTP, beside the terminal.

1. It runs on the machine of the terminal (Windows) and listens on the loopback address unless told otherwise; from
   elsewhere it is reached through a tunnel. It has no TLS of its own.
2. Every request carries a token, compared in constant time. Functions that are not listed do not exist.
3. One worker thread touches the package. A request that has waited longer than its caller does is not begun, and the
   answer says so (`not_asked`): that is proof. Everything that was begun is answered with what came of it, or not at
   all.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from surefill.errors import ConfigError, VenueOutcomeUnknown
from surefill.secret import Secret
from surefill.venues.mt5.terminal import FUNCTIONS, NotAsked, Terminal

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

BODY_MAX = 16_384
TOKEN_CHARS_MIN = 16
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    within_ms: int = 20_000


class Gateway:
    """The application over one terminal. Raises ConfigError where the token is too short to be one."""

    def __init__(self, terminal: Terminal, token: Secret) -> None:
        if len(token.reveal()) < TOKEN_CHARS_MIN:
            raise ConfigError(
                f"the gateway's token has fewer than {TOKEN_CHARS_MIN} characters: make one with"
                ' `python -c "import secrets; print(secrets.token_urlsafe(32))"`',
                code="TOKEN_TOO_SHORT",
            )
        self._terminal = terminal
        self._token = f"Bearer {token.reveal()}".encode()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mt5")

    def app(self) -> Starlette:
        """The ASGI application."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(routes=[Route("/v1/call/{function}", self._called, methods=["POST"])])

    def close(self) -> None:
        """Let go of the terminal."""
        self._worker.submit(self._terminal.close)
        self._worker.shutdown()

    async def _called(self, request: Request) -> Response:
        from starlette.requests import ClientDisconnect

        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._token):
            return _refusal(401, "the token is wrong")
        function = request.path_params["function"]
        if function not in FUNCTIONS:
            return _refusal(404, f"{function} is not a function for an adapter")
        try:
            body = await _body(request)
        except ClientDisconnect:
            return _refusal(400, "the caller has gone before it had said what it wants")
        if body is None:
            return _refusal(413, f"the request has more than {BODY_MAX} bytes")
        try:
            asked = msgspec.json.decode(body, type=_Asked)
        except msgspec.DecodeError as error:
            return _refusal(422, f"the request cannot be read: {error}")
        return await asyncio.wrap_future(self._worker.submit(self._ask, function, asked, time.monotonic()))

    def _ask(self, function: str, asked: _Asked, came_s: float) -> Response:
        if (time.monotonic() - came_s) * 1000 > asked.within_ms:
            return _refusal(503, "it has waited for the terminal longer than its caller does")
        try:
            reply = self._terminal.call(function, *asked.args, **asked.kwargs)
        except NotAsked as error:
            return _refusal(503, str(error))
        except VenueOutcomeUnknown as error:
            return _json(502, {"error": str(error)})
        return _json(200, {"result": reply.result, "last_error": (reply.code, reply.text)})


async def _body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            return None
    return body


def _refusal(status: int, why: str) -> Response:
    return _json(status, {"not_asked": why})


def _json(status: int, value: object) -> Response:
    from starlette.responses import Response

    return Response(msgspec.json.encode(value), status, media_type="application/json")


def address_of(listen: str, *, remote: bool = False) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises ConfigError; also for an address that others reach, unless `remote`."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ConfigError(f"listen on HOST:PORT, not {listen!r}", code="INVALID_ADDRESS")
    if host not in LOOPBACK and not remote:
        raise ConfigError(
            f"{host} is not a loopback address: use a tunnel to 127.0.0.1, or say --remote if the network is yours",
            code="NOT_LOOPBACK",
        )
    return host, int(port)


def run(gateway: Gateway, host: str, port: int) -> None:
    """Serve until interrupted."""
    import uvicorn

    try:
        uvicorn.run(gateway.app(), host=host, port=port, log_level="warning", access_log=False, lifespan="off")
    finally:
        gateway.close()
