"""What ccxt's real clients send for Bybit, OKX and Coinbase: our client order id and terms, signed as documented.

Sources: bybit-exchange.github.io/docs/v5/guide; okx.com/docs-v5 (REST authentication); docs.cdp.coinbase.com, Advanced
Trade (API key authentication).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.venues.ccxt.raw_server import RawServer, http
from tests.venues.ccxt.test_others import LOOKS, SUBMIT, at, bybit, coinbase, okx, order

from surefill.venues.ccxt import ExchangeVenue

CANCEL = {
    "bybit": "POST /v5/order/cancel",
    "okx": "POST /api/v5/trade/cancel-order",
    "coinbase": "POST /api/v3/brokerage/orders/batch_cancel",
}
TAKEN = {"bybit": bybit(0), "okx": okx("0"), "coinbase": coinbase()}
CANCELED = {
    **TAKEN,
    "coinbase": http(200, {"results": [{"success": True, "failure_reason": "", "order_id": "77"}]}),
}
ID = "0123456789abcdef0123"
OURS = {"bybit": "orderLinkId", "okx": "clOrdId", "coinbase": "client_order_id"}
EXCHANGES = pytest.mark.parametrize("exchange", list(SUBMIT))

Sent = tuple[str, dict[str, str], str]


def _sent(exchange: str, path: str, answers: dict[str, bytes], act: Callable[[ExchangeVenue], Any]) -> Sent:
    """First line, head and body of the one request that went to `path`."""

    async def story(venue: ExchangeVenue, raw: RawServer) -> Sent:
        await act(venue)
        (index,) = [index for index, line in enumerate(raw.seen) if line.startswith(path)]
        return raw.seen[index], raw.heads[index], raw.bodies[index]

    return asyncio.run(at(exchange, answers, story))


def _submitted(exchange: str, **terms: Any) -> Sent:
    request = order(ID, **terms)
    return _sent(exchange, SUBMIT[exchange], {SUBMIT[exchange]: TAKEN[exchange]}, lambda venue: venue.submit(request))


def _leaf(body: Any) -> dict[str, str]:
    """The body without its nesting: what is in it, by name."""
    rows = body if isinstance(body, list) else [body]
    found: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            found |= _leaf(value) if isinstance(value, dict) else {name: str(value)}
    return found


#: Price and quantity as each exchange names them.
TERMS = {
    "bybit": {"price": "50000.00", "qty": "0.01000", "side": "Buy", "symbol": "BTCUSDT"},
    "okx": {"px": "50000.00", "sz": "0.01000", "side": "buy", "instId": "BTC-USDT"},
    "coinbase": {"limit_price": "50000.00", "base_size": "0.01000", "side": "BUY", "product_id": "BTC-USDT"},
}


@EXCHANGES
def test_order_goes_out_with_our_client_id_and_its_terms(exchange: str) -> None:
    _, _, body = _submitted(exchange, px=50_000)
    said = _leaf(json.loads(body))
    assert said[OURS[exchange]] == ID
    for name, value in TERMS[exchange].items():
        shown = said[name]
        assert shown == value or float(shown) == float(value), (name, shown)


def _hmac(text: str) -> bytes:
    return hmac.new(b"secret", text.encode(), hashlib.sha256).digest()


def test_bybit_request_is_signed_over_time_key_window_and_body() -> None:
    _, head, body = _submitted("bybit", px=50_000)
    window = head["x-bapi-recv-window"]
    assert int(window) <= 5_000
    signed = head["x-bapi-timestamp"] + "key" + window + body
    assert head["x-bapi-sign"] == _hmac(signed).hex()


def test_okx_request_is_signed_over_time_path_and_body_with_the_pass_phrase_beside() -> None:
    line, head, body = _submitted("okx", px=50_000)
    signed = head["ok-access-timestamp"] + "POST" + line.split()[1] + body
    assert head["ok-access-sign"] == base64.b64encode(_hmac(signed)).decode()
    assert (head["ok-access-key"], head["ok-access-passphrase"]) == ("key", "word")


def test_coinbase_request_has_a_token_of_the_key_for_this_very_request() -> None:
    line, head, _ = _submitted("coinbase", px=50_000)
    first, second, signature = head["authorization"].removeprefix("Bearer ").split(".")
    head_of, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (first, second))
    assert (head_of["alg"], head_of["kid"], claims["sub"]) == ("ES256", "key", "key")
    assert claims["uri"].endswith(line.split()[1])
    assert claims["exp"] - claims["nbf"] <= 120
    assert len(base64.urlsafe_b64decode(signature + "==")) == 64


#: Coinbase cancels by its own number only: without it the adapter looks the order up first.
BY = [("bybit", "77"), ("bybit", ""), ("okx", "77"), ("okx", ""), ("coinbase", "77")]


@pytest.mark.parametrize(("exchange", "order_id"), BY)
def test_cancel_names_the_order_by_the_venues_id_or_by_ours(exchange: str, order_id: str) -> None:
    answers = {CANCEL[exchange]: CANCELED[exchange], **LOOKS[exchange]}
    request = order(ID, px=50_000)
    _, _, body = _sent(exchange, CANCEL[exchange], answers, lambda venue: venue.cancel(request, order_id))
    assert (order_id or ID) in body


@EXCHANGES
def test_id_that_the_exchange_would_not_take_is_not_sent(exchange: str) -> None:
    async def story(venue: ExchangeVenue, raw: RawServer) -> tuple[str, int]:
        outcome = await venue.submit(order("no id: ä" * 9, px=50_000))
        return type(outcome).__name__, len(raw.seen)

    assert asyncio.run(at(exchange, {}, story)) == ("Rejected", 0)
