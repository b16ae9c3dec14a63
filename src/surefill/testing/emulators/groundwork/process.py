"""Running an emulated venue from a test: start it, kill it, start it again, and have a hand on it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess  # nosec B404: starts this package's own module
import sys
from collections import Counter
from typing import Any, Self

from surefill.testing.emulators.groundwork.faults import AnyFault

ANSWER_WITHIN_S = 10.0


class EmulatorProcess:
    """An emulated venue ("binance", "kite", "mt5") in a process of its own; `path` holds its truth. Blocking calls.

    Use it as a context manager. `port` stays the same over `kill` and `start`, so that clients find it again.
    """

    def __init__(self, name: str, path: str | os.PathLike[str], port: int = 0) -> None:
        self._name, self._path = name, os.fspath(path)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Its address for WebSockets."""
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, on the port that it had before."""
        module = ["-m", "surefill.testing.emulators", self._name]
        self._process = subprocess.Popen(  # nosec B603: this interpreter, our own module
            [sys.executable, *module, "--db", self._path, "--port", str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            code = self.wait()
            raise RuntimeError(f"the emulated {self._name} did not start (exit {code}): see its messages above")
        self.port = int(said)

    def kill(self) -> None:
        """Kill it outright; what it committed stays."""
        if self._process is not None:
            self._process.kill()
            self.wait()

    def wait(self) -> int:
        """Wait for its end (a CRASH fault brings it about) and return the exit code."""
        if self._process is None:
            raise RuntimeError(f"the emulated {self._name} does not run")
        code = self._process.wait(ANSWER_WITHIN_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None
        return code

    # -- a hand on it -----------------------------------------------------------------------------------------

    def price(self, symbol: str, px: object = None, **terms: object) -> None:
        """Set the price: `px`, or `bid` and `ask`; `qty`, `bid_qty`, `ask_qty` say how much trades at it."""
        self.control("price", symbol=symbol, px=px, **terms)

    def arm(self, fault: AnyFault, times: int = 1, *, rate_ppm: int = 0, op: str = "") -> None:
        """Switch a fault on: for the next `times` occasions, or for `rate_ppm` of a million."""
        self.control("arm", fault=fault.name, times=0 if rate_ppm else times, rate_ppm=rate_ppm, op=op)

    def heal(self) -> None:
        """Switch all faults off and set the clock right."""
        self.control("heal")

    def rules(self, **rules: int) -> None:
        """Set `skew_ms`, `delay_ms`, `short_ms`, `report_delay_ms`."""
        self.control("rules", **rules)

    def seed(self, **what: object) -> None:
        """Put accounts, balances or positions there."""
        self.control("seed", **what)

    def reset(self) -> None:
        """Forget everything that happened."""
        self.control("reset")

    def truth(self) -> Truth:
        """What really happened."""
        return Truth(self._ask("GET", "truth", None))

    def control(self, command: str, **body: object) -> Any:
        """Any command of its control endpoint."""
        return self._ask("POST", command, body)["result"]

    def _ask(self, method: str, command: str, body: dict[str, object] | None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_WITHIN_S)
        try:
            sent = None if body is None else json.dumps(body, default=str)
            connection.request(method, f"/_control/{command}", sent)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"the emulated {self._name} refused {command} {body}: {said}")
        return said


class Truth:
    """What really happened at an emulated venue: orders, executions, positions, balances as its store has them."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.orders: list[dict[str, Any]] = told["orders"]
        self.executions: list[dict[str, Any]] = told["executions"]
        self.positions: list[dict[str, Any]] = told["positions"]
        self.balances: list[dict[str, Any]] = told["balances"]
        self.fired: Counter[str] = Counter(told["fired"])

    def orders_per_client_id(self) -> Counter[str]:
        """How many orders were taken under each client order id (or tag, where a venue has only that).

        Refused ones do not count: nothing came of them.
        """
        taken = [order for order in self.orders if order["status"] != "REJECTED"]
        return Counter(order["client_id"] or order["tag"] for order in taken)
