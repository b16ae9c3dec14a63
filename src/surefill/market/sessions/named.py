"""Calendars by the names that settings give them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from surefill.errors import ConfigError
from surefill.market.sessions.calendar import ALWAYS_OPEN, Calendar
from surefill.market.sessions.exchanges import PREFIX, exchange_calendar
from surefill.market.sessions.forex import forex
from surefill.market.sessions.nse import nfo, nse
from surefill.market.sessions.us_equities import us_equities

_NAMED: Final[dict[str, Callable[[], Calendar]]] = {
    "24x7": lambda: ALWAYS_OPEN,
    "us_equities": us_equities,
    "nse": nse,
    "nfo": nfo,
    "forex": forex,
}


@cache
def calendar_named(name: str) -> Calendar:
    """A calendar by its name: 24x7, us_equities, nse, nfo, forex, exchange:CODE. Raises ConfigError.

    The same name gives the same object, with the sessions that it has looked up.
    """
    if name.startswith(PREFIX):
        return exchange_calendar(name)
    make = _NAMED.get(name)
    if make is None:
        raise ConfigError(
            f"calendar {name!r} is not known; use one of {', '.join(_NAMED)}, or {PREFIX}CODE for an exchange",
            code="UNKNOWN_CALENDAR",
            calendar=name,
        )
    return make()
