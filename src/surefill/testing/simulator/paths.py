"""Which ways the core's decisions took, counted in a journal: a path that no run takes is not tested by any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from surefill.domain import codec
from surefill.domain import events as e
from surefill.domain.evolve import TIMEOUT
from surefill.journal import Journal
from surefill.rules.codes import ExitReason, KillLevel, OrdType


def paths(journal: Journal) -> Counter[str]:
    """How often each of them was taken, over all workspaces."""
    taken: Counter[str] = Counter()
    for record in journal.read_all(0):
        event = codec.decode(record.payload)
        name = _NAMES.get(type(event))
        if name is not None:
            taken[f"path {name(event)}"] += 1
    del taken["path "]
    return taken


def _created(event: e.OrderCreated) -> str:
    if event.parent:
        return "rest taken up"
    if event.exit_reason and event.request.ord_type == OrdType.STOP:
        return "stop placed"
    if event.withheld:
        return "exit withheld"
    return "shutdown exit" if event.exit_reason == ExitReason.SHUTDOWN else ""


def _scope(event: e.Halted | e.Resumed) -> str:
    if event.instrument_id:
        return "symbol"
    return "strategy" if event.strategy_id else event.scope or "workspace"


_NAMES: dict[type[e.Event], Callable[[Any], str]] = {
    e.OrderCreated: _created,
    e.OrderResent: lambda _event: "resent",
    e.OrderReleased: lambda _event: "exit released",
    e.StopPresumedGone: lambda _event: "stop presumed gone",
    e.CancelRequested: lambda event: "timed out" if event.by == TIMEOUT else "",
    e.OrderTriggered: lambda _event: "stop triggered",
    e.ReplaceRequested: lambda _event: "stop to be changed",
    e.OrderReplaced: lambda _event: "stop changed",
    e.ReplaceRefused: lambda _event: "stop not changed",
    e.BreakerTripped: lambda event: f"tripped {event.breaker}",
    e.BreakerRearmed: lambda event: f"re-armed {event.breaker}",
    e.Halted: lambda event: f"{KillLevel(event.level).name} {_scope(event)}",
    e.Resumed: lambda event: f"loosened {_scope(event)}",
}
