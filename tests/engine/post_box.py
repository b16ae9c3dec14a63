"""A service that takes calls over HTTP, as apprise's json:// does; it can be told to be out of order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class PostBox:
    """`calls`: (title, text) of what was taken. While `down`, everything is answered with 503, and `refused` counts."""

    def __init__(self, port: int) -> None:
        self.url = f"json://127.0.0.1:{port}/"
        self.http_url = f"http://127.0.0.1:{port}/"
        self.calls: list[tuple[str, str]] = []
        self.beats = 0
        self.refused = 0
        self.down = False
        self.heard = threading.Condition()

    def wait_for(self, what: Any, timeout_s: float = 10.0) -> None:
        """Until it is so; each call that comes lets it look again."""
        with self.heard:
            assert self.heard.wait_for(lambda: what(self), timeout_s), (self.calls, self.refused, self.beats)


@contextmanager
def post_box() -> Iterator[PostBox]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with box.heard:
                if box.down:
                    box.refused += 1
                else:
                    box.calls.append((said["title"], said["message"]))
                box.heard.notify_all()
            self._answer()

        def do_GET(self) -> None:
            with box.heard:
                box.beats += 1
                box.heard.notify_all()
            self._answer()

        def _answer(self) -> None:
            self.send_response(503 if box.down else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box = PostBox(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
