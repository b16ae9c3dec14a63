"""The venue's process dies at every hop of an order, and comes back: the engine learns what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.rig import PX, Rig

from surefill.rules.codes import OrdStatus
from surefill.testing.remote_venue import Fault, VenueProcess
from surefill.testing.remote_venue.server import CRASHED


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path / "truth.db") as process:
        yield process


@pytest.mark.parametrize("px", [0, PX - 100], ids=["market", "limit"])
@pytest.mark.parametrize("hop", ["received", "matched", "reported"])
def test_order_survives_the_venues_death_at_a_hop(mortal: VenueProcess, hop: str, px: int) -> None:
    async def story(rig: Rig) -> None:
        mortal.arm(Fault.CRASH, op=hop)
        receipt = await rig.submit("one", 1, 10, px=px)
        assert mortal.wait() == CRASHED
        mortal.start()
        await rig.settled()
        order = await rig.order(receipt.cl_ord_id)
        assert order.status == (OrdStatus.NEW if px else OrdStatus.FILLED)

    Rig(mortal).run(story)


def test_orders_while_the_venue_is_away_are_refused_and_can_be_sent_again(mortal: VenueProcess) -> None:
    async def story(rig: Rig) -> None:
        await rig.submit("one", 1, 10)
        mortal.kill()
        await asyncio.sleep(0.05)
        receipt = await rig.submit("away", 1, 5)
        assert (receipt.status, receipt.code) == (OrdStatus.REJECTED, "NOT_SENT")
        mortal.start()
        receipt = await rig.submit("back", 1, 5)
        assert receipt.status in (OrdStatus.NEW, OrdStatus.FILLED)
        await rig.settled()
        held = await rig.read(lambda state: [position.qty for _, position in state.open_positions()])
        assert held == [15]

    Rig(mortal).run(story)


def test_engine_and_venue_that_both_die_agree_when_they_are_back(mortal: VenueProcess) -> None:
    async def before(rig: Rig) -> None:
        mortal.arm(Fault.CRASH, op="received")
        await rig.submit("one", 1, 10)
        assert mortal.wait() == CRASHED

    async def after(rig: Rig) -> None:
        await rig.settled()
        assert await rig.read(lambda state: [position.qty for _, position in state.open_positions()]) == [10]

    rig = Rig(mortal)
    rig.run(before)
    mortal.start()
    rig.run(after)
