"""Asking a venue: every request is sent at most once, judged, and its venue's wish to be left alone is kept to."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from surefill.errors import VenueOutcomeUnknown
from surefill.logs import logger
from surefill.venues.ccxt.verdict import Judge, Meaning, Verdict
from surefill.venues.ccxt.wire import Answer, Lost, Wire

_log = logger("surefill.venues.ccxt")

#: ccxt's section, the HTTP method, the path.
Endpoint = tuple[str, str, str]


class Asking:
    """Requests of one account. `compare_clock` is awaited when the venue does not like our time stamps.

    `usage`: what the venue last said of its limits (Binance's X-MBX-USED-WEIGHT-… and X-MBX-ORDER-COUNT-…).
    """

    def __init__(
        self,
        wire: Wire,
        judge: Judge,
        compare_clock: Callable[[], Awaitable[None]],
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._wire, self._judge, self._compare_clock, self._now_ns = wire, judge, compare_clock, now_ns
        self._silent_until_ns = 0
        self.usage: dict[str, str] = {}

    async def put(self, endpoint: Endpoint, params: Mapping[str, Any], send_by_ns: int = 0) -> Answer | Verdict:
        """Ask for a change: the answer where it was done, else what is proven. Past `send_by_ns` it is not sent."""
        now_ns = self._now_ns()
        if now_ns < self._silent_until_ns:
            text = "the venue has told us to wait"
            return Verdict(Meaning.UNSENT, "TOLD_TO_WAIT", text, self._silent_until_ns - now_ns)
        if send_by_ns and now_ns > send_by_ns:
            return Verdict(Meaning.UNSENT, "NOT_SENT", "past the time until which it might be sent")
        try:
            answer = await self._wire.ask(*endpoint, params)
        except Lost as error:
            meaning = Meaning.UNSENT if error.unsent else Meaning.UNKNOWN
            return Verdict(meaning, "NOT_SENT" if error.unsent else "NO_ANSWER", error.reason)
        self._note(answer)
        verdict = self._judge(answer)
        if verdict is None:
            return answer
        if answer.status in (418, 429):
            self._silent_until_ns = max(self._silent_until_ns, self._now_ns() + verdict.retry_after_ns)
        if verdict.meaning is Meaning.CLOCK:
            await self._clock()
        return msgspec.structs.replace(verdict, raw=answer.body)

    async def find(self, endpoint: Endpoint, params: Mapping[str, Any]) -> Any:
        """Look: the data, None where the venue says that there is none. Raises VenueOutcomeUnknown."""
        answer = await self.put(endpoint, params)
        if isinstance(answer, Answer):
            return answer.data
        if answer.meaning is Meaning.ABSENT:
            return None
        raise VenueOutcomeUnknown(f"{endpoint[2]}: {answer.code}: {answer.text}")

    async def look(self, endpoint: Endpoint, params: Mapping[str, Any] | None = None) -> Any:
        """Look for what must be there. Raises VenueOutcomeUnknown."""
        found = await self.find(endpoint, params or {})
        if found is None:
            raise VenueOutcomeUnknown(f"{endpoint[2]}: nothing was told")
        return found

    async def rows(self, endpoint: Endpoint, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Look for a list of objects. Raises VenueOutcomeUnknown, also where it is something else."""
        found = await self.look(endpoint, params)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise VenueOutcomeUnknown(f"{endpoint[2]}: not a list: {str(found)[:100]}")
        return found

    async def _clock(self) -> None:
        try:
            await self._compare_clock()
        except VenueOutcomeUnknown as error:
            _log.warning("the venue's clock cannot be compared", reason=str(error))

    def _note(self, answer: Answer) -> None:
        for name, value in answer.headers.items():
            if name.startswith("x-mbx-"):
                self.usage[name] = value
