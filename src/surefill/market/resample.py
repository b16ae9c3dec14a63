"""Shorter bars put together to longer ones, on the grid of their sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.sessions import Calendar, iso_date
from surefill.market.sessions.calendar import EPOCH_ORDINAL
from surefill.market.timeframes import duration_ns
from surefill.units import NS_PER_DAY, QTY_MAX, iso_from_ns


def resampled(bars: Iterable[Bar], timeframe: str, calendar: Calendar) -> Iterator[Bar]:
    """Bars of a longer timeframe: first open, highest high, lowest low, last close, all volume.

    A bar begins at its session's open or whole lengths after it, and ends with the session at the latest; a daily one
    is its session, a weekly one begins on Monday, 00:00 UTC, and holds the week's trading days. Where no bar was, there
    is none. Raises InputError
    (BAR_OUTSIDE_SESSION) for a bar that the calendar has no session for.
    """
    grid = _Grid(timeframe, calendar)
    made: Bar | None = None
    for bar in bars:
        if made is not None and grid.holds(made, bar):
            made = msgspec.structs.replace(
                made,
                high_px=max(made.high_px, bar.high_px),
                low_px=min(made.low_px, bar.low_px),
                close_px=bar.close_px,
                volume=min(made.volume + bar.volume, QTY_MAX),
            )
            continue
        if made is not None:
            yield made
        open_ns, end_ns, is_session_end = grid.place(bar.open_ns)
        made = msgspec.structs.replace(bar, open_ns=open_ns, ts_ns=end_ns, is_session_end=is_session_end)
    if made is not None:
        yield made


class _Grid:
    """Where bars of one length begin and end."""

    def __init__(self, timeframe: str, calendar: Calendar) -> None:
        self._timeframe = timeframe
        self._length_ns = duration_ns(timeframe)
        self._calendar = calendar

    def holds(self, made: Bar, bar: Bar) -> bool:
        """Whether a bar belongs to the one that is being made."""
        if self._timeframe == "1w":  # a week may begin on Sunday evening
            return self.place(bar.open_ns)[0] == made.open_ns
        return bar.open_ns < made.ts_ns

    def place(self, ns: int) -> tuple[int, int, bool]:
        """The bar that holds `ns`: when it opens, when it ends, whether its session ends with it."""
        if self._timeframe == "1w":
            day = iso_date(self._calendar.trading_day(ns)).toordinal()
            open_ns = (day - (day - 1) % 7 - EPOCH_ORDINAL) * NS_PER_DAY  # day 1 was a Monday
            return open_ns, open_ns + self._length_ns, True
        session = self._calendar.session_on(self._calendar.trading_day(ns))
        if session is None or not session.open_ns <= ns < session.end_ns:
            raise InputError(
                f"the bar of {iso_from_ns(ns)} lies outside of every session of the calendar; give the file's time"
                " zone, or another calendar",
                code="BAR_OUTSIDE_SESSION",
                field="ts",
            )
        if self._timeframe == "1d":
            return session.open_ns, session.end_ns, True
        open_ns = ns - (ns - session.open_ns) % self._length_ns
        end_ns = min(open_ns + self._length_ns, session.end_ns)
        return open_ns, end_ns, end_ns == session.end_ns
