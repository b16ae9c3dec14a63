"""The two ways to a terminal: the package on this machine, or the gateway beside the terminal.

1. Only the functions of `FUNCTIONS` are ever called.
2. The package must be used from one thread: everything of a terminal runs in one worker.
3. `NotAsked` is proof that a function was not called. Anything else that goes wrong is VenueOutcomeUnknown. No call is
   repeated here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from surefill.errors import VenueOutcomeUnknown
from surefill.venues.mt5.records import plain
from surefill.venues.mt5.settings import Mt5Settings

if TYPE_CHECKING:
    import httpx2

#: What an adapter needs of the package: everything else is refused by the gateway.
FUNCTIONS = frozenset(
    {
        "account_info",
        "history_deals_get",
        "history_orders_get",
        "order_calc_margin",
        "order_send",
        "orders_get",
        "positions_get",
        "symbol_info",
        "symbol_info_tick",
        "symbol_select",
        "symbols_get",
        "terminal_info",
    }
)
_CHANNEL_TROUBLE_MAX = -10_000
_CONNECT_S = 3.0


class NotAsked(Exception):
    """Proof: the terminal was never asked."""


class Reply(msgspec.Struct, frozen=True):
    """What a function returned (None: it failed) and what `last_error()` says of it."""

    result: Any
    code: int = 1
    text: str = ""


class Terminal(Protocol):
    """A terminal, from inside the worker thread."""

    def open(self) -> None:
        """Connect to it. Raises VenueOutcomeUnknown."""

    def call(self, function: str, *args: Any, **kwargs: Any) -> Reply:
        """Call a function of the package. Raises NotAsked or VenueOutcomeUnknown."""

    def close(self) -> None:
        """Let go of it."""


class PackageTerminal:
    """The package MetaTrader5 (or an object with its functions)."""

    def __init__(self, settings: Mt5Settings, package: Any = None) -> None:
        self._settings, self._package, self._up = settings, package, False

    def open(self) -> None:
        """Load the package and connect it to the terminal."""
        if self._package is None:
            try:
                self._package = import_module("MetaTrader5")
            except ImportError as error:
                raise VenueOutcomeUnknown(
                    "the package MetaTrader5 is not here: it exists for Windows only; run `surefill mt5 gateway` beside"
                    " the terminal and give its address as gateway_url"
                ) from error
        settings = self._settings
        path = (settings.path,) if settings.path else ()
        given = {"login": settings.login, "password": settings.password.reveal(), "server": settings.server}
        self._up = bool(self._package.initialize(*path, **{name: value for name, value in given.items() if value}))
        if not self._up:
            code, text = self._package.last_error()
            raise VenueOutcomeUnknown(f"the terminal cannot be reached: {code} {text}")

    def call(self, function: str, *args: Any, **kwargs: Any) -> Reply:
        """Call it. After trouble with the channel the terminal is connected to anew, before the next call."""
        if function not in FUNCTIONS:
            raise NotAsked(f"{function} is not a function for an adapter")
        if not self._up:
            try:
                self.open()
            except VenueOutcomeUnknown as error:
                raise NotAsked(str(error)) from error
        result = getattr(self._package, function)(*args, **kwargs)
        if result is not None:
            return Reply(plain(result))
        code, text = self._package.last_error()
        self._up = code > _CHANNEL_TROUBLE_MAX
        return Reply(None, code, text)

    def close(self) -> None:
        """Disconnect."""
        if self._package is not None:
            self._package.shutdown()
        self._up = False


class GatewayTerminal:
    """The gateway's client: HTTP with a token."""

    def __init__(self, settings: Mt5Settings) -> None:
        self._settings = settings
        self._client: httpx2.Client | None = None

    def open(self) -> None:
        """Ask whether the gateway and its terminal are there."""
        try:
            reply = self.call("terminal_info")
        except NotAsked as error:
            raise VenueOutcomeUnknown(f"the gateway cannot be used: {error}") from error
        if reply.result is None:
            raise VenueOutcomeUnknown(f"the gateway's terminal does not answer: {reply.code} {reply.text}")

    def call(self, function: str, *args: Any, **kwargs: Any) -> Reply:
        """Call it at the gateway."""
        import httpx2

        body = {"args": args, "kwargs": kwargs, "within_ms": int(self._settings.timeout_s * 1000)}
        try:
            answer = self._connected().post(f"/v1/call/{function}", json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NotAsked(f"no connection to the gateway: {error!r}") from error
        except httpx2.HTTPError as error:
            raise VenueOutcomeUnknown(f"no answer of the gateway: {error!r}") from error
        return _reply_of(answer.status_code, answer.content)

    def _connected(self) -> httpx2.Client:
        import httpx2

        if self._client is None:
            self._client = httpx2.Client(
                base_url=self._settings.gateway_url,
                headers={"authorization": f"Bearer {self._settings.gateway_token.reveal()}"},
                timeout=httpx2.Timeout(self._settings.timeout_s, connect=min(_CONNECT_S, self._settings.timeout_s)),
                trust_env=False,
            )
        return self._client

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None


class _Answer(msgspec.Struct):
    """What the gateway says: a reply, or in its own words that it did not ask (`not_asked`)."""

    result: Any = None
    last_error: tuple[int, str] = (1, "")
    not_asked: str = ""


def _reply_of(status: int, content: bytes) -> Reply:
    try:
        answer = msgspec.json.decode(content, type=_Answer)
    except msgspec.DecodeError as error:
        raise VenueOutcomeUnknown(f"the gateway's answer (HTTP {status}) cannot be read: {error}") from error
    if answer.not_asked and status != 200:
        raise NotAsked(answer.not_asked)
    if status != 200:
        raise VenueOutcomeUnknown(f"the gateway answers HTTP {status}")
    return Reply(answer.result, *answer.last_error)
