"""The caller's market data, whatever shape it has: what it says of a symbol now, or why it says nothing.

It is read duck by duck: a mapping of prices, a callable, or an object with `get_ltp`, `ltp` or `get_last_price`, and
perhaps `get_quote` with bid and ask. Nothing it returns is trusted: an exception, None, NaN, zero or less is "no
price", and so is one that came without a number in it. Observed prices are never rounded.
"""

from __future__ import annotations

import logging
import math
import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from surefill.intake.caller_values import failure_text
from surefill.plain import shown
from surefill.units import ns_from_datetime, ns_from_iso

_LTP_METHODS: Final = ("get_ltp", "ltp", "get_last_price")
_LAST: Final = ("last_price", "ltp", "last", "price")
_BID: Final = ("bid", "best_bid", "bid_price")
_ASK: Final = ("ask", "best_ask", "ask_price")
_BID_SIZE: Final = ("bid_size", "bid_qty", "bid_quantity")
_ASK_SIZE: Final = ("ask_size", "ask_qty", "ask_quantity")
_TIME: Final = ("timestamp", "ts", "time", "exchange_timestamp")

NO_TIME_ANY_MORE: Final = (
    "the feed has told the time of its prices, and tells it no more: how old they are is not known"
)
Number = int | float | str
_log = logging.getLogger("surefill.feed")


class Seen(NamedTuple):
    """What a feed says of a symbol, as it says it. `problem` says why there is no last price; then nothing else counts.

    `ts_ns` is the feed's own time of the price, None where it gives none; `untimed` says why a time that it gives
    cannot be read, or that it gives none any more.
    """

    last: Number | None = None
    bid: Number | None = None
    ask: Number | None = None
    bid_size: Number | None = None
    ask_size: Number | None = None
    ts_ns: int | None = None
    untimed: str = ""
    problem: str = ""


class CallerFeed:
    """Asks the caller's feed. Never raises.

    It remembers of which symbols the feed has told the time: a price without one is then no price of now.
    """

    def __init__(self, feed: object) -> None:
        self._feed = feed
        self._timed: set[str] = set()
        self._ltp = _ltp_of(feed)
        self._quote: Callable[[str], Any] | None = _method(feed, "get_quote")

    @property
    def is_connected(self) -> bool:
        """Whether the caller has one."""
        return self._feed is not None

    def look(self, symbol: str) -> Seen:
        """The last price, and bid and ask where the feed has them."""
        if self._feed is None:
            return Seen(problem="no market data feed is connected")
        quote = self._quoted(symbol)
        if self._ltp is None and self._quote is None:
            names = ", ".join(_LTP_METHODS)
            return Seen(
                problem=f"the feed {type(self._feed).__name__} has none of {names}, get_quote, and is no mapping"
            )
        try:
            seen = _seen(symbol, quote if self._ltp is None else self._ltp(symbol), quote)
        except Exception as error:  # whatever the caller's feed raises, or what it returned, it has told no price
            return Seen(problem=f"the feed failed: {failure_text(error)}")
        if seen.ts_ns is not None:
            self._timed.add(symbol)
        elif symbol in self._timed and not seen.untimed:
            return seen._replace(untimed=NO_TIME_ANY_MORE)
        return seen

    def _quoted(self, symbol: str) -> Any:
        if self._quote is None:
            return None
        try:
            return self._quote(symbol)
        except Exception as error:  # no quote is no harm where there is a last price; that is asked for next
            _log.warning("get_quote(%r) failed: %s", symbol, failure_text(error))
            return None


