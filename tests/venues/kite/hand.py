"""A hand on an emulated Kite, in Kite's own words."""

from __future__ import annotations

import os
from typing import Any

from surefill.testing.emulators import AnyFault, EmulatorProcess
from surefill.testing.emulators.thread import EmulatorThread

_SHARED_RULES = frozenset({"delay_ms", "short_ms"})


class Kite:
    """In a thread, or, with a `path` for its truth, in a process of its own. Use it as a context manager."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._emulator = EmulatorThread("kite") if path is None else EmulatorProcess("kite", path)
        self.url = self._emulator.url
        self.ws_url = self._emulator.ws_url
        self.port = self._emulator.port

    def __enter__(self) -> Kite:
        return self

    def __exit__(self, *_: object) -> None:
        self._emulator.kill()

    def back_after_its_crash(self) -> None:
        """Wait until it has died, and start it again."""
        self._emulator.wait()
        self._emulator.start()

    def do(self, command: str, **said: Any) -> Any:
        """Any command of its control endpoint."""
        return self._emulator.control(command, **said)

    def price(self, key: str, last: float, *, qty: int = -1, bid: float = 0, ask: float = 0) -> None:
        """Set the price in rupees, and how much trades at it (-1: any)."""
        told: dict[str, float] = {"px": last, "bid": bid or last, "ask": ask or last}
        if qty >= 0:
            told["qty"] = qty
        self._emulator.control("price", symbol=key, **{name: str(value) for name, value in told.items()})

    def rules(self, **rules: Any) -> None:
        """Change rules by name."""
        shared = {name: rules.pop(name) for name in _SHARED_RULES & rules.keys()}
        if shared:
            self._emulator.rules(**shared)
        if rules:
            self._emulator.control("kite_rules", **rules)

    def arm(self, fault: AnyFault, times: int = 1, *, op: str = "") -> None:
        """Switch a fault on for the next `times` occasions."""
        self._emulator.arm(fault, times, op=op)

    def access_token(self) -> str:
        """A new session's token, without the login page; the one before ends."""
        return str(self._emulator.control("session")["access_token"])

    def truth(self) -> dict[str, Any]:
        """What really happened: `orders`, `trades`, `gtts` in Kite's shape, and which faults `fired`, how often."""
        return {**self._emulator.control("books"), "fired": dict(self._emulator.truth().fired)}
