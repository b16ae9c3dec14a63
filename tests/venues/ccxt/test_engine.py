"""A whole engine at the emulated Binance: whatever happens on the way, an order is there once and the books agree."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.venues.ccxt.engine_rig import Rig
from tests.venues.ccxt.orders import DOLLAR

from surefill.domain.inputs import ComparePositions
from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote
from surefill.rules.codes import OrdStatus
from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.testing.invariants import check_journal
from surefill.testing.remote_venue.faults import Fault

BOTH = pytest.mark.parametrize("exchange", ["binance", "binanceusdm"])
#: A fault and the name of the request that it strikes ("": of reports).
ON_SUBMIT: list[tuple[AnyFault, str]] = [
    (Fault.LOSE_ANSWER, "submit"),
    (Fault.GARBLE_ANSWER, "submit"),
    (Fault.SERVER_ERROR, "submit"),
    (Fault.DISCONNECT_AFTER, "submit"),
    (Fault.THROTTLED, "submit"),
    (Fault.DUPLICATE_REPORT, ""),
    (Fault.REORDER_REPORTS, ""),
    (Fault.LOSE_REPORT, ""),
    (Fault.FILL_BEFORE_ACK, ""),
    (WireFault.STATUS_UNKNOWN, "submit"),
    (WireFault.STREAM_LOST, ""),
]


@BOTH
@pytest.mark.parametrize(("fault", "op"), ON_SUBMIT)
def test_order_struck_by_a_fault_is_there_once_and_booked_once(
    binance: EmulatorProcess, exchange: str, fault: AnyFault, op: str
) -> None:
    rig = Rig(binance, exchange)

    async def story() -> None:
        await rig.arm(fault, op=op)
        receipt = await rig.submit("i1")
        await rig.ended(receipt.cl_ord_id, OrdStatus.FILLED)
        await rig.settled()

    rig.run(story)
    assert binance.truth().fired[fault.name] >= 1


@BOTH
def test_order_whose_fill_nobody_told_is_never_sent_again(binance: EmulatorProcess, exchange: str) -> None:
    """On spot the id of a filled order may be used again: sending it again would fill twice."""
    rig = Rig(binance, exchange)

    async def story() -> None:
        await rig.arm(Fault.LOSE_ANSWER, op="submit")
        await rig.arm(Fault.LOSE_REPORT, 5)
        await rig.arm(Fault.QUERY_ERROR, 3)
        receipt = await rig.submit("i1")
        await rig.ended(receipt.cl_ord_id, OrdStatus.FILLED)
        await rig.settled()

    rig.run(story)
    mine = [each for each in binance.truth().orders if each["account"] == rig.account]
    assert len(mine) == 1


@BOTH
@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.DISCONNECT_AFTER, Fault.CANCEL_FILL_RACE])
def test_cancel_struck_by_a_fault_ends_as_the_venue_says(binance: EmulatorProcess, exchange: str, fault: Fault) -> None:
    rig = Rig(binance, exchange)

    async def story() -> None:
        receipt = await rig.submit("i1", px=59_000)
        await rig.ended(receipt.cl_ord_id, OrdStatus.NEW)
        await rig.arm(fault, op="" if fault is Fault.CANCEL_FILL_RACE else "cancel")
        await rig.cancel(receipt.cl_ord_id)
        end = OrdStatus.FILLED if fault is Fault.CANCEL_FILL_RACE else OrdStatus.CANCELED
        await rig.ended(receipt.cl_ord_id, end)
        await rig.settled()

    rig.run(story)
    assert binance.truth().fired[fault.name] == 1


@BOTH
def test_engine_that_died_after_sending_finds_its_order(binance: EmulatorProcess, exchange: str) -> None:
    rig = Rig(binance, exchange)
    known: list[str] = []

    async def before() -> None:
        await rig.arm(Fault.LOSE_REPORT, 5)
        await rig.arm(Fault.DELAY_ANSWER, op="submit")
        receipt = asyncio.ensure_future(rig.submit("i1"))
        await rig.until(lambda state: bool(state.book.orders))
        known.extend(await rig.read(lambda state: list(state.book.orders)))
        while not (await asyncio.to_thread(binance.truth)).executions:
            await asyncio.sleep(0.01)
        receipt.cancel()
        await asyncio.gather(receipt, return_exceptions=True)

    async def after() -> None:
        await rig.ended(known[0], OrdStatus.FILLED)
        await rig.settled()

    binance.rules(delay_ms=1_500)
    rig.run(before)
    binance.heal()
    rig.run(after)


@BOTH
def test_venue_that_dies_while_an_order_rests_is_found_again(binance: EmulatorProcess, exchange: str) -> None:
    rig = Rig(binance, exchange)

    async def story() -> None:
        receipt = await rig.submit("i1", px=59_000)
        await rig.ended(receipt.cl_ord_id, OrdStatus.NEW)
        await asyncio.to_thread(binance.kill)
        await asyncio.to_thread(binance.start)
        await rig.price(58_000)
        await rig.ended(receipt.cl_ord_id, OrdStatus.FILLED)
        await rig.settled()

    rig.run(story)


@pytest.mark.parametrize("way", ["stop", "close"])
def test_guarded_purchase_on_spot_leaves_with_nothing_but_dust_and_nothing_is_halted(
    binance: EmulatorProcess, way: str
) -> None:
    """Binance takes its commission out of what was bought, and sells whole lots only."""
    rig = Rig(binance, "binance")
    name, qty = rig.instrument_id, 1_230_000

    def intent(intent_id: str, action: Action, side: int, qty: int, plan: ExitPlan | None = None) -> Intent:
        return Intent(intent_id, f"c-{intent_id}", "test", "s", name, action, side, qty, plan=plan)

    async def story() -> None:
        plan = ExitPlan(stop_px=59_000 * DOLLAR[name])
        bought = await rig.ask(intent("in", Action.TRADE, 1, qty, plan))
        await rig.ended(bought.cl_ord_id, OrdStatus.FILLED)
        held = await rig.read(lambda state: state.book.positions[name].qty)
        assert held == qty - qty // 1_000
        if way == "stop":
            await rig.price(58_900)
            await rig.engine.feed("w", Quote(name, time.time_ns(), 58_900 * DOLLAR[name]))
        else:
            await rig.ask(intent("out", Action.CLOSE, 0, 0))
        await rig.until(lambda state: state.book.positions[name].dust)
        await rig.settled()
        await rig.engine.feed("w", ComparePositions(time.time_ns(), await rig.venue.positions()))
        position, halted = await rig.read(lambda state: (state.book.positions[name], state.book.halted_code))
        assert (position.qty, position.protection, halted) == (held % 1_000, None, "")
        assert [notice.code for notice in rig.alarms if notice.page] == []

    rig.run(story)
    assert check_journal(rig.journal, "w") == []
