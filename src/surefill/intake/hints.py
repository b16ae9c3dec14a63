"""Word from outside that something may have happened at the venue. It is never believed: the venue is asked."""

from __future__ import annotations

import threading

from surefill.errors import VenueOutcomeUnknown
from surefill.intake.session import Session
from surefill.logs import logger

_log = logger("surefill.doors")


class Hints:
    """One look at a time, and none for a hint that came before the last look began: a flood of hints is two looks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._looking = threading.Lock()
        self._counting = threading.Lock()
        self._came = 0
        self._answered = 0

    def take(self) -> None:
        """Have the venue asked; what it says is booked when this returns. One that is silent is asked again anyway."""
        with self._counting:
            self._came += 1
            mine = self._came
        with self._looking:
            if self._answered >= mine:
                return
            told = self._came
            try:
                self._session.refetch()
            except VenueOutcomeUnknown as error:
                _log.warning("hint_not_looked_into", error=error.message)
            self._answered = told
