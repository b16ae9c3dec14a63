from __future__ import annotations

import time

import pytest

from surefill.engine.clock import LiveClock, VirtualClock


def test_live_clock_stands_still_while_the_machines_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100, 200, 150, 120, 199, 201])
    monkeypatch.setattr(time, "time_ns", lambda: next(times))
    clock = LiveClock()
    assert [clock.now_ns() for _ in range(6)] == [100, 200, 200, 200, 200, 201]
    assert clock.backwards_ns == 80


def test_live_clock_tells_nanoseconds_of_now() -> None:
    assert abs(LiveClock().now_ns() - time.time_ns()) < 10**9


def test_virtual_clock_moves_when_told_and_never_back() -> None:
    clock = VirtualClock(5)
    assert clock.now_ns() == 5
    clock.advance_to(7)
    clock.advance_to(6)
    assert clock.now_ns() == 7
