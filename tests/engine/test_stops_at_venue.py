"""Stops kept at the venue, through the engine: over a wire that changes orders and one that does not, and on paper."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.workspaces import ScriptedVenue, instrument, intent, opening, profile, report_of, run, started

from surefill.domain.inputs import SetProfile
from surefill.domain.intent import Action, ExitPlan
from surefill.domain.market import Quote
from surefill.domain.orders import OrderRequest
from surefill.domain.reports import ExecType
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Verdict
from surefill.errors import ConfigError
from surefill.journal import MemoryJournal
from surefill.rules.codes import OrdStatus, OrdType, TimeInForce
from surefill.testing.invariants import check_journal
from surefill.venues.protocol import Accepted, Capabilities, Outcome, Unknown

TRAILING = ExitPlan(stop_px=90, trail_distance=10)


class KeepsStops(ScriptedVenue):
    """A venue with stop orders of its own; it changes them in place, or says that it cannot."""

    def __init__(self, *, amends: bool) -> None:
        super().__init__()
        self.amends = amends
        self.amended: list[OrderRequest] = []
        self.amend_outcomes: list[Outcome] = []
        self.cancel_outcomes: list[Outcome] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities("keeps", frozenset(OrdType), frozenset(TimeInForce), native_stops=True, amends=self.amends)

    async def amend(self, request: OrderRequest, order_id: str) -> Outcome:
        self.amended.append(request)
        return self.amend_outcomes.pop(0) if self.amend_outcomes else Accepted(())

    async def cancel(self, request: OrderRequest, order_id: str) -> Outcome:
        told = await super().cancel(request, order_id)
        return self.cancel_outcomes.pop(0) if self.cancel_outcomes else told

    def stops(self) -> list[OrderRequest]:
        return [request for request in self.sent if request.ord_type == OrdType.STOP]


async def _guarded(venue: KeepsStops) -> Engine:
    """An engine with a long position of 10 whose stop at 90 the venue has taken."""
    engine = await started(venue=venue, rules=profile(stops_at_venue=True))
    await engine.submit("w", intent("k", plan=TRAILING))
    venue.fill(venue.sent[0], 10, "e1")
    await _until(engine, lambda order: order.rests and order.status == OrdStatus.NEW)
    return engine


async def _until(engine: Engine, what: Any) -> Any:
    while True:
        found = await engine.read("w", lambda state: [each for each in state.book.orders.values() if what(each)])
        if found:
            return found[0]


async def _ended(engine: Engine) -> None:
    journal = engine.journal
    await engine.stop(timeout_s=1)
    assert check_journal(journal, "w") == []


def test_stop_follows_the_price_in_place() -> None:
    async def test() -> None:
        venue = KeepsStops(amends=True)
        engine = await _guarded(venue)
        await engine.feed("w", Quote("X", engine.clock.now_ns(), 120))
        stop = await _until(
            engine, lambda order: order.rests and order.request.stop_px == 110 and order.status == OrdStatus.NEW
        )
        assert [request.stop_px for request in venue.amended] == [110]
        assert [request.cl_ord_id for request in venue.stops()] == [stop.request.cl_ord_id]
        assert venue.canceled == []
        await _ended(engine)

    run(test)


@pytest.mark.parametrize("unknown", [False, True])
def test_stop_that_cannot_be_changed_is_taken_back_and_placed_anew(unknown: bool) -> None:
    async def test() -> None:
        venue = KeepsStops(amends=unknown)
        venue.amend_outcomes = [Unknown("timed out")]
        engine = await _guarded(venue)
        await engine.feed("w", Quote("X", engine.clock.now_ns(), 120))
        await _until(
            engine, lambda order: order.rests and order.request.stop_px == 110 and order.status == OrdStatus.NEW
        )
        assert [request.stop_px for request in venue.stops()] == [90, 110]
        assert [request.stop_px for request in venue.canceled] == [90]
        assert len(venue.amended) == unknown
        await _ended(engine)

    run(test)


def test_close_is_sent_only_when_the_venue_has_let_go_of_the_stop() -> None:
    async def test() -> None:
        venue = KeepsStops(amends=True)
        engine = await _guarded(venue)
        close = intent("c", 0, 0)
        await engine.submit("w", type(close)(**{**_fields(close), "action": Action.CLOSE}))
        kinds = [request.ord_type for request in venue.sent]
        assert kinds == [OrdType.MARKET, OrdType.STOP, OrdType.MARKET]
        assert [request.cl_ord_id for request in venue.canceled] == [venue.sent[1].cl_ord_id]
        venue.sink(report_of(venue.sent[2], ExecType.TRADE, exec_id="e2", last_px=100, last_qty=10))
        venue.held["X"] = 0
        await _ended(engine)

    run(test)


def test_caller_hears_of_a_close_whose_stop_could_not_be_taken_back() -> None:
    async def test() -> None:
        venue = KeepsStops(amends=True)
        engine = await _guarded(venue)
        venue.cancel_outcomes = [Unknown("timed out")]
        close = intent("c", 0, 0)
        receipt = await engine.submit("w", type(close)(**{**_fields(close), "action": Action.CLOSE}))
        assert (receipt.verdict, receipt.status) == (Verdict.ACCEPTED, OrdStatus.SUBMITTED)
        assert [request.ord_type for request in venue.sent] == [OrdType.MARKET, OrdType.STOP]
        await _ended(engine)

    run(test)


def _fields(wish: Any) -> dict[str, Any]:
    return {name: getattr(wish, name) for name in wish.__struct_fields__}


def test_venue_without_stops_is_refused_before_anything_begins() -> None:
    async def test() -> None:
        engine = Engine(MemoryJournal(), LiveClock())
        with pytest.raises(ConfigError, match=r"scripted keeps none: set execution\.stops_at to engine"):
            await engine.open(opening(rules=profile(stops_at_venue=True)), ScriptedVenue(), [instrument()])
        await engine.stop()

    run(test)


def test_venue_that_links_nothing_is_refused_and_never_sent_a_target_that_it_would_drop() -> None:
    async def test() -> None:
        engine, venue = Engine(MemoryJournal(), LiveClock()), KeepsStops(amends=True)
        linked = profile(stops_at_venue=True, targets_at_venue=True)
        with pytest.raises(ConfigError, match=r"keeps links none: set execution\.targets_at to engine"):
            await engine.open(opening(rules=linked), venue, [instrument()])
        await engine.open(opening(rules=profile(stops_at_venue=True)), venue, [instrument()])
        await engine.feed("w", SetProfile(2, linked, "c"))
        await engine.feed("w", Quote("X", engine.clock.now_ns(), 100))
        await engine.submit("w", intent("k", plan=ExitPlan(stop_px=90, target_px=110)))
        venue.fill(venue.sent[0], 10, "e1")
        alone = await _until(engine, lambda order: order.rests and order.status == OrdStatus.NEW)
        assert alone.request.target_px == 0
        done = await engine.read("w", lambda state: [order.code for order in state.book.done.values() if order.rests])
        assert done == ["NOT_LINKED"]
        assert [request.target_px for request in venue.sent] == [0, 0]
        await _ended(engine)

    run(test)


def test_paper_venue_fills_the_stop_that_rests_there_at_its_price() -> None:
    async def test() -> None:
        engine = await started(rules=profile(stops_at_venue=True))
        await engine.submit("w", intent("k", plan=ExitPlan(stop_px=90)))
        assert (await _until(engine, lambda order: order.rests)).status == OrdStatus.NEW
        await engine.feed("w", Quote("X", engine.clock.now_ns(), 89))
        position = await engine.read("w", lambda state: state.book.positions["X"])
        assert (position.qty, position.realised) == (0, 10 * (89 - 100) * 100)
        await _ended(engine)

    run(test)
