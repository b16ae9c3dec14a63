"""What is odd in bars that are each sound: holes, jumps, prices that stand still, times outside of sessions.

Memory does not grow with the bars: sums, and a thinned-out sample of times.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from surefill.domain.market import Bar
from surefill.errors import InputError
from surefill.market.checking.findings import LONG_DAYS, Findings
from surefill.market.checking.holes import Expected
from surefill.units import NS_PER_DAY, iso_from_ns, quanta_text

STANDS_STILL_BARS: Final = 20
SAMPLE_MAX: Final = 512
_SPLITS: Final = (Fraction(3, 2), *(Fraction(ratio) for ratio in (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 50, 100)))
_SPLIT_WITHIN: Final = Fraction(8, 100)
_DAYS_SHOWN: Final = 5


class NeverCloses(Exception):
    """A market that was taken to rest on weekends went on from Friday into Saturday."""


class BarWatch:
    """Looks at the bars of one file, in order. `tick` in price quanta, 0: not known."""

    def __init__(self, findings: Findings, expected: Expected, price_decimals: int, tick: int = 0) -> None:
        self.rows = self.missing_bars = self.missing_sessions = self.jumps = self.outside = self.without_volume = 0
        self.first_ns: int | None = None
        self.sample: list[int] = []
        self._findings = findings
        self._expected: Expected | None = expected
        self._decimals = price_decimals
        self._tick = tick
        self._last: Bar | None = None
        self._still = 0
        self._still_line = 0
        self._first_without_volume = 0
        self._stride = 1

    @property
    def last_ns(self) -> int | None:
        """When the last one opened."""
        return None if self._last is None else self._last.open_ns

    def bar(self, line: int, bar: Bar) -> None:
        """Look at the next one, of that line."""
        before, self._last = self._last, bar
        if self.rows % self._stride == 0:
            self._take_sample(bar.open_ns)
        self.rows += 1
        expected = self._expected
        if expected is not None:
            try:
                if not expected.has(bar.open_ns):
                    self._count_outside(line, bar)
                elif before is not None and bar.open_ns > before.ts_ns:
                    self._look_between(expected, line, before, bar)
                elif before is not None and expected.only_days and _goes_on_into_saturday(before, bar):
                    raise NeverCloses
            except InputError as error:
                self._expected = None
                self._findings.warn(
                    "CALENDAR_YEAR_UNKNOWN", f"from line {line} on, holes are not told: {error.message}"
                )
        if not bar.volume:
            self.without_volume += 1
            self._first_without_volume = self._first_without_volume or line
        if self._tick:
            self._look_at_tick(line, bar)
        if before is None:
            self.first_ns = bar.open_ns
            return
        if is_jump(before.close_px, bar.open_px):
            self._count_jump(line, before, bar)
        if bar.open_px == bar.high_px == bar.low_px == bar.close_px == before.close_px:
            self._still += 1
            self._still_line = line if self._still == 1 else self._still_line
        elif self._still:
            self._end_still()

    def done(self, *, has_volume: bool) -> None:
        """There are no more. `has_volume`: whether the file has that column."""
        self._end_still()
        if self.missing_sessions and self._expected is not None and self._expected.only_days:
            self._findings.warn(
                "CALENDAR_NOT_NAMED",
                f"{self.missing_sessions:,} weekdays have no bar; which of them are holidays, a calendar knows: name it"
                " with --calendar",
            )
        if has_volume and self.without_volume:
            self._findings.warn(
                "ZERO_VOLUME",
                f"{self.without_volume:,} of {self.rows:,} bars have no volume, the first in line"
                f" {self._first_without_volume}: figures may have been filled in where nothing was traded",
                self._first_without_volume,
            )

    def _look_between(self, expected: Expected, line: int, before: Bar, bar: Bar) -> None:
        hole = expected.hole(before, bar)
        self.missing_bars += hole.bars
        self.missing_sessions += len(hole.days)
        if expected.only_days and len(hole.days) < LONG_DAYS:
            return
        if hole.days:
            shown = ", ".join(hole.days[:_DAYS_SHOWN]) + (" …" if len(hole.days) > _DAYS_SHOWN else "")
            many = f" ({len(hole.days)} sessions)" if len(hole.days) > 1 else ""
            self._findings.warn("MISSING_SESSIONS", f"line {line}: before it there is no bar of {shown}{many}", line)
        elif hole.bars:
            between = f"between {iso_from_ns(before.open_ns)} and {iso_from_ns(bar.open_ns)}"
            self._findings.warn(
                "MISSING_BARS",
                f"line {line}: {hole.bars:,} {'bar is' if hole.bars == 1 else 'bars are'} missing {between}",
                line,
            )

    def _count_outside(self, line: int, bar: Bar) -> None:
        self.outside += 1
        self._findings.warn(
            "OUTSIDE_SESSION", f"line {line}: the market is closed at {iso_from_ns(bar.open_ns)} by the calendar", line
        )

    def _look_at_tick(self, line: int, bar: Bar) -> None:
        prices = {"open": bar.open_px, "high": bar.high_px, "low": bar.low_px, "close": bar.close_px}
        for name, px in prices.items():
            if px % self._tick:
                text, tick = quanta_text(px, self._decimals), quanta_text(self._tick, self._decimals)
                self._findings.warn("OFF_TICK", f"line {line}, column {name}: {text} is no multiple of {tick}", line)

    def _count_jump(self, line: int, before: Bar, bar: Bar) -> None:
        self.jumps += 1
        was, now = quanta_text(before.close_px, self._decimals), quanta_text(bar.open_px, self._decimals)
        self._findings.warn(
            "JUMP",
            f"line {line}: the price goes from {was} to {now} between two bars{_split(before.close_px, bar.open_px)}",
            line,
        )

    def _end_still(self) -> None:
        if self._still >= STANDS_STILL_BARS:
            self._findings.warn(
                "CONSTANT_PRICE",
                f"line {self._still_line}: from here {self._still:,} bars have the same price: the feed may have hung",
                self._still_line,
            )
        self._still = 0

    def _take_sample(self, open_ns: int) -> None:
        self.sample.append(open_ns)
        if len(self.sample) == SAMPLE_MAX:
            self.sample = self.sample[::2]
            self._stride *= 2


def is_saturday(ns: int) -> bool:
    """Whether it is Saturday then, UTC."""
    return (ns // NS_PER_DAY + 3) % 7 == 5


def _goes_on_into_saturday(before: Bar, bar: Bar) -> bool:
    """Whether a market trades on through Friday's midnight. (A day's bar, or a session on a Saturday, is no proof.)"""
    return is_saturday(bar.open_ns) and not is_saturday(before.open_ns) and bar.ts_ns - bar.open_ns < NS_PER_DAY


def is_jump(before_px: int, after_px: int) -> bool:
    """Whether one price is that much more than the other."""
    return 5 * max(before_px, after_px) > 7 * min(before_px, after_px)


def _split(before_px: int, after_px: int) -> str:
    """Whether a jump looks like a split, in words."""
    ratio = Fraction(max(before_px, after_px), min(before_px, after_px))
    for split in _SPLITS:
        if abs(ratio / split - 1) <= _SPLIT_WITHIN:
            new, old = split.as_integer_ratio()
            if before_px < after_px:
                new, old = old, new
            return f": it looks like a split of {new} for {old} (surefill.market.adjust undoes one)"
    return ""
