"""Postbacks: the broker's word, over the open net, that an order has changed. It is a hint and nothing more.

https://kite.trade/docs/connect/v3/postbacks/: a JSON document with the SHA-256 of order id, order timestamp and API
secret. Its other fields are not signed, so nothing else of it is believed: the order is fetched.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from surefill.secret import Secret


class _Postback(msgspec.Struct):
    order_id: str
    order_timestamp: str
    checksum: str


def hinted_order(body: bytes | str, api_secret: Secret) -> str:
    """The id of the order that a postback is about; "" where it is unreadable, or its checksum is not the broker's."""
    try:
        told = msgspec.json.decode(body, type=_Postback)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    expected = hashlib.sha256(f"{told.order_id}{told.order_timestamp}{api_secret.reveal()}".encode()).hexdigest()
    return told.order_id if hmac.compare_digest(expected.encode(), told.checksum.encode()) else ""
