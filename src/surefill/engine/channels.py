"""How a call reaches a person: through apprise, which speaks to mail, chat, telephones and a hundred other services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from surefill.errors import ConfigError, RemoteError


class Channel(Protocol):
    """`name` is what the journal keeps; it shows no secret."""

    @property
    def name(self) -> str:
        """What it is called."""

    def deliver(self, title: str, text: str) -> None:
        """Have it delivered, waiting for that. Raises RemoteError where a service did not take it."""


class AppriseChannel:
    """Every URL gets every call. An apprise URL holds keys: it is never shown."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Raises ConfigError where there is no URL, or one that apprise cannot read (by its place, not its text)."""
        try:
            import apprise
        except ImportError as error:
            raise ConfigError("alerts need the extra: pip install 'surefill[alerts]'", key="alerts") from error
        if not urls:
            raise ConfigError("alerts.urls is empty: name a channel, or run without alerts", key="alerts.urls")
        self._services = []
        for place, url in enumerate(urls, 1):
            service = apprise.Apprise()
            if not service.add(url):
                raise ConfigError(f"alerts.urls: entry {place} is no address that apprise can read", key="alerts.urls")
            self._services.append(service)
        self.name = f"apprise, {len(urls)} {'address' if len(urls) == 1 else 'addresses'}"

    def deliver(self, title: str, text: str) -> None:
        """See `Channel.deliver`. One that took it is enough for a call, but not for this to stay silent."""
        failed = [
            place for place, service in enumerate(self._services, 1) if not service.notify(title=title, body=text)
        ]
        if failed:
            which = ", ".join(str(place) for place in failed)
            raise RemoteError(f"alerts.urls: entry {which} did not take it", code="ALERT_NOT_DELIVERED")
