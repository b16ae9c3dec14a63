"""Folding alerts: open until a person has acknowledged them."""

from __future__ import annotations

from surefill.domain import events as e
from surefill.domain.alerts import Alert
from surefill.domain.state import State


def raised(state: State, event: e.AlertRaised) -> None:
    """Open, or raised once more."""
    known = state.book.alerts.get(event.key)
    if known is None:
        state.book.alerts[event.key] = Alert(event.code, event.text, event.ts_ns, event.ts_ns)
    else:
        known.text, known.raised_ns, known.count = event.text, event.ts_ns, known.count + 1


def delivered(state: State, event: e.AlertDelivered) -> None:
    """A channel has taken it."""
    state.book.alerts[event.key].delivered_ns = event.ts_ns


def acknowledged(state: State, event: e.AlertAcknowledged) -> None:
    """Somebody has seen it."""
    del state.book.alerts[event.key]
