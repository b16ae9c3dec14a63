"""Errors in Binance's own words.

Spot codes and texts: binance/binance-spot-api-docs, errors.md. Those of USD-M (-2019, -2021, -2022, -4xxx, -5022):
developers.binance.com, USDⓈ-M futures, error code.
"""

from __future__ import annotations

import json
from functools import partial


class BinanceError(Exception):
    """An answer {"code", "msg"}: the request is not done."""

    def __init__(self, code: int, msg: str, status: int = 400, data: object = None, retry_after_s: int = 0) -> None:
        super().__init__(code, msg)
        self.code, self.msg, self.status, self.data, self.retry_after_s = code, msg, status, data, retry_after_s

    def body(self) -> bytes:
        """The answer."""
        said: dict[str, object] = {"code": self.code, "msg": self.msg}
        if self.data is not None:
            said["data"] = self.data
        return json.dumps(said).encode()


def missing(name: str) -> BinanceError:
    """A parameter that must be sent was not."""
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def filter_failure(name: str) -> BinanceError:
    """A filter of the symbol does not let it pass."""
    return BinanceError(-1013, f"Filter failure: {name}")


def order_refused(why: str) -> BinanceError:
    """The matching engine would not (spot)."""
    return BinanceError(-2010, why)


INSUFFICIENT = "Account has insufficient balance for requested action."
DUPLICATE = "Duplicate order sent."
unknown_order = partial(BinanceError, -2011, "Unknown order sent.")
no_such_order = partial(BinanceError, -2013, "Order does not exist.")
bad_symbol = partial(BinanceError, -1121, "Invalid symbol.")
no_listen_key = partial(BinanceError, -1125, "This listenKey does not exist.")
bad_key_format = partial(BinanceError, -2014, "API-key format invalid.", 401)
bad_key = partial(BinanceError, -2015, "Invalid API-key, IP, or permissions for action.", 401)
bad_signature = partial(BinanceError, -1022, "Signature for this request is not valid.")
too_late = partial(BinanceError, -1021, "Timestamp for this request is outside of the recvWindow.")
too_early = partial(BinanceError, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
UNKNOWN_STATUS = BinanceError(
    -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown.", 503
)
OVERLOADED = BinanceError(
    -1008, "Server is currently overloaded with other requests. Please try again in a few minutes.", 503
)
INTERNAL = BinanceError(-1001, "Internal error; unable to process your request. Please try again.", 503)


def too_many(limit: int, retry_after_s: int, *, banned_until_ms: int = 0) -> BinanceError:
    """429, or 418 for who would not listen."""
    advice = "Please use WebSocket Streams for live updates to avoid"
    if banned_until_ms:
        msg = f"Way too much request weight used; IP banned until {banned_until_ms}. {advice} bans."
        return BinanceError(-1003, msg, 418, retry_after_s=retry_after_s)
    msg = (
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. {advice} polling the API."
    )
    return BinanceError(-1003, msg, 429, retry_after_s=retry_after_s)


def too_many_orders(limit: int, per: str, retry_after_s: int) -> BinanceError:
    """More orders than an account may send."""
    msg = f"Too many new orders; current limit is {limit} orders per {per}."
    return BinanceError(-1015, msg, 429, retry_after_s=retry_after_s)
