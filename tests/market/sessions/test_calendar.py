from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.errors import ConfigError, InputError
from surefill.market.sessions import (
    ALWAYS_OPEN,
    Calendar,
    Session,
    WeeklySessions,
    calendar_named,
    iso_date,
)
from surefill.units import iso_from_ns, ns_from_iso

NEW_YORK = calendar_named("us_equities")
INDIA = calendar_named("nse")
FOREX = calendar_named("forex")
# Sydney is ahead of UTC, and its summer is our winter.
SYDNEY = WeeklySessions("asx", "Australia/Sydney", dict.fromkeys(range(5), ("10:00", "16:00")))

# (calendar, asked at, open?, the session's end, its day, when it is open next)
QUESTIONS = [
    (ALWAYS_OPEN, "2024-03-10T12:00Z", True, "2024-03-11T00:00:00Z", "2024-03-10", "2024-03-10T12:00:00Z"),
    (ALWAYS_OPEN, "2024-03-10T00:00Z", True, "2024-03-11T00:00:00Z", "2024-03-10", "2024-03-10T00:00:00Z"),
    # Friday before the clocks change: five hours behind; the Monday after: four.
    (NEW_YORK, "2024-03-08T15:00Z", True, "2024-03-08T21:00:00Z", "2024-03-08", "2024-03-08T15:00:00Z"),
    (NEW_YORK, "2024-03-08T21:00Z", False, "2024-03-11T20:00:00Z", "2024-03-11", "2024-03-11T13:30:00Z"),
    (NEW_YORK, "2024-03-11T13:29:59Z", False, "2024-03-11T20:00:00Z", "2024-03-11", "2024-03-11T13:30:00Z"),
    (NEW_YORK, "2024-03-11T13:30Z", True, "2024-03-11T20:00:00Z", "2024-03-11", "2024-03-11T13:30:00Z"),
    (INDIA, "2024-01-05T03:45Z", True, "2024-01-05T10:00:00Z", "2024-01-05", "2024-01-05T03:45:00Z"),
    (INDIA, "2024-01-06T05:00Z", False, "2024-01-08T10:00:00Z", "2024-01-08", "2024-01-08T03:45:00Z"),
    # Forex runs from Sunday evening; Sunday's session is Monday's day; over the weekend it waits.
    (FOREX, "2024-01-07T22:30Z", True, "2024-01-08T22:00:00Z", "2024-01-08", "2024-01-07T22:30:00Z"),
    (FOREX, "2024-01-05T21:59:59Z", True, "2024-01-05T22:00:00Z", "2024-01-05", "2024-01-05T21:59:59Z"),
    (FOREX, "2024-01-06T12:00Z", False, "2024-01-08T22:00:00Z", "2024-01-08", "2024-01-07T22:00:00Z"),
    (SYDNEY, "2024-01-07T23:00Z", True, "2024-01-08T05:00:00Z", "2024-01-08", "2024-01-07T23:00:00Z"),
    (SYDNEY, "2024-07-07T23:30Z", False, "2024-07-08T06:00:00Z", "2024-07-08", "2024-07-08T00:00:00Z"),
]


@pytest.mark.parametrize(("calendar", "at", "is_open", "end", "day", "next_open"), QUESTIONS)
def test_calendar_asked_at_a_moment_answers(
    calendar: Calendar, at: str, is_open: bool, end: str, day: str, next_open: str
) -> None:
    ns = ns_from_iso(at)
    answers = (
        calendar.is_open(ns),
        iso_from_ns(calendar.session_end(ns)),
        calendar.trading_day(ns),
        iso_from_ns(calendar.next_open(ns)),
    )
    assert answers == (is_open, end, day, next_open)


