"""The market that a decision is executed on: bid and ask from the caller's feed, read fail-closed.

A feed is an object with `get_quote(symbol)`, a mapping by symbol, or a callable. What it answers is a mapping or an
object with `bid` and `ask`, perhaps `bid_size` and `ask_size` (in the instrument's quantity: lots), perhaps a
`timestamp` (a datetime or ISO text; without a zone it is UTC). Nothing of it is trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from surefill.config import profile_of
from surefill.domain.market import Quote
from surefill.domain.refusals import Refusal, RefusalCode
from surefill.errors import InputError
from surefill.intake.caller_feed import NO_TIME_ANY_MORE
from surefill.intake.session import Session
from surefill.units import NS_PER_S, ns_from_datetime, ns_from_iso, quanta_text

CLOCK_SKEW_NS: Final = NS_PER_S  # how far ahead of ours a feed's clock may be
_SIDES: Final = ("bid", "ask")
_SIZES: Final = ("bid_size", "ask_size")


class Look(NamedTuple):
    """What the feed showed: a quote, or why there is none to trade on. Neither: there is no feed to ask."""

    quote: Quote | None = None
    problem: Refusal | None = None


class QuoteFeed:
    """Asks the caller's feed. Never raises.

    It remembers of which symbols the feed has told the time: a quote without one is then no quote of now.
    """

    def __init__(self, feed: object) -> None:
        self._ask = _asker(feed)
        self._timed: set[str] = set()

    @property
    def is_there(self) -> bool:
        """Whether the caller has one."""
        return self._ask is not None

    def look(self, session: Session, symbol: str, now_ns: int) -> Look:
        """The feed's quote of a symbol whose instrument is defined."""
        if self._ask is None:
            return Look()
        try:
            answer = self._ask(symbol)
        except Exception as error:  # whatever the caller's feed raises, it has told no price
            return _no(RefusalCode.NO_MARKET_DATA, f"the feed failed: {type(error).__name__}: {error}")
        if answer is None:
            return _no(RefusalCode.NO_MARKET_DATA, f"the feed has no quote of {symbol}")
        if _field(answer, "timestamp") is not None:
            self._timed.add(symbol)
        elif symbol in self._timed and _asks_age(session):
            return _no(RefusalCode.STALE_PRICE, f"{symbol}: {NO_TIME_ANY_MORE}")
        return quote_from(session, symbol, answer, now_ns)


def _asks_age(session: Session) -> bool:
    profile = profile_of(session.settings)
    return profile.limits.price_max_age_ns > 0 or "tick_age" in profile.rechecks


def quote_from(session: Session, symbol: str, answer: Any, now_ns: int) -> Look:
    """A quote from what a feed or a caller says."""
    prices = {name: _field(answer, name) for name in _SIDES}
    missing = [name for name, value in prices.items() if value is None]
    if missing:
        return _no(RefusalCode.NO_MARKET_DATA, f"no {' and no '.join(missing)} of {symbol}: its market is not known")
    sizes = {name: value for name in _SIZES if (value := _field(answer, name)) is not None}
    try:
        ts_ns = _time_of(_field(answer, "timestamp"), now_ns)
        if ts_ns > now_ns + CLOCK_SKEW_NS:
            ahead = quanta_text(ts_ns - now_ns, 9)
            return _no(RefusalCode.STALE_PRICE, f"the quote of {symbol} is of {ahead} s from now: look at the clocks")
        quote = session.make_quote(symbol, **prices, **sizes, ts_ns=min(ts_ns, now_ns))
    except InputError as error:
        code = RefusalCode.CROSSED_MARKET if error.values.get("field") in _SIDES else RefusalCode.INVALID_INPUT
        return _no(code, f"the market of {symbol} is unreasonable: {error.message}")
    return Look(quote)


def _no(code: RefusalCode, reason: str) -> Look:
    return Look(problem=Refusal(code, reason))


def _asker(feed: object) -> Callable[[str], Any] | None:
    if feed is None:
        return None
    found = getattr(feed, "get_quote", None)
    if callable(found):
        asked: Callable[[str], Any] = found
        return asked
    if isinstance(feed, Mapping):
        return feed.get
    if callable(feed):
        return feed
    return lambda _symbol: None


def _field(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _time_of(value: Any, now_ns: int) -> int:
    if value is None:
        return now_ns
    if isinstance(value, datetime):
        return ns_from_datetime(value)
    return ns_from_iso(str(value), field="timestamp")
