"""Word from outside that something may have happened at the venue. It is never believed: the venue is asked."""

from __future__ import annotations

import threading
from typing import Protocol

from surefill.errors import VenueOutcomeUnknown
from surefill.logs import logger

_log = logger("surefill.doors")


class Refetches(Protocol):
    """What is asked: a session."""

    def refetch(self) -> None:
        """Have the venue asked. Raises VenueOutcomeUnknown where it does not tell."""


class Hints:
    """One look at a time, and none for a hint that came before the last look began. `came`: how many there were."""

    def __init__(self, session: Refetches) -> None:
        self.came = 0
        self._session = session
        self._looking = threading.Lock()
        self._counting = threading.Lock()
        self._answered = 0

    def take(self) -> None:
        """Have the venue asked; what it says is booked when this returns. One that is silent is asked again anyway."""
        with self._counting:
            self.came += 1
            mine = self.came
        with self._looking:
            if self._answered >= mine:
                return
            told = self.came
            try:
                self._session.refetch()
            except VenueOutcomeUnknown as error:
                _log.warning("hint_not_looked_into", error=error.message)
            self._answered = told
