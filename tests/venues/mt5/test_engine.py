"""The engine itself before the adapter and the emulated terminal: it trades, does not know, and finds out."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from tests.venues.mt5.rig import NETTING, Rig

from surefill.domain.inputs import OpenWorkspace
from surefill.domain.intent import Action, Intent
from surefill.domain.limits import Limits
from surefill.domain.market import Quote
from surefill.domain.profile import V3
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.journal import MemoryJournal, verify
from surefill.rules.codes import OrdStatus
from surefill.testing.emulators import EmulatorProcess, Fault
from surefill.units import NS_PER_MS
from surefill.venues.mt5.comments import comment_of

LIMITS = Limits(query_spacing_ns=30 * NS_PER_MS, unknown_page_ns=2_000 * NS_PER_MS, send_by_ns=5_000 * NS_PER_MS)
PROFILE = msgspec.structs.replace(V3, limits=LIMITS)


class Desk:
    """A workspace on the terminal's account."""

    def __init__(self, rig: Rig, journal: MemoryJournal) -> None:
        self.rig, self.journal = rig, journal
        self.engine: Engine

    async def __aenter__(self) -> Desk:
        self.engine = Engine(self.journal, LiveClock())
        self.engine.alarms[:] = []
        self.venue = self.rig.venue()
        opening = OpenWorkspace(time.time_ns(), "w", "live", "mt5", "100001", "USD", 8, 10**15, PROFILE, "hash")
        await self.venue.connect(lambda _report: None)
        instruments = await self.venue.instruments()
        await self.venue.close()
        self.venue = self.rig.venue()
        await self.engine.open(opening, self.venue, instruments)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.engine._stopped = True
        await self.venue.close()

    async def trade(self, intent_id: str, side: int, qty: int = 10) -> Any:
        intent = Intent(intent_id, f"c-{intent_id}", "test", "s", "EURUSD", Action.TRADE, side, qty)
        quote = Quote("EURUSD", time.time_ns(), 110_005, bid_px=110_000, ask_px=110_010)
        return await self.engine.submit("w", intent, quote)

    async def until(self, what: Any) -> None:
        end = time.monotonic() + 5
        while not await self.engine.read("w", what):
            assert time.monotonic() < end, await self.engine.read("w", lambda state: state.book)
            await asyncio.sleep(0.005)


def _filled(cl_ord_id: str) -> Any:
    return lambda state: (order := state.order(cl_ord_id)) is not None and order.status == OrdStatus.FILLED


def test_engine_trades_is_left_in_the_dark_and_finds_out(terminal: EmulatorProcess, way: str) -> None:
    rig, journal = Rig(terminal, way, mode=NETTING), MemoryJournal()

    async def story() -> None:
        async with Desk(rig, journal) as desk:
            first = await desk.trade("one", 1)
            await desk.until(_filled(first.cl_ord_id))
            terminal.arm(Fault.LOSE_ANSWER, op="submit")
            second = await desk.trade("two", 1, 5)
            await desk.until(_filled(second.cl_ord_id))
            held = await desk.engine.read("w", lambda state: {key: each.qty for key, each in state.open_positions()})
            assert held == await desk.venue.positions() == {"EURUSD": 15}
            assert rig.taken() == {comment_of(each.cl_ord_id): 1 for each in (first, second)}

    asyncio.run(story())

    assert terminal.truth().fired == {"LOSE_ANSWER": 1}
    assert verify(journal).ok


def test_engine_that_died_with_an_unknown_order_finds_it_after_its_start(terminal: EmulatorProcess) -> None:
    rig, journal, ids = Rig(terminal, mode=NETTING), MemoryJournal(), []

    async def dies() -> None:
        async with Desk(rig, journal) as desk:
            terminal.arm(Fault.LOSE_ANSWER, op="submit")
            terminal.arm(Fault.QUERY_ERROR, 1_000, op="open_orders")
            ids.append((await desk.trade("one", 1)).cl_ord_id)
            await rig.until(rig.taken)

    async def lives() -> None:
        async with Desk(rig, journal) as desk:
            await desk.until(_filled(ids[0]))
            assert rig.taken() == {comment_of(ids[0]): 1}

    asyncio.run(dies())
    journal.reopen()
    terminal.heal()
    asyncio.run(lives())
