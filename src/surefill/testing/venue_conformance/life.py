"""EX-47 to EX-52: connecting, going, coming back."""

from __future__ import annotations

import asyncio
import time

from surefill.testing.venue_conformance.ground import TrueOrder
from surefill.testing.venue_conformance.numbered import check
from surefill.testing.venue_conformance.stage import LOOK_AGAIN_S, Stage, Told


class Life:
    """The adapter's own life."""

    @check(47, "closing it leaves orders where they are; another one takes up where it was")
    async def test_ex_47_taken_up(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.close()
        await stage.another(stage.hear)
        assert (await stage.truth(request)).working
        assert (await stage.query(request)).found
        await stage.canceled(request)

    @check(48, "what filled while nobody was connected is told to the next one that asks")
    async def test_ex_48_filled_meanwhile(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.close()
        await stage.move(stage.ground.far_px)
        await stage.another(stage.told.append)
        await stage.filled(request)

    @check(49, "it may be closed twice, and closed it leaves no task behind")
    async def test_ex_49_closed(self, stage: Stage) -> None:
        await stage.accepted(stage.order())
        await stage.close()
        try:
            await stage.venue.close()
        except Exception as error:
            raise AssertionError(f"closing it again failed: {error!r}") from error
        end = time.monotonic() + stage.within_s
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            assert time.monotonic() < end, left
            await asyncio.sleep(LOOK_AGAIN_S)

    @check(50, "it may be closed without ever having been connected")
    async def test_ex_50_closed_unconnected(self, stage: Stage) -> None:
        await stage.ground.venue().close()

    @check(51, "when every connection breaks it finds back, and goes on telling what happens")
    async def test_ex_51_back_again(self, stage: Stage) -> None:
        request = await stage.resting()
        await stage.hang_up()
        await stage.move(stage.ground.far_px)
        await stage.streams(request)
        assert await stage.truth(request) == TrueOrder(1, request.order_qty, False)

    @check(52, "two at once on one account are each told what the other does")
    async def test_ex_52_two_at_once(self, stage: Stage) -> None:
        heard, other = Told(), stage.ground.venue()
        await other.connect(heard.append)
        try:
            request = stage.order()
            await stage.accepted(request)
            end = time.monotonic() + stage.within_s
            while heard.cum_qty(request) < request.order_qty:
                assert time.monotonic() < end, "the other one was told nothing"
                await asyncio.sleep(LOOK_AGAIN_S)
        finally:
            await other.close()
