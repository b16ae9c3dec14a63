"""Names of bar lengths: one canonical spelling inside, the many spellings of others understood.

Canonical are `1m 5m 15m 1h 4h 1d 1w`. `1M` is a month wherever people trade, so it is refused, not read as a minute.
"""

from __future__ import annotations

from typing import Final

from surefill.errors import InputError
from surefill.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MIN

DURATION_NS: Final[dict[str, int]] = {
    "1m": NS_PER_MIN,
    "5m": 5 * NS_PER_MIN,
    "15m": 15 * NS_PER_MIN,
    "1h": NS_PER_HOUR,
    "4h": 4 * NS_PER_HOUR,
    "1d": NS_PER_DAY,
    "1w": 7 * NS_PER_DAY,
}

_DAILY: Final = frozenset({"1d", "1w"})

# Compared in lower case. `m1`, `h4` … are MT5's, `minute`, `5minute`, `day` Kite's, `d`, `w` spreadsheets'.
_ALIASES: Final[dict[str, str]] = {
    alias: canonical
    for canonical, aliases in {
        "1m": "1m m1 1min 1minute minute",
        "5m": "5m m5 5min 5minute 5minutes",
        "15m": "15m m15 15min 15minute 15minutes",
        "1h": "1h h1 1hour hour hourly 60m 60min 60minute 60minutes",
        "4h": "4h h4 4hour 4hours 240m 240min 240minute 240minutes",
        "1d": "1d d d1 day 1day daily",
        "1w": "1w w w1 week 1week weekly",
    }.items()
    for alias in aliases.split()
}
_MONTHS: Final = frozenset({"M", "1M", "5M", "15M", "60M", "240M"})


def canonical_timeframe(text: str) -> str:
    """The canonical name of a bar length, from any spelling we know. Raises InputError (INVALID_TIMEFRAME)."""
    if text in DURATION_NS:
        return text
    stripped = str(text).strip()
    found = _ALIASES.get(stripped.lower())
    if found is None or stripped in _MONTHS:
        raise InputError(
            f"timeframe {text!r} is not one we know; use one of {', '.join(DURATION_NS)}"
            " (also understood: 5minute, daily, D, H4, …; a capital M is a month and is not supported)",
            code="INVALID_TIMEFRAME",
            field="timeframe",
            value=text,
        )
    return found


def duration_ns(timeframe: str) -> int:
    """The length of one bar in nanoseconds (a day counts 24 hours). Raises InputError for an unknown name."""
    return DURATION_NS[canonical_timeframe(timeframe)]


def is_daily(timeframe: str) -> bool:
    """Whether a bar of this length is its own end of day: a day or longer."""
    return canonical_timeframe(timeframe) in _DAILY
