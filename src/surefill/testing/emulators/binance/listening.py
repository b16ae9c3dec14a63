"""Listen keys: they open an account's stream, last an hour, and can be kept alive."""

from __future__ import annotations

import json
import secrets
from typing import NamedTuple

from surefill.testing.emulators.binance.errors import no_listen_key
from surefill.testing.emulators.binance.floor import account_channel
from surefill.testing.emulators.groundwork.desk import Desk

VALID_MS = 60 * 60 * 1000
_TOPIC = "listen keys"


class Listening(NamedTuple):
    """What a listen key opens, and until when."""

    scope: str
    account: str
    until_ms: int


class ListenKeys:
    """All listen keys; they outlive the process."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._store = desk, desk.store

    def create(self, scope: str, account: str, *, renewed: bool) -> str:
        """A listen key; with `renewed` the one that is there lives on (as at USD-M, one key an account)."""
        if renewed:
            for key in self._store.notes(_TOPIC):
                known = self.find(key)
                if known is not None and known[:2] == (scope, account):
                    self._put(key, scope, account)
                    return key
        key = secrets.token_hex(32)
        self._put(key, scope, account)
        return key

    def find(self, key: str) -> Listening | None:
        """What it opens; None for one that has ended or never was."""
        text = self._store.noted(_TOPIC, key)
        known = Listening(*json.loads(text)) if text is not None else None
        return known if known is not None and known.until_ms > self._desk.now_ms() else None

    def keep(self, key: str) -> None:
        """Another hour; -1125 for one that has ended."""
        known = self.find(key)
        if known is None:
            raise no_listen_key()
        self._put(key, known.scope, known.account)

    def key_for(self, scope: str, account: str) -> str:
        """The account's key; -1125 without one."""
        for key in self._store.notes(_TOPIC):
            known = self.find(key)
            if known is not None and known[:2] == (scope, account):
                return key
        raise no_listen_key()

    def close(self, key: str) -> None:
        """It ends, and what it opened is closed."""
        known = self.find(key)
        if known is None:
            raise no_listen_key()
        self._store.note(_TOPIC, key, None)
        self._desk.streams.break_off(account_channel(known.scope, known.account))

    def expire_all(self) -> int:
        """All end now: their streams are told, and stay silent; how many there were."""
        keys = list(self._store.notes(_TOPIC))
        for key in keys:
            known = self.find(key)
            self._store.note(_TOPIC, key, None)
            if known is not None:
                told = {"e": "listenKeyExpired", "E": self._desk.now_ms(), "listenKey": key}
                channel = account_channel(known.scope, known.account)
                self._desk.streams.tell(channel, told)
                self._desk.streams.break_off(channel)
        return len(keys)

    def _put(self, key: str, scope: str, account: str) -> None:
        self._store.note(_TOPIC, key, json.dumps([scope, account, self._desk.now_ms() + VALID_MS]))
