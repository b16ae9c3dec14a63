"""A hand on the emulated Kite from outside: its commands as methods. Blocking calls."""

from __future__ import annotations

import http.client
from decimal import Decimal
from typing import Any, Final

import msgspec

from surefill.testing.remote_venue.faults import Fault

ANSWER_WITHIN_S: Final = 10.0


class Hand:
    """Reaches the venue at `port` of this machine."""

    port: int

    @property
    def url(self) -> str:
        """What `KiteConnect(root=…)` takes."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """What `KiteTicker(root=…)` takes."""
        return f"ws://127.0.0.1:{self.port}/"

    def do(self, command: str, **said: Any) -> Any:
        """Any command of `control.COMMANDS`. Raises RuntimeError where it is refused."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_WITHIN_S)
        try:
            connection.request("POST", "/_emulator", msgspec.json.encode({"do": command, **said}))
            answer = msgspec.json.decode(connection.getresponse().read())
        finally:
            connection.close()
        if not answer["ok"]:
            raise RuntimeError(f"the emulated Kite refused {command} {said}: {answer['data']}")
        return answer["data"]

    def price(self, key: str, last: float | Decimal, *, qty: int = -1, bid: float = 0, ask: float = 0) -> None:
        """Set the price in rupees, and how much trades at it (-1: any)."""
        self.do("price", key=key, last=float(last), qty=qty, bid=bid, ask=ask)

    def rules(self, **rules: Any) -> None:
        """Change rules by name (`surefill.testing.emulators.kite.rules.Rules`)."""
        self.do("rules", rules=rules)

    def arm(self, fault: Fault, times: int = 1, *, rate_ppm: int = 0, op: str = "") -> None:
        """Switch a fault on: for the next `times` occasions, or for `rate_ppm` of a million."""
        self.do("arm", fault=fault.name, times=0 if rate_ppm else times, rate_ppm=rate_ppm, op=op)

    def heal(self) -> None:
        """Switch all faults off."""
        self.do("heal")

    def access_token(self) -> str:
        """A new session's token, without the login page."""
        return str(self.do("session")["access_token"])

    def truth(self) -> dict[str, Any]:
        """What really happened: `orders`, `trades`, `positions`, `gtts`, and `fired` faults."""
        return dict(self.do("truth"))
