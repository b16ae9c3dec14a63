"""One request through ccxt's client, and what exactly came back for it.

ccxt turns answers into exceptions whose class depends on options and on what was asked before, and keeps the last
answer of whatever request. Orders are judged by the answer to *this* request, so it is taken down where it comes in:

1. What is taken down belongs to the task that asks (a context variable), so that concurrent requests keep apart.
2. A request is sent once. aiohttp would send a GET, PUT or DELETE again by itself when a kept connection turns out to
   be closed, and would follow redirects with any request: both are switched off.
3. Nothing was sent unless a connection was had: a connection that could not be made is the one proof of that.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import msgspec

from surefill.units import NS_PER_S
from surefill.venues.ccxt.settings import CcxtSettings


class Answer(msgspec.Struct, frozen=True):
    """What the venue answered. `data`: the body as JSON, None where it is none. `headers` have lower-case names."""

    status: int
    body: str
    data: Any = None
    headers: dict[str, str] = {}

    @property
    def retry_after_ns(self) -> int:
        """What the header Retry-After asks for; 0 where there is none that can be read."""
        text = self.headers.get("retry-after", "")
        return int(text) * NS_PER_S if text.isdecimal() and len(text) < 10 else 0


class Lost(Exception):
    """No whole answer came. `unsent`: it is proven that not a byte of the request left."""

    def __init__(self, reason: str, *, unsent: bool) -> None:
        super().__init__(reason)
        self.reason, self.unsent = reason, unsent


class _Heard:
    """What is heard of one request."""

    def __init__(self) -> None:
        self.handed_over = False
        self.answer: Answer | None = None


_HEARD: ContextVar[_Heard | None] = ContextVar("heard", default=None)


class _SendOnce:
    """aiohttp's session as ccxt uses it, without resending and without redirects."""

    def __init__(self, session: Any) -> None:
        session._retry_connection = False  # aiohttp has no public switch for it
        self._session = session

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._session, name)
        if name not in ("get", "post", "put", "delete", "patch"):
            return method

        def send(url: Any, **options: Any) -> Any:
            heard = _HEARD.get()
            if heard is not None:
                heard.handed_over = True
            return method(url, **options, allow_redirects=False)

        return send


def _ccxt() -> Any:
    """ccxt's asynchronous clients: importing them takes seconds."""
    import ccxt.async_support

    return ccxt.async_support


def _recording(base: type) -> type:
    """ccxt's class for an exchange, telling what it hears."""

    class Recording(base):  # type: ignore[misc]
        session: Any

        def open(self, lazy: bool = False) -> None:
            super().open(lazy)
            if not isinstance(self.session, _SendOnce):
                self.session = _SendOnce(self.session)

        def on_rest_response(self, code: int, *rest: Any) -> Any:
            _reason, _url, _method, headers, body, *_asked = rest
            heard = _HEARD.get()
            if heard is not None:
                heard.answer = _answer(code, headers, body)
            return super().on_rest_response(code, *rest)

    return Recording


def _answer(status: int, headers: Mapping[str, str], body: str) -> Answer:
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    return Answer(status, body, data, {name.lower(): value for name, value in headers.items()})


