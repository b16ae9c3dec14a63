from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from kiteconnect import KiteConnect

from surefill.testing.emulators.kite import API_SECRET
from surefill.testing.emulators.thread import EmulatorThread


@pytest.fixture
def posted(kite: EmulatorThread) -> Iterator[queue.Queue[dict[str, Any]]]:
    """What arrives at the app's address."""
    got: queue.Queue[dict[str, Any]] = queue.Queue()

    class Address(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Address) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        kite.control("kite_rules", postback_url=f"http://127.0.0.1:{server.server_port}/postback")
        yield got
        server.shutdown()
        thread.join()


def test_postbacks_tell_of_changes_and_ends_with_a_checksum(
    kite: EmulatorThread, client: KiteConnect, posted: queue.Queue[dict[str, Any]]
) -> None:
    order_id = client.place_order("regular", "NSE", "INFY", "BUY", 10, "MIS", "LIMIT", 1490)
    client.modify_order("regular", order_id, quantity=11)
    kite.price("NSE:INFY", 1490, qty=3)
    client.cancel_order("regular", order_id)
    got = [posted.get(timeout=5) for _ in range(3)]
    assert [(each["status"], each["filled_quantity"]) for each in got] == [
        ("UPDATE", 0),
        ("UPDATE", 3),
        ("CANCELLED", 3),
    ]
    for each in got:
        said = f"{each['order_id']}{each['order_timestamp']}{API_SECRET}"
        assert each["checksum"] == hashlib.sha256(said.encode()).hexdigest()
    assert posted.empty()
