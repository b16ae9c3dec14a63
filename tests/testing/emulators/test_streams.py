"""What may happen to reports on their way to a listener."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from surefill.testing.emulators import AnyFault, Fault, WireFault
from surefill.testing.emulators.groundwork.streams import Listener, Streams
from surefill.testing.remote_venue.faults import FaultSwitch


def _heard(listener: Listener) -> list[Any]:
    heard = []
    while not listener.queue.empty():
        heard.append(listener.queue.get_nowait())
    return heard


def _streams() -> tuple[Streams, FaultSwitch, list[tuple[int, Callable[[], None]]]]:
    faults, later = FaultSwitch(), list[tuple[int, Callable[[], None]]]()
    return Streams(faults, lambda ms, call: later.append((ms, call))), faults, later


FAULTS: list[tuple[AnyFault | None, list[Any]]] = [
    (None, ["one", "two"]),
    (Fault.LOSE_REPORT, ["two"]),
    (Fault.DUPLICATE_REPORT, ["one", "one", "two", "two"]),
    (Fault.REORDER_REPORTS, ["two", "one"]),
    (WireFault.STREAM_LOST, [None]),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS)
def test_reports_come_as_the_fault_has_it(fault: AnyFault | None, expected: list[Any]) -> None:
    async def run() -> None:
        streams, faults, _ = _streams()
        listener, other = streams.open("a"), streams.open("b")
        if fault:
            faults.arm(fault, times=1)
        streams.report("a", "one")
        streams.report("a", "two")
        assert _heard(listener) == []
        streams.flush()
        assert _heard(listener) == expected
        assert _heard(other) == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, ["one", "two"]),
        (Fault.LOSE_REPORT, ["two"]),
        (Fault.DUPLICATE_REPORT, ["one", "one", "two"]),
        (WireFault.STREAM_LOST, [None]),
    ],
)
def test_prices_come_as_a_fault_armed_for_them_has_it(fault: AnyFault | None, expected: list[Any]) -> None:
    streams, faults, _ = _streams()
    listener = streams.open("a")
    if fault:
        faults.arm(fault, times=1, op="quotes")
    streams.quote("a", "one")
    streams.quote("a", "two")
    assert _heard(listener) == expected
    assert faults.fired == ({fault: 1} if fault else {})


def test_price_passes_a_fault_that_was_armed_for_anything() -> None:
    streams, faults, _ = _streams()
    listener = streams.open("a")
    faults.arm(Fault.LOSE_REPORT, times=1)
    streams.quote("a", "one")
    assert (_heard(listener), faults.fired) == (["one"], {})


def test_single_report_out_of_order_comes_late() -> None:
    async def run() -> None:
        streams, faults, later = _streams()
        listener = streams.open("a")
        faults.arm(Fault.REORDER_REPORTS, times=1)
        streams.report("a", "one")
        streams.flush()
        assert _heard(listener) == []
        ((delay_ms, call),) = later
        call()
        assert (delay_ms, _heard(listener)) == (streams.delay_ms, ["one"])

    asyncio.run(run())


def test_report_held_back_comes_after_what_followed_it() -> None:
    async def run() -> None:
        streams, _, _ = _streams()
        listener = streams.open("a")
        before = streams.hold()
        streams.report("a", "fill")
        let_go = streams.held_back(before)
        streams.report("a", "end")
        streams.flush()
        let_go()
        assert _heard(listener) == ["end", "fill"]

    asyncio.run(run())
