from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from tests.market.sessions.asking import assert_unknown, local_hours

from surefill.errors import ConfigError
from surefill.market.sessions.exchanges import ExchangeSessions, exchange_calendar
from surefill.units import ns_from_iso

INSTALLED = importlib.util.find_spec("exchange_calendars") is not None


class Moment(NamedTuple):
    value: int
    year: int


def moment(text: str) -> Moment:
    return Moment(ns_from_iso(text), int(text[:4]))


class Tokyo:
    """A calendar as the package has them: a week of 2024 in Tokyo, with its break; nothing on Monday, a holiday."""

    tz = ZoneInfo("Asia/Tokyo")

    def __init__(self, first: str, last: str) -> None:
        self.first_session, self.last_session = moment(first), moment(last)

    def is_session(self, session: str) -> bool:
        return "2024-01-09" <= session <= "2024-01-12"

    def session_open(self, session: str) -> Moment:
        return moment(f"{session}T00:00Z")

    def session_close(self, session: str) -> Moment:
        return moment(f"{session}T06:00Z")

    def session_has_break(self, session: str) -> bool:
        return session != "2024-01-12"

    def session_break_start(self, session: str) -> Moment:
        return moment(f"{session}T02:30Z")

    def session_break_end(self, session: str) -> Moment:
        return moment(f"{session}T03:30Z")


def test_exchange_sessions_are_those_of_the_package() -> None:
    calendar = ExchangeSessions("exchange:XTKS", Tokyo("2022-06-01", "2025-06-30"))
    hours = {day: local_hours(calendar, f"2024-01-{day}") for day in ("08", "09", "12", "13")}
    assert hours == {"08": None, "09": "09:00-11:30 12:30-15:00", "12": "09:00-15:00", "13": None}
    ns = ns_from_iso("2024-01-09T02:30Z")
    assert (calendar.is_open(ns), calendar.next_open(ns)) == (False, ns_from_iso("2024-01-09T03:30Z"))
    assert calendar.trading_day(ns_from_iso("2024-01-06T12:00Z")) == "2024-01-09"


def test_exchange_sessions_know_only_whole_years() -> None:
    calendar = ExchangeSessions("exchange:XTKS", Tokyo("2022-06-01", "2025-06-30"))
    assert calendar.known_years == range(2023, 2025)
    assert_unknown(calendar.session_on, "2022-12-30", 2022)
    assert_unknown(calendar.session_on, "2025-01-06", 2025)
    with pytest.raises(ConfigError, match="covers no whole year"):
        ExchangeSessions("exchange:XTKS", Tokyo("2024-06-01", "2025-06-30"))


def test_exchange_named_in_a_package_that_knows_it_is_made_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    package = SimpleNamespace(
        get_calendar_names=lambda: ["XTKS"], get_calendar=lambda code: {"XTKS": Tokyo("2022-06-01", "2025-06-30")}[code]
    )
    monkeypatch.setitem(sys.modules, "exchange_calendars", package)
    assert exchange_calendar("exchange:XTKS").name == "exchange:XTKS"
    with pytest.raises(ConfigError, match="has no exchange 'MARS'") as refused:
        exchange_calendar("exchange:MARS")
    assert refused.value.code == "UNKNOWN_CALENDAR"


def test_exchange_named_without_the_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    with pytest.raises(ConfigError, match="install surefill with the extra `calendars`") as refused:
        exchange_calendar("exchange:XLON")
    assert refused.value.code == "CALENDAR_PACKAGE_MISSING"


@pytest.mark.skipif(not INSTALLED, reason="exchange_calendars (the extra `calendars`) is not installed")
@pytest.mark.parametrize(
    ("code", "day", "hours"),
    [
        ("XLON", "2024-12-24", "08:00-12:30"),
        ("XLON", "2024-12-25", None),
        ("XTKS", "2024-01-09", "09:00-11:30 12:30-15:00"),
        ("XNYS", "2024-11-29", "09:30-13:00"),
    ],
)
def test_exchange_calendar_of_the_real_package_has_the_hours_of_the_day(code: str, day: str, hours: str | None) -> None:
    assert local_hours(exchange_calendar(f"exchange:{code}"), day) == hours
