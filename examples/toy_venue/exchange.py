"""A toy exchange that speaks JSON over HTTP: what `adapter.py` is an adapter for. It lives in threads of a test.

One symbol, TOY, in dollars with two decimals and whole pieces. Market and limit orders, GTC and IOC. A client id is
taken once. Every answer is JSON; what went wrong has `code` and `text`.

| request | what it does | answers |
|---|---|---|
| POST /submit | `id`, `symbol`, `side`, `type`, `tif`, `qty`, `price` | the order; 400 refused, 409 taken, 429 wait |
| POST /cancel | `id` | the order; 404 nothing works under that id |
| GET /order?id= | an order by client id | `order` (null: there is none) and its `fills` |
| GET /orders | all that works | `orders` |
| GET /fills?after= | executions beyond a number (-1: none) | `fills`, and `head`, the newest number |
| GET /account | what is held, and who asks | `name`, `cash`, `position`, `time_ns` |
| GET /price | the symbol and its last price | `symbol`, `price`, `time_ns` |
"""

from __future__ import annotations

import json
import threading
import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from surefill.testing.remote_venue.faults import Fault, FaultSwitch

SYMBOL = "TOY"
Row = dict[str, Any]
Said = tuple[int, Row]


class ToyExchange:
    """The book. Use it as a context manager: within it, it listens at `port`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.faults = FaultSwitch()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"exchange": self}))
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.01))
        self.port = self._server.server_port
        self.reset()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # -- a test's hand ----------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self.faults.heal()
            self.orders: dict[str, Row] = {}
            self.fills: list[Row] = []
            self.price, self._shown = Decimal(10), -1

    def move(self, price: Decimal, qty: int = -1) -> None:
        """Trade at this price from now on, and only so much (-1: any quantity)."""
        with self.lock:
            self.price, self._shown = price, qty
            for order in self.orders.values():
                self._match(order)

    # -- requests ---------------------------------------------------------------------------------------------

    def answer(self, op: str, asked: Row) -> Said:
        """Do what is asked for."""
        match op:
            case "submit":
                return self._submit(asked)
            case "cancel":
                return self._cancel(asked)
            case "order":
                order = self.orders.get(asked["id"])
                return 200, {"order": order, "fills": [each for each in self.fills if each["id"] == asked["id"]]}
            case "orders":
                return 200, {"orders": [each for each in self.orders.values() if each["status"] == "open"]}
            case "fills":
                after = int(asked["after"])
                return 200, {"fills": [] if after < 0 else self.fills[after:], "head": len(self.fills)}
            case "account":
                held = sum(each["side"] * each["qty"] for each in self.fills)
                cash = 1000 - sum(each["side"] * each["qty"] * Decimal(each["price"]) for each in self.fills)
                return 200, {"name": "toy-1", "cash": str(cash), "position": held, "time_ns": time.time_ns()}
            case "price":
                return 200, {"symbol": SYMBOL, "price": str(self.price), "time_ns": time.time_ns()}
        return 404, {"code": "NO_SUCH_PAGE", "text": op}

    def _submit(self, asked: Row) -> Said:
        if self.faults.strike(Fault.REFUSED, "submit"):
            return 400, {"code": "REFUSED", "text": "not today"}
        if asked["symbol"] != SYMBOL:
            return 400, {"code": "NO_SUCH_SYMBOL", "text": asked["symbol"]}
        if asked["id"] in self.orders:
            return 409, {"code": "ID_TAKEN", "text": asked["id"]}
        order = {**asked, "number": f"T{len(self.orders) + 1}", "status": "open", "done": 0}
        self.orders[asked["id"]] = order
        self._match(order)
        if order["status"] == "open" and order["tif"] == "IOC":
            order["status"] = "canceled"
        return 200, {"order": order, "fills": [each for each in self.fills if each["id"] == asked["id"]]}

    def _cancel(self, asked: Row) -> Said:
        order = self.orders.get(asked["id"])
        if order is None or order["status"] != "open":
            return 404, {"code": "NOT_WORKING", "text": asked["id"]}
        order["status"] = "canceled"
        return 200, {"order": order}

    def _match(self, order: Row) -> None:
        left, side = order["qty"] - order["done"], order["side"]
        reached = order["type"] == "market" or (Decimal(order["price"]) - self.price) * side >= 0
        qty = min(left, self._shown) if self._shown >= 0 else left
        if order["status"] != "open" or not reached or not qty:
            return
        fill = {"id": order["id"], "order": order["number"], "symbol": SYMBOL, "side": side, "qty": qty}
        self.fills.append({**fill, "price": str(self.price), "number": len(self.fills) + 1, "time_ns": time.time_ns()})
        order["done"] += qty
        if order["done"] == order["qty"]:
            order["status"] = "filled"


class _Handler(BaseHTTPRequestHandler):
    """One request per connection, and whatever may go wrong with it."""

    exchange: ToyExchange

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Look."""
        place = urlsplit(self.path)
        self._take(place.path.strip("/"), {name: values[0] for name, values in parse_qs(place.query).items()})

    def do_POST(self) -> None:
        """Change something."""
        self._take(self.path.strip("/"), json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _take(self, op: str, asked: Row) -> None:
        exchange, faults = self.exchange, self.exchange.faults
        with exchange.lock:
            lost, cut = faults.strike(Fault.LOSE_REQUEST, op), faults.strike(Fault.DISCONNECT, op)
            turned_away = faults.strike(Fault.THROTTLED, op)
            failed = self.command == "GET" and faults.strike(Fault.QUERY_ERROR, op)
            done = not (lost or cut or turned_away or failed)
            status, said = exchange.answer(op, asked) if done else (0, {})
            silent = lost or faults.strike(Fault.LOSE_ANSWER, op) or faults.strike(Fault.DELAY_ANSWER, op)
            cut = cut or faults.strike(Fault.DISCONNECT_AFTER, op)
            garbled, broken = faults.strike(Fault.GARBLE_ANSWER, op), faults.strike(Fault.SERVER_ERROR, op)
        if silent:
            self.rfile.read(1)  # until the client gives up
        if silent or cut:
            return
        if turned_away:
            self._say(429, b'{"code": "TOO_MANY", "text": "wait"}', retry_after="1")
        elif failed or broken:
            self._say(500, b'{"code": "BROKEN", "text": "something broke"}')
        else:
            self._say(status, b"<html>" if garbled else json.dumps(said).encode())

    def _say(self, status: int, body: bytes, retry_after: str = "") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if retry_after:
            self.send_header("retry-after", retry_after)
        self.end_headers()
        self.wfile.write(body)