@pytest.mark.parametrize(
    ("calendar", "day", "span"),
    [
        (ALWAYS_OPEN, "2024-02-29", ("2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z")),
        (NEW_YORK, "2024-03-08", ("2024-03-08T14:30:00Z", "2024-03-08T21:00:00Z")),
        (NEW_YORK, "2024-03-11", ("2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z")),
        (FOREX, "2024-01-08", ("2024-01-07T22:00:00Z", "2024-01-08T22:00:00Z")),
        (NEW_YORK, "2024-03-09", None),
        (FOREX, "2024-01-07", None),
    ],
)
def test_session_on_a_day_is_its_opening_hours(calendar: Calendar, day: str, span: tuple[str, str] | None) -> None:
    session = calendar.session_on(day)
    assert session == (None if span is None else Session(ns_from_iso(span[0]), ns_from_iso(span[1]), day))


SECONDS_FROM_2011_TO_2026 = st.integers(1_293_840_000, 1_798_700_000)


@given(
    st.lists(SECONDS_FROM_2011_TO_2026, min_size=1, max_size=20),
    st.sampled_from([NEW_YORK, INDIA, FOREX, SYDNEY]),
)
def test_sessions_asked_in_any_order_agree_with_the_session_itself(seconds: list[int], calendar: Calendar) -> None:
    for second in seconds:
        ns = second * 10**9
        session = calendar.session_on(calendar.trading_day(ns))
        assert session is not None
        pauses = [end for start, end in session.breaks if start <= ns < end]
        assert calendar.session_end(ns) == session.end_ns > ns
        assert calendar.is_open(ns) == (session.open_ns <= ns and not pauses)
        assert calendar.next_open(ns) == max(ns, session.open_ns, *pauses)
        assert not calendar.is_open(session.end_ns) or calendar.trading_day(session.end_ns) > session.day


@pytest.mark.parametrize(
    ("zone", "hours", "says"),
    [
        ("Mars/Olympus", {0: ("09:00", "10:00")}, "time zone 'Mars/Olympus' is not known"),
        ("UTC", {}, "no opening hours"),
        ("UTC", {7: ("09:00", "10:00")}, "weekday 7"),
        ("UTC", {0: ("9:00", "10:00")}, "'9:00' is not a time of day"),
        ("UTC", {0: ("09:60", "10:00")}, "'09:60' is not a time of day"),
        ("UTC", {0: ("09:00", "24:01")}, "'24:01' is not a time of day"),
        (
            "UTC",
            {0: ("09:00", "08:00"), 1: ("07:00", "09:00")},
            "session of weekday 1 begins before the one of weekday 0 ends",
        ),
        (
            "UTC",
            {6: ("17:00", "16:00"), 0: ("15:00", "17:00")},
            "session of weekday 0 begins before the one of weekday 6 ends",
        ),
    ],
)
def test_weekly_sessions_that_cannot_be_are_refused(zone: str, hours: dict[int, tuple[str, str]], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        WeeklySessions("odd", zone, hours)


def test_weekly_sessions_until_midnight_belong_to_the_day_they_open() -> None:
    calendar = WeeklySessions("late", "UTC", {0: ("20:00", "24:00")})
    assert calendar.trading_day(ns_from_iso("2024-01-01T23:59:59Z")) == "2024-01-01"
    assert iso_from_ns(calendar.session_end(ns_from_iso("2024-01-01T21:00Z"))) == "2024-01-02T00:00:00Z"


def test_weekly_sessions_of_one_day_are_one_session_with_a_break() -> None:
    # From Monday evening to Tuesday morning, and Tuesday afternoon: both are Tuesday.
    calendar = WeeklySessions("split", "UTC", {0: ("20:00", "08:00"), 1: ("12:00", "16:00")})
    assert calendar.session_on("2024-01-02") == Session(
        ns_from_iso("2024-01-01T20:00Z"),
        ns_from_iso("2024-01-02T16:00Z"),
        "2024-01-02",
        ((ns_from_iso("2024-01-02T08:00Z"), ns_from_iso("2024-01-02T12:00Z")),),
    )


def test_calendar_named_twice_is_the_same() -> None:
    assert calendar_named("nse") is calendar_named("nse")


def test_calendar_named_by_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="use one of 24x7, us_equities, nse, nfo, forex, or exchange:CODE"):
        calendar_named("moon")


@pytest.mark.parametrize("text", ["2024-02-30", "20240101", "2024-1-1", ""])
def test_iso_date_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a date"):
        iso_date(text)
