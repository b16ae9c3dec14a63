from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from surefill.domain.market import Bar, BarOpened, Quote
from surefill.errors import InputError
from surefill.market.replay import MarketEvent, WallClock, bar_events, merged, replay
from surefill.units import NS_PER_S


def _bar(name: str, open_s: int, end_s: int) -> Bar:
    return Bar(name, open_s * NS_PER_S, end_s * NS_PER_S, 10, 12, 9, 11)


def _quote(name: str, second: int) -> Quote:
    return Quote(name, second * NS_PER_S, last_px=10)


class _PatientClock:
    """Time that passes only while somebody sleeps, and a little (`lag_ns`) at every look."""

    def __init__(self, lag_ns: int = 0) -> None:
        self.ns = 1_000
        self.lag_ns = lag_ns
        self.slept: list[float] = []

    def now_ns(self) -> int:
        self.ns += self.lag_ns
        return self.ns

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ns += int(seconds * NS_PER_S)


def _replayed(events: Iterable[MarketEvent], speed: float, clock: _PatientClock) -> list[MarketEvent]:
    async def collect() -> list[MarketEvent]:
        return [event async for event in replay(events, speed=speed, clock=clock)]

    return asyncio.run(collect())


def test_bar_events_open_each_bar_and_end_it() -> None:
    assert list(bar_events([_bar("A", 0, 1), _bar("A", 1, 2)])) == [
        BarOpened("A", 0, 10),
        _bar("A", 0, 1),
        BarOpened("A", NS_PER_S, 10),
        _bar("A", 1, 2),
    ]


def test_merged_sources_are_in_order_of_time_then_ends_quotes_openings_then_instrument() -> None:
    a = list(bar_events([_bar("A", 0, 1), _bar("A", 1, 2)]))
    b = list(bar_events([_bar("B", 0, 1), _bar("B", 1, 2)]))
    quotes: list[MarketEvent] = [_quote("A", 1), _quote("C", 1)]
    for sources in ([a, b, quotes], [quotes, b, a]):
        order = [(type(e).__name__, e.instrument_id, e.ts_ns // NS_PER_S) for e in merged(*sources)]
        assert order == [
            ("BarOpened", "A", 0),
            ("BarOpened", "B", 0),
            ("Bar", "A", 1),
            ("Bar", "B", 1),
            ("Quote", "A", 1),
            ("Quote", "C", 1),
            ("BarOpened", "A", 1),
            ("BarOpened", "B", 1),
            ("Bar", "A", 2),
            ("Bar", "B", 2),
        ]


def test_merged_sources_are_read_one_event_ahead() -> None:
    read: list[int] = []

    def source() -> Iterable[MarketEvent]:
        for second in range(100):
            read.append(second)
            yield _quote("A", second)

    stream = merged(source(), [_quote("B", 0)])
    next(stream)
    next(stream)
    assert len(read) <= 2


@pytest.mark.parametrize(
    ("speed", "slept"), [(1, [2, 3]), (2, [1, 1.5]), (0.5, [4, 6]), (0, [])], ids=["1x", "2x", "half", "at once"]
)
def test_replay_waits_as_long_as_the_speed_says(speed: float, slept: list[float]) -> None:
    events = [_quote("A", 100), _quote("A", 102), _quote("A", 102), _quote("A", 105)]
    clock = _PatientClock()
    assert _replayed(events, speed, clock) == events
    assert clock.slept == pytest.approx(slept)


def test_replay_that_is_late_does_not_fall_further_behind() -> None:
    clock = _PatientClock(lag_ns=NS_PER_S // 4)
    _replayed([_quote("A", second) for second in range(11)], 1.0, clock)
    assert sum(clock.slept) == pytest.approx(10 - 11 * 0.25)


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
def test_replay_at_an_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(InputError, match="speed of a replay"):
        _replayed([_quote("A", 1)], speed, _PatientClock())


def test_wall_clock_moves_while_it_sleeps() -> None:
    async def elapsed_ns() -> int:
        clock = WallClock()
        before_ns = clock.now_ns()
        await clock.sleep(0.002)
        return clock.now_ns() - before_ns

    assert asyncio.run(elapsed_ns()) >= 1_000_000
