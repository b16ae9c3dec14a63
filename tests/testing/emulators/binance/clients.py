"""Real clients of Binance, pointed at an emulated one."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import ccxt.pro

from surefill.testing.emulators import EmulatorProcess
from surefill.testing.emulators.binance import API_KEY, SECRET

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
_HOSTS = ("https://api.binance.com", "https://fapi.binance.com")


def client_of(process: EmulatorProcess, kind: str, timeout_ms: int = 5_000) -> Any:
    """ccxt's "binance" (spot) or "binanceusdm"; use it with `talking`."""
    client: Any = getattr(ccxt.pro, kind)({"apiKey": API_KEY, "secret": SECRET, "timeout": timeout_ms})
    client.options["fetchMarkets"] = {"types": ["spot"] if kind == "binance" else ["linear"]}
    client.options["fetchCurrencies"] = client.options["fetchMargins"] = False
    api = client.urls["api"]
    for name, url in list(api.items()):
        for host in _HOSTS:
            if isinstance(url, str) and url.startswith(host):
                api[name] = url.replace(host, process.url)
    api["ws"] |= {"spot": f"{process.ws_url}/ws", "linear": f"{process.ws_url}/fstream/ws"}
    api["ws"]["ws-api"] |= {"spot": f"{process.ws_url}/ws-api/v3"}
    return client


def talk(process: EmulatorProcess, kind: str, say: Callable[[Any], Awaitable[Any]], timeout_ms: int = 5_000) -> Any:
    """Run a conversation of a client with the venue, and close the client."""

    async def run() -> Any:
        client = client_of(process, kind, timeout_ms)
        try:
            await client.load_markets()
            return await say(client)
        finally:
            await client.close()

    return asyncio.run(run())


class Said(NamedTuple):
    """An answer to a raw request."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> int:
        """The error's code, 0 for none."""
        return int(self.body.get("code", 0)) if isinstance(self.body, dict) else 0


def ask(
    process: EmulatorProcess,
    method: str,
    path: str,
    params: Mapping[str, object] | None = None,
    *,
    key: str = API_KEY,
    secret: str = SECRET,
    ahead_ms: int = 0,
) -> Said:
    """A signed request by hand, its parameters in the query string; `secret` "" leaves the signature out."""
    query = signed(params or {}, secret, ahead_ms)
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=5)
    try:
        connection.request(method, f"{path}?{query}", headers={"X-MBX-APIKEY": key} if key else {})
        answer = connection.getresponse()
        return Said(answer.status, json.loads(answer.read()), {k.lower(): v for k, v in answer.getheaders()})
    finally:
        connection.close()


def signed(params: Mapping[str, object], secret: str = SECRET, ahead_ms: int = 0) -> str:
    """A query string with the time and the signature."""
    query = urlencode({"timestamp": int(time.time() * 1000) + ahead_ms, **params})
    if not secret:
        return query
    return f"{query}&signature={hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()}"


def limit(client_id: str = "one", **terms: object) -> dict[str, object]:
    """Parameters of a spot limit order that rests at a price of 50000."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    return {**order, "price": "40000", "newClientOrderId": client_id, **terms}


def market(client_id: str = "one", **terms: object) -> dict[str, object]:
    """Parameters of a market order."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    return {**order, "newClientOrderId": client_id, **terms}
