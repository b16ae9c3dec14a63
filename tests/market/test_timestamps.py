from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.errors import InputError
from surefill.market.timestamps import TimestampReader
from surefill.units import iso_from_ns, ns_from_datetime

IST = timezone(timedelta(hours=5, minutes=30))

# (zone of the file, value, moment in UTC)
READ = [
    ("UTC", "2024-07-25T15:25:00Z", "2024-07-25T15:25:00Z"),
    ("UTC", "2024-07-25 15:25", "2024-07-25T15:25:00Z"),
    ("UTC", "2024-07-25", "2024-07-25T00:00:00Z"),
    ("UTC", "2024-07-25T15:25:00+05:30", "2024-07-25T09:55:00Z"),
    ("UTC", "2024-07-25T15:25:00.123456789Z", "2024-07-25T15:25:00.123456789Z"),
    ("UTC", "20240725", "2024-07-25T00:00:00Z"),
    ("UTC", "20240725 09:15", "2024-07-25T09:15:00Z"),
    ("UTC", "1721921100", "2024-07-25T15:25:00Z"),
    ("UTC", "1721921100.25", "2024-07-25T15:25:00.250Z"),
    ("UTC", "1721921100123", "2024-07-25T15:25:00.123Z"),
    ("UTC", "1721921100123456", "2024-07-25T15:25:00.123456Z"),
    ("UTC", "1721921100123456789", "2024-07-25T15:25:00.123456789Z"),
    ("UTC", 1721921100, "2024-07-25T15:25:00Z"),
    ("UTC", 1721921100123456789, "2024-07-25T15:25:00.123456789Z"),
    ("UTC", date(2024, 7, 25), "2024-07-25T00:00:00Z"),
    ("UTC", datetime(2024, 7, 25, 15, 25), "2024-07-25T15:25:00Z"),
    ("UTC", datetime(2024, 7, 25, 15, 25, tzinfo=IST), "2024-07-25T09:55:00Z"),
    ("Asia/Kolkata", "2024-07-25 15:25:00", "2024-07-25T09:55:00Z"),
    ("Asia/Kolkata", "2024-07-25T15:25:00Z", "2024-07-25T15:25:00Z"),
    ("Asia/Kolkata", "2024-07-25T15:25:00-04:00", "2024-07-25T19:25:00Z"),
    ("Asia/Kolkata", "2024-07-25", "2024-07-24T18:30:00Z"),
    ("Asia/Kolkata", datetime(2024, 7, 25, 15, 25), "2024-07-25T09:55:00Z"),
    # The day on which New York's clocks change: before, at and after.
    ("America/New_York", "2024-03-10 01:59:59", "2024-03-10T06:59:59Z"),
    ("America/New_York", "2024-03-10 03:00:00", "2024-03-10T07:00:00Z"),
    ("America/New_York", "2024-11-03 00:30:00", "2024-11-03T04:30:00Z"),
    ("America/New_York", "2024-11-03 12:30:00", "2024-11-03T17:30:00Z"),
]


@pytest.mark.parametrize(("zone", "value", "expected"), READ)
def test_timestamp_that_is_understood_is_that_moment(zone: str, value: str | int | date, expected: str) -> None:
    assert iso_from_ns(TimestampReader(zone).ns(value, "ts")) == expected


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "25/07/2024", "2024-13-01", "2024-02-30 10:00", "2024-07-25x10:00", "-5", "1e9", "nan", "1.2.3"],
)
def test_timestamp_that_is_none_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(InputError) as refused:
        TimestampReader().ns_from_text(text, "ts")
    assert refused.value.code == "INVALID_TIME"
    assert repr(text)[1:-1] in refused.value.message
    assert "ts" in refused.value.message


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_timestamp_in_local_time_is_what_datetime_says(moment: datetime, zone: str) -> None:
    expected = ns_from_datetime(moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    assert TimestampReader(zone).ns_from_text(moment.isoformat(" "), "ts") == expected


@pytest.mark.parametrize("text", ["20241301", "20240230 10:00", "２０２４０１０１", "9" * 20])
def test_timestamp_in_digits_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        TimestampReader().ns_from_text(text, "ts")
