"""Other exchanges, through the package `exchange_calendars` (the extra `calendars`), imported when one is asked for.

A name is `exchange:` and the exchange's code in that package, mostly its MIC: `exchange:XLON`, `exchange:XTKS`. What
the package says is taken as it is, breaks included; whether it is right for a market is for whoever uses it to check.
It knows no Muhurat and no short Saturday session, so India has a calendar of its own (`nse`).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from surefill.errors import ConfigError
from surefill.market.sessions.calendar import Session
from surefill.market.sessions.dated import DatedSessions

PREFIX: Final = "exchange:"


class Moment(Protocol):
    """What is used of a pandas Timestamp."""

    @property
    def value(self) -> int:
        """Nanoseconds since 1970 UTC."""

    @property
    def year(self) -> int:
        """Its year."""


class Exchange(Protocol):
    """What is used of a calendar of `exchange_calendars`. A session is named by its date, "2026-11-27"."""

    @property
    def tz(self) -> ZoneInfo:
        """Its time zone."""

    @property
    def first_session(self) -> Moment:
        """The first session that it knows."""

    @property
    def last_session(self) -> Moment:
        """The last one."""

    def is_session(self, session: str, /) -> bool:
        """Whether there is one on that date."""

    def session_open(self, session: str, /) -> Moment:
        """When it opens."""

    def session_close(self, session: str, /) -> Moment:
        """When it closes."""

    def session_has_break(self, session: str, /) -> bool:
        """Whether it pauses."""

    def session_break_start(self, session: str, /) -> Moment:
        """When the pause begins."""

    def session_break_end(self, session: str, /) -> Moment:
        """When it is over."""


class ExchangeSessions(DatedSessions):
    """The sessions of an exchange calendar, in the years between its first and its last session.

    Of the first and the last year it may hold only a part, so neither of them counts as known.
    """

    def __init__(self, name: str, exchange: Exchange) -> None:
        known = range(exchange.first_session.year + 1, exchange.last_session.year)
        if not known:
            raise ConfigError(f"calendar {name!r} covers no whole year", code="UNKNOWN_CALENDAR", calendar=name)
        super().__init__(name, ZoneInfo(str(exchange.tz)), self._session_made, known)
        self._exchange = exchange

    def _session_made(self, day: date) -> Session | None:
        exchange, text = self._exchange, day.isoformat()
        if not exchange.is_session(text):
            return None
        pauses: tuple[tuple[int, int], ...] = ()
        if exchange.session_has_break(text):
            pauses = ((exchange.session_break_start(text).value, exchange.session_break_end(text).value),)
        return Session(exchange.session_open(text).value, exchange.session_close(text).value, text, pauses)


def exchange_calendar(name: str) -> ExchangeSessions:
    """The calendar named `exchange:CODE`. Raises ConfigError: CALENDAR_PACKAGE_MISSING, UNKNOWN_CALENDAR."""
    code = name.removeprefix(PREFIX)
    try:
        import exchange_calendars
    except ImportError as error:
        raise ConfigError(
            f"calendar {name!r} needs the package exchange_calendars, which is not installed:"
            " install surefill with the extra `calendars`",
            code="CALENDAR_PACKAGE_MISSING",
            calendar=name,
        ) from error
    package: Any = exchange_calendars  # typed by `Exchange`, as far as it is used
    if code not in package.get_calendar_names():
        raise ConfigError(
            f"calendar {name!r} is not known: exchange_calendars has no exchange {code!r}",
            code="UNKNOWN_CALENDAR",
            calendar=name,
        )
    return ExchangeSessions(name, package.get_calendar(code))
