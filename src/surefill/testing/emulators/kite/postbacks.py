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

from surefill.testing.emulators.kite.account import Account
from surefill.testing.emulators.kite.book import ORDERS, UPDATE
from surefill.testing.emulators.kite.clock import stamp
from surefill.testing.emulators.kite.orders import CANCELLED, COMPLETE, REJECTED, Order
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
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen from now on; again: nothing."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        streams = self._venue.desk.streams
        listener = streams.open(ORDERS)
        while True:
            waiting = await listener.queue.get()
            if waiting is None:  # every stream was broken off; postbacks are no stream
                listener = streams.open(ORDERS)
                continue
            order, status = waiting
            url = self._venue.book.rules.postback_url
            if url and status in POSTED:
                await self._send(url, msgspec.json.encode(postback(order, status, self._venue.sessions.account)))

    async def _send(self, url: str, body: bytes) -> None:
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
