"""Door 4 in a live workspace at an emulated MetaTrader 5 terminal in another process, and the terminal's own truth."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.intake.rpm_driving import Rpm, decision
from tests.venues.mt5.rig import HEDGING, TOKEN

from surefill.engine.clock import LiveClock
from surefill.intake.real_venue import RealVenue
from surefill.intake.rpm import ExecutionConfirmation, ExecutionLog
from surefill.journal.protocol import Journal
from surefill.testing.emulators import EmulatorProcess
from surefill.testing.emulators.mt5 import EmulatedMetaTrader5
from surefill.venues.mt5 import Mt5Settings, Mt5Venue

IPC_S = 0.2
WAIT_S = 8.0
UNITS_PER_LOT = 100_000
LIVE = {"mode": "live", "venue": "mt5", "account": "100001", "id": "fx-live"}


def adapter(port: int, gateway_url: str = "", **changed: Any) -> Mt5Venue:
    """The real adapter; it polls quickly, and currencies trade on every day of the week."""
    terms: dict[str, Any] = {
        "symbols": ("EURUSD",),
        "calendar": "24x7",
        "server_offset_s": 0,
        "poll_s": 0.03,
        "quote_poll_s": 0.02,
        "timeout_s": 2.0,
        **changed,
    }
    if gateway_url:
        return Mt5Venue(Mt5Settings(gateway_url=gateway_url, gateway_token=TOKEN, **terms))
    return Mt5Venue(Mt5Settings(**terms), package=EmulatedMetaTrader5(port, timeout_s=IPC_S))


class Terminal:
    """A fresh account with 100 000 USD and a leverage of 100, seen from its own side."""

    def __init__(self, process: EmulatorProcess, *, mode: int = HEDGING, **seed: object) -> None:
        self.process = process
        process.reset()
        process.seed(account={"margin_mode": mode}, **seed)
        self.price()

    def price(self, bid: str = "1.09495", ask: str = "1.09505", units: int | None = None) -> None:
        """The market: bid, ask, and how many units trade at it (None: any)."""
        shown = {} if units is None else {"qty": str(Decimal(units) / UNITS_PER_LOT)}
        self.process.price("EURUSD", bid=bid, ask=ask, **shown)

    def orders(self) -> list[tuple[str, int, int]]:
        """Status, units and traded units of every order that it took or refused."""
        rows = self.process.truth().orders
        return [(row["status"], _units(row["qty"]), _units(row["cum_qty"])) for row in rows]

    def deals(self) -> list[tuple[int, int]]:
        """Side and units of every deal."""
        return [(int(row["side"]), _units(row["qty"])) for row in self.process.truth().executions]

    def held(self) -> list[int]:
        """Signed units of every open position."""
        return [units for row in self.process.truth().positions if (units := _units(row["qty"]))]

    def balance(self) -> float:
        """The account's money."""
        package = EmulatedMetaTrader5(self.process.port)
        package.initialize()
        return float(package.account_info().balance)

    def seen(self) -> tuple[list[tuple[str, int, int]], list[tuple[int, int]], list[int]]:
        """Orders, deals, positions."""
        return self.orders(), self.deals(), self.held()

    def until(self, what: Callable[[], object], within_s: float = WAIT_S) -> None:
        """Wait until it is so."""
        end = time.monotonic() + within_s
        while not what():
            assert time.monotonic() < end, self.seen()
            time.sleep(0.01)


NOTHING: tuple[list[Any], list[Any], list[Any]] = ([], [], [])


def filled(units: int, side: int = 1) -> tuple[list[tuple[str, int, int]], list[tuple[int, int]], list[int]]:
    """What a terminal shows after one order of that size, filled at once."""
    return [("FILLED", units, units)], [(side, units)], [side * units]


class Door:
    """The public door, with the real adapter before the terminal, and the terminal's prices."""

    def __init__(
        self,
        terminal: Terminal,
        gateway_url: str = "",
        *,
        wait_s: float = WAIT_S,
        journal: Journal | None = None,
        poll_s: float = 0.03,
        **settings: Any,
    ) -> None:
        self.terminal = terminal
        self._folder = tempfile.TemporaryDirectory()
        market = adapter(terminal.process.port, gateway_url, poll_s=poll_s)
        self.rpm = Rpm(
            folder=Path(self._folder.name),
            venue=RealVenue(market=market, real_money=True, without_alerts=True),
            clock=LiveClock(),
            journal=journal,
            wait_s=wait_s,
            has_feed=False,
            workspace=LIVE,
            **settings,
        )

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self.rpm.engine.close()
        self._folder.cleanup()

    def send(self, order_id: str = "rpm_order_123", **changed: Any) -> ExecutionConfirmation:
        """Send the document's decision; `timeout_seconds` is the request's, all else the trade's."""
        asked = {name: changed.pop(name) for name in ("timeout_seconds",) if name in changed}
        return self.rpm.send(decision(order_id, **changed), **asked)

    def log(self, confirmation: ExecutionConfirmation) -> ExecutionLog:
        log = self.rpm.engine.execution(confirmation.execution_id)
        assert log is not None
        return log

    def told(self, confirmation: ExecutionConfirmation) -> list[tuple[Any, Any]]:
        """Every status and reason that the log has had of it."""
        rows = self.rpm.engine._monitor.table.versions(execution_id=confirmation.execution_id)
        return [(row.cells["status"], row.cells["rejection_reason"]) for row in rows]


def _units(lots: object) -> int:
    return int(Decimal(str(lots)) * UNITS_PER_LOT)
