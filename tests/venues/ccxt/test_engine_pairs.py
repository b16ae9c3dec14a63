"""A whole engine whose stop and target wait at the emulated Binance, linked: never more closes than is held."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from tests.venues.ccxt.engine_rig import Rig
from tests.venues.ccxt.orders import DOLLAR, SPOT

from surefill.domain.intent import Action, ExitPlan, Intent
from surefill.domain.market import Quote
from surefill.domain.orders import Order
from surefill.domain.state import State
from surefill.rules.codes import OrdStatus
from surefill.testing.emulators.groundwork.faults import AnyFault, WireFault
from surefill.testing.emulators.groundwork.process import EmulatorProcess
from surefill.testing.invariants import check_journal
from surefill.testing.remote_venue.faults import Fault
from surefill.units import NS_PER_MS

QTY = 1_230_000
OPEN = ("NEW", "PENDING", "PARTIALLY_FILLED")


class Linked(Rig):
    """0.0123 bitcoins bought at 60,000, to leave at 59,000 or 62,000."""

    def __init__(self, binance: EmulatorProcess, trail_distance: int = 0) -> None:
        super().__init__(binance, "binance")
        limits = msgspec.structs.replace(
            self.profile.limits, stops_at_venue=True, targets_at_venue=True, stop_grace_ns=400 * NS_PER_MS
        )
        self.profile = msgspec.structs.replace(self.profile, limits=limits)
        self.plan = ExitPlan(
            stop_px=59_000 * DOLLAR[SPOT], target_px=62_000 * DOLLAR[SPOT], trail_distance=trail_distance
        )

    def told(self, story: Callable[[], Awaitable[None]]) -> None:
        """Run it, and see that the journal keeps every invariant."""
        self.run(story)
        assert check_journal(self.journal, "w") == []

    async def bought(self) -> Order:
        """The pair that guards the purchase, once the venue has it."""
        await self.ask(Intent("in", "c-in", "test", "s", SPOT, Action.TRADE, 1, QTY, plan=self.plan))
        return await self.guarded()

    async def guarded(self) -> Order:
        def pair(state: State) -> Order | None:
            waiting = [order for order in state.book.orders.values() if order.rests and order.status == OrdStatus.NEW]
            return waiting[0] if len(waiting) == 1 and not waiting[0].cancel_ns else None

        await self.until(lambda state: pair(state) is not None)
        found = await self.read(pair)
        assert isinstance(found, Order)
        return found

    async def see(self, px: int, **terms: object) -> None:
        """The market moves; the engine sees it too."""
        await asyncio.to_thread(self.binance.price, "BTCUSDT", px, **terms)
        await self.engine.feed("w", Quote(SPOT, time.time_ns(), px * DOLLAR[SPOT]))

    async def out(self) -> None:
        """Nothing but dust is held, nothing works, nobody was called."""
        await self.until(lambda state: state.book.positions[SPOT].dust and not state.book.orders)
        await self.settled()
        assert self.open_at_venue() == []

    def open_at_venue(self) -> list[dict[str, object]]:
        mine = [each for each in self.binance.truth().orders if each["account"] == self.account]
        return [each for each in mine if each["status"] in OPEN]

    @property
    def pages(self) -> list[str]:
        return [notice.code for notice in self.alarms if notice.page]


@pytest.mark.parametrize("px", [58_900, 62_100])
def test_either_price_takes_the_position_out_at_the_venue_itself(binance: EmulatorProcess, px: int) -> None:
    rig = Linked(binance)

    async def story() -> None:
        pair = await rig.bought()
        assert len(rig.open_at_venue()) == 2
        await rig.price(px)  # the engine sees no price: the venue does it
        await rig.ended(pair.request.cl_ord_id, OrdStatus.FILLED)
        await rig.out()

    rig.told(story)
    assert rig.pages == []


def test_target_that_fills_in_part_leaves_the_rest_guarded_and_leaves_it_when_the_engine_sees_the_price(
    binance: EmulatorProcess,
) -> None:
    rig = Linked(binance)

    async def story() -> None:
        first = await rig.bought()
        await asyncio.to_thread(binance.price, "BTCUSDT", bid=62_100, ask=62_101, last=61_900, bid_qty="0.004")
        await rig.ended(first.request.cl_ord_id, OrdStatus.CANCELED)
        # The price is still there, so the next pair is refused, and the stop goes alone.
        await rig.until(lambda state: any(order.code == "-2010" for order in state.book.done.values()))
        alone = await rig.guarded()
        assert (alone.request.order_qty, alone.request.target_px) == (first.request.order_qty - 400_000, 0)
        assert len(rig.open_at_venue()) == 1
        await rig.see(62_100)
        await rig.out()

    rig.told(story)


def test_whatever_else_closes_takes_the_pair_back_first(binance: EmulatorProcess) -> None:
    rig = Linked(binance)

    async def story() -> None:
        await rig.bought()
        await rig.ask(Intent("out", "c-out", "test", "s", SPOT, Action.CLOSE, 0, 0))
        await rig.out()

    rig.told(story)
    assert rig.pages == []


def test_stop_that_trails_gets_a_new_pair_with_the_same_target(binance: EmulatorProcess) -> None:
    rig = Linked(binance, trail_distance=1_000 * DOLLAR[SPOT])

    async def story() -> None:
        first = await rig.bought()
        await rig.see(61_500)
        await rig.ended(first.request.cl_ord_id, OrdStatus.CANCELED)
        second = await rig.guarded()
        assert (second.request.stop_px, second.request.target_px) == (60_500 * DOLLAR[SPOT], first.request.target_px)
        assert len(rig.open_at_venue()) == 2
        await rig.price(60_400)
        await rig.out()

    rig.told(story)
    assert rig.pages == []


@pytest.mark.parametrize(
    ("fault", "op"),
    [
        (Fault.LOSE_ANSWER, "submit"),
        (Fault.GARBLE_ANSWER, "submit"),
        (Fault.THROTTLED, "submit"),
        (WireFault.STATUS_UNKNOWN, "submit"),
        (Fault.LOSE_REPORT, ""),
        (WireFault.STREAM_LOST, ""),
    ],
)
def test_pair_struck_by_a_fault_is_there_once(binance: EmulatorProcess, fault: AnyFault, op: str) -> None:
    rig = Linked(binance)

    async def story() -> None:
        bought = await rig.submit("i0")
        await rig.ended(bought.cl_ord_id, OrdStatus.FILLED)
        await rig.ask(Intent("out", "c-out", "test", "s", SPOT, Action.CLOSE, 0, 0))
        await rig.until(lambda state: not state.book.orders)
        await rig.arm(fault, op=op)
        await rig.ask(Intent("in", "c-in", "test", "s", SPOT, Action.TRADE, 1, QTY, plan=rig.plan))
        await rig.until(lambda state: not state.book.positions[SPOT].dust)
        await rig.guarded()
        assert len(rig.open_at_venue()) == 2
        await rig.settled()

    rig.told(story)
    assert binance.truth().fired[fault.name] >= 1


def test_refused_pair_leaves_its_stop_at_the_venue_and_its_target_to_the_engine(binance: EmulatorProcess) -> None:
    rig = Linked(binance)

    async def story() -> None:
        await rig.price(62_500)  # the target is below the market by now: no pair of these prices can be placed
        now = Quote(SPOT, time.time_ns(), 60_000 * DOLLAR[SPOT])
        await rig.engine.feed("w", now)
        await rig.ask(Intent("in", "c-in", "test", "s", SPOT, Action.TRADE, 1, QTY, plan=rig.plan))
        await rig.until(lambda state: any(order.code == "-2010" for order in state.book.done.values()))
        assert (await rig.guarded()).request.target_px == 0
        await rig.see(62_500)
        await rig.out()

    rig.told(story)
    assert "EXIT_REJECTED" in rig.pages


def test_engine_that_starts_again_finds_the_pair_or_what_became_of_it(binance: EmulatorProcess) -> None:
    rig = Linked(binance)
    known: list[Order] = []

    async def before() -> None:
        known.append(await rig.bought())

    async def between() -> None:
        assert (await rig.guarded()).request == known[0].request
        assert len(rig.open_at_venue()) == 2

    async def after() -> None:
        await rig.ended(known[0].request.cl_ord_id, OrdStatus.FILLED)
        await rig.out()

    rig.told(before)
    rig.told(between)
    binance.price("BTCUSDT", 62_100)
    rig.told(after)


def test_venue_that_dies_keeps_the_pair(binance: EmulatorProcess) -> None:
    rig = Linked(binance)

    async def story() -> None:
        pair = await rig.bought()
        await asyncio.to_thread(binance.kill)
        await asyncio.to_thread(binance.start)
        await rig.price(58_900)
        await rig.ended(pair.request.cl_ord_id, OrdStatus.FILLED)
        await rig.out()

    rig.told(story)
