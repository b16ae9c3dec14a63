"""Noticing that an engine is dead or hangs, from outside: nobody inside could tell.

`Watch` runs in a process of its own and asks the engine's control socket how it stands; what answers there has a loop
that turns and a state that is durable. An engine can also be heard by somebody else's dead man's switch: `Pulse` calls
an address again and again, as long as the loop turns and the journal can be written.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from surefill.engine.channels import Channel
from surefill.engine.control_client import ask_engine
from surefill.engine.engine import Engine
from surefill.errors import ConfigError, SurefillError
from surefill.logs import logger

_log = logger("surefill.heartbeat")


class Watch:
    """Asks once per `look`; after `misses` looks without an answer it calls somebody, and again when it is back."""

    def __init__(
        self, journal_path: str | os.PathLike[str], channel: Channel, *, misses: int = 3, timeout_s: float = 5.0
    ) -> None:
        self._path = os.fspath(journal_path)
        self._channel = channel
        self._misses = misses
        self._timeout_s = timeout_s
        self._missed = 0
        self._told = False

    def look(self) -> str:
        """Look once: "alive", "broken" (it answers, and cannot write its journal) or "silent"."""
        found, why = self._asked()
        self._missed = 0 if found == "alive" else self._missed + 1
        if self._missed >= self._misses and not self._told:
            self._told = self._call(f"the engine is {found}", f"{self._path}: {why}. Positions may be unguarded.")
        elif found == "alive" and self._told:
            self._told = not self._call("the engine is back", f"{self._path}: it answers again.")
        return found

    def _asked(self) -> tuple[str, str]:
        try:
            status: dict[str, Any] | None = ask_engine(self._path, {"do": "status"}, timeout_s=self._timeout_s)
        except SurefillError as error:
            if error.code == "UNKNOWN_WORKSPACE":  # it has several, and answers
                return "alive", ""
            return "silent", str(error)
        if status is None:
            return "silent", "no engine listens there"
        broken = status["engine"]["broken"]
        return ("broken", broken) if broken else ("alive", "")

    def _call(self, title: str, text: str) -> bool:
        """Whether it was delivered; what was not is tried again with the next look."""
        try:
            self._channel.deliver(f"surefill: {title}", text)
        except Exception as error:  # whatever a service's client raises
            _log.error("alert_not_delivered", title=title, error=str(error))
            return False
        return True


class Pulse:
    """Calls `beat` every `every_s` seconds while the engine's loop turns and every workspace can be written."""

    def __init__(self, engine: Engine, beat: Callable[[], None], every_s: float) -> None:
        self._engine = engine
        self._beat = beat
        self._every_s = every_s

    async def run(self) -> None:
        """For ever; cancel it to end."""
        while True:
            if all(desk.broken is None for desk in self._engine.desks.values()):
                try:
                    await asyncio.to_thread(self._beat)
                except Exception as error:  # the other side is down: it will notice
                    _log.warning("heartbeat_failed", error=str(error))
            await asyncio.sleep(self._every_s)


def beat_of(url: str, timeout_s: float = 10.0) -> Callable[[], None]:
    """A beat that calls an address (healthchecks.io and the like). Raises ConfigError where httpx2 is missing."""
    try:
        import httpx2
    except ImportError as error:
        raise ConfigError("alerts.heartbeat_url needs the extra: pip install 'surefill[alerts]'") from error

    def beat() -> None:
        httpx2.get(url, timeout=timeout_s).raise_for_status()

    return beat
