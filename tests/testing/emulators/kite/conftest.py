"""The emulated Kite in a thread, and the real client library connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kiteconnect import KiteConnect

from surefill.testing.emulators.kite import Account, KiteThread


@pytest.fixture
def kite() -> Iterator[KiteThread]:
    with KiteThread() as kite:
        kite.rules(limits={"quotes_per_s": 0, "orders_per_s": 0, "others_per_s": 0}, delay_ms=300)
        yield kite


@pytest.fixture
def client(kite: KiteThread) -> Iterator[KiteConnect]:
    client = KiteConnect(Account().api_key, root=kite.url, access_token=kite.access_token(), timeout=0.2)
    yield client
    client.reqsession.close()
