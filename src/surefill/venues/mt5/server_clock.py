"""The server's clock. MT5 stamps everything with its server's time and does not say how far that is off.

1. The offset is a whole number of quarters of an hour. A tick that has just come shows it: its time less ours is the
   offset but for seconds. How old a tick is cannot be seen in it: whoever calls `observe` has seen it come.
2. A server that changes between winter and summer time shows another offset from a tick on; a second tick must say the
   same, for the first after a lost connection may be old. What is stamped from there on counts by the new one, what is
   stamped before by the old one. In the hour that comes twice in autumn a stamp is taken for the later moment.
3. Looks reach back by an hour more than asked, so that a change that nobody saw hides nothing.
"""

from __future__ import annotations

from surefill.units import NS_PER_MS, NS_PER_S

CHANGE_S = 3_600  # what summer time changes
_QUARTER_S = 900
_FRESH_S = 120
_WIDEST_S = 15 * 3600  # offsets from UTC lie between -12 and +14 hours
_CHANGES_KEPT = 8


class ServerClock:
    """`offset_s`: the server's time less UTC, to begin with; ticks may say otherwise."""

    def __init__(self, offset_s: int | None = None) -> None:
        self.ahead_ns = 0
        self._offsets: list[tuple[int, int]] = [] if offset_s is None else [(0, offset_s)]
        self._doubted: tuple[int, int] | None = None  # since when, how far: what one tick has said

    @property
    def offset_s(self) -> int | None:
        """The offset now; None while it is not known."""
        return self._offsets[-1][1] if self._offsets else None

    def observe(self, tick_msc: int, now_ns: int) -> None:
        """A tick has come, seconds ago at most."""
        off_s = (tick_msc * NS_PER_MS - now_ns) // NS_PER_S
        offset_s = round(off_s / _QUARTER_S) * _QUARTER_S
        if tick_msc <= 0 or abs(off_s - offset_s) > _FRESH_S or abs(off_s) > _WIDEST_S:
            return
        if not self._is_sure(tick_msc, offset_s):
            return
        self.ahead_ns = tick_msc * NS_PER_MS - now_ns - (self.offset_s or 0) * NS_PER_S

    def _is_sure(self, tick_msc: int, offset_s: int) -> bool:
        """Whether that is the offset; a change of it is one once it is said twice."""
        if offset_s == self.offset_s:
            self._doubted = None
        elif not self._offsets:
            self._offsets.append((0, offset_s))
        elif self._doubted is None or self._doubted[1] != offset_s:
            self._doubted = (tick_msc, offset_s)
            return False
        else:
            self._offsets = [*self._offsets, self._doubted][-_CHANGES_KEPT:]
            self._doubted = None
        return True

    def ns(self, server_msc: int) -> int:
        """UTC of a server time; 0 while the offset is not known."""
        if not self._offsets or not server_msc:
            return 0
        offsets = (offset_s for since_msc, offset_s in reversed(self._offsets) if since_msc <= server_msc)
        return server_msc * NS_PER_MS - next(offsets, self._offsets[0][1]) * NS_PER_S

    def window(self, since_ns: int, now_ns: int) -> tuple[int, int]:
        """From and to in server seconds, wide enough: while the offset is not known, by half a day on each side."""
        known = [offset_s for _, offset_s in self._offsets] or [-_WIDEST_S, _WIDEST_S]
        return since_ns // NS_PER_S + min(known) - CHANGE_S, now_ns // NS_PER_S + max(known) + 86_400
