"""Door 3's reconciler and position monitor: what fills, what does not, and exits that really send orders."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.intake.pipeline_driving import BTC, Feed, Rig, one, sale, signal

from surefill.intake.pipeline import (
    OrderCancelled,
    OrderExecutorHandler,
    OrderFilled,
    OrderPlaced,
    OrderState,
    PipelineResult,
    PositionClosed,
    PositionOpened,
)

RESTS = {"latency_ms": 3_600_000}  # an order meets no market before an hour has passed


def test_reconciler_cancels_what_has_not_filled_after_10_seconds() -> None:
    rig = Rig(execution=RESTS)

    async def story(rig: Rig) -> PipelineResult:
        sending = asyncio.ensure_future(rig.send(signal()))
        await rig.until(OrderPlaced)
        await rig.wait(9.999)
        assert not rig.of(OrderCancelled)
        await rig.wait(0.001)
        return await sending

    result = rig.run(story)
    assert (result.success, result.state, result.error_code) == (False, OrderState.CANCELLED, "ORDER_TIMEOUT")
    assert (result.failed_handler, result.filled_quantity) == ("ReconciliationHandler", 0.0)
    assert [event.filled_quantity for event in rig.of(OrderCancelled)] == [0.0]


def partly(size: float, **changes: Any) -> tuple[PipelineResult, Rig]:
    """An order for 2 of which the market shows only so much."""
    feed = Feed(100.0, bid=100.0, ask=100.0, ask_size=size)
    rig = Rig(market_data=feed, execution={"partial_fills": True}, **changes)

    async def story(rig: Rig) -> PipelineResult:
        sending = asyncio.ensure_future(rig.send(signal()))
        await rig.until(OrderFilled)
        await rig.wait(10)
        return await sending

    return rig.run(story), rig


@pytest.mark.parametrize(("size", "is_partial"), [(1.0, True), (1.899, True), (1.9, False)])
def test_reconciler_flags_fills_below_95_percent_and_books_what_filled(size: float, is_partial: bool) -> None:
    result, rig = partly(size)
    assert (result.success, result.filled_quantity, result.is_partial) == (True, size, is_partial)
    assert result.state is OrderState.CANCELLED
    assert [event.filled_quantity for event in rig.of(OrderCancelled)] == [size]
    assert [event.quantity for event in rig.of(PositionOpened)] == [size]


@pytest.mark.parametrize(("bps", "exceeded"), [(0, False), (100, False), (101, True)])
@pytest.mark.parametrize("make", [signal, sale])
def test_reconciler_flags_slippage_above_1_percent_and_keeps_the_fill(make: Any, bps: int, exceeded: bool) -> None:
    result, _ = one(make(), execution={"slippage_bps": bps})
    assert (result.success, result.state, result.slippage_exceeded) == (True, OrderState.FILLED, exceeded)
    assert result.slippage_pct == pytest.approx(bps / 100)
    assert any("flagged" in text for text in result.warnings) is exceeded


def test_reconciler_that_does_not_verify_leaves_the_order_working() -> None:
    rig = Rig(execution=RESTS, pipeline={"verify_fill": False})

    async def story(rig: Rig) -> PipelineResult:
        result = await rig.send(signal())
        await rig.wait(3_000)
        assert [order.state for order in rig.engine.order_manager.get_active_orders()] == [OrderState.ACTIVE]
        return result

    result = rig.run(story)
    assert (result.success, result.state, result.error_code) == (True, OrderState.ACTIVE, "")


def test_order_times_out_without_a_reconciler_in_the_chain() -> None:
    rig = Rig(execution=RESTS, handlers=[OrderExecutorHandler()])

    async def story(rig: Rig) -> None:
        assert (await rig.send(signal())).state is OrderState.ACTIVE
        await rig.wait(10)
        await rig.until(OrderCancelled)

    rig.run(story)


# -- the position monitor -----------------------------------------------------------------------------------------


def monitored(prices: list[float], make: Any = signal, **settings: Any) -> tuple[Rig, PositionClosed | None]:
    rig = Rig(**settings)

    async def story(rig: Rig) -> None:
        assert (await rig.send(make())).success
        for px in prices:
            await rig.price(px)

    rig.run(story)
    closed = rig.of(PositionClosed)
    assert len(closed) <= 1
    return rig, closed[0] if closed else None


@pytest.mark.parametrize(
    ("make", "prices", "reason", "pnl"),
    [
        (signal, [99.0, 98.5], "stop", -3.0),
        (signal, [103.0, 104.0], "target", 8.0),
        (sale, [101.5], "stop", -3.0),
        (sale, [96.0], "target", 8.0),
        (signal, [99.0, 98.51, 103.99], "", 0.0),
    ],
)
def test_monitor_sends_orders_at_stop_and_target(make: Any, prices: list[float], reason: str, pnl: float) -> None:
    rig, closed = monitored(prices, make)
    if not reason:
        assert closed is None
        return
    assert closed is not None
    assert (closed.exit_reason, closed.realized_pnl, closed.realized_pnl_pct) == (reason, pnl, pnl / 2)
    exits = [event for event in rig.of(OrderPlaced) if event.reduce_only]
    assert [(event.symbol, event.quantity) for event in exits] == [(BTC, 2.0)]
    assert closed.hold_duration_seconds == len(prices)


CLASSES = {"majors": {"bases": ["BTC"], "trailing_pct": 1}, "default": {"trailing_pct": 1.4}}


@pytest.mark.parametrize(
    ("symbol", "classes", "prices", "leaves"),
    [
        ("BTC/USDT", CLASSES, [102.0, 101.01], False),
        ("BTC/USDT", CLASSES, [102.0, 101.0], True),
        ("SOL/USDT", CLASSES, [102.0, 100.61], False),
        ("SOL/USDT", CLASSES, [102.0, 100.6], True),
        ("SOL/USDT", {"majors": CLASSES["majors"]}, [102.0, 99.0], False),
    ],
)
def test_monitor_trails_by_asset_class(symbol: str, classes: Any, prices: list[float], leaves: bool) -> None:
    rig = Rig(pipeline={"asset_classes": classes})

    async def story(rig: Rig) -> None:
        assert (await rig.send(signal(symbol))).success
        for px in prices:
            await rig.price(px, symbol)

    rig.run(story)
    assert [event.exit_reason for event in rig.of(PositionClosed)] == (["trailing"] if leaves else [])


HELD = {"default": {"max_hold_s": 60}}


def test_monitor_leaves_when_the_holding_time_is_up() -> None:
    rig = Rig(pipeline={"asset_classes": HELD})

    async def story(rig: Rig) -> None:
        assert (await rig.send(signal())).success
        await rig.price(100.5)
        await rig.wait(58.999)
        assert not rig.of(PositionClosed)
        await rig.wait(0.001)
        await rig.until(PositionClosed)

    rig.run(story)
    (closed,) = rig.of(PositionClosed)
    assert (closed.exit_reason, closed.hold_duration_seconds, closed.exit_price) == ("time_stop", 60.0, 100.5)


def test_monitor_remembers_the_holding_time_over_a_restart(tmp_path: Path) -> None:
    first = Rig(folder=tmp_path, pipeline={"asset_classes": HELD})

    async def buy(rig: Rig) -> None:
        assert (await rig.send(signal())).success

    first.run(buy)
    again = Rig(folder=tmp_path, pipeline={"asset_classes": HELD})

    async def wait(rig: Rig) -> None:
        await rig.price(100.5)
        await rig.wait(60)
        await rig.until(PositionClosed)

    again.run(wait)
    assert [event.exit_reason for event in again.of(PositionClosed)] == ["time_stop"]


def test_monitor_counts_the_holding_time_of_each_position_anew() -> None:
    rig = Rig(pipeline={"asset_classes": HELD})

    async def story(rig: Rig) -> None:
        assert (await rig.send(signal())).success
        await rig.price(104.0)  # the target
        await rig.wait(49)
        await rig.price(100.0)
        assert (await rig.send(signal())).success
        await rig.wait(20)
        assert len(rig.of(PositionClosed)) == 1
        await rig.wait(40)
        while len(rig.of(PositionClosed)) < 2:
            await asyncio.sleep(0)

    rig.run(story)
    assert [event.exit_reason for event in rig.of(PositionClosed)] == ["target", "time_stop"]
