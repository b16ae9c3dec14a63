"""The server's clock. MT5 stamps everything with its server's time and does not say how far that is off.

The offset is a whole number of quarters of an hour. A tick that has just come shows it: its time less ours is
the offset but for seconds. An old tick (a closed market) shows nothing, which is noticed by the rest that remains.
"""

from __future__ import annotations

from surefill.units import NS_PER_MS, NS_PER_S

_QUARTER_S = 900
_FRESH_S = 120
_WIDEST_S = 15 * 3600  # offsets from UTC lie between -12 and +14 hours


class ServerClock:
    """`offset_s`: the server's time less UTC, None while it is not known."""

    def __init__(self, offset_s: int | None = None) -> None:
        self.offset_s = offset_s
        self.ahead_ns = 0
        self._given = offset_s is not None

    def observe(self, tick_msc: int, now_ns: int) -> None:
        """A tick has been seen now for the first time."""
        off_s = (tick_msc * NS_PER_MS - now_ns) // NS_PER_S
        quarters = round(off_s / _QUARTER_S)
        rest_s = off_s - quarters * _QUARTER_S
        if tick_msc <= 0 or abs(rest_s) > _FRESH_S or abs(off_s) > _WIDEST_S:
            return
        if not self._given:
            self.offset_s = quarters * _QUARTER_S
        self.ahead_ns = tick_msc * NS_PER_MS - now_ns - (self.offset_s or 0) * NS_PER_S

    def ns(self, server_msc: int) -> int:
        """UTC of a server time; 0 while the offset is not known."""
        return 0 if self.offset_s is None or not server_msc else server_msc * NS_PER_MS - self.offset_s * NS_PER_S

    def window(self, since_ns: int, now_ns: int) -> tuple[int, int]:
        """From and to in server seconds, wide enough: while the offset is not known, by half a day on each side."""
        wide_s = _WIDEST_S if self.offset_s is None else 0
        offset_s = self.offset_s or 0
        return since_ns // NS_PER_S + offset_s - wide_s, now_ns // NS_PER_S + offset_s + wide_s + 86_400
