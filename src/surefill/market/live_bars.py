"""Bars from prices as they come: each begins and ends with its session's grid, whether or not a price came in it."""

from __future__ import annotations

from surefill.domain.market import Bar
from surefill.market.sessions.calendar import Calendar
from surefill.market.timeframes import duration_ns, is_daily


class BarBuilder:
    """The bars of one instrument. A bar in which no price came is left out; prices outside a session are none.

    Bars stand on a grid that begins with the session; the last one ends with it. A day's bar is its session's.
    """

    def __init__(self, instrument_id: str, timeframe: str, calendar: Calendar) -> None:
        self._instrument_id = instrument_id
        self._length_ns = duration_ns(timeframe)
        self._daily = is_daily(timeframe)
        self._calendar = calendar
        self._open_ns = self._end_ns = 0
        self._prices: list[int] = []  # open, high, low, close
        self._ends_session = False

    @property
    def end_ns(self) -> int:
        """When the bar that is being built ends; 0 where none is."""
        return self._end_ns if self._prices else 0

    def take(self, px: int, ts_ns: int) -> Bar | None:
        """A price of that moment; the bar that it finds finished, if any. One from before the bar's time is none."""
        finished = self.finish(ts_ns)
        if px <= 0 or ts_ns < self._open_ns or not self._calendar.is_open(ts_ns):
            return finished
        if self._prices:
            _, high_px, low_px, _ = self._prices
            self._prices[1:] = [max(high_px, px), min(low_px, px), px]
        else:
            self._begin(ts_ns)
            self._prices = [px] * 4
        return finished

    def finish(self, now_ns: int) -> Bar | None:
        """The bar whose time is up by now."""
        if not self._prices or now_ns < self._end_ns:
            return None
        open_px, high_px, low_px, close_px = self._prices
        bar = Bar(
            self._instrument_id,
            self._open_ns,
            self._end_ns,
            open_px,
            high_px,
            low_px,
            close_px,
            is_session_end=self._ends_session,
        )
        self._prices, self._open_ns = [], self._end_ns
        return bar

    def _begin(self, ts_ns: int) -> None:
        session = self._calendar.session_on(self._calendar.trading_day(ts_ns))
        assert session is not None  # the market is open
        if self._daily:
            self._open_ns, self._end_ns = session.open_ns, session.end_ns
        else:
            self._open_ns = ts_ns - (ts_ns - session.open_ns) % self._length_ns
            self._end_ns = min(self._open_ns + self._length_ns, session.end_ns)
        self._ends_session = self._end_ns == session.end_ns
