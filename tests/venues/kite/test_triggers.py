"""GTT on the emulated Kite: placed, read back, changed, deleted, struck."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest
from tests.venues.kite.hand import Kite
from tests.venues.kite.rig import INFY, PX, kite, settings_for

from surefill.errors import VenueOutcomeUnknown
from surefill.testing.remote_venue.faults import Fault
from surefill.venues.kite import Gtt, GttKept, GttLeg, KiteVenue
from surefill.venues.protocol import Rejected, Unknown

STOP, TARGET = GttLeg(PX - 5_000, PX - 5_500, 10), GttLeg(PX + 5_000, PX + 4_500, 10)
PAIR = Gtt(INFY, "CNC", -1, (STOP, TARGET))
SINGLE = Gtt(INFY, "CNC", -1, (STOP,))


@pytest.fixture
def emulated() -> Iterator[Kite]:
    with kite() as venue:
        venue.do("hold", key=INFY, product="CNC", qty=10, px=1400)
        yield venue


def live(emulated: Kite, story: Callable[[KiteVenue], Awaitable[None]]) -> None:
    async def run() -> None:
        venue = KiteVenue(settings_for(emulated))
        try:
            await venue.connect(lambda _report: None)
            await story(venue)
        finally:
            await venue.close()

    asyncio.run(run())


@pytest.mark.parametrize("gtt", [PAIR, SINGLE], ids=["two-leg", "single"])
def test_trigger_is_kept_and_read_back_as_asked_for(emulated: Kite, gtt: Gtt) -> None:
    async def story(venue: KiteVenue) -> None:
        kept = await venue.triggers.place(gtt, PX)
        assert isinstance(kept, GttKept)
        found = await venue.triggers.get(kept.trigger_id)
        assert found.like(gtt)
        assert (found.status, found.trigger_id) == ("active", kept.trigger_id)
        assert await venue.triggers.find(gtt) == (found,)

    live(emulated, story)


def test_trigger_is_changed_and_deleted(emulated: Kite) -> None:
    async def story(venue: KiteVenue) -> None:
        kept = await venue.triggers.place(PAIR, PX)
        assert isinstance(kept, GttKept)
        tighter = msgspec.structs.replace(PAIR, legs=(GttLeg(PX - 1_000, PX - 1_500, 10), TARGET))
        assert await venue.triggers.modify(kept.trigger_id, tighter, PX) == kept
        assert (await venue.triggers.get(kept.trigger_id)).like(tighter)
        assert await venue.triggers.find(PAIR) == ()
        assert await venue.triggers.delete(kept.trigger_id) == kept
        assert await venue.triggers.find(tighter) == ()

    live(emulated, story)


def test_trigger_that_was_struck_says_what_became_of_its_order(emulated: Kite) -> None:
    async def story(venue: KiteVenue) -> None:
        kept = await venue.triggers.place(PAIR, PX)
        assert isinstance(kept, GttKept)
        emulated.price(INFY, (PX - 5_000) / 100)
        found = await venue.triggers.get(kept.trigger_id)
        assert (found.status, found.results[1]) == ("triggered", "")
        assert found.results[0].startswith("success")

    live(emulated, story)


def test_trigger_whose_answer_was_lost_is_found_by_its_terms(emulated: Kite) -> None:
    async def story(venue: KiteVenue) -> None:
        emulated.arm(Fault.LOSE_ANSWER, op="gtt_submit")
        assert isinstance(await venue.triggers.place(PAIR, PX), Unknown)
        assert len(await venue.triggers.find(PAIR)) == 1
        emulated.arm(Fault.QUERY_ERROR, op="gtts")
        with pytest.raises(VenueOutcomeUnknown):
            await venue.triggers.find(PAIR)

    live(emulated, story)
    assert len(emulated.truth()["gtts"]) == 1


REFUSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("UNKNOWN_INSTRUMENT", {"instrument_id": "NSE:NOTHING"}),
    ("NO_PRODUCT", {"bucket": "OTHER"}),
    ("NO_TRIGGERS", {"bucket": ""}),
    ("LEGS", {"legs": ()}),
    ("LEGS", {"legs": (TARGET, STOP)}),
    ("OFF_TICK", {"legs": (GttLeg(PX - 1, PX, 10),)}),
    ("OFF_TICK", {"legs": (GttLeg(PX, 0, 10),)}),
    ("OFF_LOT", {"legs": (GttLeg(PX, PX, 0),)}),
)


@pytest.mark.parametrize(("code", "changes"), REFUSED, ids=str)
def test_trigger_that_the_venue_would_not_take_is_not_sent(emulated: Kite, code: str, changes: dict[str, Any]) -> None:
    async def story(venue: KiteVenue) -> None:
        outcome = await venue.triggers.place(msgspec.structs.replace(PAIR, **changes), PX)
        assert isinstance(outcome, Rejected)
        assert outcome.code == code

    live(emulated, story)
    assert emulated.truth()["gtts"] == []
