"""Bars outside of every session: would they lie inside if the file's times were read otherwise?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from surefill.market.timestamps import TimestampReader
from surefill.units import NS_PER_HOUR, NS_PER_MIN

#: Where most files of local times come from. (Servers of MetaTrader 5 mostly keep the clock of Athens.)
ZONES: Final = ("UTC", "America/New_York", "Asia/Kolkata", "Europe/London", "Europe/Athens", "Asia/Tokyo")
_SHIFTS_MIN: Final = sorted((minutes for minutes in range(-14 * 60, 14 * 60 + 1, 15) if minutes), key=abs)
_FITS: Final = 0.95
_BETTER_BY: Final = 0.2


def better_reading(
    sample: Sequence[int], has: Callable[[int], bool], *, zone: str, is_naive: bool, duration_ns: int
) -> str:
    """How times must be read for nearly all bars to lie in sessions; "" where no way is much better than this one.

    `sample`: when bars open, UTC, as read with `zone`; `is_naive`: the file says no offsets, so it may be another zone.
    """

    def share(opens: Sequence[int]) -> float:
        return sum(map(has, opens)) / len(opens)

    if not sample:
        return ""
    needed = max(_FITS, share(sample) + _BETTER_BY)
    if needed > 1:
        return ""
    if share([ns - duration_ns for ns in sample]) >= needed:
        return "they would fit if rows were stamped when the bar closes: import the file with --stamp close"
    if is_naive:
        local = [_local(ns, zone) for ns in sample]
        for name in ZONES:
            reader = TimestampReader(name)
            found = share([reader.ns_from_local(ns) for ns in local])
            if name != zone and found >= needed:
                return (
                    f"{found:.0%} of them would fit as local times of {name}: surefill data import --tz {name} mends it"
                )
    shares = {minutes: share([ns + minutes * NS_PER_MIN for ns in sample]) for minutes in _SHIFTS_MIN}
    best = max(_SHIFTS_MIN, key=lambda minutes: shares[minutes])
    if shares[best] < needed:
        return ""
    return f"{shares[best]:.0%} of them would fit {_words(best)}: the file's times are of another zone"


def _local(ns: int, zone: str) -> int:
    """The local time that was read as `ns`, as if it were UTC."""
    reader = TimestampReader(zone)
    for offset_min in range(-14 * 60, 14 * 60 + 1, 15):
        local = ns + offset_min * NS_PER_MIN
        if reader.ns_from_local(local) == ns:
            return local
    return ns


def _words(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), NS_PER_HOUR // NS_PER_MIN)
    return f"{hours}:{rest:02d} hours {'later' if minutes > 0 else 'earlier'}"
