"""Deciding on alerts: each is raised once, called out again only after a pause, and closed by a person."""

from __future__ import annotations

from surefill.domain.decide.step import Step
from surefill.domain.events import AlertAcknowledged, AlertDelivered, AlertRaised
from surefill.domain.inputs import AcknowledgeAlert, ConfirmAlert, RaiseAlert
from surefill.errors import InputError


def raise_alert(this: Step, item: RaiseAlert) -> None:
    """Open it, or raise it again when nobody has acknowledged it for long enough."""
    known = this.book.alerts.get(item.key)
    if known is None or item.ts_ns - known.raised_ns >= item.repeat_ns:
        this.emit(AlertRaised(item.ts_ns, "", 0, item.key, item.code, item.text))


def confirm(this: Step, item: ConfirmAlert) -> None:
    """It has left; one that was acknowledged meanwhile needs no confirmation."""
    if item.key in this.book.alerts:
        this.emit(AlertDelivered(item.ts_ns, "", 0, item.key, item.channel))


def acknowledge(this: Step, item: AcknowledgeAlert) -> None:
    """Close one, or all. Raises InputError where nobody is named, or there is no such alert."""
    if not item.by:
        raise InputError("say who acknowledges", code="NAME_REQUIRED")
    if item.key and item.key not in this.book.alerts:
        known = ", ".join(sorted(this.book.alerts)) or "none"
        raise InputError(f"there is no open alert {item.key!r} (open: {known})", code="UNKNOWN_ALERT")
    for key in (item.key,) if item.key else tuple(this.book.alerts):
        this.emit(AlertAcknowledged(item.ts_ns, "", 0, key, item.by))
