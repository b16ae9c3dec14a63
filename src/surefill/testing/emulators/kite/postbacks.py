"""Postbacks: an order's new state, sent to the app's address as a JSON document with a checksum.

https://kite.trade/docs/connect/v3/postbacks/: sent on COMPLETE, CANCEL, REJECTED and UPDATE (changed, or partly
filled); the checksum is the SHA-256 of order id, order timestamp and API secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import sys
from typing import Final
from urllib.parse import urlsplit

import msgspec

from surefill.testing.emulators.kite.book import UPDATE
from surefill.testing.emulators.kite.clock import stamp
from surefill.testing.emulators.kite.orders import CANCELLED, COMPLETE, REJECTED, Order
from surefill.testing.emulators.kite.rules import Account
from surefill.testing.emulators.kite.venue import Venue

POSTED: Final = frozenset({COMPLETE, CANCELLED, REJECTED, UPDATE})
TIMEOUT_S: Final = 5.0


def checksum_of(order: Order, api_secret: str) -> str:
    """What proves to the app that the message is the broker's."""
    return hashlib.sha256(f"{order.order_id}{stamp(order.order_ns)}{api_secret}".encode()).hexdigest()


def postback(order: Order, status: str, account: Account, *, checksum: bool = True) -> dict[str, object]:
    """The message."""
    line = order.payload()
    for name in ("modified", "tags", "validity_ttl"):
        line.pop(name, None)
    head: dict[str, object] = {
        "user_id": account.user_id,
        "unfilled_quantity": 0,
        "app_id": account.app_id,
        "checksum": checksum_of(order, account.api_secret) if checksum else "",
    }
    return {**head, **line, "status": status}


class Postbacks:
    """Sends them one after another, so that they arrive in the order in which things happened."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        venue.book.listeners.append(self._updated)

    def _updated(self, order: Order, status: str) -> None:
        url = self._venue.book.rules.postback_url
        if url and status in POSTED:
            body = msgspec.json.encode(postback(order, status, self._venue.sessions.account))
            self._waiting.put_nowait((url, body))

    async def run(self) -> None:
        """Send until canceled."""
        while True:
            url, body = await self._waiting.get()
            try:
                await asyncio.to_thread(_post, url, body)
            except (OSError, http.client.HTTPException) as error:
                print(f"a postback did not arrive at {url}: {error}", file=sys.stderr)


def _post(url: str, body: bytes) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=TIMEOUT_S)
    try:
        connection.request("POST", parts.path or "/", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
    finally:
        connection.close()
