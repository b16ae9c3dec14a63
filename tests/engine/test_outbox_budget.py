"""What the outbox does when the venue's budget of requests is used up, or the venue wants to be left alone."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import msgspec
from tests.engine.workspaces import Alarms, ScriptedVenue, instrument, intent, limit, opening, profile, run

from surefill.domain.inputs import RequestCancel
from surefill.domain.intent import Action
from surefill.domain.market import Quote
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.errors import VenueOutcomeUnknown
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus
from surefill.testing.invariants import check_journal
from surefill.units import NS_PER_MS, NS_PER_S
from surefill.venues.protocol import Capabilities, RateLimit, Rejected, Unknown

HOUR = 3_600 * NS_PER_S


class Limited(ScriptedVenue):
    """Two orders an hour, of which one is for exits, unless other limits are given."""

    limits: tuple[RateLimit, ...] = (RateLimit("order", 2, HOUR, "address"),)

    @property
    def capabilities(self) -> Capabilities:
        return msgspec.structs.replace(super().capabilities, rate_limits=self.limits)


async def _engine(venues: dict[str, Limited], **limits: Any) -> Engine:
    engine = Engine(MemoryJournal(), LiveClock())
    for name, venue in venues.items():
        rules = profile(send_by_ns=200 * NS_PER_MS, **limits)
        await engine.open(opening(name, "live", rules=rules), venue, [instrument()])
        await engine.feed(name, Quote("X", engine.clock.now_ns(), 100))
    return engine


def test_entry_without_room_before_its_deadline_lapses_with_a_code_of_its_own() -> None:
    async def test() -> None:
        venue = Limited()
        engine = await _engine({"w": venue})
        assert (await engine.submit("w", limit("a"))).status == OrdStatus.NEW
        lapsed = await engine.submit("w", limit("b"))
        assert (lapsed.status, lapsed.code) == (OrdStatus.REJECTED, "BUDGET_SPENT")
        assert len(venue.sent) == 1
        await engine.stop()
        assert check_journal(engine.journal, "w") == []

    run(test)


def test_exit_and_cancel_leave_by_the_reserve() -> None:
    async def test() -> None:
        venue = Limited()
        venue.limits = (RateLimit("order", 4, HOUR),)  # three and one
        engine = await _engine({"w": venue})
        receipts = [await engine.submit("w", limit(str(n))) for n in range(4)]
        assert [receipt.code for receipt in receipts] == ["", "", "", "BUDGET_SPENT"]
        await engine.feed("w", RequestCancel(time.time_ns(), receipts[0].cl_ord_id, "ada"))
        while not venue.canceled:
            await asyncio.sleep(0.001)
        await engine.stop()

    run(test)


def test_position_is_closed_by_the_reserve() -> None:
    async def test() -> None:
        venue = Limited()
        engine = await _engine({"w": venue})
        await engine.submit("w", intent("a"))
        venue.fill(venue.sent[0], 10, "e1")
        closing = msgspec.structs.replace(intent("c", 0, 0), action=Action.CLOSE)
        assert (await engine.submit("w", closing)).status == OrdStatus.NEW
        assert [request.reduce_only for request in venue.sent] == [False, True]
        await engine.stop()

    run(test)


def test_workspaces_of_one_venue_share_what_its_address_may_send() -> None:
    async def test() -> None:
        venues = {"v": Limited(), "w": Limited()}
        engine = await _engine(venues)
        assert (await engine.submit("v", limit("a"))).status == OrdStatus.NEW
        assert (await engine.submit("w", limit("a"))).code == "BUDGET_SPENT"
        await engine.stop()

    run(test)


def test_venue_that_says_later_is_left_alone_by_all_workspaces() -> None:
    async def test() -> None:
        turned_away = Rejected("THROTTLED", "slow down", undelivered=True, retry_after_ns=HOUR)
        first, second = Limited([turned_away]), Limited()
        first.limits = second.limits = ()
        engine = await _engine({"v": first, "w": second})
        assert (await engine.submit("v", limit("a"))).code == "THROTTLED"
        assert (await engine.submit("w", limit("a"))).code == "BUDGET_SPENT"
        assert second.sent == []
        await engine.stop()

    run(test)


def test_query_that_is_told_to_wait_holds_the_whole_venue() -> None:
    async def test() -> None:
        refused = VenueOutcomeUnknown("429", retry_after_ns=HOUR)
        venue = Limited([Unknown("timed out")], [refused])
        venue.limits = ()
        engine = await _engine({"w": venue})
        await engine.submit("w", limit("a"))
        while not venue.asked:
            await asyncio.sleep(0.001)
        assert (await engine.submit("w", limit("b"))).code == "BUDGET_SPENT"
        assert (len(venue.sent), len(venue.asked)) == (1, 1)
        await engine.stop(timeout_s=0)

    run(test)


def test_queries_that_fail_are_made_again_ever_later_up_to_a_bound() -> None:
    async def test() -> None:
        venue = Limited([Unknown("timed out")], [VenueOutcomeUnknown("503")] * 6)
        venue.limits = ()
        engine = await _engine({"w": venue}, query_spacing_ns=4 * NS_PER_MS, unknown_page_ns=HOUR)
        alarms = Alarms(engine)
        times: list[float] = []
        venue.query = _timed(venue, times)  # type: ignore[method-assign]
        await engine.submit("w", limit("a"))
        while len(times) < 7:
            await asyncio.sleep(0.001)
        pauses = [after - before for before, after in pairwise(times)]
        assert pauses[3] > 0.016 + 0.004 - 0.001  # half of eight pauses at least, and the pause of the core's
        assert alarms.codes() == []
        await engine.stop()

    run(test)


def _timed(venue: ScriptedVenue, times: list[float]) -> Any:
    query = venue.query

    async def timed(request: Any) -> Any:
        times.append(asyncio.get_running_loop().time())
        return await query(request)

    return timed
