"""The limit over several workspaces: what all of them hold and have on its way, unfilled and UNKNOWN in full."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.engine.workspaces import ScriptedVenue, instrument, intent, opening, profile, run

from surefill.domain.inputs import OutcomeUnknown, RequestCancel, SetProfile
from surefill.domain.intent import Action
from surefill.domain.market import Quote
from surefill.engine.clock import LiveClock
from surefill.engine.engine import Engine
from surefill.engine.receipt import Receipt, Verdict
from surefill.errors import AppendFailed
from surefill.journal import MemoryJournal
from surefill.journal.protocol import Journal
from surefill.rules.codes import OrdStatus
from surefill.venues.paper import PaperVenue
from surefill.venues.protocol import Venue

MONEY = 100  # of one price unit times one piece


async def _engine(
    limits: dict[str, int | None], venue: Any = None, journal: Journal | None = None, **opened: dict[str, Any]
) -> Engine:
    """Workspaces at 100, each with its limit of the whole; `opened`: what else one of them is."""
    engine = Engine(journal or MemoryJournal(), LiveClock())
    for name, most in limits.items():
        rules = profile() if most is None else profile(aggregate_value_max=most * MONEY)
        at: Venue = PaperVenue() if venue is None else venue
        wish = msgspec.structs.replace(opening(name, rules=rules), **opened.get(name, {}))
        await engine.open(wish, at, [instrument()])
        await engine.feed(name, Quote("X", engine.clock.now_ns(), 100))
    return engine


async def _buy(engine: Engine, name: str, qty: int, key: str = "", **fields: Any) -> Receipt:
    return await engine.submit(name, intent(key, qty, **fields))


async def _close(engine: Engine, name: str) -> Receipt:
    return await engine.submit(name, msgspec.structs.replace(intent(), action=Action.CLOSE, side=0, order_qty=0))


def test_entry_beyond_the_limit_over_all_workspaces_is_refused_with_figures() -> None:
    async def test() -> None:
        engine = await _engine({"a": 10_000, "b": 10_000})
        assert (await _buy(engine, "a", 60)).verdict == Verdict.ACCEPTED
        assert (await _buy(engine, "b", 40)).verdict == Verdict.ACCEPTED, "the limit itself passes"
        refused = await _buy(engine, "b", 1)
        assert (refused.verdict, refused.code) == (Verdict.REFUSED, "AGGREGATE_EXCEEDED")
        assert "would stand in for 10100 EUR (6000 EUR of it the others), at most 10000 EUR together" in refused.reason
        assert (await _close(engine, "a")).status == OrdStatus.FILLED, "an exit is never held"
        assert (await _buy(engine, "b", 60)).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


@pytest.mark.parametrize(("limits", "most"), [((10_000, None), 100), ((None, 10_000), 100), ((9_000, 10_000), 90)])
def test_smallest_limit_holds_for_all_of_them(limits: tuple[int | None, int | None], most: int) -> None:
    async def test() -> None:
        for name in ("a", "b"):
            engine = await _engine(dict(zip("ab", limits, strict=True)))
            assert (await _buy(engine, name, most + 1)).code == "AGGREGATE_EXCEEDED"
            assert (await _buy(engine, name, most)).verdict == Verdict.ACCEPTED
            await engine.stop()

    run(test)


@pytest.mark.parametrize("other", [{"venue": "elsewhere"}, {"mode": "backtest"}, {"venue": "venue"}])
def test_workspaces_of_another_venue_or_mode_are_not_counted(other: dict[str, Any]) -> None:
    async def test() -> None:
        engine = await _engine({"a": 10_000, "b": None}, b=other)
        assert (await _buy(engine, "b", 100)).verdict == Verdict.ACCEPTED
        shared = other == {"venue": "venue"}
        assert ((await _buy(engine, "a", 100)).verdict == Verdict.REFUSED) is shared
        await engine.stop()

    run(test)


def test_money_of_other_decimals_is_counted_in_ones_own() -> None:
    async def test() -> None:
        engine = await _engine({"a": 10_000, "b": None}, b={"money_decimals": 4})
        await _buy(engine, "a", 60)
        # the same figures with two decimals more: a hundredth of the money
        refused = await _buy(engine, "b", 4_001)
        assert "6000 EUR of it the others), at most 10000 EUR" in refused.reason
        assert (await _buy(engine, "b", 4_000)).verdict == Verdict.ACCEPTED
        assert (await _buy(engine, "a", 1)).code == "AGGREGATE_EXCEEDED"
        await engine.stop()

    run(test)


def test_two_workspaces_that_try_at_once_do_not_pass_the_limit_together() -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        engine = await _engine({"a": 10_000, "b": 10_000}, venue)
        tries = [_buy(engine, name, 30, f"{name}{n}") for n in range(5) for name in ("a", "b")]
        receipts = await asyncio.gather(*tries)
        passed = [each for each in receipts if each.verdict == Verdict.ACCEPTED]
        assert (len(passed), len(venue.sent)) == (3, 3)
        assert {each.code for each in receipts if each.verdict != Verdict.ACCEPTED} == {"AGGREGATE_EXCEEDED"}
        assert (await _buy(engine, "b", 11)).code == "AGGREGATE_EXCEEDED", "sent and not filled counts in full"
        venue.fill(venue.sent[0], 30, "e")
        assert (await _buy(engine, "b", 11)).code == "AGGREGATE_EXCEEDED", "filled counts once"
        assert (await _buy(engine, "b", 10)).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_order_of_unknown_fate_counts_in_full_and_one_that_ended_no_more() -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        engine = await _engine({"a": 10_000, "b": 10_000}, venue)
        receipt = await _buy(engine, "a", 100)
        await engine.feed("a", OutcomeUnknown(engine.clock.now_ns(), receipt.cl_ord_id, "gone"))
        assert (await _buy(engine, "b", 1)).code == "AGGREGATE_EXCEEDED"
        await engine.feed("a", RequestCancel(engine.clock.now_ns(), receipt.cl_ord_id, "ann"))
        await engine.desks["a"].quiet()
        assert (await _buy(engine, "b", 100)).verdict == Verdict.ACCEPTED
        await engine.stop()

    run(test)


def test_order_that_is_decided_is_withheld_from_the_wire_when_the_limit_has_been_passed_since() -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        engine = await _engine({"a": 10_000, "b": 10_000}, venue)
        waiting = [asyncio.ensure_future(_buy(engine, name, 50)) for name in ("a", "b")]
        while not all(engine.desks[name].errands for name in ("a", "b")):
            await asyncio.sleep(0)  # decided and durable, their errands not begun
        rules = profile(aggregate_value_max=7_000 * MONEY)
        engine.desks["a"].writer.feed(SetProfile(engine.clock.now_ns(), rules, "less"))
        receipts = await asyncio.gather(*waiting)
        assert [(receipt.status, receipt.code) for receipt in receipts] == [
            (OrdStatus.REJECTED, "AGGREGATE_EXCEEDED"),
            (OrdStatus.REJECTED, "AGGREGATE_EXCEEDED"),  # the other one was still counted
        ]
        assert venue.sent == []
        assert (await _buy(engine, "b", 70)).status == OrdStatus.NEW
        await engine.stop()

    run(test)


def test_exit_leaves_for_the_wire_however_far_the_limit_is_passed() -> None:
    async def test() -> None:
        venue = ScriptedVenue()
        engine = await _engine({"a": 10_000}, venue)
        await _buy(engine, "a", 100)
        venue.fill(venue.sent[0], 100, "e")
        await engine.feed("a", SetProfile(engine.clock.now_ns(), profile(aggregate_value_max=0), "nothing"))
        assert (await _close(engine, "a")).status == OrdStatus.NEW
        assert len(venue.sent) == 2
        await engine.stop()

    run(test)


def test_workspace_whose_books_cannot_be_read_holds_back_the_entries_of_the_others() -> None:
    async def test() -> None:
        engine = await _engine({"a": 10_000, "b": None})
        await _buy(engine, "a", 10)
        engine.desks["b"].break_off(AppendFailed("the disk is gone", durable="no"))
        refused = await _buy(engine, "a", 1)
        assert (refused.code, "workspace b" in refused.reason) == ("AGGREGATE_UNKNOWN", True)
        assert (await _close(engine, "a")).status == OrdStatus.FILLED
        await engine.stop()

    run(test)


def test_entry_without_a_price_cannot_be_counted_and_is_refused() -> None:
    async def test() -> None:
        engine = await _engine({"a": 10_000})
        engine.desks["a"].writer.state.quotes.clear()
        assert (await _buy(engine, "a", 1)).code == "NO_MARKET_DATA"
        await engine.stop()

    run(test)
