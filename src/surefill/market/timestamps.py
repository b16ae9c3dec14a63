"""Times as files write them: ISO text, a date alone, or a number of seconds, milli-, micro- or nanoseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from surefill.errors import InputError
from surefill.market.sessions import time_zone
from surefill.units import NS_PER_DAY, NS_PER_S, TIME_MAX_NS, ns_from_datetime, ns_from_iso

# A number's size tells its unit: 10**11 seconds lie in the year 5138, as many milliseconds in 1973, and so on.
_UNITS: Final = ((10**11, NS_PER_S), (10**14, 10**6), (10**17, 10**3), (TIME_MAX_NS, 1))


class TimestampReader:
    """Turns timestamps of one file into nanoseconds UTC. Text without an offset is local time of `zone`.

    `time_format`: how `datetime.strptime` reads text, where it is none of what is understood by itself.
    """

    def __init__(self, zone: str = "UTC", time_format: str = "") -> None:
        self._time_format = time_format
        self._zone = None if zone == "UTC" else time_zone(zone)

    def ns(self, value: str | int | float | date, field: str) -> int:
        """Nanoseconds UTC. Raises InputError (INVALID_TIME) with what is understood."""
        if isinstance(value, str):
            return self.ns_from_text(value, field)
        if isinstance(value, datetime):
            return ns_from_datetime(value.replace(tzinfo=self._zone) if value.tzinfo is None else value)
        if isinstance(value, date):
            return self.ns_from_text(value.isoformat(), field)
        return self.ns_from_text(repr(value), field)

    def ns_from_text(self, text: str, field: str) -> int:
        """Nanoseconds UTC from text. An 8-digit number is a date (20240131), any other number counts from 1970."""
        if self._time_format:
            return self._from_format(text, field)
        if text[4:5] == "-":
            return self._from_iso(text, field)
        if len(text) == 8 and text.isdecimal():
            return self._from_iso(f"{text[:4]}-{text[4:6]}-{text[6:]}", field)
        if text[8:9] in (" ", "T") and text[:8].isdecimal():
            return self._from_iso(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[9:]}", field)
        return _from_number(text, field)

    def _from_format(self, text: str, field: str) -> int:
        try:
            return self.ns(datetime.strptime(text, self._time_format), field)
        except ValueError as error:
            raise InputError(
                f"{field} is not written as {self._time_format} says (got {text[:40]!r})",
                code="INVALID_TIME",
                field=field,
                value=text[:40],
            ) from error

    def _from_iso(self, text: str, field: str) -> int:
        # Dates repeat within a file and clock times between days, and a time is their sum.
        try:
            midnight_ns, offset_ns = _midnight(self._zone, text[:10])
            clock_ns, is_naive = _clock(text[11:]) if text[10:] else (0, True)
        except InputError:
            return ns_from_iso(text, field=field)  # says it again, about the whole text
        if text[10:11] not in ("", " ", "T", "t"):
            return ns_from_iso(text, field=field)
        if not is_naive:
            return midnight_ns + clock_ns
        if offset_ns is None:
            return self.ns_from_local(midnight_ns + clock_ns)
        return midnight_ns + clock_ns - offset_ns

    def ns_from_local(self, local_ns: int) -> int:
        """Nanoseconds UTC of a local time that was read as if it were UTC."""
        return local_ns if self._zone is None else local_ns - _offset_ns(self._zone, local_ns)


def _offset_ns(zone: ZoneInfo, local_ns: int) -> int:
    """How far local time is ahead of UTC. Of an hour that comes twice it is the first, as `datetime` has it."""
    second = local_ns // NS_PER_S
    local = datetime.fromtimestamp(second, UTC).replace(tzinfo=zone)
    return second * NS_PER_S - ns_from_datetime(local)


@lru_cache(maxsize=8192)
def _midnight(zone: ZoneInfo | None, text: str) -> tuple[int, int | None]:
    """A date's midnight as if it were UTC, and the day's offset; None on a day on which the clocks change."""
    ns = ns_from_iso(text)
    if zone is None:
        return ns, 0
    offset_ns = _offset_ns(zone, ns)
    return ns, offset_ns if offset_ns == _offset_ns(zone, ns + NS_PER_DAY) else None


@lru_cache(maxsize=100_000)
def _clock(text: str) -> tuple[int, bool]:
    """Nanoseconds since midnight, and whether the text has no offset (one is subtracted already)."""
    is_naive = not text.endswith(("Z", "z")) and "+" not in text and "-" not in text
    return ns_from_iso(f"1970-01-01T{text}"), is_naive


def _from_number(text: str, field: str) -> int:
    if text.isascii() and text.replace(".", "", 1).isdecimal() and len(text) <= 40:
        number = Decimal(text)
        for below, unit_ns in _UNITS:
            if number < below:
                return int(number * unit_ns)
    raise InputError(
        f"{field} is not a time (got {text[:40]!r}); write it like 2025-11-19T20:00:00Z, 2025-11-19, or as seconds,"
        " milli-, micro- or nanoseconds since 1970",
        code="INVALID_TIME",
        field=field,
        value=text[:40],
    )
