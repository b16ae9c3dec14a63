"""Door 4 on a clock and a market that the test moves, or on a venue in another process."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from surefill.domain import codec
from surefill.domain.events import Event
from surefill.engine.clock import Clock, VirtualClock
from surefill.intake.real_venue import VenueChoice
from surefill.intake.rpm import Alert, ExecutionConfirmation, RPMExecutionEngine
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Journal
from surefill.units import NS_PER_S, ns_from_datetime

SYMBOL = "EURUSD"
START = datetime(2025, 11, 19, 9, 20, tzinfo=UTC)  # a Wednesday: currencies trade

TRADE: dict[str, Any] = {
    "symbol": SYMBOL,
    "direction": 1,
    "position_units": 95_000,
    "confidence_score": 0.78,
    "regime": "TRENDING",
    "base_units": 100_000,
    "confidence_adjustment": 0.95,
    "regime_adjustment": 1.0,
    "correlation_adjustment": 0.90,
    "atr": 0.0015,
    "vol_percentile": 0.65,
    "risk_per_trade": 500.0,
    "kelly_fraction": 0.25,
    "expectancy": 0.0035,
}


def decision(order_id: str = "rpm_order_123", status: str = "APPROVED", **trade: Any) -> dict[str, Any]:
    """The document's decision; keywords change its trade."""
    return {
        "decision": {"status": status, "order_id": order_id, "approved_trade": {**TRADE, **trade}},
        "portfolio_state": {"trading_halted": False, "current_drawdown": 0.05, "equity": 98_500.0},
        "risk_metrics": {"value_at_risk": 1_200.5},
        "config_hash": "abc123def456",
        "rpm_version": "1.0.0",
    }


def halted(order_id: str = "rpm_order_123", reason: str = "drawdown of 10 %") -> dict[str, Any]:
    """A decision that comes while the risk manager has halted trading."""
    output = decision(order_id)
    output["portfolio_state"] |= {"trading_halted": True, "halt_reason": reason}
    return output


def turned_down(order_id: str = "rpm_order_123") -> dict[str, Any]:
    """A decision that the risk manager has rejected."""
    output = decision(order_id, "REJECTED")
    output["decision"] |= {
        "approved_trade": None,
        "rejected_trade": {"rejection_reason": "KILL_SWITCH_TRIGGERED", "rejection_details": "limit reached"},
    }
    return output


class Market:
    """A feed: bid and ask around 1.09500, and what else it is told to say."""

    def __init__(self) -> None:
        self.quote: Any = {"bid": 1.09495, "ask": 1.09505}

    def get_quote(self, _symbol: str) -> Any:
        if isinstance(self.quote, Exception):
            raise self.quote
        return copy.copy(self.quote)


class Rpm:
    """The door. Keyword settings are sections of the configuration."""

    def __init__(
        self,
        *,
        folder: Path | None = None,
        journal: Journal | None = None,
        venue: VenueChoice = None,
        clock: Clock | None = None,
        feed: object = None,
        has_feed: bool = True,
        wait_s: float | None = 0.0,
        **settings: Any,
    ) -> None:
        self.clock = clock or VirtualClock(ns_from_datetime(START))
        self.market = Market()
        self.alerts: list[Alert] = []
        self._heard = threading.Condition()
        self.journal = journal or MemoryJournal()
        config: dict[str, Any] = {
            "journal": {"path": ":memory:" if folder is None else str(folder / "not.made")},  # one is given
            "workspace": {"starting_equity": 100_000, **settings.pop("workspace", {})},
            **settings,
        }
        if folder is not None:
            config["artifacts"] = {"dir": str(folder)}
        self.engine = RPMExecutionEngine(
            config,
            (self.market if feed is None else feed) if has_feed else None,
            venue=venue,
            on_alert=self._hear,
            wait_s=wait_s,
            clock=self.clock,
            journal=self.journal,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def _hear(self, alert: Alert) -> None:
        with self._heard:
            self.alerts.append(alert)
            self._heard.notify_all()

    def hears(self, code: str, within_s: float = 5.0) -> bool:
        """Whether an alert of that code comes."""
        with self._heard:
            return self._heard.wait_for(lambda: code in [alert.code for alert in self.alerts], within_s)

    def alerted(self) -> list[str]:
        """The codes of all alerts, once they have all been told: closes the door."""
        self.engine.close()
        return [alert.code for alert in self.alerts]

    def tick(self, seconds: float = 1) -> None:
        assert isinstance(self.clock, VirtualClock)
        self.clock.advance_to(self.clock.now_ns() + round(seconds * NS_PER_S))

    def send(self, output: Mapping[str, Any] | None = None, **overrides: Any) -> ExecutionConfirmation:
        if isinstance(self.clock, VirtualClock):
            self.tick()
        return self.engine.execute(decision() if output is None else output, **overrides)

    def events(self) -> list[Event]:
        return [codec.decode(record.payload) for record in self.journal.read("main")]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events()]

    def statuses(self, execution_id: str) -> list[str]:
        """Every status that the log has had of an execution, in order."""
        rows = self.engine._monitor.table.versions(execution_id=execution_id)
        return [str(row.cells["status"]) for row in rows]
