"""The same opening hours every week, for a market whose holidays nobody keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR
from itertools import pairwise
from typing import Final

from surefill.errors import ConfigError
from surefill.market.sessions.dated import LocalSessions, Span, clock

_DAY: Final = 24 * 60


class WeeklySessions(LocalSessions):
    """The same opening hours every week, in local time. No holidays: on those the market merely stays silent.

    `hours` maps a weekday (0 is Monday) to local opening and closing times ("09:30", "16:00"). A close at or before the
    open lies on the next day, "24:00" is midnight at the end of the day. Raises ConfigError for what cannot be.
    """

    def __init__(self, name: str, zone: str, hours: Mapping[int, tuple[str, str]]) -> None:
        spans = {weekday: _span(name, weekday, *span) for weekday, span in sorted(hours.items())}
        if not spans:
            raise ConfigError(f"calendar {name!r} has no opening hours; give at least one weekday")
        _check_overlaps(name, spans)
        by_day: dict[int, tuple[Span, ...]] = {}
        for weekday, (opens, closes) in spans.items():
            over_midnight = closes > _DAY
            shift = _DAY * over_midnight
            day = (weekday + over_midnight) % 7
            by_day[day] = tuple(sorted((*by_day.get(day, ()), (opens - shift, closes - shift))))
        super().__init__(name, zone, lambda day: by_day.get(day.weekday(), ()), range(1, MAXYEAR + 1))


def _span(name: str, weekday: int, opens: str, closes: str) -> Span:
    if weekday not in range(7):
        raise ConfigError(f"calendar {name!r}: weekday {weekday} is not 0 (Monday) to 6 (Sunday)")
    try:
        start, end = clock(opens), clock(closes)
    except ValueError as error:
        raise ConfigError(f"calendar {name!r}: {error}") from None
    return start, end if end > start else end + _DAY


def _check_overlaps(name: str, spans: Mapping[int, Span]) -> None:
    in_week = [(weekday, weekday * _DAY + opens, weekday * _DAY + closes) for weekday, (opens, closes) in spans.items()]
    first_weekday, first_opens, _ = in_week[0]
    for (weekday, _, closes), (later, opens, _) in pairwise([*in_week, (first_weekday, first_opens + 7 * _DAY, 0)]):
        if opens < closes:
            raise ConfigError(
                f"calendar {name!r}: the session of weekday {later} begins before the one of weekday {weekday} ends;"
                " let each close before the next opens"
            )
