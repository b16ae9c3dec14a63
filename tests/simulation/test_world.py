"""Virtual time: asyncio as it is, but nobody waits, and the same things happen in the same order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest

from surefill.testing.simulator import Livelock, PowerCut, VirtualLoop, World
from surefill.testing.simulator.world import START_NS, WorldClock
from surefill.units import NS_PER_S


@pytest.fixture
def world() -> World:
    return World(1)


@pytest.fixture
def loop(world: World) -> Iterator[VirtualLoop]:
    loop = VirtualLoop(world)
    yield loop
    loop.abandon()


def test_sleeping_an_hour_takes_no_time_and_moves_the_clock(world: World, loop: VirtualLoop) -> None:
    began = time.monotonic()
    loop.run_until_complete(asyncio.sleep(3_600))
    assert time.monotonic() - began < 1
    assert world.now_ns == START_NS + 3_600 * NS_PER_S
    assert loop.time() == 3_600


def test_events_of_loop_and_world_happen_in_order_of_time(world: World, loop: VirtualLoop) -> None:
    seen: list[str] = []

    async def story() -> None:
        for delay_s in (3, 1, 2):
            loop.call_later(delay_s, seen.append, f"loop {delay_s}")
            world.after_ms(delay_s * 1_000 - 500, partial(seen.append, f"world {delay_s}"))
        world.after_ms(1_500, lambda: seen.append("world, asked later"))
        await asyncio.sleep(4)

    loop.run_until_complete(story())
    assert seen == ["world 1", "loop 1", "world 2", "world, asked later", "loop 2", "world 3", "loop 3"]


def test_timeout_that_runs_out_is_raised_at_its_moment(world: World, loop: VirtualLoop) -> None:
    async def story() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await asyncio.Event().wait()

    loop.run_until_complete(story())
    assert world.now_ns == START_NS + 2_500_000_000


async def _for_ever() -> None:
    while True:
        await asyncio.sleep(0)


async def _for_nothing() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(("story", "words"), [(_for_ever, "without a moment"), (_for_nothing, "nothing is going to")])
def test_program_that_gets_nowhere_is_a_livelock(
    loop: VirtualLoop, story: Callable[[], Awaitable[None]], words: str
) -> None:
    async def tell() -> None:
        await story()

    with pytest.raises(Livelock, match=words):
        loop.run_until_complete(tell())


def test_power_cut_ends_everything_at_once_and_no_handler_sees_it(world: World, loop: VirtualLoop) -> None:
    seen: list[str] = []

    def cut() -> None:
        raise PowerCut("here")

    async def other() -> None:
        try:
            await asyncio.sleep(10)
        except Exception:
            seen.append("handled")
        seen.append("went on")

    async def story() -> None:
        task = loop.create_task(other())
        world.after_ms(5, cut)
        try:
            await task
        except Exception:
            seen.append("handled")

    with pytest.raises(PowerCut):
        loop.run_until_complete(story())
    loop.abandon()
    assert seen == []


def test_clock_that_is_set_back_stands_still(world: World) -> None:
    clock = WorldClock(world)
    first_ns = clock.now_ns()
    clock.skew_ns = -3 * NS_PER_S
    world.now_ns += NS_PER_S
    assert clock.now_ns() == first_ns
    world.now_ns += 5 * NS_PER_S
    assert clock.now_ns() == first_ns + 3 * NS_PER_S
