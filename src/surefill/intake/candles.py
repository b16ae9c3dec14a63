"""A finished candle, whatever its shape, as a bar in integers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from surefill.domain.instrument import Instrument
from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.sessions import calendar_named
from surefill.units import ns_from_datetime, ns_from_iso, observed_quanta

_NAMES: Final = {
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
}
#: When the candle began; the documents' broker calls that its date.
_START: Final = ("start", "open_time", "date", "timestamp", "ts", "time")


def bar_of(instrument: Instrument, candle: object, *, now_ns: int, duration_ns: int) -> Bar:
    """The bar of a candle that closes now. `duration_ns` is how long it was, 0 where nobody knows.

    Open, high and low may be missing: then they are the close. Without a start of its own it began `duration_ns` ago;
    where that is not known either, before any position: so that a position is taken to have been opened inside it,
    which is the careful reading. Raises InputError for what is not a candle.
    """
    take = _getter(candle)
    close = take(_NAMES["close"])
    if close is None:
        raise InputError(
            f"the candle of {instrument.instrument_id} has no close: {candle!r:.80}", code="INVALID_CANDLE"
        )
    px = {name: _px(take(names), close, instrument, name) for name, names in _NAMES.items()}
    if not px["low"] <= min(px["open"], px["close"]) <= max(px["open"], px["close"]) <= px["high"]:
        raise InputError(
            f"the candle of {instrument.instrument_id} cannot be: open, high, low and close are"
            f" {', '.join(str(take(names)) for names in _NAMES.values())}",
            code="INVALID_CANDLE",
        )
    began_ns = _time(take(_START))
    if began_ns is None:
        began_ns = now_ns - duration_ns if duration_ns else 0
    end_ns = began_ns + duration_ns if duration_ns else now_ns
    return Bar(
        instrument.instrument_id,
        min(began_ns, now_ns),
        now_ns,
        px["open"],
        px["high"],
        px["low"],
        px["close"],
        is_session_end=_ends_session(instrument, min(end_ns, now_ns)),
    )


def _getter(candle: object) -> Callable[[tuple[str, ...]], Any]:
    get = getattr(candle, "get", None)

    def take(names: tuple[str, ...]) -> Any:
        for name in names:
            value = get(name) if callable(get) else getattr(candle, name, None)
            if value is not None and not callable(value):
                return value
        return None

    return take


def _px(value: Any, close: Any, instrument: Instrument, field: str) -> int:
    value = close if value is None else value
    if hasattr(value, "item") and not isinstance(value, int | float):
        value = value.item()  # a numpy scalar
    return observed_quanta(value, instrument.price_decimals, field=field)


def _time(value: object) -> int | None:
    if isinstance(value, datetime):
        return ns_from_datetime(value)
    return ns_from_iso(value, field="start") if isinstance(value, str) else None


def _ends_session(instrument: Instrument, end_ns: int) -> bool:
    """Whether the session ends with the candle, as it does for bars of a file; a break in a session does not end it."""
    return calendar_named(instrument.calendar).session_end(end_ns - 1) == end_ns
