"""Calls to people, until somebody has seen them."""

from __future__ import annotations

from surefill.domain.events.event import Event


class AlertRaised(Event, frozen=True):
    """Somebody has to be called. `key`: what about; while that alert is open it is raised again only after a pause."""

    key: str
    code: str
    text: str


class AlertDelivered(Event, frozen=True):
    """The call has left by a channel that took it."""

    key: str
    channel: str


class AlertAcknowledged(Event, frozen=True):
    """A named person has seen it: it is closed, and the next of its kind is a new one."""

    key: str
    by: str
