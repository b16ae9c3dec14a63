from __future__ import annotations

import pytest

from surefill.errors import InputError
from surefill.market.timeframes import DURATION_NS, canonical_timeframe, duration_ns, is_daily
from surefill.units import NS_PER_DAY, NS_PER_MIN


@pytest.mark.parametrize("name", DURATION_NS)
def test_canonical_timeframe_of_a_canonical_name_is_itself(name: str) -> None:
    assert canonical_timeframe(name) == name


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("5minute", "5m"),
        ("minute", "1m"),
        ("15MIN", "15m"),
        (" M5 ", "5m"),
        ("60minute", "1h"),
        ("60m", "1h"),
        ("H4", "4h"),
        ("daily", "1d"),
        ("D", "1d"),
        ("1D", "1d"),
        ("day", "1d"),
        ("W1", "1w"),
        ("weekly", "1w"),
    ],
)
def test_canonical_timeframe_of_an_alias_is_canonical(alias: str, expected: str) -> None:
    assert canonical_timeframe(alias) == expected


@pytest.mark.parametrize("text", ["", "1M", "5M", "M", "3m", "30m", "2h", "tick", "1 d x"])
def test_canonical_timeframe_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="1m, 5m, 15m, 1h, 4h, 1d, 1w") as refused:
        canonical_timeframe(text)
    assert refused.value.code == "INVALID_TIMEFRAME"


def test_duration_counts_nanoseconds() -> None:
    assert duration_ns("5minute") == 5 * NS_PER_MIN
    assert duration_ns("1w") == 7 * NS_PER_DAY


@pytest.mark.parametrize(("name", "expected"), [("1d", True), ("W", True), ("4h", False), ("1m", False)])
def test_is_daily_holds_from_a_day_on(name: str, expected: bool) -> None:
    assert is_daily(name) is expected
