"""The emulated Kite in a thread, and the real client library connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kiteconnect import KiteConnect

from surefill.testing.emulators.kite import API_KEY
from surefill.testing.emulators.thread import EmulatorThread


@pytest.fixture
def kite() -> Iterator[EmulatorThread]:
    with EmulatorThread("kite") as kite:
        kite.control("kite_rules", limits={"quotes_per_s": 0, "orders_per_s": 0, "others_per_s": 0})
        kite.rules(delay_ms=60_000)  # longer than anybody waits
        yield kite


@pytest.fixture
def client(kite: EmulatorThread) -> Iterator[KiteConnect]:
    token = kite.control("session")["access_token"]
    client = KiteConnect(API_KEY, root=kite.url, access_token=token, timeout=10)
    yield client
    client.reqsession.close()
