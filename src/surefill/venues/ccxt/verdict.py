"""From a raw answer to one of three outcomes, by status, raw code and message; never by an exception's class.

What no row of a table names proves nothing: it is unknown.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

import msgspec

from surefill.units import NS_PER_S
from surefill.venues.ccxt.wire import Answer
from surefill.venues.protocol import Rejected, Unknown


class Meaning(enum.Enum):
    """What a code proves about the request that it answers."""

    REFUSED = "it took no effect, and would not when it is sent again"
    TURNED_AWAY = "it took no effect, and the very same one may be sent again, later"
    CLOCK = "it took no effect: its time stamp is not to the venue's liking; the clock must be compared"
    DUPLICATE = "an order of that id is there already: ask for it"
    ABSENT = "no such order can be seen now"
    UNSENT = "it never left"
    UNKNOWN = "it may have taken effect"


#: How long to wait with what was turned away where the venue does not say.
TURNED_AWAY_NS = 10 * NS_PER_S


class Verdict(msgspec.Struct, frozen=True):
    """What an answer means. `code` and `text` are the venue's words, `raw` the whole of them."""

    meaning: Meaning
    code: str
    text: str
    retry_after_ns: int = 0
    raw: str = ""

    def outcome(self) -> Rejected | Unknown:
        """As the answer to an order."""
        if self.meaning is Meaning.REFUSED:
            return Rejected(self.code, self.text, self.raw)
        if self.meaning in (Meaning.TURNED_AWAY, Meaning.CLOCK, Meaning.UNSENT):
            return Rejected(self.code, self.text, self.raw, undelivered=True, retry_after_ns=self.retry_after_ns)
        return Unknown(f"{self.code}: {self.text}", self.raw)


#: Judges an answer; None where the request was done.
Judge = Callable[[Answer], Verdict | None]


def refused_at_the_door(answer: Answer) -> Verdict | None:
    """What the status alone proves: too many requests (429) and a ban (418) are answered before anything is read.

    Source: binance/binance-spot-api-docs, rest-api.md, "HTTP return codes"; the other venues' 429 is RFC 6585's.
    """
    if answer.status not in (418, 429):
        return None
    text = answer.body[:200]
    return Verdict(Meaning.TURNED_AWAY, f"HTTP_{answer.status}", text, answer.retry_after_ns or TURNED_AWAY_NS)


def unclear(answer: Answer, code: str, text: str) -> Verdict:
    """An answer that proves nothing."""
    return Verdict(Meaning.UNKNOWN, code or f"HTTP_{answer.status}", text or answer.body[:200])


def by_table(answer: Answer, code: str, text: str, table: Mapping[str, Meaning]) -> Verdict:
    """What the table says of the code; a code that it does not know proves nothing."""
    meaning = table.get(code, Meaning.UNKNOWN)
    wait_ns = 0
    if meaning is Meaning.TURNED_AWAY:
        wait_ns = answer.retry_after_ns or TURNED_AWAY_NS
    return Verdict(meaning, code, text, wait_ns)
