"""A listener on this machine that the browser is sent to after a login, once."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Final

_PAGE: Final = b"<!doctype html><title>surefill</title><p>The login has arrived. This page can be closed."


class _Handler(BaseHTTPRequestHandler):
    """Takes the first request that has what a login brings; browsers also ask for icons."""

    server: _Server

    def do_GET(self) -> None:
        """The browser, with the request token in its address."""
        arrived = "request_token=" in self.path or "status=" in self.path
        if arrived:
            self.server.address = self.path
        self.send_response(200 if arrived else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        if arrived:
            self.wfile.write(_PAGE)

    def log_message(self, *ignored: object) -> None:
        """Nothing: the address has the request token in it."""


class _Server(HTTPServer):
    address = ""


def awaited_redirect(port: int, listening: Callable[[int], None]) -> str:
    """The address that the browser comes with; `listening` hears of the port (0: any free one). Blocks."""
    with _Server(("127.0.0.1", port), _Handler) as server:
        listening(server.server_port)
        while not server.address:
            server.handle_request()
        return server.address
