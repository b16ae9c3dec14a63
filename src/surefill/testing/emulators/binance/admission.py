"""Who may ask, and how often: keys, signatures, the receive window, request weight and order counts."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from surefill.testing.emulators.binance.errors import (
    BinanceError,
    bad_key,
    bad_key_format,
    bad_signature,
    missing,
    too_early,
    too_late,
    too_many,
    too_many_orders,
)
from surefill.testing.emulators.groundwork.store import Store

RECV_WINDOW_MS, RECV_WINDOW_MAX_MS, AHEAD_MAX_MS = 5_000, 60_000, 1_000
KEYS = "keys"
#: After so many refusals in one minute the address is banned. Binance does not say how many; ten is our choice.
REFUSALS_BEFORE_BAN, BAN_S = 10, 120


class Key(NamedTuple):
    """An API key: whose it is and what it may do."""

    api_key: str
    secret: str
    account: str
    withdraws: bool = False
    trades: bool = True
    futures: bool = True


def put_key(store: Store, key: Key) -> None:
    """Make a key known."""
    store.note(KEYS, key.api_key, json.dumps(key._asdict()))


def key_of(store: Store, api_key: str) -> Key:
    """The key; -2014 without one, -2015 for an unknown one."""
    if not api_key:
        raise bad_key_format()
    known = store.noted(KEYS, api_key)
    if known is None:
        raise bad_key()
    return Key(**json.loads(known))


def parameters(query: str, body: str) -> dict[str, str]:
    """All parameters of a request, from both places."""
    return dict(parse_qsl(query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True))


def check_signature(secret: str, query: str, body: str) -> None:
    """HMAC-SHA256 over the query string and the body as they were sent, without the signature."""
    sent = parameters(query, body).get("signature", "")
    if not sent:
        raise missing("signature")
    signed = _unsigned(query) + _unsigned(body)
    check_hmac(secret, signed, sent)


def check_hmac(secret: str, signed: str, sent: str) -> None:
    """Compare a signature in hexadecimal."""
    expected = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, sent):
        raise bad_signature()


def check_time(params: Mapping[str, Any], now_ms: int) -> None:
    """Not from the future, and inside the receive window."""
    try:
        sent_ms = int(params.get("timestamp", ""))
    except ValueError:
        raise missing("timestamp") from None
    window_ms = int(float(params.get("recvWindow", RECV_WINDOW_MS)))
    if window_ms > RECV_WINDOW_MAX_MS:
        raise BinanceError(-1131, "recvWindow must be less than 60000")
    if sent_ms >= now_ms + AHEAD_MAX_MS:
        raise too_early()
    if now_ms - sent_ms > window_ms:
        raise too_late()


def _unsigned(text: str) -> str:
    return "&".join(pair for pair in text.split("&") if not pair.startswith("signature="))


class Limits:
    """Request weight per address and orders per account, of one market. Counts begin anew with each window."""

    def __init__(self, weight: int, orders: Mapping[str, tuple[int, int]], now_ms: Callable[[], int]) -> None:
        #: Highest weight in a minute, and by the header's suffix: orders, and the window in seconds.
        self.weight, self.orders = weight, dict(orders)
        self._now_ms = now_ms
        self._used: Counter[tuple[str, int]] = Counter()
        self._banned_until_ms = 0

    def take(self, weight: int, account: str = "", orders: int = 1) -> None:
        """Count a request (with `account`: so many orders); 429, or 418 for who goes on regardless."""
        now_ms = self._now_ms()
        if now_ms < self._banned_until_ms:
            raise too_many(self.weight, self._left_s(), banned_until_ms=self._banned_until_ms)
        minute = now_ms // 60_000
        self._used["weight", minute] += weight
        if self._used["weight", minute] > self.weight:
            self._used["refused", minute] += 1
            if self._used["refused", minute] > REFUSALS_BEFORE_BAN:
                self._banned_until_ms = now_ms + BAN_S * 1000
                raise too_many(self.weight, BAN_S, banned_until_ms=self._banned_until_ms)
            raise too_many(self.weight, 60 - now_ms // 1000 % 60)
        if account:
            for _ in range(orders):
                self._take_order(account, now_ms)

    def _take_order(self, account: str, now_ms: int) -> None:
        for suffix, (limit, window_s) in self.orders.items():
            window = account + suffix, now_ms // 1000 // window_s
            if self._used[window] >= limit:
                raise too_many_orders(limit, _spelled(suffix), window_s - now_ms // 1000 % window_s)
        for suffix, (_, window_s) in self.orders.items():
            self._used[account + suffix, now_ms // 1000 // window_s] += 1

    def headers(self, account: str = "") -> dict[str, str]:
        """What an answer says of the counts."""
        now_ms = self._now_ms()
        used = str(self._used["weight", now_ms // 60_000])
        told = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        for suffix, (_, window_s) in self.orders.items() if account else ():
            told[f"X-MBX-ORDER-COUNT-{suffix}"] = str(self._used[account + suffix, now_ms // 1000 // window_s])
        return told

    def forget(self) -> None:
        """Begin anew."""
        self._used.clear()
        self._banned_until_ms = 0

    def _left_s(self) -> int:
        return max((self._banned_until_ms - self._now_ms()) // 1000, 1)


def _spelled(suffix: str) -> str:
    return f"{suffix[:-1]} {({'S': 'SECOND', 'M': 'MINUTE', 'D': 'DAY'})[suffix[-1]]}"
