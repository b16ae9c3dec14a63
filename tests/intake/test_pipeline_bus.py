"""Door 3's event bus: everybody is told, nobody waits for anybody, and what a subscriber raises hurts no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from surefill.errors import InputError, LocalError
from surefill.intake.pipeline.bus import EventBus, concurrent
from surefill.intake.pipeline.events import OrderCancelled, PipelineEvent, SystemError, TradingSignalGenerated


def signal(symbol: str = "BTC/USDT") -> TradingSignalGenerated:
    return TradingSignalGenerated(symbol, "BUY", 0.8, 4.0, 100.0)


def cancelled(number: int = 1) -> OrderCancelled:
    return OrderCancelled(f"c{number}", "x", "BTC/USDT", "BUY", "asked")


def run(story: Callable[[EventBus], Awaitable[None]], **settings: Any) -> EventBus:
    async def life() -> EventBus:
        bus = EventBus(**settings)
        try:
            async with asyncio.timeout(10):
                await story(bus)
        finally:
            bus.close()
        return bus

    return asyncio.run(life())


@pytest.mark.parametrize("kind", ["OrderCancelled", OrderCancelled, PipelineEvent])
@pytest.mark.parametrize("is_async", [True, False])
def test_bus_subscribe_takes_a_name_or_a_class_and_any_kind_of_handler(kind: Any, is_async: bool) -> None:
    heard: list[PipelineEvent] = []

    async def hear(event: PipelineEvent) -> None:
        heard.append(event)

    async def story(bus: EventBus) -> None:
        bus.subscribe(kind, hear if is_async else heard.append)
        await bus.publish(cancelled())
        await bus.drain()
        assert heard == [cancelled()]

    run(story)


def test_bus_tells_only_those_who_asked_and_until_they_stop() -> None:
    heard: list[PipelineEvent] = []

    async def story(bus: EventBus) -> None:
        stop = bus.subscribe("OrderCancelled", heard.append)
        bus.subscribe("OrderFilled", heard.append)
        await bus.publish(cancelled(1))
        await bus.drain()
        stop()
        stop()
        await bus.publish(cancelled(2))
        await bus.drain()

    run(story)
    assert heard == [cancelled(1)]


@pytest.mark.parametrize("wrong", ["OrderFiled", "", int, SystemExit])
def test_bus_subscribe_to_what_is_no_event_is_refused(wrong: Any) -> None:
    with pytest.raises(InputError, match="is not an event"):
        EventBus().subscribe(wrong, print)


def test_bus_publish_of_what_is_no_event_is_refused() -> None:
    async def story(bus: EventBus) -> None:
        await bus.publish("OrderFilled")  # type: ignore[arg-type]

    with pytest.raises(InputError, match="is not an event"):
        run(story)


def test_bus_raising_subscriber_never_hurts_the_others_and_is_told_of_once() -> None:
    heard: list[PipelineEvent] = []
    errors: list[SystemError] = []

    def fail(_event: PipelineEvent) -> None:
        raise ValueError("the\nsubscriber's own")

    async def fail_too(_event: PipelineEvent) -> None:
        raise KeyError("also")

    async def story(bus: EventBus) -> None:
        bus.subscribe("OrderCancelled", fail)
        bus.subscribe("OrderCancelled", fail_too)
        bus.subscribe("OrderCancelled", heard.append)
        bus.subscribe(SystemError, errors.append)
        await bus.publish(cancelled(1))
        await bus.publish(cancelled(2))
        await bus.drain()

    bus = run(story)
    assert heard == [cancelled(1), cancelled(2)]
    assert bus.error_count == len(bus.errors) == len(errors) == 4
    told = next(error for error in errors if error.error_type == "ValueError")
    assert "fail" in told.component
    assert (told.error_message, told.traceback) == ("the subscriber's own", "ValueError: the subscriber's own")
    assert {kept.error_type for kept in bus.errors} == {"ValueError", "KeyError"}


def test_bus_raising_subscriber_of_errors_is_not_told_of_again() -> None:
    def fail(_event: PipelineEvent) -> None:
        raise ValueError("no")

    async def story(bus: EventBus) -> None:
        bus.subscribe("OrderCancelled", fail)
        bus.subscribe("SystemError", fail)
        await bus.publish(cancelled())
        await bus.drain()

    assert [kept.event for kept in run(story).errors] == ["OrderCancelled", "SystemError"]


def test_bus_slow_subscribers_delay_neither_publish_nor_the_others() -> None:
    go_on = threading.Event()
    may_end: list[asyncio.Event] = []
    heard: list[PipelineEvent] = []
    fast = asyncio.Event()

    async def slow(_event: PipelineEvent) -> None:
        await may_end[0].wait()

    def blocking(_event: PipelineEvent) -> None:
        go_on.wait()

    async def hear(event: PipelineEvent) -> None:
        heard.append(event)
        fast.set()

    async def story(bus: EventBus) -> None:
        may_end.append(asyncio.Event())
        bus.subscribe("OrderCancelled", slow)
        bus.subscribe("OrderCancelled", blocking)
        bus.subscribe("OrderCancelled", hear)
        await bus.publish(cancelled(1))
        await fast.wait()
        may_end[0].set()
        go_on.set()
        await bus.drain()

    run(story)
    assert heard == [cancelled(1)]


def test_bus_keeps_the_order_of_events_for_each_subscriber() -> None:
    heard: list[str] = []

    async def slow_at_first(event: OrderCancelled) -> None:
        for _ in range(3 if event.client_order_id == "c1" else 0):
            await asyncio.sleep(0)
        heard.append(event.client_order_id)

    async def story(bus: EventBus) -> None:
        bus.subscribe("OrderCancelled", slow_at_first)
        for number in (1, 2, 3):
            await bus.publish(cancelled(number))
        await bus.drain()
        await bus.publish(cancelled(4))
        await bus.drain()

    run(story)
    assert heard == ["c1", "c2", "c3", "c4"]


def test_bus_concurrent_handler_is_begun_again_before_it_is_done() -> None:
    begun: list[str] = []

    async def story(bus: EventBus) -> None:
        both = asyncio.Event()

        @concurrent
        async def handle(event: TradingSignalGenerated) -> None:
            begun.append(event.symbol)
            if len(begun) == 2:
                both.set()
            await both.wait()

        bus.subscribe("TradingSignalGenerated", handle)
        await bus.publish(signal("BTC/USDT"))
        await bus.publish(signal("ETH/USDT"))
        await bus.drain()

    run(story)
    assert begun == ["BTC/USDT", "ETH/USDT"]


def test_bus_subscriber_that_is_too_far_behind_misses_events_and_that_is_told() -> None:
    heard: list[PipelineEvent] = []

    async def story(bus: EventBus) -> None:
        bus.subscribe("OrderCancelled", heard.append)
        for number in range(5):
            await bus.publish(cancelled(number))
        await bus.drain()

    bus = run(story, backlog_max=2)
    assert [event.client_order_id for event in heard if isinstance(event, OrderCancelled)] == ["c0", "c1"]
    assert bus.error_count == 3
    assert "behind" in bus.errors[0].message


def test_bus_takes_events_of_other_threads_for_its_own_loop() -> None:
    heard: list[tuple[PipelineEvent, int]] = []

    async def hear(event: PipelineEvent) -> None:
        heard.append((event, threading.get_ident()))

    async def story(bus: EventBus) -> None:
        bus.subscribe("OrderCancelled", hear)
        bus.attach()
        thread = threading.Thread(target=bus.publish_from_thread, args=(cancelled(),))
        thread.start()
        await asyncio.to_thread(thread.join)
        await bus.drain()

    run(story)
    assert heard == [(cancelled(), threading.get_ident())]


def test_bus_without_a_loop_drops_events_of_other_threads_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    EventBus().publish_from_thread(cancelled())
    assert "event_not_published" in "".join(capsys.readouterr())


def test_bus_serves_the_next_loop_when_its_own_is_gone_and_never_two() -> None:
    heard: list[PipelineEvent] = []
    bus = EventBus()
    bus.subscribe("OrderCancelled", heard.append)

    async def publish() -> None:
        await bus.publish(cancelled())
        await bus.drain()

    async def publish_elsewhere() -> None:
        await publish()
        with pytest.raises(LocalError, match="another loop"):
            await asyncio.to_thread(asyncio.run, publish())

    asyncio.run(publish())
    asyncio.run(publish_elsewhere())
    bus.close()
    assert heard == [cancelled(), cancelled()]
