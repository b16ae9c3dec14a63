from datetime import UTC, datetime, timedelta, timezone

import pytest

from surefill.errors import InputError
from surefill.units import (
    TIME_MAX_NS,
    datetime_from_ns,
    iso_from_ns,
    ns_from_datetime,
    ns_from_iso,
    stamp_from_ns,
)

NOV_19 = 1_763_582_400_000_000_000  # 2025-11-19 20:00 UTC
IST = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("moment", "ns"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(2025, 11, 19, 20, tzinfo=UTC), NOV_19),
        (datetime(2025, 11, 19, 20), NOV_19),  # naive is UTC
        (datetime(2025, 11, 20, 1, 30, tzinfo=IST), NOV_19),
        (datetime(2025, 11, 19, 20, 0, 0, 123_457), NOV_19 + 123_457_000),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999), -1_000),
    ],
)
def test_ns_from_datetime_row_is_exact(moment: datetime, ns: int) -> None:
    assert ns_from_datetime(moment) == ns
    assert datetime_from_ns(ns) == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    assert datetime_from_ns(ns).tzinfo is UTC


def test_datetime_from_ns_below_a_microsecond_is_cut_off() -> None:
    assert datetime_from_ns(NOV_19 + 1_999) == datetime(2025, 11, 19, 20, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (NOV_19, "2025-11-19T20:00:00Z"),
        (NOV_19 + 500_000_000, "2025-11-19T20:00:00.500Z"),
        (NOV_19 + 1_000_000, "2025-11-19T20:00:00.001Z"),
        (NOV_19 + 1_000, "2025-11-19T20:00:00.000001Z"),
        (NOV_19 + 1, "2025-11-19T20:00:00.000000001Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_iso_row_there_and_back(ns: int, text: str) -> None:
    assert iso_from_ns(ns) == text
    assert ns_from_iso(text) == ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2025-11-19T20:00:00", NOV_19),
        ("2025-11-19 20:00:00z", NOV_19),
        ("2025-11-19T20:00", NOV_19),
        ("2025-11-20T01:30:00+05:30", NOV_19),
        ("2025-11-19T15:00:00-0500", NOV_19),
        ("2025-11-19T20:00:00.5Z", NOV_19 + 500_000_000),
        ("2025-11-19T20:00:00,25", NOV_19 + 250_000_000),
        ("2025-11-19", NOV_19 - 72_000_000_000_000),
        ("2024-02-29", 1_709_164_800_000_000_000),
    ],
)
def test_ns_from_iso_row(text: str, ns: int) -> None:
    assert ns_from_iso(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2025-13-01",
        "2025-02-29",
        "2025-11-19T24:00:00Z",
        "2025-11-19T20:00:60Z",
        "2025-11-19T20:00:00.1234567890Z",
        "2025-11-19T20:00:00+25:00",
        "2025-11-19T20:00:00Z ",
        "2025-11-19Z",
        "20251119",
        "0001-01-01T00:00:00+05:00",
        "2200-01-01",
        "1700-01-01",
        "٢٠٢٥-11-19",
    ],
)
def test_ns_from_iso_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        ns_from_iso(text, field="created_at")
    assert caught.value.code == "INVALID_TIME"
    assert caught.value.message.startswith("created_at ")


@pytest.mark.parametrize(
    ("ns", "stamp"),
    [
        (NOV_19, "20251119200000"),
        (NOV_19 + 999_999_999, "20251119200000"),
        (NOV_19 + 10**9, "20251119200001"),
        (0, "19700101000000"),
    ],
)
def test_stamp_from_ns_row(ns: int, stamp: str) -> None:
    assert stamp_from_ns(ns) == stamp


def test_time_bounds_can_be_written_and_read() -> None:
    assert ns_from_iso(iso_from_ns(TIME_MAX_NS)) == TIME_MAX_NS
    assert ns_from_iso(iso_from_ns(-TIME_MAX_NS)) == -TIME_MAX_NS
