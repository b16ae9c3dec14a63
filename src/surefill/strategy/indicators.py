"""Indicators: sequential double arithmetic, one value at a time, the same operations in the same order everywhere.

The step functions are what engine and compiled kernels share: numbers in, a number out. Each column's value depends on
its own bar and earlier ones only, so a column over a whole history, cut at a bar, is what was known at that bar.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence

FLAT_RSI = 50.0


def ema_weight(period: int) -> float:
    """The weight of the newest value in an exponential moving average: 2 / (period + 1)."""
    return 2.0 / (period + 1)


def ema_step(previous: float, value: float, weight: float) -> float:
    """The next value of an exponential moving average."""
    return previous + weight * (value - previous)


def ema(values: Sequence[float], period: int) -> array[float]:
    """The exponential moving average, one value per bar; it starts at the first value."""
    weight = ema_weight(period)
    averages = array("d")
    current = values[0] if len(values) else 0.0
    for value in values:
        current = ema_step(current, value, weight)
        averages.append(current)
    return averages


def wilder_step(previous: float, value: float, period: int) -> float:
    """The next value of Wilder's average, whose newest value weighs 1 / period."""
    return previous + (value - previous) / period


def rsi_of(gain: float, loss: float) -> float:
    """Wilder's relative strength index of an average gain and an average loss, 0 to 100; 50 while nothing moved."""
    if gain + loss == 0.0:
        return FLAT_RSI
    return 100.0 * (gain / (gain + loss))  # in this order it never exceeds 100


class WilderRsi:
    """Wilder's relative strength index, value by value (Wilder, New Concepts in Technical Trading Systems, 1978).

    Averages start at 0 with the first value, so the index has settled only after a few periods.
    """

    def __init__(self, period: int) -> None:
        self._period = period
        self._gain = self._loss = 0.0
        self._previous: float | None = None

    def push(self, value: float) -> float:
        """The index with one more value."""
        change = 0.0 if self._previous is None else value - self._previous
        self._gain = wilder_step(self._gain, max(change, 0.0), self._period)
        self._loss = wilder_step(self._loss, max(-change, 0.0), self._period)
        self._previous = value
        return rsi_of(self._gain, self._loss)


def rsi(values: Sequence[float], period: int) -> array[float]:
    """Wilder's relative strength index, one value per bar."""
    index = WilderRsi(period)
    return array("d", map(index.push, values))


class SlidingHigh:
    """The highest of the last `count` integers; each costs the same on average, however long the window is."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pushed = 0
        self._falling: deque[tuple[int, int]] = deque()  # (number, value): each lower than the one before

    @property
    def top(self) -> int:
        """The highest in the window; there must be one."""
        return self._falling[0][1]

    def push(self, value: int) -> int:
        """The highest before this one, which then joins the window; of none it is 0."""
        falling = self._falling
        highest_before = falling[0][1] if falling else 0
        while falling and falling[-1][1] <= value:
            falling.pop()
        falling.append((self._pushed, value))
        self._pushed += 1
        if falling[0][0] <= self._pushed - 1 - self._count:
            falling.popleft()
        return highest_before


def highest(values: Sequence[float], count: int) -> float:
    """The highest of the `count` values before the last one (of as many as there are; at least one)."""
    return max(values[-count - 1 : -1])


def lowest(values: Sequence[float], count: int) -> float:
    """The lowest of the `count` values before the last one (of as many as there are; at least one)."""
    return min(values[-count - 1 : -1])