class Wire:
    """ccxt's client for one account. `clock_ahead_ns` is the venue's time less ours."""

    def __init__(self, settings: CcxtSettings) -> None:
        self._settings = settings
        self._client: Any = None
        self._closed = False
        self.clock_ahead_ns = 0

    @property
    def client(self) -> Any:
        """ccxt's object, made at its first use: importing ccxt takes seconds."""
        if self._client is None:
            self._client = self._made()
            self._client.options["timeDifference"] = -self.clock_ahead_ns // 1_000_000
        return self._client

    async def ready(self) -> None:
        """Make the client now, the import beside the loop: what comes next may be measuring time."""
        await asyncio.to_thread(_ccxt)
        assert self.client is not None

    def set_clock(self, ahead_ns: int) -> None:
        """Sign with the venue's time from now on."""
        self.clock_ahead_ns = ahead_ns
        self.client.options["timeDifference"] = -ahead_ns // 1_000_000  # what ccxt takes off our time

    def signature(self, text: str) -> str:
        """A text signed with the secret, as ccxt signs: HMAC-SHA256, or with a private key RSA or Ed25519."""
        client, secret = self.client, self._settings.keys.secret.reveal()
        if "PRIVATE KEY" not in secret:
            signed = client.hmac(client.encode(text), client.encode(secret), hashlib.sha256)
        elif len(secret) > 120:
            signed = client.rsa(text, secret, "sha256")
        else:
            signed = client.eddsa(client.encode(text), secret, "ed25519")
        return str(signed)

    async def ask(self, api: str, method: str, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Send one request, once. Raises Lost where no whole answer came.

        `api`: ccxt's name of the endpoint's section, with a dot where it is one within another.
        """
        return await self.hear(lambda: self.client.request(path, api.split("."), method, dict(params or {})))

    async def hear(self, call: Callable[[], Any]) -> Answer:
        """The answer to the one request that `call` makes. Raises Lost."""
        if self._closed:
            raise Lost("this side has hung up", unsent=True)
        heard = _Heard()
        token = _HEARD.set(heard)
        try:
            await call()
        except Exception as error:  # ccxt's verdict on the answer is not ours
            if heard.answer is None:
                unsent = not heard.handed_over or _never_connected(error)
                raise Lost(f"{type(error).__name__}: {error} ({error.__cause__!r})", unsent=unsent) from error
        finally:
            _HEARD.reset(token)
        if heard.answer is None:
            raise Lost("ccxt made no request", unsent=not heard.handed_over)
        return heard.answer

    async def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        if self._client is not None:
            await self._client.close()

    def _made(self) -> Any:
        settings = self._settings
        client = _recording(getattr(_ccxt(), settings.exchange))(
            {
                "apiKey": settings.keys.api_key.reveal(),
                "secret": settings.keys.secret.reveal(),
                "password": settings.keys.password.reveal(),
                "timeout": round(settings.timeout_s * 1000),
                "enableRateLimit": False,  # budgets are the outbox's, which keeps a reserve for exits
                "timeout_on_exit": 0,
                "options": {
                    "maxRetriesOnFailure": 0,
                    "recvWindow": settings.recv_window_ms,
                    "adjustForTimeDifference": False,
                    "disableFuturesSandboxWarning": True,
                    "fetchCurrencies": False,
                },
            }
        )
        if settings.sandbox:
            _use_sandbox(client)
        if settings.rest_url:
            client.urls["api"] = _moved(client.urls["api"], settings.rest_url.rstrip("/"))
            client.hostname = settings.rest_url.partition("://")[2].rstrip("/")
        return client


#: Of exchanges whose test system ccxt does not know. Coinbase's gives canned answers only.
_SANDBOXES = {"coinbase": "https://api-sandbox.coinbase.com"}


def _use_sandbox(client: Any) -> None:
    """Binance's futures have a demo system instead of the test net that ccxt calls sandbox."""
    if client.id == "binanceusdm":
        client.enable_demo_trading(True)
    elif client.id in _SANDBOXES:
        client.urls["api"] = _moved(client.urls["api"], _SANDBOXES[client.id])
    else:
        client.set_sandbox_mode(True)


def _moved(urls: Any, to: str) -> Any:
    """The same addresses at another host."""
    if isinstance(urls, dict):
        return {name: _moved(url, to) for name, url in urls.items()}
    if isinstance(urls, str):
        _, _, rest = urls.partition("://")
        _, slash, path = rest.partition("/")
        return to + slash + path
    return urls


def _never_connected(error: BaseException) -> bool:
    """Whether no connection could be made at all: refused, no such host, no handshake, no answer to dialing."""
    import aiohttp

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return True
        cause = cause.__cause__
    return False