def price_of(value: object) -> Number | None:
    """`value` as a price above 0; None for everything else that a feed may return instead of one."""
    if hasattr(value, "item") and not isinstance(value, int | float):
        value = value.item()  # a numpy scalar
    if isinstance(value, Decimal):
        value = str(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return value if math.isfinite(number) and number > 0 else None


def _seen(symbol: str, answer: Any, quote: Any) -> Seen:
    inner = _of_symbol(answer, symbol)
    last = price_of(_field(inner, _LAST))
    if last is None:
        return Seen(problem=f"the feed has no price for {symbol} (it says {shown(answer)})")
    quote = _of_symbol(quote, symbol)
    return Seen(
        last,
        price_of(_field(quote, _BID)) or _depth(quote, "buy", "price"),
        price_of(_field(quote, _ASK)) or _depth(quote, "sell", "price"),
        price_of(_field(quote, _BID_SIZE)) or _depth(quote, "buy", "quantity"),
        price_of(_field(quote, _ASK_SIZE)) or _depth(quote, "sell", "quantity"),
        *_time_of(inner, quote),
    )


def _ltp_of(feed: object) -> Callable[[str], Any] | None:
    if isinstance(feed, Mapping):
        return feed.get
    for name in _LTP_METHODS:
        found = _method(feed, name)
        if found is not None:
            return found
    return feed if callable(feed) else None


def _method(feed: object, name: str) -> Callable[[str], Any] | None:
    found = getattr(feed, name, None)
    return found if callable(found) else None


def _of_symbol(answer: Any, symbol: str) -> Any:
    """Brokers answer {"NFO:SYMBOL": {...}} as well as the price itself."""
    if isinstance(answer, Mapping):
        for key, value in answer.items():
            if str(key) == symbol or str(key).rpartition(":")[2] == symbol:
                return value
    return answer


def _field(source: Any, names: tuple[str, ...]) -> Any:
    """The first of these that a mapping or an object has; a bare number is its own last price."""
    if source is None:
        return None
    if isinstance(source, Mapping):
        return next((source[name] for name in names if source.get(name) is not None), None)
    if names is _LAST and price_of(source) is not None:
        return source
    return next((value for name in names if (value := getattr(source, name, None)) is not None), None)


def _depth(quote: Any, side: str, name: str) -> Number | None:
    """The best level of a broker's depth: {"depth": {"buy": [{"price": …, "quantity": …}, …]}}."""
    depth = quote.get("depth") if isinstance(quote, Mapping) else None
    levels = depth.get(side) if isinstance(depth, Mapping) else None
    best = levels[0] if isinstance(levels, list) and levels else None
    return price_of(best.get(name)) if isinstance(best, Mapping) else None


def _time_of(*sources: Any) -> tuple[int | None, str]:
    """The feed's own time, in the first of these that gives one; or why it cannot be read."""
    for source in sources:
        if source is None or isinstance(source, int | float | str | Decimal):
            continue
        value = _field(source, _TIME)
        if value is not None:
            ts_ns = _ns_of(value)
            return ts_ns, "" if ts_ns is not None else f"the feed's time of its price cannot be read: {shown(value)}"
    return None, ""


def _ns_of(value: Any) -> int | None:
    """A datetime (without a zone: UTC), ISO text, or a count of s, ms, us or ns since 1970, told by its size."""
    try:
        if isinstance(value, datetime):
            return operator.index(ns_from_datetime(value))  # pandas' "not a time" is a datetime that counts in NaN
        if isinstance(value, str):
            return ns_from_iso(str.__str__(value), field="timestamp")
        if hasattr(value, "astype"):  # numpy's own kinds of time; its numbers stay numbers
            value = value.astype("datetime64[ns]").item() if value.dtype.kind == "M" else value.item()
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value <= 0:
            return None
        for unit_ns, largest in _UNITS:
            if value < largest:
                return int(Decimal(str(value)) * unit_ns)
    except Exception:  # the caller's own object, or a time that is none: it cannot be read, and that is said
        return None
    return None


#: Nanoseconds of a unit, and the first count of it that is of a finer one (in the year 5138).
_UNITS = ((10**9, 10**11), (10**6, 10**14), (10**3, 10**17), (1, 2**62))
