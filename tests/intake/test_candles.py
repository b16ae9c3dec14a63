from __future__ import annotations

import pytest

from surefill.domain.instrument import Instrument, Terms
from surefill.intake.candles import bar_of
from surefill.units import ns_from_iso


@pytest.mark.parametrize(
    ("calendar", "end", "is_session_end"),
    [
        ("nse", "2024-01-05T09:45Z", False),
        ("nse", "2024-01-05T10:00Z", True),
        ("nse", "2024-01-05T10:15Z", False),  # after the close: no session was going on
        ("nse", "2024-03-02T04:30Z", False),  # a break of a special Saturday
        ("nse", "2024-03-02T07:00Z", True),
        ("nfo", "2026-08-03T10:00Z", False),
        ("nfo", "2026-08-03T10:10Z", True),
        ("us_equities", "2024-11-29T18:00Z", True),  # a half day
        ("us_equities", "2024-11-29T21:00Z", False),
        ("forex", "2024-01-04T22:00Z", True),  # the day turns, although the market goes on
        ("forex", "2024-01-05T22:00Z", True),
        ("24x7", "2024-01-05T00:00Z", True),
        ("24x7", "2024-01-05T00:15Z", False),
    ],
)
def test_candle_ends_a_session_when_its_calendar_says_so(calendar: str, end: str, is_session_end: bool) -> None:
    instrument = Instrument("X", "USD", 2, 0, 100, (Terms(tick=5),), calendar=calendar)
    bar = bar_of(instrument, {"close": 100.0}, now_ns=ns_from_iso(end), duration_ns=15 * 60 * 10**9)
    assert bar.is_session_end is is_session_end
