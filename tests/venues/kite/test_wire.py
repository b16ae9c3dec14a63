"""Raw answers and raw failures, against the real client library on real sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from surefill.errors import VenueOutcomeUnknown
from surefill.secret import Secret
from surefill.units import NS_PER_S
from surefill.venues.kite.settings import KiteSettings
from surefill.venues.kite.wire import Answer, Wire, data_of
from surefill.venues.protocol import Rejected, Unknown

ORDER = {
    "variety": "regular", "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY", "quantity": 1,
    "product": "MIS", "order_type": "LIMIT", "price": "1500",
}  # fmt: skip
SILENCE = b"\x00silence"


class Server:
    """Answers every connection with the same bytes; counts the requests it has read."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._silent: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            request = connection.recv(65536)
            if not request:
                connection.close()
                return
            self.requests.append(request)
            if self.answer == SILENCE:
                self._silent.append(connection)
                continue
            connection.sendall(self.answer)
            connection.close()

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        for each in (*self._silent, self._listener):
            each.close()


@contextmanager
def answering(answer: bytes) -> Iterator[Server]:
    server = Server(answer)
    try:
        yield server
    finally:
        server.close()


def http(status: int, body: str, kind: str = "application/json", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    return f"{head}{more}\r\n{body}".encode()


def error(status: int, error_type: str, message: str = "m", more: str = "") -> bytes:
    return http(status, f'{{"status":"error","message":"{message}","error_type":"{error_type}"}}', more=more)


def placed(port: int, send_by_ns: int = 0) -> Answer | Rejected | Unknown:
    """What an order ends in, sent through a wire to that port."""

    async def story() -> Answer | Rejected | Unknown:
        wire = Wire(KiteSettings(api_key="k", access_token=Secret("t"), root=f"http://127.0.0.1:{port}", timeout_s=0.2))
        try:
            return await wire.call(lambda kite: kite.place_order(**ORDER), send_by_ns)
        finally:
            await wire.close()

    return asyncio.run(story())


UNKNOWN = (
    error(500, "GeneralException"),
    error(500, "OrderException"),
    error(502, "DataException"),
    error(503, "NetworkException"),
    error(504, "NetworkException"),
    error(400, "OrderException", "Request timed out"),
    error(400, "InputException", "OMS timeout"),
    error(400, "NetworkException"),
    error(400, "SomethingNew"),
    error(409, "InputException"),
    http(502, "<html>Bad Gateway</html>", "text/html"),
    http(200, "<html>hello</html>", "text/html"),
    http(200, '{"status":"success","data":', "application/json"),
    http(200, '{"status":"error"}'),
    http(500, '{"status":"success","data":{"order_id":"1"}}'),
    http(307, "", more="Location: /orders/regular\r\n"),
    b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nContent-Type: application/json\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"nothing like HTTP\r\n\r\n",
    b"",
    SILENCE,
)


@pytest.mark.parametrize("answer", UNKNOWN, ids=lambda answer: answer[9:60].decode().strip() or "nothing")
def test_answer_that_proves_nothing_is_unknown_and_asked_for_once(answer: bytes) -> None:
    with answering(answer) as server:
        assert isinstance(placed(server.port), Unknown)
        assert len(server.requests) == 1


DEFINITE = (
    (error(400, "InputException"), "InputException", False),
    (error(400, "OrderException"), "OrderException", False),
    (error(400, "MarginException"), "MarginException", False),
    (error(400, "HoldingException"), "HoldingException", False),
    (error(403, "PermissionException"), "PermissionException", False),
    (error(403, "TokenException"), "TokenException", True),
    (error(429, "NetworkException"), "429", True),
    (http(429, "<html>slow down</html>", "text/html"), "429", True),
)


@pytest.mark.parametrize(("answer", "code", "undelivered"), DEFINITE, ids=lambda part: str(part)[:50])
def test_answer_that_proves_a_refusal_is_rejected(answer: bytes, code: str, undelivered: bool) -> None:
    with answering(answer) as server:
        outcome = placed(server.port)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.undelivered) == (code, undelivered)


def test_throttled_answer_honours_retry_after() -> None:
    with answering(error(429, "NetworkException", more="Retry-After: 7\r\n")) as server:
        outcome = placed(server.port)
    assert isinstance(outcome, Rejected)
    assert outcome.retry_after_ns == 7 * NS_PER_S


def test_refused_connection_proves_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = placed(port)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.undelivered) == ("NOT_SENT", True)


def test_request_whose_deadline_passed_in_the_queue_is_not_sent() -> None:
    with answering(http(200, '{"status":"success","data":{"order_id":"1"}}')) as server:
        outcome = placed(server.port, send_by_ns=time.time_ns() - 1)
        assert isinstance(outcome, Rejected)
        assert (outcome.code, server.requests) == ("NOT_SENT", [])


def test_waiting_request_whose_caller_went_away_is_not_sent() -> None:
    async def story(server: Server) -> None:
        settings = KiteSettings(
            api_key="k", access_token=Secret("t"), root=f"http://127.0.0.1:{server.port}", timeout_s=0.2
        )
        wire = Wire(settings)
        first = asyncio.create_task(wire.call(lambda kite: kite.orders()))
        second = asyncio.create_task(wire.call(lambda kite: kite.place_order(**ORDER)))
        await asyncio.sleep(0)
        second.cancel()
        assert isinstance(await first, Unknown)
        await wire.close()

    with answering(SILENCE) as server:
        asyncio.run(story(server))
        assert [request.split(b" ")[0] for request in server.requests] == [b"GET"]


def test_environment_lends_the_wire_neither_proxy_nor_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(http(200, '{"status":"success","data":{"order_id":"1"}}')) as server:
        outcome = placed(server.port)
        assert isinstance(outcome, Answer)
        assert b"Authorization: token k:t" in server.requests[0]


def test_data_of_another_shape_is_no_answer() -> None:
    with pytest.raises(VenueOutcomeUnknown, match="cannot be read"):
        data_of(Answer('{"status":"success","data":{"order_id":5}}'), list[str])


def test_secret_is_in_no_repr_of_the_settings() -> None:
    told: Any = KiteSettings(api_key="k", access_token=Secret("canary-1"), api_secret=Secret("canary-2"))
    assert "canary" not in f"{told!r} {told}"
