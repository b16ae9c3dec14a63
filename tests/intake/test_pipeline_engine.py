"""Door 3's engine: it hears signals on the bus and tells what became of them, from the journal, never in the way."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.intake.pipeline_driving import BTC, ETH, Rig, sale, signal

from surefill.domain.inputs import Halt, Resume
from surefill.errors import LocalError
from surefill.intake.pipeline import (
    EventBus,
    ExecutionEngine,
    ExecutionPipeline,
    OrderFailed,
    OrderFilled,
    OrderPlaced,
    OrderState,
    PipelineResult,
    PositionClosed,
    PositionOpened,
    SystemError,
    TradingSignalGenerated,
)
from surefill.intake.pipeline.events import PipelineEvent
from surefill.journal import MemoryJournal, verify
from surefill.testing.faulty_journal import FaultyJournal, JournalFault


def kinds(rig: Rig) -> list[str]:
    return [type(event).__name__ for event in rig.heard]


def test_engine_hears_signals_on_the_bus_and_tells_what_became_of_them() -> None:
    rig = Rig(fees=[{"kind": "per_notional", "rate_bps": 10}])

    async def story(rig: Rig) -> None:
        await rig.bus.publish(signal())
        await rig.bus.drain()
        await rig.price(104.0)

    rig.run(story)
    assert kinds(rig) == [
        "TradingSignalGenerated",
        *("OrderPlaced", "OrderFilled", "PositionOpened"),
        *("OrderPlaced", "OrderFilled", "PositionClosed"),
    ]
    bought, sold = rig.of(OrderFilled)
    assert (bought.symbol, bought.side, bought.quantity, bought.price) == (BTC, "BUY", bought.filled_quantity, 100.0)
    assert bought.commission == pytest.approx(bought.quantity * 0.1)
    assert bought.commission_asset == "USDT"
    assert bought.correlation_id == sold.correlation_id != ""
    (opened,), (closed,) = rig.of(PositionOpened), rig.of(PositionClosed)
    assert (opened.side, opened.entry_price, opened.stop_loss, opened.take_profit) == ("LONG", 100.0, 98.5, 104.0)
    assert closed.exit_reason == "target"
    fees = bought.commission + sold.commission
    assert closed.realized_pnl == pytest.approx(4 * closed.quantity - fees)
    assert closed.realized_pnl_pct == pytest.approx(100 * closed.realized_pnl / (100 * closed.quantity))
    assert all(event.exchange == "binance" for event in (bought, opened, closed))


def test_engine_subscribed_a_second_time_executes_once() -> None:
    rig = Rig()
    rig.bus.subscribe("TradingSignalGenerated", rig.engine.on_trading_signal)

    async def story(rig: Rig) -> None:
        await rig.bus.publish(signal())

    rig.run(story)
    assert len(rig.of(OrderFilled)) == 1


def test_engine_tells_of_refusals_and_halts() -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        await rig.bus.publish(signal(confluence_score=0.0))
        await rig.bus.drain()
        door = rig.engine.pipeline.door
        await door.feed([Halt(door.door.now_ns(), "KILL_SWITCH", "enough\nfor today", "ann")])
        await rig.send(signal())

    rig.run(story)
    assert [event.error_code for event in rig.of(OrderFailed)] == ["CONFLUENCE_TOO_LOW", "HALTED"]
    (halted,) = rig.of(SystemError)
    assert (halted.component, halted.error_type, halted.is_critical) == ("ExecutionEngine", "HALTED", True)
    assert "ann (KILL_SWITCH): enough for today" in halted.error_message
    assert halted.traceback == f"HALTED: {halted.error_message}"


def test_engine_signals_do_not_wait_for_one_another() -> None:
    rig = Rig(execution={"latency_ms": 3_600_000})

    async def story(rig: Rig) -> None:
        await rig.bus.publish(signal(BTC))
        await rig.bus.publish(signal(ETH))
        placed: list[OrderPlaced] = []
        while len(placed) < 2:
            await rig.until(OrderPlaced)
            placed = rig.of(OrderPlaced)
            await asyncio.sleep(0)
        await rig.wait(10)

    rig.run(story)
    assert {event.symbol for event in rig.of(OrderPlaced)} == {BTC, ETH}


def test_engine_order_path_does_not_wait_for_subscribers_that_block() -> None:
    rig = Rig()
    go_on = threading.Event()

    async def story(rig: Rig) -> PipelineResult:
        rig.bus.subscribe(PipelineEvent, lambda _event: go_on.wait())
        rig.tick()
        result = await rig.engine.on_trading_signal(signal())
        assert result is not None
        go_on.set()
        return result

    assert rig.run(story).success


def test_engine_calls_leave_the_callers_loop_free() -> None:
    """While the feed takes its time, the loop turns."""
    asked, answer = threading.Event(), threading.Event()

    def slow_feed(_symbol: str) -> float:
        asked.set()
        answer.wait()
        return 100.0

    rig = Rig(market_data=slow_feed)

    async def story(rig: Rig) -> PipelineResult:
        sending = asyncio.ensure_future(rig.send(signal()))
        await asyncio.to_thread(asked.wait)
        turned = False
        for _ in range(10):
            await asyncio.sleep(0)
            turned = True
        assert turned
        assert not sending.done()
        answer.set()
        return await sending

    assert rig.run(story).success


def test_engine_refuses_to_be_called_from_its_own_loop() -> None:
    with ExecutionPipeline({"journal": {"path": ":memory:"}}) as pipeline:

        async def from_inside() -> PipelineResult:
            return await pipeline.execute(signal())

        with pytest.raises(LocalError, match="engine's own loop"):
            pipeline.door.door.session.engine.run(from_inside())
        assert pipeline.orders.get_statistics()["total"] == 0


def test_engine_takes_up_positions_and_their_exits_after_a_restart(tmp_path: Path) -> None:
    first = Rig(folder=tmp_path)

    async def buy(rig: Rig) -> None:
        assert (await rig.send(signal())).success

    first.run(buy)
    again = Rig(folder=tmp_path)

    async def stop(rig: Rig) -> None:
        await rig.price(98.0)

    again.run(stop)
    assert kinds(again) == ["OrderPlaced", "OrderFilled", "PositionClosed"]
    assert again.of(PositionClosed)[0].exit_reason == "stop"


def test_engine_serves_short_positions_alike() -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        assert (await rig.send(sale())).success
        await rig.price(96.0)

    rig.run(story)
    (opened,), (closed,) = rig.of(PositionOpened), rig.of(PositionClosed)
    assert (opened.side, closed.side, closed.realized_pnl) == ("SHORT", "SHORT", 8.0)


@pytest.mark.parametrize(
    ("fault", "code", "filled_at_once"),
    [
        (JournalFault.KEPT, "OUTCOME_UNKNOWN", True),
        (JournalFault.LOST, "OUTCOME_UNKNOWN", False),
        (JournalFault.REFUSED, "JOURNAL_UNAVAILABLE", False),
    ],
)
def test_engine_whose_journal_fails_says_unknown_and_executes_once_under_the_key(
    fault: JournalFault, code: str, filled_at_once: bool
) -> None:
    inner = MemoryJournal()
    journal = FaultyJournal(inner)
    rig = Rig(journal=journal)

    async def story(rig: Rig) -> None:
        await rig.engine.exchange.get_symbol_info(BTC)
        journal.plan(fault)
        failed = await rig.send(signal(intent_id="k"))
        assert (failed.success, failed.error_code) == (code == "OUTCOME_UNKNOWN", code)
        assert failed.state is (OrderState.SUBMITTED if failed.success else OrderState.REJECTED)
        door = rig.engine.pipeline.door
        await door.feed([Resume(door.door.now_ns(), "ann")])
        again = await rig.send(signal(intent_id="k"))
        assert (again.success, again.is_repeat, again.filled_quantity) == (True, filled_at_once, 2.0)
        assert rig.engine.order_manager.get_statistics()["filled"] == 1

    rig.run(story)
    assert any(event.error_type == "HALTED" for event in rig.of(SystemError))
    assert verify(inner).ok


def test_engine_fault_is_a_critical_system_error_and_hurts_no_other_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    fail = [True]
    execute = rig.engine.pipeline.execute

    async def broken(one: TradingSignalGenerated) -> PipelineResult:
        if fail.pop() if fail else False:
            raise RuntimeError("a fault of ours")
        return await execute(one)

    monkeypatch.setattr(rig.engine.pipeline, "execute", broken)

    async def story(rig: Rig) -> None:
        assert await rig.engine.on_trading_signal(signal()) is None
        assert (await rig.send(signal())).success

    rig.run(story)
    (error,) = rig.of(SystemError)
    assert (error.error_type, error.is_critical, error.traceback) == (
        "RuntimeError",
        True,
        "RuntimeError: a fault of ours",
    )


def test_engine_closed_hears_no_more_and_leaves_a_pipeline_that_was_given_open() -> None:
    async def story() -> None:
        with ExecutionPipeline({"journal": {"path": ":memory:"}}) as pipeline:
            bus = EventBus()
            async with ExecutionEngine(bus, pipeline) as engine:
                assert (await engine.on_trading_signal(signal())) is not None
            await bus.publish(signal(ETH))
            await bus.drain()
            assert pipeline.orders.get_statistics()["total"] == 1
            assert (await pipeline.execute(signal(ETH))).success
            bus.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("candle", "reason"),
    [({"open": 100.0, "high": 100.5, "low": 98.4, "close": 99.0}, "stop"), ({"close": 99.0}, "")],
)
def test_engine_looks_inside_candles(candle: dict[str, Any], reason: str) -> None:
    rig = Rig()

    async def story(rig: Rig) -> None:
        assert (await rig.send(signal())).success
        rig.tick(60)
        await rig.engine.on_candle_close(BTC, candle, "1m")
        await rig.engine.on_candle_close("XRP/USDT", candle, "1m")
        rig.tick(60)
        await rig.engine.on_candle_close(BTC, candle, "1m")

    rig.run(story)
    assert [event.exit_reason for event in rig.of(PositionClosed)] == ([reason] if reason else [])
